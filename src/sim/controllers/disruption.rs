//! PodDisruptionBudgets: how many pods may be missing now.

use super::object::{core, int, is_deleting, selects, set_condition};
use super::pods::{is_finished, is_ready, owner_of};
use super::world::World;
use crate::sim::store::Resource;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Counts the pods of every budget.
pub fn sync(world: &World) {
    let budgets = Resource::new("policy", "poddisruptionbudgets");
    for budget in world.all(&budgets) {
        let mut pods = world.beside(&core("pods"), &budget);
        pods.retain(|pod| selects(&budget["spec"]["selector"], &pod["metadata"]["labels"]) && !is_finished(pod));
        let status = status(world, &budget, &pods);
        world.set_status(&budgets, &budget, status);
    }
}

fn status(world: &World, budget: &Value, pods: &[Arc<Value>]) -> Value {
    let healthy = size(pods.iter().filter(|pod| is_ready(pod) && !is_deleting(pod)).count());
    let scale = scale(world, pods);
    let (expected, desired) = match (&budget["spec"]["maxUnavailable"], &budget["spec"]["minAvailable"]) {
        (Value::Null, Value::Number(least)) => (size(pods.len()), least.as_i64().unwrap_or(0)),
        (Value::Null, least) => (scale, share(least, scale)),
        (most, _) => (scale, (scale - share(most, scale)).max(0)),
    };
    let allowed = (healthy - desired).max(0);
    let mut status = json!({
        "currentHealthy": healthy, "desiredHealthy": desired, "disruptionsAllowed": allowed, "expectedPods": expected,
        "observedGeneration": budget["metadata"]["generation"], "conditions": budget["status"]["conditions"],
    });
    let (value, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let condition = json!({
        "type": "DisruptionAllowed", "status": value, "reason": reason, "message": "",
        "observedGeneration": budget["metadata"]["generation"],
    });
    set_condition(&mut status, condition, &world.store.now());
    status
}

/// How many pods the controllers of these pods want.
fn scale(world: &World, pods: &[Arc<Value>]) -> i64 {
    let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
    for pod in pods {
        if let Some(owner) = owner_of(world, pod) {
            wanted.insert(super::object::uid(&owner).to_owned(), int(&owner, "/spec/replicas").unwrap_or(1));
        }
    }
    wanted.values().sum()
}

/// A number, or a percentage rounded up.
fn share(value: &Value, total: i64) -> i64 {
    let percent = value.as_str().and_then(|text| text.trim_end_matches('%').parse::<i64>().ok());
    value.as_i64().or(percent.map(|percent| (total * percent + 99) / 100)).unwrap_or(0)
}

fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
