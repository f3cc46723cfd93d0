//! ReplicaSets: as many pods as are wanted, no matter which.

use super::object::{apps, core, int, is_deleting, name, text};
use super::pods::{claim, from_template, is_active, is_available, is_ready, suffix};
use super::world::{Source, World};
use serde_json::{Value, json};
use std::sync::Arc;

const SOURCE: Source = Source::new("replicaset-controller");

/// Brings every ReplicaSet towards its number of pods.
pub fn sync(world: &World) {
    for set in world.all(&apps("replicasets")) {
        if !is_deleting(&set) {
            scale(world, &set);
            report(world, &set);
        }
    }
}

fn active(world: &World, set: &Value) -> Vec<Arc<Value>> {
    let mut pods = claim(world, set);
    pods.retain(|pod| is_active(pod));
    pods
}

fn scale(world: &World, set: &Value) {
    let mut pods = active(world, set);
    let wanted = int(set, "/spec/replicas").and_then(|number| usize::try_from(number).ok()).unwrap_or(1);
    for _ in pods.len()..wanted {
        let pod = from_template(set, &set["spec"]["template"], &format!("{}-{}", name(set), suffix()), &[]);
        report_creation(world, SOURCE, set, world.create(&core("pods"), generated(pod, set)));
    }
    // First those that lose the least: without a node, not ready, young.
    pods.sort_by_key(|pod| {
        let age = text(pod, "/metadata/creationTimestamp").to_owned();
        (!text(pod, "/spec/nodeName").is_empty(), is_ready(pod), std::cmp::Reverse(age))
    });
    for pod in pods.iter().take(pods.len().saturating_sub(wanted)) {
        world.delete(&core("pods"), pod);
        world.normal(SOURCE, set, "SuccessfulDelete", &format!("Deleted pod: {}", name(pod)));
    }
}

/// Notes where a pod's name comes from.
pub fn generated(mut pod: Value, owner: &Value) -> Value {
    pod["metadata"]["generateName"] = json!(format!("{}-", name(owner)));
    pod
}

/// Reports that a controller has made a pod, or could not.
pub fn report_creation(world: &World, source: Source, owner: &Value, made: Result<Arc<Value>, String>) {
    match made {
        Ok(pod) => world.normal(source, owner, "SuccessfulCreate", &format!("Created pod: {}", name(&pod))),
        Err(why) => world.warning(source, owner, "FailedCreate", &format!("Error creating: {why}")),
    }
}

fn report(world: &World, set: &Value) {
    let pods = active(world, set);
    let mut status = json!({"observedGeneration": set["metadata"]["generation"], "replicas": pods.len()});
    let labels = &set["spec"]["template"]["metadata"]["labels"];
    let labeled = pods.iter().filter(|pod| super::object::has_labels(&pod["metadata"]["labels"], labels)).count();
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let available = pods.iter().filter(|pod| is_available(world, pod, set)).count();
    for (field, number) in
        [("fullyLabeledReplicas", labeled), ("readyReplicas", ready), ("availableReplicas", available)]
    {
        if number > 0 {
            status[field] = json!(number);
        }
    }
    world.set_status(&apps("replicasets"), set, status);
}
