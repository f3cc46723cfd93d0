//! The objects of Longhorn and of its uninstall job, with the settings of the lab in them.

use super::version::Version;
use super::{crds, older};
use crate::error::{Failure, Result};
use crate::yaml;
use serde_json::{Map, Value, json};

const ACCESS: &str = include_str!("../../../manifests/longhorn/access.yaml");
const SETTINGS: &str = include_str!("../../../manifests/longhorn/settings.yaml");
const MANAGER: &str = include_str!("../../../manifests/longhorn/manager.yaml");
const UI: &str = include_str!("../../../manifests/longhorn/ui.yaml");
const DRIVER: &str = include_str!("../../../manifests/longhorn/driver.yaml");
const UNINSTALL: &str = include_str!("../../../manifests/longhorn/uninstall.yaml");

/// Pods of each CSI sidecar that Longhorn makes by itself.
pub const DEFAULT_SIDECARS: u32 = 3;
/// Variables of the driver deployer with the number of pods of each sidecar.
const SIDECAR_COUNTS: [&str; 4] = [
    "CSI_ATTACHER_REPLICA_COUNT",
    "CSI_PROVISIONER_REPLICA_COUNT",
    "CSI_RESIZER_REPLICA_COUNT",
    "CSI_SNAPSHOTTER_REPLICA_COUNT",
];
/// Its variable with the kubelets' root directory.
const KUBELET_ROOT: &str = "KUBELET_ROOT_DIR";
/// The setting, and its value, that brings a StatefulSet's pod back when its node is dead.
const POD_DELETION: (&str, &str) = ("node-down-pod-deletion-policy", "delete-statefulset-pod");

/// What is not the same in every lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The release.
    pub version: Version,
    /// Copies of each volume: `numberOfReplicas` of the storage class.
    pub replicas: u32,
    /// Pods of each CSI sidecar.
    pub sidecars: u32,
    /// The kubelets' root directory, where Longhorn cannot find it out.
    pub kubelet_root: Option<String>,
}

/// Everything that is applied, in an order in which kubectl can apply it.
pub fn objects(settings: &Settings) -> Result<Vec<Value>> {
    let mut objects = yaml::documents(ACCESS)?;
    objects.extend(crds::definitions());
    for text in [SETTINGS, MANAGER, UI, DRIVER] {
        objects.extend(yaml::documents(text)?);
    }
    adjust(older::take_back(objects, settings.version), settings)
}

/// The uninstall job of a release, with what it needs.
pub fn uninstall(version: Version) -> Result<Vec<Value>> {
    Ok(older::take_back(yaml::documents(UNINSTALL)?, version))
}

/// Sets in a manifest, ours or an original one, what is not the same in every lab. A manifest without the place for it is an error.
pub fn adjust(mut objects: Vec<Value>, settings: &Settings) -> Result<Vec<Value>> {
    objects.iter_mut().for_each(name_protocols);
    let class = find(&mut objects, "ConfigMap", "longhorn-storageclass")?;
    edit(class, "storageclass.yaml", |class| {
        let parameters = class.entry("parameters").or_insert_with(|| json!({})).as_object_mut();
        let parameters = parameters.ok_or_else(|| lacks("parameters of the storage class"))?;
        parameters.insert("numberOfReplicas".into(), settings.replicas.to_string().into());
        Ok(())
    })?;
    let defaults = find(&mut objects, "ConfigMap", "longhorn-default-setting")?;
    edit(defaults, "default-setting.yaml", |defaults| {
        defaults.entry(POD_DELETION.0).or_insert_with(|| POD_DELETION.1.into());
        Ok(())
    })?;
    let deployer = find(&mut objects, "Deployment", "longhorn-driver-deployer")?;
    for (name, value) in variables(settings) {
        set_variable(deployer, name, value)?;
    }
    Ok(objects)
}

/// The images that the manager is told by its arguments, to make pods of them.
pub fn told_images(objects: &[Value]) -> Vec<String> {
    let manager = objects.iter().find(|o| o["kind"] == "DaemonSet" && o["metadata"]["name"] == "longhorn-manager");
    let container = manager.and_then(|manager| manager.pointer("/spec/template/spec/containers/0"));
    let words = ["command", "args"].map(|field| container.and_then(|container| container[field].as_array()));
    let words: Vec<&str> = words.into_iter().flatten().flatten().filter_map(Value::as_str).collect();
    let told = words.windows(2).filter(|pair| pair[0].starts_with("--") && pair[0].ends_with("-image"));
    told.map(|pair| pair[1].to_string()).collect()
}

/// What [`adjust`] sets, in words, for those who brought an original manifest.
pub fn adjustments(settings: &Settings) -> Vec<String> {
    let (policy, value) = POD_DELETION;
    let mut list = vec![
        format!("numberOfReplicas {} in the storage class", settings.replicas),
        format!("{policy} {value} (unless it is set)"),
        "protocol TCP on ports without one".to_string(),
    ];
    if settings.sidecars != DEFAULT_SIDECARS {
        list.push(format!("{} of each CSI sidecar", settings.sidecars));
    }
    list.extend(settings.kubelet_root.iter().map(|root| format!("{KUBELET_ROOT} {root}")));
    list
}

/// The driver deployer's variables.
fn variables(settings: &Settings) -> impl Iterator<Item = (&'static str, String)> {
    let count = (settings.sidecars != DEFAULT_SIDECARS).then(|| settings.sidecars.to_string());
    let counts = count.into_iter().flat_map(|count| SIDECAR_COUNTS.map(|name| (name, count.clone())));
    counts.chain(settings.kubelet_root.iter().map(|root| (KUBELET_ROOT, root.clone())))
}

fn find<'a>(objects: &'a mut [Value], kind: &str, name: &str) -> Result<&'a mut Value> {
    let found = objects.iter_mut().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.ok_or_else(|| lacks(&format!("{kind} {name}")))
}

fn lacks(what: &str) -> Failure {
    Failure::usage("the Longhorn manifest cannot be adjusted to the lab").cause(format!("it has no {what}"))
}

/// Changes the YAML mapping that a ConfigMap holds under a key. Entries without a value are left out of it: they mean nothing.
fn edit(config_map: &mut Value, key: &str, change: impl FnOnce(&mut Map<String, Value>) -> Result<()>) -> Result<()> {
    let text = config_map["data"][key].as_str().ok_or_else(|| lacks(&format!("{key} in its ConfigMap")))?;
    let mut content = yaml::documents(text)?.pop().unwrap_or_else(|| json!({}));
    let entries = content.as_object_mut().ok_or_else(|| lacks(&format!("mapping in {key}")))?;
    entries.retain(|_, value| !value.is_null());
    change(entries)?;
    config_map["data"][key] = yaml::to_string(&content).into();
    Ok(())
}

fn set_variable(workload: &mut Value, name: &str, value: String) -> Result<()> {
    let container = workload.pointer_mut("/spec/template/spec/containers/0").and_then(Value::as_object_mut);
    let container: &mut Map<String, Value> = container.ok_or_else(|| lacks("container in longhorn-driver-deployer"))?;
    let variables = container.entry("env").or_insert_with(|| json!([]));
    let Value::Array(variables) = variables else { return Err(lacks("list of variables in longhorn-driver-deployer")) };
    variables.retain(|variable| variable["name"] != name);
    variables.push(json!({ "name": name, "value": value }));
    Ok(())
}

/// Writes the protocol at every port: it is part of a port's key, and server-side apply does not fill it in before it compares keys
/// (Kubernetes up to 1.20).
fn name_protocols(object: &mut Value) {
    let name = |ports: Option<&mut Value>| {
        for port in ports.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
            port.entry("protocol").or_insert_with(|| "TCP".into());
        }
    };
    if object["kind"] == "Service" {
        name(object.pointer_mut("/spec/ports"));
    }
    let containers = object.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
    containers.into_iter().flatten().for_each(|container| name(container.get_mut("ports")));
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
