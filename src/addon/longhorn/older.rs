//! Our YAML is that of 1.2.6. Here is what was different in older releases. Source: deploy/longhorn.yaml and
//! uninstall/uninstall.yaml at the tags.

use super::version::{self, Version};
use serde_json::{Value, json};

/// Services that came with 1.2.3.
const SERVICES: [&str; 2] = ["longhorn-engine-manager", "longhorn-replica-manager"];
/// The ConfigMap of default settings, and the name of its volume.
const DEFAULTS: &str = "longhorn-default-setting";

/// Makes objects of 1.2.6 those of a release.
pub fn take_back(mut objects: Vec<Value>, version: Version) -> Vec<Value> {
    let (newest, images) = (version::DEFAULT.images(), version.images());
    let older: Vec<(&str, &str)> = newest.named().into_iter().zip(images.named()).collect();
    if version < Version::V1_2_3 {
        objects.retain(|object| !SERVICES.iter().any(|name| object["metadata"]["name"] == *name));
    }
    for object in &mut objects {
        replace(object, &older);
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_string();
        match (object["kind"].as_str(), name.as_str()) {
            (Some("Deployment"), "longhorn-ui") if version < Version::V1_2_4 => run_as_root(object),
            (Some("DaemonSet"), "longhorn-manager") if version < Version::V1_2_5 => mount_defaults(object),
            (Some("ClusterRole"), "longhorn-uninstall-role") if version < Version::V1_2_5 => leave_attachments(object),
            _ => {}
        }
    }
    objects
}

/// Replaces every text that is exactly one of these.
fn replace(value: &mut Value, pairs: &[(&str, &str)]) {
    match value {
        Value::String(text) => {
            if let Some((_, new)) = pairs.iter().find(|(old, _)| text == old) {
                *text = (*new).into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, pairs)),
        Value::Object(map) => map.values_mut().for_each(|item| replace(item, pairs)),
        _ => {}
    }
}

/// Up to 1.2.3 the web interface ran as root, and needed no directories of its own.
fn run_as_root(ui: &mut Value) {
    let Some(pod) = ui.pointer_mut("/spec/template/spec").and_then(Value::as_object_mut) else { return };
    pod.remove("volumes");
    let container = pod.get_mut("containers").and_then(|list| list.get_mut(0)).and_then(Value::as_object_mut);
    if let Some(container) = container {
        container.remove("volumeMounts");
        container.insert("securityContext".into(), json!({ "runAsUser": 0 }));
    }
}

/// Up to 1.2.4 the manager read its default settings from a file, once; later it follows the ConfigMap.
fn mount_defaults(manager: &mut Value) {
    let added = [
        ("/spec/template/spec/volumes", json!({ "name": DEFAULTS, "configMap": { "name": DEFAULTS } })),
        (
            "/spec/template/spec/containers/0/volumeMounts",
            json!({ "name": DEFAULTS, "mountPath": "/var/lib/longhorn-setting/" }),
        ),
        (
            "/spec/template/spec/containers/0/env",
            json!({ "name": "DEFAULT_SETTING_PATH", "value": "/var/lib/longhorn-setting/default-setting.yaml" }),
        ),
    ];
    for (path, entry) in added {
        manager.pointer_mut(path).and_then(Value::as_array_mut).into_iter().for_each(|list| list.push(entry.clone()));
    }
}

/// Up to 1.2.4 the uninstall job did not look at attachments.
fn leave_attachments(role: &mut Value) {
    for rule in role["rules"].as_array_mut().into_iter().flatten() {
        let resources = rule["resources"].as_array_mut();
        resources.into_iter().for_each(|list| list.retain(|resource| resource != "volumeattachments"));
    }
}
