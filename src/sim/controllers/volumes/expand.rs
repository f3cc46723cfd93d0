//! Volumes that grow with their claims, as drivers do it that can grow a volume while it is used: first the volume, then, when a pod
//! mounts it, the file system.

use super::claim::{SOURCE, claims, class, is_bound, volumes};
use super::provision::is_ours;
use crate::sim::controllers::object::{amount, core, is_deleting, items, namespace, text, uid};
use crate::sim::controllers::pods;
use crate::sim::controllers::world::World;
use serde_json::{Value, json};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(2);
const RESIZING: &str = "Resizing";
const PENDING: &str = "FileSystemResizePending";

/// Whether a claim asks for more than it has, and may.
pub fn asks_for_more(world: &World, claim: &Value) -> bool {
    let wanted = &claim["spec"]["resources"]["requests"]["storage"];
    let more = is_bound(claim) && amount(wanted) > amount(&claim["status"]["capacity"]["storage"]);
    more && class(world, text(claim, "/spec/storageClassName"))
        .is_some_and(|class| class["allowVolumeExpansion"] == true)
}

/// Makes a volume of our own provisioners larger when its claim asks for more.
pub fn expand(world: &World, claim: &Value, volume: &Value) {
    if !is_ours(volume) || !asks_for_more(world, claim) {
        return;
    }
    let wanted = &claim["spec"]["resources"]["requests"]["storage"];
    if amount(&volume["spec"]["capacity"]["storage"]) < amount(wanted) {
        set_condition(world, claim, RESIZING, "");
        if world.timer(format!("expand/{}", uid(claim)), TIME).over {
            world.change(&volumes(), volume, |volume| volume["spec"]["capacity"]["storage"] = wanted.clone());
        }
        return;
    }
    if is_mounted(world, claim) {
        let message = "MountVolume.NodeExpandVolume succeeded for volume";
        world.normal(SOURCE, claim, "FileSystemResizeSuccessful", message);
        return take_capacity(world, claim);
    }
    set_condition(
        world,
        claim,
        PENDING,
        "Waiting for user to (re-)start a pod to finish file system resize of volume on node.",
    );
}

/// Whether a pod has the volume of a claim mounted.
fn is_mounted(world: &World, claim: &Value) -> bool {
    world.all(&core("pods")).iter().any(|pod| {
        let mounts = !is_deleting(pod) && pod["status"]["podIP"].is_string() && namespace(pod) == namespace(claim);
        mounts && pods::claims(pod).any(|name| claim["metadata"]["name"] == name.as_str())
    })
}

/// The volume and its file system have the size that the claim asks for.
pub fn take_capacity(world: &World, claim: &Value) {
    world.change(&claims(), claim, |claim| {
        claim["status"]["capacity"]["storage"] = claim["spec"]["resources"]["requests"]["storage"].clone();
        if let Some(status) = claim["status"].as_object_mut() {
            status.remove("conditions");
        }
    });
}

/// Says how far it is, in the claim's one condition.
pub fn set_condition(world: &World, claim: &Value, kind: &str, message: &str) {
    if items(claim, "/status/conditions").iter().any(|one| one["type"] == kind) {
        return;
    }
    let now = world.store.now();
    world.change(&claims(), claim, |claim| {
        let mut condition = json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
        if !message.is_empty() {
            condition["message"] = json!(message);
        }
        claim["status"]["conditions"] = json!([condition]);
    });
}
