//! What managers report about nodes and their disks.

use super::daemon::{disk_name, disk_size};
use super::objects::{all, custom};
use super::parts::{home, leader};
use super::settings;
use crate::sim::controllers::object::{core, is_true, label, name, text};
use crate::sim::controllers::world::World;
use serde_json::{Value, json};
use std::sync::Arc;

/// A condition as these custom resources have it: one of a map by its type.
pub fn condition(kind: &str, reason: &str, message: &str) -> Value {
    let status = if reason.is_empty() { "True" } else { "False" };
    json!({
        "type": kind, "status": status, "reason": reason, "message": message, "lastProbeTime": "", "lastTransitionTime": "",
    })
}

/// Puts a condition into a map of conditions; its time changes with its status only.
pub fn set(conditions: &mut Value, before: &Value, mut wanted: Value, now: &str) {
    let kind = text(&wanted, "/type").to_owned();
    let known = &before[&kind];
    let same = known["status"] == wanted["status"];
    wanted["lastTransitionTime"] = if same { known["lastTransitionTime"].clone() } else { json!(now) };
    conditions[&kind] = wanted;
}

/// Writes the status of every node: the managers see each other's pods and the nodes of the cluster.
pub fn nodes(world: &World, managers: &[Arc<Value>]) {
    for one in all(world, "nodes") {
        let kube = world.store.get(&core("nodes"), None, name(&one));
        let manager = managers.iter().find(|pod| home(pod) == name(&one));
        let status = status(world, &one, kube.as_deref(), manager.is_some(), leader(managers));
        world.set_status(&custom("nodes"), &one, status);
    }
}

fn status(world: &World, one: &Value, kube: Option<&Value>, manager: bool, leader: &str) -> Value {
    let node = name(one);
    let ready = match kube {
        None => condition(
            "Ready",
            "KubernetesNodeGone",
            &format!("Kubernetes node missing: node {node} has been removed from the cluster"),
        ),
        Some(kube) if !is_true(kube, "Ready") => condition(
            "Ready",
            "KubernetesNodeNotReady",
            &format!("Kubernetes node {node} not ready: NodeStatusUnknown"),
        ),
        Some(_) if !manager => condition(
            "Ready",
            "ManagerPodMissing",
            &format!("manager pod missing: node {node} has no manager pod running on it"),
        ),
        Some(_) => condition("Ready", "", &format!("Node {node} is ready")),
    };
    let cordoned = kube.is_some_and(|kube| kube["spec"]["unschedulable"] == true)
        && settings::value(world, "disable-scheduling-on-cordoned-node") == "true";
    let schedulable = match cordoned {
        true => condition("Schedulable", "KubernetesNodeCordoned", &format!("Node {node} is cordoned")),
        false => condition("Schedulable", "", ""),
    };
    let now = world.store.now();
    let before = &one["status"]["conditions"];
    let mut conditions = json!({});
    let message = "Mount propagation is supported";
    for wanted in [ready.clone(), schedulable, condition("MountPropagation", "", "")] {
        set(&mut conditions, before, wanted, &now);
    }
    conditions["MountPropagation"]["message"] = json!(if manager { message } else { "" });
    let disk = disk(one, kube, ready["status"] == "True", &now);
    let zone = kube.and_then(|kube| label(kube, "topology.kubernetes.io/zone")).unwrap_or("");
    let owner = if manager { node } else { leader };
    json!({"conditions": conditions, "diskStatus": disk, "ownerID": owner, "region": "", "zone": zone, "snapshotCheckStatus": {}})
}

fn disk(one: &Value, kube: Option<&Value>, ready: bool, now: &str) -> Value {
    let disk = disk_name(name(one));
    let before = &one["status"]["diskStatus"][&disk];
    let size = kube.map_or_else(|| before["storageMaximum"].as_u64().unwrap_or(0), disk_size);
    let mut conditions = json!({});
    let (reason, message) = match ready {
        true => (
            "",
            format!(
                "Disk {disk}({}) on node {} is ready",
                one["spec"]["disks"][&disk]["path"].as_str().unwrap_or_default(),
                name(one)
            ),
        ),
        false => ("NodeNotReady", format!("disk {disk} on node {} is not ready", name(one))),
    };
    for kind in ["Ready", "Schedulable"] {
        set(&mut conditions, &before["conditions"], condition(kind, reason, &message), now);
    }
    json!({disk: {
        "conditions": conditions, "diskUUID": one["metadata"]["uid"], "scheduledReplica": before["scheduledReplica"],
        "storageAvailable": size / 10 * 8, "storageMaximum": size, "storageScheduled": before["storageScheduled"].as_u64().unwrap_or(0),
    }})
}
