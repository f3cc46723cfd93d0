//! What a pod needs before its containers can start: its volumes, and the config maps and secrets of their environment.

use super::at::At;
use crate::sim::controllers::attachments::{self, Missing};
use crate::sim::controllers::object::{core, flag, items, name, namespace, text, uid};
use crate::sim::controllers::pods::claims;
use crate::sim::controllers::volumes;
use serde_json::Value;
use std::time::Duration;

/// How long a kubelet waits for the volumes of a pod before it says so.
const MOUNT_LIMIT: Duration = Duration::from_secs(123);

/// Whether everything that the pod mounts is there. Reports the first thing that is not.
pub fn volumes_are_mounted(at: &At) -> bool {
    if claims(at.pod).any(|claim| !is_bound(at, &claim)) {
        return false;
    }
    // What is mounted stays mounted, whatever becomes of its driver.
    if at.pod["status"]["podIP"].is_null() && !drivers_are_done(at) {
        return false;
    }
    for volume in items(at.pod, "/spec/volumes") {
        if let Some(missing) = missing_source(at, volume) {
            let volume_name = text(volume, "/name");
            if at.world.once(format!("mount/{}/{volume_name}/{missing}", uid(at.pod))) {
                at.warning(
                    "FailedMount",
                    &format!("MountVolume.SetUp failed for volume \"{volume_name}\" : {missing}"),
                );
            }
            return false;
        }
    }
    true
}

/// Whether the drivers of its volumes have attached them.
fn drivers_are_done(at: &At) -> bool {
    let Some((volume, missing)) = attachments::missing(at.world, at.pod) else { return true };
    let id = uid(at.pod);
    match missing {
        Missing::Driver(driver) => {
            if at.world.once(format!("driver/{id}/{driver}")) {
                let message = format!(
                    "MountVolume.MountDevice failed for volume \"{}\" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name {driver} not found in the list of registered CSI drivers",
                    name(&volume)
                );
                at.warning("FailedMount", &message);
            }
        }
        Missing::Attachment { failed } => {
            let key = format!("unattached/{id}");
            let late = match failed {
                true => at.world.pause(key, MOUNT_LIMIT, 0).over,
                false => at.world.limit(key, MOUNT_LIMIT).over,
            };
            if late && at.world.once(format!("unattached-late/{id}")) {
                at.warning("FailedMount", &unmounted(at.pod));
            }
        }
    }
    false
}

/// The kubelet names the volumes of the pod's claims, and all its volumes.
fn unmounted(pod: &Value) -> String {
    let names = |all: bool| {
        let wanted = |one: &&Value| all || one["persistentVolumeClaim"].is_object();
        let names: Vec<&str> =
            items(pod, "/spec/volumes").iter().filter(wanted).map(|one| text(one, "/name")).collect();
        names.join(" ")
    };
    format!(
        "Unable to attach or mount volumes: unmounted volumes=[{}], unattached volumes=[{}]: timed out waiting for the condition",
        names(false),
        names(true)
    )
}

fn is_bound(at: &At, claim: &str) -> bool {
    let claim = at.world.store.get(&volumes::claims(), namespace(at.pod), claim);
    claim.is_some_and(|claim| volumes::is_bound(&claim))
}

fn missing_source(at: &At, volume: &Value) -> Option<String> {
    let one = |source: &Value| {
        missing(at, "configmap", &source["configMap"], "/name")
            .or_else(|| missing(at, "secret", &source["secret"], "/secretName"))
            .or_else(|| missing(at, "secret", &source["secret"], "/name"))
    };
    one(volume).or_else(|| items(volume, "/projected/sources").iter().find_map(one))
}

/// What a container's environment refers to and is not there.
pub fn missing_environment(at: &At, container: &Value) -> Option<String> {
    let whole = items(container, "/envFrom").iter().find_map(|from| {
        missing(at, "configmap", &from["configMapRef"], "/name")
            .or_else(|| missing(at, "secret", &from["secretRef"], "/name"))
    });
    let keys = || items(container, "/env").iter().map(|one| &one["valueFrom"]);
    whole.or_else(|| {
        keys().find_map(|from| {
            let map = missing_key(at, "configmap", &from["configMapKeyRef"]);
            map.or_else(|| missing_key(at, "secret", &from["secretKeyRef"]))
        })
    })
}

/// `configmap "x" not found`, unless it is there, optional, or not asked for.
fn missing(at: &At, kind: &str, reference: &Value, name_path: &str) -> Option<String> {
    let wanted = text(reference, name_path);
    if wanted.is_empty() || flag(reference, "/optional") {
        return None;
    }
    find(at, kind, wanted).is_none().then(|| format!("{kind} \"{wanted}\" not found"))
}

fn missing_key(at: &At, kind: &str, reference: &Value) -> Option<String> {
    missing(at, kind, reference, "/name").or_else(|| {
        let object = find(at, kind, text(reference, "/name"))?;
        let key = text(reference, "/key");
        let has = |field: &str| object[field].get(key).is_some();
        if flag(reference, "/optional") || has("data") || has("binaryData") || has("stringData") {
            return None;
        }
        let kind = if kind == "secret" { "Secret" } else { "ConfigMap" };
        Some(format!("couldn't find key {key} in {kind} {}/{}", namespace(at.pod).unwrap_or_default(), name(&object)))
    })
}

fn find(at: &At, kind: &str, wanted: &str) -> Option<std::sync::Arc<Value>> {
    at.world.store.get(&core(&format!("{kind}s")), namespace(at.pod), wanted)
}
