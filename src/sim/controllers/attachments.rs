//! Attaching volumes of CSI drivers to nodes, as Kubernetes does it: one VolumeAttachment for each volume and node that a pod
//! needs it on, kept until the pod is gone. The driver does the attaching; here it is only asked for and waited for.

use super::nodes::is_dead;
use super::object::{core, flag, is_deleting, items, name, namespace, text, uid};
use super::pods::{claims, is_finished};
use super::volumes;
use super::world::{Source, World};
use crate::sim::store::Resource;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SOURCE: Source = Source::new("attachdetach-controller");
/// How long the controller waits for a driver to attach a volume before it says so.
const ATTACH_LIMIT: Duration = Duration::from_secs(120);
/// How long a volume stays attached to a node that does not say that it has unmounted it.
const UNMOUNT_LIMIT: Duration = Duration::from_secs(360);

/// The resource of attachments.
pub fn attachments() -> Resource {
    Resource::new("storage.k8s.io", "volumeattachments")
}

/// The resource of what the kubelet of each node knows about drivers.
pub fn csi_nodes() -> Resource {
    Resource::new("storage.k8s.io", "csinodes")
}

/// A volume that is needed on a node, and the pods that need it there.
struct Need {
    volume: Arc<Value>,
    pods: Vec<Arc<Value>>,
}

/// By the name of the attachment.
type Needs = BTreeMap<String, Need>;

/// Asks for what is needed and lets go of what is not.
pub fn sync(world: &World) {
    register(world);
    let needs = needs(world);
    let present = world.all(&attachments());
    for (attachment, need) in &needs {
        match present.iter().find(|one| name(one) == attachment) {
            Some(found) => report(world, found, need),
            None => ask(world, attachment, need, &present, &needs),
        }
    }
    for one in present.iter().filter(|one| !is_deleting(one) && is_ours(one) && !needs.contains_key(name(one))) {
        release(world, one);
    }
}

/// Each kubelet says which drivers it knows; none at first.
fn register(world: &World) {
    for node in world.all(&core("nodes")) {
        if world.store.get(&csi_nodes(), None, name(&node)).is_none() {
            let owner =
                json!({"apiVersion": "v1", "kind": "Node", "name": node["metadata"]["name"], "uid": uid(&node)});
            let csi_node = json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "spec": {"drivers": null},
                "metadata": {"name": node["metadata"]["name"], "ownerReferences": [owner]},
            });
            drop(world.create(&csi_nodes(), csi_node));
        }
    }
}

/// The name that Kubernetes gives to the attachment of a volume to a node.
fn attachment_name(volume: &Value, node: &str) -> String {
    let csi = &volume["spec"]["csi"];
    let digest = Sha256::digest(format!("{}{}{node}", text(csi, "/volumeHandle"), text(csi, "/driver")));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("csi-{hex}")
}

/// Whether an attachment has the kind of name that this controller gives.
fn is_ours(attachment: &Value) -> bool {
    name(attachment).strip_prefix("csi-").is_some_and(|hex| hex.len() == 64)
}

fn needs(world: &World) -> Needs {
    let mut needs = Needs::new();
    for pod in world.all(&core("pods")) {
        let node = text(&pod, "/spec/nodeName");
        if node.is_empty() || is_finished(&pod) {
            continue;
        }
        for volume in csi_volumes(world, &pod) {
            let entry = needs.entry(attachment_name(&volume, node));
            entry.or_insert_with(|| Need { volume, pods: Vec::new() }).pods.push(pod.clone());
        }
    }
    needs
}

/// The bound volumes of a pod that a driver has to attach.
fn csi_volumes(world: &World, pod: &Value) -> Vec<Arc<Value>> {
    let volume_of = |claim: String| {
        let claim = world.store.get(&volumes::claims(), namespace(pod), &claim)?;
        let bound = volumes::is_bound(&claim).then(|| text(&claim, "/spec/volumeName").to_owned())?;
        world.store.get(&volumes::volumes(), None, &bound)
    };
    claims(pod).filter_map(volume_of).filter(|volume| is_attachable(world, volume)).collect()
}

fn is_attachable(world: &World, volume: &Value) -> bool {
    let driver = text(volume, "/spec/csi/driver");
    let known = world.store.get(&Resource::new("storage.k8s.io", "csidrivers"), None, driver);
    !driver.is_empty() && known.is_none_or(|driver| driver["spec"]["attachRequired"] != false)
}

fn ask(world: &World, attachment: &str, need: &Need, present: &[Arc<Value>], needs: &Needs) {
    let Some(pod) = need.pods.iter().find(|pod| !is_deleting(pod)) else { return };
    let volume = &need.volume;
    let exclusive = items(volume, "/spec/accessModes").iter().all(|mode| mode == "ReadWriteOnce");
    let of_volume = |one: &&Arc<Value>| text(one, "/spec/source/persistentVolumeName") == name(volume);
    if let Some(other) = present.iter().find(of_volume).filter(|_| exclusive) {
        return refuse(world, pod, volume, needs.get(name(other)));
    }
    let object = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": attachment},
        "spec": {
            "attacher": volume["spec"]["csi"]["driver"], "nodeName": pod["spec"]["nodeName"],
            "source": {"persistentVolumeName": volume["metadata"]["name"]},
        },
        "status": {"attached": false},
    });
    drop(world.create(&attachments(), object));
}

/// A volume that one node has is not given to another one.
fn refuse(world: &World, pod: &Value, volume: &Value, elsewhere: Option<&Need>) {
    let others: Vec<&str> = elsewhere.map_or(vec![], |need| need.pods.iter().map(|pod| name(pod)).collect());
    let why = match others.is_empty() {
        true => "Volume is already exclusively attached to one node and can't be attached to another".to_owned(),
        false => format!("Volume is already used by pod(s) {}", others.join(", ")),
    };
    if world.once(format!("multi-attach/{}/{}", uid(pod), name(volume))) {
        let message = format!("Multi-Attach error for volume \"{}\" {why}", name(volume));
        world.warning(SOURCE, pod, "FailedAttachVolume", &message);
    }
}

/// Tells the pods how far their volume is.
fn report(world: &World, attachment: &Value, need: &Need) {
    let volume = name(&need.volume);
    let key = |what: &str, pod: &Value| format!("attach-{what}/{}/{}", uid(pod), name(attachment));
    let error = text(attachment, "/status/attachError/message");
    for pod in need.pods.iter().filter(|pod| !is_deleting(pod)) {
        if flag(attachment, "/status/attached") {
            let message = format!("AttachVolume.Attach succeeded for volume \"{volume}\"");
            if world.once(key("done", pod)) {
                world.normal(SOURCE, pod, "SuccessfulAttachVolume", &message);
            }
        } else if !error.is_empty() {
            if world.once(key("error", pod)) {
                let message = format!("AttachVolume.Attach failed for volume \"{volume}\" : {error}");
                world.warning(SOURCE, pod, "FailedAttachVolume", &message);
            }
        } else if world.limit(key("wait", pod), ATTACH_LIMIT).over && world.once(key("late", pod)) {
            let driver = text(attachment, "/spec/attacher");
            let message = format!(
                "AttachVolume.Attach failed for volume \"{volume}\" : timed out waiting for external-attacher of {driver} CSI driver to attach volume {volume}"
            );
            world.warning(SOURCE, pod, "FailedAttachVolume", &message);
        }
    }
}

/// Nobody needs the volume there any more. A node that is silent may still write, so it is given time.
fn release(world: &World, attachment: &Value) {
    let node = world.store.get(&core("nodes"), None, text(attachment, "/spec/nodeName"));
    let silent = node.is_some_and(|node| is_dead(world, &node));
    if !silent || world.limit(format!("unmount/{}", uid(attachment)), UNMOUNT_LIMIT).over {
        world.delete(&attachments(), attachment);
    }
}

/// What keeps a pod from using a volume on its node.
pub enum Missing {
    /// It is not attached; whether its driver has failed to.
    Attachment {
        /// Its driver has said that it cannot.
        failed: bool,
    },
    /// The driver does not run on the node.
    Driver(String),
}

/// Whether the volumes of a pod can be mounted on its node; the first that cannot, with its reason.
pub fn missing(world: &World, pod: &Value) -> Option<(Arc<Value>, Missing)> {
    let node = text(pod, "/spec/nodeName");
    csi_volumes(world, pod).into_iter().find_map(|volume| {
        let attachment = world.store.get(&attachments(), None, &attachment_name(&volume, node));
        let attached = attachment.as_ref().is_some_and(|one| flag(one, "/status/attached") && !is_deleting(one));
        if !attached {
            let failed = attachment.is_some_and(|one| one["status"]["attachError"].is_object());
            return Some((volume, Missing::Attachment { failed }));
        }
        let driver = text(&volume, "/spec/csi/driver").to_owned();
        let csi_node = world.store.get(&csi_nodes(), None, node);
        let known = csi_node.is_some_and(|one| items(&one, "/spec/drivers").iter().any(|one| one["name"] == driver));
        (!known).then_some((volume, Missing::Driver(driver)))
    })
}
