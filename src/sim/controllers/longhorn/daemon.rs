//! The manager of a node: what it makes when it starts, and the objects that it keeps for the whole cluster.

use super::objects::{checksum, ensure, is_served, make};
use super::parts::{Task, argument, home, leader, run};
use super::settings;
use crate::model::longhorn::{DRIVER, KINDS, NAMESPACE};
use crate::sim::controllers::bootstrap::lease_time;
use crate::sim::controllers::object::{amount, annotation, core, is_deleting, text};
use crate::sim::controllers::world::World;
use crate::sim::store::Resource;
use crate::yaml;
use serde_json::{Value, json};
use std::sync::Arc;

/// Annotation of the storage class with the text that it was made from.
const APPLIED: &str = "longhorn.io/last-applied-configmap";
/// The first minor release of Kubernetes without the APIs that the manager needs.
const TOO_NEW: u32 = 25;

/// Whether a manager can start: its definitions are served, its namespace stays, and Kubernetes is not too new for it.
pub fn can_start(world: &World) -> bool {
    world.minor() < TOO_NEW && KINDS.iter().all(|(plural, _)| is_served(world, plural)) && !is_leaving(world)
}

fn is_leaving(world: &World) -> bool {
    world.store.get(&core("namespaces"), None, NAMESPACE).is_none_or(|one| is_deleting(&one))
}

/// Lets each manager register itself once, when it starts.
pub fn start(world: &World, managers: &[Arc<Value>]) {
    for manager in managers {
        let Some(node) = world.store.get(&core("nodes"), None, home(manager)) else { continue };
        if can_start(world) && world.once(format!("longhorn/start/{}", run(manager))) {
            register(world, manager, &node);
        }
    }
    if let Some(manager) = managers.iter().find(|pod| home(pod) == leader(managers)) {
        settings::follow(world, manager);
    }
    storage_class(world);
}

/// What a manager makes when it starts. What is there already stays.
fn register(world: &World, manager: &Value, node: &Value) {
    settings::fill(world, manager);
    if let Some(image) = argument(manager, Task::Daemon, "--engine-image") {
        make(
            world,
            "engineimages",
            "EngineImage",
            &format!("ei-{}", checksum(image)),
            json!({"spec": {"image": image}}),
        );
    }
    let target = json!({
        "spec": {"backupTargetURL": settings::value(world, "backup-target"), "credentialSecret": "", "pollInterval": "5m0s"},
        "status": {"available": false, "ownerID": home(manager)},
    });
    make(world, "backuptargets", "BackupTarget", "default", target);
    make(world, "nodes", "Node", home(manager), json!({"spec": node_spec(world, node)}));
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "longhorn-manager-upgrade-lock", "namespace": NAMESPACE},
        "spec": {"holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 1, "renewTime": lease_time(&world.store)},
    });
    ensure(world, &Resource::new("coordination.k8s.io", "leases"), lease);
}

/// A node with its default disk, of which a part is kept free for others.
fn node_spec(world: &World, node: &Value) -> Value {
    let path = settings::value(world, "default-data-path");
    let disk = json!({
        "allowScheduling": true, "evictionRequested": false, "path": path, "storageReserved": disk_size(node) * 3 / 10,
        "tags": [],
    });
    let node_name = text(node, "/metadata/name");
    json!({
        "name": node_name, "allowScheduling": true, "evictionRequested": false, "tags": [],
        "disks": {disk_name(node_name): disk}, "engineManagerCPURequest": 0, "replicaManagerCPURequest": 0,
    })
}

/// The name of a node's default disk.
pub fn disk_name(node: &str) -> String {
    format!("default-disk-{}", checksum(node))
}

/// The size of a node's disk in bytes.
pub fn disk_size(node: &Value) -> u64 {
    let bytes = amount(&node["status"]["capacity"]["ephemeral-storage"]) / 1_000_000_000;
    u64::try_from(bytes).unwrap_or(0)
}

/// Makes the storage class of the ConfigMap. When its text changes, the class is deleted and made anew.
fn storage_class(world: &World) {
    let Some(map) = world.store.get(&core("configmaps"), Some(NAMESPACE), "longhorn-storageclass") else { return };
    let content = text(&map, "/data/storageclass.yaml");
    let Some(mut class) = yaml::documents(content).ok().and_then(|found| found.into_iter().next()) else { return };
    let classes = Resource::new("storage.k8s.io", "storageclasses");
    let known = world.store.get(&classes, None, text(&class, "/metadata/name"));
    match known.as_ref().map(|known| annotation(known, APPLIED) == Some(content)) {
        Some(true) => {}
        Some(false) if known.as_ref().is_some_and(|known| known["provisioner"] == DRIVER) => {
            known.iter().for_each(|known| world.delete(&classes, known));
        }
        Some(false) => {}
        None if is_leaving(world) => {}
        None => {
            class["metadata"]["annotations"][APPLIED] = json!(content);
            ensure(world, &classes, class);
        }
    }
}
