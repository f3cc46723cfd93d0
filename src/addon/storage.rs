//! The add-on `storage`: a storage class for the IRIS volumes.

use super::{AddOn, PODS, Site};
use crate::error::Result;
use crate::lab::{AddOnName, Lab};
use crate::model::longhorn::CLASS;
use crate::model::object::{is_default_class, labelled};
use crate::model::{Check, Step};
use crate::yaml;
use serde_json::Value;
use std::time::Duration;

const STEP: &str = "storage";
const TIMEOUT: Duration = Duration::from_secs(60);

const MANIFEST: &str = include_str!("../../manifests/add-ons/storage.yaml");

/// Volumes that are folders on a node.
pub struct Storage;

impl AddOn for Storage {
    fn name(&self) -> AddOnName {
        AddOnName::Storage
    }

    fn steps(&self, site: &Site) -> Result<Vec<Step>> {
        let objects = labelled(yaml::documents(MANIFEST)?, &site.lab.metadata.name);
        Ok(vec![Step::apply(STEP, "Install the storage class", TIMEOUT, objects, site.facts)])
    }

    fn gives(&self) -> Option<(&'static str, &'static str)> {
        Some((STEP, PODS))
    }

    fn storage_class(&self) -> Result<Option<Value>> {
        Ok(yaml::documents(MANIFEST)?.into_iter().find(|object| object["kind"] == "StorageClass"))
    }

    /// A cluster that we did not make must have the class that the lab asks for, unless another add-on brings it.
    fn checks(&self, site: &Site) -> Vec<Check> {
        let Site { lab, facts, .. } = site;
        if site.is_ours || (lab.has(AddOnName::Longhorn) && lab.storage_class() == Some(CLASS)) {
            return Vec::new();
        }
        let names: Vec<&str> =
            facts.storage_classes.iter().filter_map(|c| c.pointer("/metadata/name")?.as_str()).collect();
        let known = if names.is_empty() { "it has none".to_string() } else { format!("it has {}", names.join(", ")) };
        let hint = "name one with --storage-class NAME, or install one";
        vec![match (lab.storage_class(), class_for(lab, &facts.storage_classes)) {
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
        }]
    }
}

/// The storage class that the lab's claims get: its own one, or the default.
pub fn class_for<'a>(lab: &Lab, classes: &'a [Value]) -> Option<&'a Value> {
    let text = |class: &'a Value, path: &str| class.pointer(path).and_then(Value::as_str);
    classes.iter().find(|class| match lab.storage_class() {
        Some(wanted) => text(class, "/metadata/name") == Some(wanted),
        None => is_default_class(class),
    })
}
