//! What a pod needs before its containers can start: its volumes, and the config maps and secrets of their environment.

use super::at::At;
use crate::sim::controllers::object::{core, flag, items, name, namespace, text, uid};
use crate::sim::controllers::pods::claims;
use crate::sim::controllers::volumes;
use serde_json::Value;

/// Whether everything that the pod mounts is there. Reports the first thing that is not.
pub fn volumes_are_mounted(at: &At) -> bool {
    if claims(at.pod).any(|claim| !is_bound(at, &claim)) {
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
