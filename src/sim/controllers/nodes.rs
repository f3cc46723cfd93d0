//! The life of nodes: a kubelet that stops reporting, taints that follow from a node's state, and eviction.

use super::bootstrap::{conditions, lease_time};
use super::object::{annotation, core, int, is_deleting, is_true, items, name, namespace, set_condition, text, uid};
use super::pods::is_finished;
use super::scheduler::tolerates_by;
use super::world::{Source, World};
use crate::sim::store::{DeleteOptions, Resource};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const SOURCE: Source = Source::new("node-controller");
/// Annotation of a node whose kubelet shall stop.
pub const DEAD: &str = "sim.iris-lab/dead";
/// Taint of a node that nobody hears of.
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// Taint of a node that an administrator has closed.
const CORDONED: &str = "node.kubernetes.io/unschedulable";
/// How long nobody may hear of a node.
const GRACE: Duration = Duration::from_secs(40);
/// A node says that it lives more seldom than a real one, so that a lab at rest stays at rest.
const HEARTBEAT: Duration = Duration::from_secs(300);

/// Whether the kubelet of a node has stopped.
pub fn is_dead(world: &World, node: &Value) -> bool {
    world.faults.is_dead(name(node)) || annotation(node, DEAD) == Some("true")
}

/// Brings conditions, taints and pods of every node in line with its state.
pub fn sync(world: &World) {
    let nodes = world.all(&core("nodes"));
    for node in &nodes {
        report(world, node);
    }
    let nodes = world.all(&core("nodes"));
    for node in &nodes {
        taint(world, node);
    }
    let nodes = world.all(&core("nodes"));
    for pod in world.all(&core("pods")) {
        let home = text(&pod, "/spec/nodeName");
        match nodes.iter().find(|node| name(node) == home) {
            _ if home.is_empty() => {}
            Some(node) => visit(world, &pod, node),
            None => collect(world, &pod),
        }
    }
}

/// What the kubelet, or its silence, says about the node.
fn report(world: &World, node: &Arc<Value>) {
    let now = world.store.now();
    let ready = text(super::object::condition(node, "Ready").unwrap_or(&Value::Null), "/status");
    if is_dead(world, node) {
        let silent = world.timer(format!("silent/{}", uid(node)), GRACE).over;
        if silent && ready != "Unknown" {
            world.change(&core("nodes"), node, |node| silence(node, &now));
            let message = format!("Node {0} status is now: NodeNotReady", name(node));
            world.normal(SOURCE, node, "NodeNotReady", &message);
        }
        return;
    }
    let heard = text(super::object::condition(node, "Ready").unwrap_or(&Value::Null), "/lastHeartbeatTime");
    let due = world.limit(format!("heartbeat/{}/{heard}", uid(node)), HEARTBEAT).over;
    if ready == "True" && !due {
        return;
    }
    world.change(&core("nodes"), node, |node| {
        for condition in conditions(&now).as_array().into_iter().flatten() {
            set_condition(&mut node["status"], condition.clone(), &now);
        }
    });
    if ready != "True" {
        world.normal(
            Source::kubelet(name(node)),
            node,
            "NodeReady",
            &format!("Node {} status is now: NodeReady", name(node)),
        );
    }
    let leases = Resource::new("coordination.k8s.io", "leases");
    // A lease that is missing concerns nobody.
    drop(world.store.update(&leases, Some("kube-node-lease"), name(node), |lease| {
        lease["spec"]["renewTime"] = json!(lease_time(&world.store));
        Ok(())
    }));
}

fn silence(node: &mut Value, now: &str) {
    let kinds: Vec<Value> = items(node, "/status/conditions").iter().map(|one| one["type"].clone()).collect();
    for kind in kinds {
        let unknown = json!({
            "type": kind, "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
        });
        set_condition(&mut node["status"], unknown, now);
    }
}

fn taint(world: &World, node: &Value) {
    let silent = !is_true(node, "Ready");
    let cordoned = node["spec"]["unschedulable"] == true;
    let wanted =
        [(UNREACHABLE, "NoSchedule", silent), (UNREACHABLE, "NoExecute", silent), (CORDONED, "NoSchedule", cordoned)];
    let mut taints = items(node, "/spec/taints").to_vec();
    for (key, effect, present) in wanted {
        let is_it = |taint: &Value| taint["key"] == key && taint["effect"] == effect;
        match (present, taints.iter().any(is_it)) {
            (true, false) => taints.push(json!({"key": key, "effect": effect, "timeAdded": world.store.now()})),
            (false, true) => taints.retain(|taint| !is_it(taint)),
            _ => {}
        }
    }
    if taints != items(node, "/spec/taints") {
        world.change(&core("nodes"), node, |node| match (taints.is_empty(), node["spec"].as_object_mut()) {
            (true, Some(spec)) => drop(spec.remove("taints")),
            _ => node["spec"]["taints"] = Value::Array(taints),
        });
    }
}

/// What the state of its node means for a pod.
fn visit(world: &World, pod: &Value, node: &Value) {
    if !is_true(node, "Ready") && is_true(pod, "Ready") {
        let now = world.store.now();
        world.change(&core("pods"), pod, |pod| {
            let unready = json!({"type": "Ready", "status": "False", "reason": "NodeNotReady", "lastProbeTime": null});
            set_condition(&mut pod["status"], unready, &now);
        });
        world.warning(SOURCE, pod, "NodeNotReady", "Node is not ready");
    }
    if is_deleting(pod) || is_finished(pod) {
        return;
    }
    let tolerations = items(pod, "/spec/tolerations");
    for taint in items(node, "/spec/taints").iter().filter(|taint| taint["effect"] == "NoExecute") {
        let mut matching = tolerations.iter().filter(|one| tolerates_by(one, taint)).peekable();
        let tolerated = matching.peek().is_some();
        let limits: Vec<u64> =
            matching.filter_map(|one| int(one, "/tolerationSeconds")).map(|one| one.max(0).unsigned_abs()).collect();
        let seconds = match (tolerated, limits.iter().min()) {
            (true, None) => continue,
            (_, Some(least)) => *least,
            (false, None) => 0,
        };
        if world.timer(format!("evict/{}/{}", uid(pod), text(taint, "/key")), Duration::from_secs(seconds)).over {
            let message = format!("Marking for deletion Pod {}/{}", namespace(pod).unwrap_or_default(), name(pod));
            world.normal(Source::new("taint-controller"), pod, "TaintManagerEviction", &message);
            world.delete(&core("pods"), pod);
        }
    }
}

/// Removes a pod whose node does not exist any more.
fn collect(world: &World, pod: &Value) {
    if world.timer(format!("collect/{}", uid(pod)), GRACE).over {
        let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        // That it is gone already is no error: the next round sees it.
        drop(world.store.delete(&core("pods"), namespace(pod), name(pod), &options));
    }
}
