//! Objects without what differs between two clusters that are the same: ids, times, addresses, the choice of nodes.

use super::redact::is_uuid;
use super::{Id, Objects};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Fields that are chosen anew each time.
const CHOSEN: &[&str] = &[
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "generation",
    "selfLink",
    "clusterIP",
    "clusterIPs",
    "nodePort",
    "healthCheckNodePort",
    "volumeName",
    "nodeName",
    "controller-revision-hash",
    "hostPath",
    "local",
    "nodeAffinity",
    "kubectl.kubernetes.io/last-applied-configuration",
    "volume.kubernetes.io/selected-node",
    "passwordHash",
    "PasswordHash",
    "iris-lab/password-hash",
];

/// What two clusters with the same lab have in common: each object's name and its wanted fields, and for pods whether they
/// run. `secret` is the password's hash, which no two labs share.
pub fn shape(objects: &Objects, secret: &str) -> BTreeMap<String, Value> {
    let mut shape = BTreeMap::new();
    // The API server's own Service holds its port.
    let is_servers = |id: &Id| id.namespace == "default" && id.name == "kubernetes";
    for (id, object) in objects.iter().filter(|(id, _)| !is_servers(id)) {
        let mut count = 0;
        let name = stable_name(id, object);
        while shape.contains_key(&format!("{name} #{count}")) {
            count += 1;
        }
        let mut kept = stripped(object, secret);
        if let Some(volumes) = kept.pointer_mut("/spec/volumes").and_then(Value::as_array_mut) {
            // A StatefulSet adds its claims in any order.
            volumes.sort_by_key(|volume| volume["name"].as_str().map(str::to_string));
        }
        if let Some(map) = kept.as_object_mut() {
            map.remove("status");
            map.insert("runs".into(), runs(object));
            if object["kind"] == "ServiceAccount" {
                // Old servers name a token here.
                map.remove("secrets");
            }
            if object["kind"] == "Secret" || object["kind"] == "EndpointSlice" || object["kind"] == "Endpoints" {
                map.retain(|key, _| key == "kind" || key == "type");
            }
        }
        shape.insert(format!("{name} #{count}"), kept);
    }
    shape
}

/// Fails the test with all that differs, unless two lists of objects are the same.
#[track_caller]
pub fn same<K: Ord + std::fmt::Display>(before: &BTreeMap<K, Value>, after: &BTreeMap<K, Value>, what: &str) {
    let changes = changes(before, after);
    assert!(changes.is_empty(), "{what}:\n{changes}");
}

/// What was added, removed and changed between two lists of objects, as text; empty when nothing was.
fn changes<K: Ord + std::fmt::Display>(before: &BTreeMap<K, Value>, after: &BTreeMap<K, Value>) -> String {
    let mut text = String::new();
    for (id, object) in before {
        match after.get(id) {
            None => text += &format!("removed: {id}\n"),
            Some(now) if now != object => {
                text += &format!("changed: {id}\n");
                fields(object, now, "", &mut text);
            }
            Some(_) => {}
        }
    }
    for id in after.keys().filter(|id| !before.contains_key(id)) {
        text += &format!("added: {id}\n");
    }
    text
}

/// The fields that differ, each with what it was and is.
fn fields(was: &Value, is: &Value, path: &str, text: &mut String) {
    match (was, is) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys.into_iter().filter(|key| old.get(*key) != new.get(*key)) {
                let at = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                fields(&at(old), &at(new), &format!("{path}/{key}"), text);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new) {
                fields(old, new, &format!("{path}/{index}"), text);
            }
        }
        _ => *text += &format!("  {path}: was {was}, is {is}\n"),
    }
}

/// The object's name, without the part that the server made up.
fn stable_name(id: &Id, object: &Value) -> String {
    let generated = object.pointer("/metadata/generateName").and_then(Value::as_str);
    let name = match id.kind.as_str() {
        "ControllerRevision" => "revision".to_string(),
        "Secret" => id.name.rsplit_once("-token-").map_or(id.name.clone(), |(owner, _)| format!("{owner}-token")),
        "PersistentVolume" => {
            object.pointer("/spec/claimRef/name").and_then(Value::as_str).unwrap_or("free").to_string()
        }
        "Pod" => id.name.clone(),
        _ => generated.map_or(id.name.clone(), str::to_string),
    };
    format!("{} {}/{name}", id.kind, id.namespace)
}

/// Whether a pod runs, whether a claim is bound: the part of the status that must be the same.
fn runs(object: &Value) -> Value {
    let restarts = object.pointer("/status/containerStatuses/0/restartCount");
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    let ready = conditions.iter().find(|c| c["type"] == "Ready").map(|c| c["status"].clone());
    match object["kind"].as_str() {
        Some("Pod") => json!({ "phase": object["status"]["phase"], "ready": ready, "restarts": restarts }),
        Some("PersistentVolumeClaim" | "PersistentVolume" | "Namespace") => object["status"]["phase"].clone(),
        _ => Value::Null,
    }
}

fn stripped(value: &Value, secret: &str) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !CHOSEN.contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key.clone(), stripped(value, secret))).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(|value| stripped(value, secret)).collect(),
        Value::String(text) => {
            let text = if secret.is_empty() { text.clone() } else { text.replace(secret, "<hash>") };
            match text.strip_prefix("pvc-") {
                Some(rest) if is_uuid(rest) => "pvc-<uid>".into(),
                None if is_uuid(&text) => "<uid>".into(),
                _ => text.into(),
            }
        }
        other => other.clone(),
    }
}
