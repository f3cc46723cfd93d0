//! The settings of Longhorn 1.2.6 and their first values.

use super::objects::{all, custom, get, make};
use super::parts::{Task, argument, patch_release};
use crate::model::longhorn::NAMESPACE;
use crate::sim::controllers::object::{core, name, text};
use crate::sim::controllers::world::World;
use crate::yaml;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name and first value; the images come from the manager's arguments.
const SETTINGS: &[(&str, &str)] = &[
    ("allow-node-drain-with-last-healthy-replica", "false"),
    ("allow-recurring-job-while-volume-detached", "false"),
    ("allow-volume-creation-with-degraded-availability", "true"),
    ("auto-cleanup-system-generated-snapshot", "true"),
    ("auto-delete-pod-when-volume-detached-unexpectedly", "true"),
    ("auto-salvage", "true"),
    ("backing-image-cleanup-wait-interval", "60"),
    ("backing-image-recovery-wait-interval", "300"),
    ("backup-target", ""),
    ("backup-target-credential-secret", ""),
    ("backupstore-poll-interval", "300"),
    ("concurrent-automatic-engine-upgrade-per-node-limit", "0"),
    ("concurrent-replica-rebuild-per-node-limit", "5"),
    ("crd-api-version", "longhorn.io/v1beta1"),
    ("create-default-disk-labeled-nodes", "false"),
    ("current-longhorn-version", ""),
    ("default-backing-image-manager-image", ""),
    ("default-data-locality", "disabled"),
    ("default-data-path", "/var/lib/longhorn/"),
    ("default-engine-image", ""),
    ("default-instance-manager-image", ""),
    ("default-longhorn-static-storage-class", "longhorn-static"),
    ("default-replica-count", "3"),
    ("default-share-manager-image", ""),
    ("disable-replica-rebuild", "false"),
    ("disable-revision-counter", "false"),
    ("disable-scheduling-on-cordoned-node", "true"),
    ("failed-backup-ttl", "1440"),
    ("guaranteed-engine-cpu", ""),
    ("guaranteed-engine-manager-cpu", "12"),
    ("guaranteed-replica-manager-cpu", "12"),
    ("kubernetes-cluster-autoscaler-enabled", "false"),
    ("latest-longhorn-version", ""),
    ("mkfs-ext4-parameters", ""),
    ("node-down-pod-deletion-policy", "do-nothing"),
    ("priority-class", ""),
    ("registry-secret", ""),
    ("replica-auto-balance", "disabled"),
    ("replica-replenishment-wait-interval", "600"),
    ("replica-soft-anti-affinity", "false"),
    ("replica-zone-soft-anti-affinity", "true"),
    ("stable-longhorn-versions", ""),
    ("storage-minimal-available-percentage", "25"),
    ("storage-over-provisioning-percentage", "200"),
    ("system-managed-components-node-selector", ""),
    ("system-managed-pods-image-pull-policy", "if-not-present"),
    ("taint-toleration", ""),
    ("upgrade-checker", "true"),
];

/// The release from which on the settings follow the ConfigMap while Longhorn runs; before, only at its first start.
const LIVE: u32 = 5;

/// Makes the settings that are missing, as a manager does when it starts.
pub fn fill(world: &World, manager: &Value) {
    let wanted = configured(world);
    for (setting, value) in SETTINGS {
        let flag = match *setting {
            "default-engine-image" => "--engine-image",
            "default-instance-manager-image" => "--instance-manager-image",
            "default-share-manager-image" => "--share-manager-image",
            "default-backing-image-manager-image" => "--backing-image-manager-image",
            _ => "",
        };
        let version = format!("v1.2.{}", patch_release(manager, Task::Daemon));
        let value = match argument(manager, Task::Daemon, flag) {
            Some(image) => image,
            None if *setting == "current-longhorn-version" => &version,
            None => wanted.get(*setting).map_or(*value, String::as_str),
        };
        make(world, "settings", "Setting", setting, json!({"value": value}));
    }
}

/// Brings a changed ConfigMap into the settings, once for each change.
pub fn follow(world: &World, manager: &Value) {
    if patch_release(manager, Task::Daemon) < LIVE {
        return;
    }
    let Some(map) = config_map(world) else { return };
    if !world.once(format!("longhorn/settings/{}", text(&map, "/metadata/resourceVersion"))) {
        return;
    }
    let wanted = configured(world);
    for setting in all(world, "settings") {
        if let Some(value) = wanted.get(name(&setting)) {
            world.change(&custom("settings"), &setting, |setting| setting["value"] = json!(value));
        }
    }
}

fn config_map(world: &World) -> Option<Arc<Value>> {
    world.store.get(&core("configmaps"), Some(NAMESPACE), "longhorn-default-setting")
}

/// What the ConfigMap sets.
fn configured(world: &World) -> BTreeMap<String, String> {
    let map = config_map(world);
    let content = map.as_ref().map_or("", |map| text(map, "/data/default-setting.yaml"));
    // What is no YAML sets nothing.
    let documents = yaml::documents(content).unwrap_or_default();
    let pairs = documents.iter().filter_map(Value::as_object).flatten();
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    pairs.filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), plain(value))).collect()
}

/// The value of a setting.
pub fn value(world: &World, setting: &str) -> String {
    get(world, "settings", setting).map_or(String::new(), |one| text(&one, "/value").to_owned())
}

#[cfg(test)]
mod tests {
    use super::SETTINGS;

    #[test]
    fn there_are_as_many_settings_as_longhorn_defines() {
        assert_eq!(SETTINGS.len(), 48);
        assert!(SETTINGS.is_sorted());
    }
}
