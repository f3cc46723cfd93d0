//! The CSI sidecars: the provisioner makes and deletes volumes, the attacher attaches them and clears its finalizers. Each needs
//! its own pods; and Longhorn itself, which does the work.

use super::objects::{custom, get, is_served};
use super::parts::serves;
use super::{resizer, volumes};
use crate::model::longhorn::{ATTACHER_FINALIZER, DRIVER};
use crate::sim::controllers::attachments::attachments;
use crate::sim::controllers::object::{annotation, flag, has_finalizer, is_deleting, name, set_finalizer, text, uid};
use crate::sim::controllers::volumes as kube;
use crate::sim::controllers::volumes::{class, make, storage_provisioner, waits_for_consumer};
use crate::sim::controllers::world::World;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// From the wish to the device on the node.
const ATTACH_TIME: Duration = Duration::from_secs(3);
/// How long Longhorn tries before it gives up.
const ATTACH_LIMIT: Duration = Duration::from_secs(90);

/// Lets the sidecars that serve do their work.
pub fn sync(world: &World, manager: bool) {
    if manager && serves(world, "csi-provisioner") {
        provision(world);
        reclaim(world);
    }
    if manager && serves(world, "csi-resizer") {
        resizer::sync(world);
    }
    if serves(world, "csi-attacher") {
        let attachments = ours(world);
        for attachment in &attachments {
            if is_deleting(attachment) {
                detach(world, attachment, manager);
            } else if !flag(attachment, "/status/attached") {
                attach(world, attachment, manager);
            }
        }
        let_go(world, &attachments);
    }
}

/// The attachments of the driver.
fn ours(world: &World) -> Vec<Arc<Value>> {
    let mut all = world.all(&attachments());
    all.retain(|one| one["spec"]["attacher"] == DRIVER);
    all
}

/// The persistent volumes of the driver.
fn our_volumes(world: &World) -> Vec<Arc<Value>> {
    let mut all = world.all(&kube::volumes());
    all.retain(|one| one["spec"]["csi"]["driver"] == DRIVER);
    all
}

fn provision(world: &World) {
    for claim in world.all(&kube::claims()) {
        let wanted = storage_provisioner(&claim) == Some(DRIVER) && !is_deleting(&claim);
        let Some(class) = class(world, text(&claim, "/spec/storageClassName")).filter(|_| wanted) else { continue };
        let delayed = waits_for_consumer(&class) && annotation(&claim, "volume.kubernetes.io/selected-node").is_none();
        if delayed || !is_served(world, "volumes") {
            continue;
        }
        make(world, &claim, &class, |volume| {
            volumes::create(world, volume, &claim, &class);
            let mut attributes = class["parameters"].as_object().cloned().unwrap_or_default();
            attributes.insert("storage.kubernetes.io/csiProvisionerIdentity".into(), json!(format!("1-8081-{DRIVER}")));
            let file_system = attributes.get("fsType").cloned().unwrap_or_else(|| json!("ext4"));
            json!({"csi": {
                "driver": DRIVER, "volumeHandle": volume, "fsType": file_system, "volumeAttributes": attributes,
            }})
        });
    }
}

/// Deletes released volumes that are not to be kept: first Longhorn's, then the one of Kubernetes.
fn reclaim(world: &World) {
    let attachments = ours(world);
    for volume in our_volumes(world) {
        let released = text(&volume, "/status/phase") == "Released" && !is_deleting(&volume);
        if !released || text(&volume, "/spec/persistentVolumeReclaimPolicy") != "Delete" {
            continue;
        }
        if attachments.iter().any(|one| is_of(one, &volume)) {
            continue;
        }
        match get(world, "volumes", text(&volume, "/spec/csi/volumeHandle")) {
            Some(own) if is_deleting(&own) => {}
            Some(own) => world.delete(&custom("volumes"), &own),
            None => world.delete(&kube::volumes(), &volume),
        }
    }
}

fn is_of(attachment: &Value, volume: &Value) -> bool {
    text(attachment, "/spec/source/persistentVolumeName") == name(volume)
}

/// Attaches a volume, if Longhorn can.
fn attach(world: &World, attachment: &Value, manager: bool) {
    let node = text(attachment, "/spec/nodeName");
    let volume = world.store.get(&kube::volumes(), None, text(attachment, "/spec/source/persistentVolumeName"));
    let Some(volume) = volume.filter(|volume| !is_deleting(volume)) else { return };
    for (resource, object) in [(attachments(), attachment), (kube::volumes(), volume.as_ref())] {
        if !has_finalizer(object, ATTACHER_FINALIZER) {
            world.change(&resource, object, |object| set_finalizer(object, ATTACHER_FINALIZER, true));
        }
    }
    let handle = text(&volume, "/spec/csi/volumeHandle");
    let Some(own) = get(world, "volumes", handle).filter(|_| manager) else { return };
    if text(&own, "/spec/nodeID").is_empty() {
        world.change(&custom("volumes"), &own, |own| own["spec"]["nodeID"] = json!(node));
    }
    if let Some(why) = world.faults.no_attach() {
        if world.timer(format!("longhorn/give-up/{}", uid(attachment)), ATTACH_LIMIT).over {
            let why = match why {
                "" => {
                    format!("rpc error: code = DeadlineExceeded desc = volume {handle} failed to attach to node {node}")
                }
                why => why.to_owned(),
            };
            fail(world, attachment, &why);
        }
        return;
    }
    let there = own["status"]["state"] == "attached" && own["status"]["currentNodeID"] == node;
    if there && world.timer(format!("longhorn/attach/{}", uid(attachment)), ATTACH_TIME).over {
        world.change(&attachments(), attachment, |attachment| {
            attachment["metadata"]["annotations"]["csi.alpha.kubernetes.io/node-id"] = json!(node);
            attachment["status"] = json!({"attached": true});
        });
    }
}

/// Notes why a volume could not be attached; a real attacher tries again and again and notes the same.
fn fail(world: &World, attachment: &Value, why: &str) {
    if text(attachment, "/status/attachError/message") != why {
        let now = world.store.now();
        world.change(&attachments(), attachment, |attachment| {
            attachment["status"] = json!({"attached": false, "attachError": {"time": now, "message": why}});
        });
    }
}

/// Detaches a volume, and then gives the attachment free.
fn detach(world: &World, attachment: &Value, manager: bool) {
    let volume = world.store.get(&kube::volumes(), None, text(attachment, "/spec/source/persistentVolumeName"));
    let handle = volume.as_ref().map_or("", |volume| text(volume, "/spec/csi/volumeHandle"));
    let node = text(attachment, "/spec/nodeName");
    if let Some(own) = get(world, "volumes", handle).filter(|own| own["spec"]["nodeID"] == node) {
        // Without a manager the volume stays where it is, and the attachment too.
        if manager {
            world.change(&custom("volumes"), &own, |own| own["spec"]["nodeID"] = json!(""));
        }
        return;
    }
    let still = get(world, "volumes", handle).is_some_and(|own| own["status"]["currentNodeID"] == node);
    if !still {
        world.change(&attachments(), attachment, |attachment| set_finalizer(attachment, ATTACHER_FINALIZER, false));
    }
}

/// Volumes that are deleted and attached nowhere lose the attacher's finalizer.
fn let_go(world: &World, attachments: &[Arc<Value>]) {
    for volume in our_volumes(world) {
        let used = attachments.iter().any(|one| is_of(one, &volume));
        if is_deleting(&volume) && has_finalizer(&volume, ATTACHER_FINALIZER) && !used {
            world.change(&kube::volumes(), &volume, |volume| set_finalizer(volume, ATTACHER_FINALIZER, false));
        }
    }
}
