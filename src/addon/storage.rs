//! The add-on `storage`: a storage class for the IRIS volumes.

use super::AddOn;
use crate::error::Result;
use crate::lab::{AddOnName, Lab};
use crate::model::{Check, Facts};
use serde_json::Value;

const MANIFEST: &str = include_str!("../../manifests/add-ons/storage.yaml");
const DEFAULT_CLASS: &str = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";

/// Volumes that are folders on a node.
pub struct Storage;

impl AddOn for Storage {
    fn name(&self) -> AddOnName {
        AddOnName::Storage
    }

    fn title(&self) -> &'static str {
        "the storage class"
    }

    fn step(&self) -> &'static str {
        "storage"
    }

    fn objects(&self) -> Result<Vec<Value>> {
        crate::yaml::documents(MANIFEST)
    }

    fn check(&self, lab: &Lab, facts: &Facts) -> Check {
        let names: Vec<&str> =
            facts.storage_classes.iter().filter_map(|c| c.pointer("/metadata/name")?.as_str()).collect();
        let known = if names.is_empty() { "it has none".to_string() } else { format!("it has {}", names.join(", ")) };
        let hint = "name one with --storage-class NAME, or install one";
        match (&lab.spec.iris.storage.class, class_for(lab, &facts.storage_classes)) {
            (_, Some(class)) => {
                let name = class.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                Check::ok("storage class", format!("{name} is there"))
            }
            (Some(wanted), None) => {
                Check::fail("storage class", format!("the cluster has no storage class {wanted}: {known}"), hint)
            }
            (None, None) => {
                Check::fail("storage class", format!("the cluster has no default storage class: {known}"), hint)
            }
        }
    }
}

/// The storage class that the lab's claims get: the named one, or the default.
pub fn class_for<'a>(lab: &Lab, classes: &'a [Value]) -> Option<&'a Value> {
    let text = |class: &'a Value, path: &str| class.pointer(path).and_then(Value::as_str);
    classes.iter().find(|class| match &lab.spec.iris.storage.class {
        Some(wanted) => text(class, "/metadata/name") == Some(wanted),
        None => text(class, DEFAULT_CLASS) == Some("true"),
    })
}
