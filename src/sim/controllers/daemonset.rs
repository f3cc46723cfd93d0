//! DaemonSets: one pod on every node that the pods may run on.

use super::object::{apps, core, int, is_deleting, items, name, text};
use super::pods::{claim, from_template, is_active, is_available, is_finished, is_ready, suffix};
use super::replicaset::{generated, report_creation};
use super::revisions;
use super::scheduler::{matches_node, tolerates};
use super::world::{Source, World};
use serde_json::{Value, json};
use std::sync::Arc;

const SOURCE: Source = Source::new("daemonset-controller");
/// States of a node that the pods of DaemonSets live with.
const TOLERATED: &[(&str, &str)] = &[
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// Brings every DaemonSet to every node.
pub fn sync(world: &World) {
    let nodes = world.all(&core("nodes"));
    for set in world.all(&apps("daemonsets")) {
        if is_deleting(&set) {
            continue;
        }
        let revision = revisions::current(world, &set, "controller-revision-hash");
        let hash = revision.strip_prefix(&format!("{}-", name(&set))).unwrap_or(&revision).to_owned();
        let template = template(&set);
        let pods = claim(world, &set);
        for node in &nodes {
            cover(world, &set, &template, node, &pods, &hash);
        }
        for pod in pods.iter().filter(|pod| !is_deleting(pod)) {
            if !nodes.iter().any(|node| name(node) == home(pod)) {
                remove(world, &set, pod);
            }
        }
        roll(world, &set, &hash);
        report(world, &set, &nodes, &hash);
        revisions::truncate(world, &set, &[&revision]);
    }
}

/// The template with what is tolerated on top.
fn template(set: &Value) -> Value {
    let mut template = set["spec"]["template"].clone();
    let mut tolerations = items(&template, "/spec/tolerations").to_vec();
    let mut add = |key: &str, effect: &str| {
        let toleration = json!({"key": key, "operator": "Exists", "effect": effect});
        if !tolerations.contains(&toleration) {
            tolerations.push(toleration);
        }
    };
    TOLERATED.iter().for_each(|(key, effect)| add(key, effect));
    if template["spec"]["hostNetwork"] == true {
        add("node.kubernetes.io/network-unavailable", "NoSchedule");
    }
    template["spec"]["tolerations"] = Value::Array(tolerations);
    template
}

fn wants(template: &Value, node: &Value) -> bool {
    let hinders = |taint: &&Value| ["NoSchedule", "NoExecute"].contains(&text(taint, "/effect"));
    let tolerations = items(template, "/spec/tolerations");
    matches_node(&template["spec"], node)
        && items(node, "/spec/taints").iter().filter(hinders).all(|taint| {
            // Who runs already stays on a node that is closed to new pods by its state.
            tolerates(tolerations, taint) || taint["key"] == "node.kubernetes.io/unreachable"
        })
}

/// The node that a pod runs on or is meant for.
fn home(pod: &Value) -> &str {
    match text(pod, "/spec/nodeName") {
        "" => text(
            pod,
            "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0",
        ),
        node => node,
    }
}

fn cover(world: &World, set: &Value, template: &Value, node: &Value, pods: &[Arc<Value>], hash: &str) {
    let here: Vec<&Arc<Value>> = pods.iter().filter(|pod| home(pod) == name(node)).collect();
    let wanted = wants(template, node);
    for pod in here.iter().filter(|pod| is_finished(pod) && !is_deleting(pod)) {
        let message = format!(
            "Found failed daemon pod {}/{} on node {}, will try to kill it",
            text(set, "/metadata/namespace"),
            name(pod),
            name(node)
        );
        world.warning(SOURCE, set, "FailedDaemonPod", &message);
        world.delete(&core("pods"), pod);
    }
    let keep = usize::from(wanted);
    for pod in here.iter().filter(|pod| is_active(pod)).skip(keep) {
        remove(world, set, pod);
    }
    if wanted && here.is_empty() {
        make(world, set, template, node, hash);
    }
}

fn make(world: &World, set: &Value, template: &Value, node: &Value, hash: &str) {
    let mut template = template.clone();
    let field = json!({"key": "metadata.name", "operator": "In", "values": [name(node)]});
    let required = &mut template["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    // The node is named; what else was required holds, or the pod would not be wanted there.
    *required = json!({"nodeSelectorTerms": [{"matchFields": [field]}]});
    let labels = [("controller-revision-hash", hash), ("pod-template-generation", "1")];
    let pod = from_template(set, &template, &format!("{}-{}", name(set), suffix()), &labels);
    report_creation(world, SOURCE, set, world.create(&core("pods"), generated(pod, set)));
}

fn remove(world: &World, set: &Value, pod: &Value) {
    world.delete(&core("pods"), pod);
    world.normal(SOURCE, set, "SuccessfulDelete", &format!("Deleted pod: {}", name(pod)));
}

/// Replaces pods of an older template, as many at the same time as may be missing.
fn roll(world: &World, set: &Value, hash: &str) {
    if text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    let pods = claim(world, set);
    let most = int(set, "/spec/updateStrategy/rollingUpdate/maxUnavailable")
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(1)
        .max(1);
    let missing = |pod: &&Arc<Value>| !is_ready(pod) || is_deleting(pod);
    let mut budget = most.saturating_sub(pods.iter().filter(missing).count());
    for pod in pods.iter().filter(|pod| is_active(pod) && revisions::of_pod(pod) != hash) {
        if is_ready(pod) {
            if budget == 0 {
                continue;
            }
            budget -= 1;
        }
        remove(world, set, pod);
    }
}

fn report(world: &World, set: &Value, nodes: &[Arc<Value>], hash: &str) {
    let template = template(set);
    let pods = claim(world, set);
    let alive: Vec<&Arc<Value>> = pods.iter().filter(|pod| is_active(pod)).collect();
    let on_wanted = |pod: &&&Arc<Value>| nodes.iter().any(|node| name(node) == home(pod) && wants(&template, node));
    let right: Vec<&&Arc<Value>> = alive.iter().filter(|pod| on_wanted(pod)).collect();
    let desired = nodes.iter().filter(|node| wants(&template, node)).count();
    let ready = right.iter().filter(|pod| is_ready(pod)).count();
    let available = right.iter().filter(|pod| is_available(world, pod, set)).count();
    let updated = right.iter().filter(|pod| revisions::of_pod(pod) == hash).count();
    let mut status = json!({
        "currentNumberScheduled": right.len(), "desiredNumberScheduled": desired,
        "numberMisscheduled": alive.len() - right.len(), "numberReady": ready,
        "observedGeneration": set["metadata"]["generation"],
    });
    for (field, number) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", available),
        ("numberUnavailable", desired.saturating_sub(available)),
    ] {
        if number > 0 {
            status[field] = json!(number);
        }
    }
    world.set_status(&apps("daemonsets"), set, status);
}
