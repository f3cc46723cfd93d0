//! Longhorn's own volumes: each has an engine, where it is attached, and copies on different nodes.

use super::instances::manager_name;
use super::objects::{all, checksum, custom, get, make};
use super::settings;
use super::status::{condition, set};
use crate::model::longhorn::DRIVER;
use crate::sim::controllers::object::{amount, controller_reference, is_deleting, items, name, namespace, text, uid};
use crate::sim::controllers::volumes as kube;
use crate::sim::controllers::world::World;
use serde_json::{Value, json};
use std::sync::Arc;

/// Makes a volume for a claim.
pub fn create(world: &World, volume: &str, claim: &Value, class: &Value) {
    let parameter = |key: &str| class["parameters"][key].as_str().and_then(|text| text.parse::<u64>().ok());
    let default = settings::value(world, "default-replica-count").parse().unwrap_or(3);
    let size = amount(&claim["spec"]["resources"]["requests"]["storage"]) / 1_000_000_000;
    let shared = items(claim, "/spec/accessModes").iter().any(|mode| mode == "ReadWriteMany");
    let more = json!({
        "metadata": {"labels": {"longhornvolume": volume}},
        "spec": {
            "size": size.to_string(), "numberOfReplicas": parameter("numberOfReplicas").unwrap_or(default),
            "staleReplicaTimeout": parameter("staleReplicaTimeout").unwrap_or(2880), "accessMode": if shared { "rwx" } else { "rwo" },
            "frontend": "blockdev", "dataLocality": "disabled", "fromBackup": "", "nodeID": "",
            "engineImage": settings::value(world, "default-engine-image"), "migratable": false, "encrypted": false,
        },
        "status": {"state": "creating", "robustness": "unknown", "currentNodeID": ""},
    });
    make(world, "volumes", "Volume", volume, more);
}

/// Brings every volume to where it shall be.
pub fn keep(world: &World) {
    for volume in all(world, "volumes") {
        if is_deleting(&volume) {
            remove(world, &volume);
        } else {
            run(world, &volume);
        }
    }
}

/// Takes a volume's engine and copies away, and the volume and the claim of Kubernetes that stand for it.
fn remove(world: &World, volume: &Value) {
    for plural in ["engines", "replicas"] {
        for part in parts(world, plural, volume).iter().filter(|part| !is_deleting(part)) {
            world.delete(&custom(plural), part);
        }
    }
    for one in world.all(&kube::volumes()) {
        if one["spec"]["csi"]["volumeHandle"] != volume["metadata"]["name"] {
            continue;
        }
        let reference = &one["spec"]["claimRef"];
        let claim = world.store.get(&kube::claims(), reference["namespace"].as_str(), text(reference, "/name"));
        if let Some(claim) = claim.filter(|claim| uid(claim) == text(reference, "/uid") && !is_deleting(claim)) {
            world.delete(&kube::claims(), &claim);
        }
        if !is_deleting(&one) {
            world.delete(&kube::volumes(), &one);
        }
    }
}

/// The engines or copies of a volume.
pub fn parts(world: &World, plural: &str, volume: &Value) -> Vec<Arc<Value>> {
    let mut parts = all(world, plural);
    parts.retain(|part| part["spec"]["volumeName"] == volume["metadata"]["name"]);
    parts
}

fn run(world: &World, volume: &Value) {
    let node = text(volume, "/spec/nodeID");
    let wanted = volume["spec"]["numberOfReplicas"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    complete(world, volume, wanted);
    let attached = !node.is_empty() && state(world, volume, node, wanted) == ("attached", true);
    for replica in parts(world, "replicas", volume) {
        let home = text(&replica, "/spec/nodeID");
        let runs = attached && is_running(world, home, 'r');
        let status = json!({
            "currentState": if runs { "running" } else { "stopped" }, "ownerID": home, "started": runs,
            "instanceManagerName": if runs { manager_name(world, home, 'r') } else { String::new() },
            "currentImage": if runs { volume["spec"]["engineImage"].clone() } else { json!("") },
        });
        world.set_status(&custom("replicas"), &replica, status);
    }
    for engine in parts(world, "engines", volume) {
        world.change(&custom("engines"), &engine, |engine| engine["spec"]["nodeID"] = json!(node));
        let status = json!({
            "currentState": if attached { "running" } else { "stopped" }, "ownerID": node, "started": attached,
            "instanceManagerName": if attached { manager_name(world, node, 'e') } else { String::new() },
            "currentImage": if attached { volume["spec"]["engineImage"].clone() } else { json!("") },
        });
        world.set_status(&custom("engines"), &engine, status);
    }
    report(world, volume, node, wanted);
}

/// Makes the engine and the copies: one on each node that takes data, and the rest on none.
fn complete(world: &World, volume: &Value, wanted: usize) {
    let part_name = |kind: &str, number: usize| {
        format!("{}-{kind}-{}", name(volume), checksum(&format!("{}{kind}{number}", uid(volume))))
    };
    let image = volume["spec"]["engineImage"].clone();
    let common = |node: &str| json!({"volumeName": name(volume), "volumeSize": volume["spec"]["size"], "engineImage": image, "nodeID": node});
    let metadata =
        json!({"ownerReferences": [controller_reference(volume)], "labels": {"longhornvolume": name(volume)}});
    let engine = format!("{}-e-{}", name(volume), checksum(uid(volume)));
    make(world, "engines", "Engine", &engine, json!({"metadata": metadata, "spec": common("")}));
    let nodes = all(world, "nodes");
    let takes = |node: &&Arc<Value>| {
        let disks = node["status"]["diskStatus"].as_object().into_iter().flatten();
        let open = |node: &Value| {
            node["status"]["conditions"]["Schedulable"]["status"] == "True" && node["spec"]["allowScheduling"] == true
        };
        open(node) && disks.into_iter().any(|(_, disk)| disk["conditions"]["Schedulable"]["status"] == "True")
    };
    let replicas = parts(world, "replicas", volume);
    let used: Vec<&str> = replicas.iter().map(|one| text(one, "/spec/nodeID")).collect();
    let mut free: Vec<&str> =
        nodes.iter().filter(takes).map(|node| name(node)).filter(|node| !used.contains(node)).collect();
    // Volumes begin with different nodes, so that the copies spread.
    if !free.is_empty() {
        let turn = usize::from(uid(volume).bytes().last().unwrap_or(0)) % free.len();
        free.rotate_left(turn);
    }
    let mut free = free.into_iter();
    for replica in replicas.iter().filter(|one| text(one, "/spec/nodeID").is_empty()) {
        if let Some(node) = free.next() {
            world.change(&custom("replicas"), replica, |replica| replica["spec"]["nodeID"] = json!(node));
        }
    }
    for number in replicas.len()..wanted {
        let mut spec = common(free.next().unwrap_or(""));
        spec["dataPath"] = json!(format!("/var/lib/longhorn/replicas/{}", part_name("r", number)));
        make(world, "replicas", "Replica", &part_name("r", number), json!({"metadata": metadata, "spec": spec}));
    }
}

/// Whether an instance manager runs on a node.
fn is_running(world: &World, node: &str, kind: char) -> bool {
    let manager = get(world, "instancemanagers", &manager_name(world, node, kind)).filter(|_| !node.is_empty());
    manager.is_some_and(|manager| manager["status"]["currentState"] == "running")
}

/// The state of a volume that shall be on a node, and whether its engine works there.
fn state(world: &World, volume: &Value, node: &str, wanted: usize) -> (&'static str, bool) {
    let was = volume["status"]["currentNodeID"] == node && volume["status"]["state"] == "attached";
    let ready = world.faults.no_attach().is_none() && parts(world, "replicas", volume).len() >= wanted.min(1);
    match is_running(world, node, 'e') && ready {
        true => ("attached", true),
        // A volume on a node that nobody hears of is still attached there.
        false if was => ("attached", false),
        false => ("attaching", false),
    }
}

fn report(world: &World, volume: &Value, node: &str, wanted: usize) {
    let replicas = parts(world, "replicas", volume);
    let running = replicas.iter().filter(|one| one["status"]["currentState"] == "running").count();
    let scheduled = replicas.iter().filter(|one| !text(one, "/spec/nodeID").is_empty()).count();
    let (state, works) = match node {
        "" => ("detached", false),
        node => state(world, volume, node, wanted),
    };
    let robustness = match works {
        false => "unknown",
        true if running >= wanted => "healthy",
        true if running > 0 => "degraded",
        true => "faulted",
    };
    let placed = match scheduled >= wanted {
        true => condition("scheduled", "", ""),
        false => condition("scheduled", "ReplicaSchedulingFailure", "replica scheduling failed"),
    };
    let mut conditions = json!({});
    set(&mut conditions, &volume["status"]["conditions"], placed, &world.store.now());
    let status = json!({
        "state": state, "robustness": robustness, "currentNodeID": if state == "attached" { node } else { "" },
        "ownerID": if node.is_empty() { volume["status"]["ownerID"].clone() } else { json!(node) },
        "currentImage": volume["spec"]["engineImage"], "conditions": conditions, "kubernetesStatus": used_by(world, volume),
        "frontendDisabled": false, "isStandby": false, "restoreRequired": false,
    });
    world.set_status(&custom("volumes"), volume, status);
}

/// What of Kubernetes stands for a volume.
fn used_by(world: &World, volume: &Value) -> Value {
    let own = |one: &Arc<Value>| one["spec"]["csi"]["volumeHandle"] == volume["metadata"]["name"];
    let Some(found) = world.all(&kube::volumes()).into_iter().find(own) else { return json!({}) };
    let reference = &found["spec"]["claimRef"];
    json!({
        "pvName": name(&found), "pvStatus": found["status"]["phase"], "namespace": reference["namespace"],
        "pvcName": reference["name"], "lastPVCRefAt": "", "lastPodRefAt": "",
    })
}

/// The claims that stand for volumes of Longhorn, by namespace and name.
pub fn claims(world: &World) -> Vec<(String, String, Arc<Value>)> {
    let claim =
        |(one, volume): (Arc<Value>, Arc<Value>)| Some((namespace(&one)?.to_owned(), name(&one).to_owned(), volume));
    let bound = |one: Arc<Value>| {
        let volume = world.store.get(&kube::volumes(), None, text(&one, "/spec/volumeName"))?;
        (volume["spec"]["csi"]["driver"] == DRIVER).then_some((one, volume))
    };
    world.all(&kube::claims()).into_iter().filter_map(bound).filter_map(claim).collect()
}
