//! The add-on `longhorn`: volumes that live on several nodes at once.

mod canary;
mod checks;
mod crds;
pub mod manifest;
mod older;
pub mod original;
mod site;
mod steps;

pub use crate::model::longhorn::version;

use super::{AddOn, PODS, Site};
use crate::error::Result;
use crate::lab::AddOnName;
use crate::model::longhorn::{CLASS, DRIVER};
use crate::model::{Check, Step};
use serde_json::{Value, json};
use version::Version;

/// Longhorn, of a version that we know.
pub struct Longhorn;

impl AddOn for Longhorn {
    fn name(&self) -> AddOnName {
        AddOnName::Longhorn
    }

    fn goes_everywhere(&self) -> bool {
        true
    }

    fn steps(&self, site: &Site) -> Result<Vec<Step>> {
        steps::steps(site)
    }

    /// The claims of the lab can be made as soon as the class is there: they wait for the driver by themselves.
    fn gives(&self) -> Option<(&'static str, &'static str)> {
        Some((steps::CLAIMS_STEP, PODS))
    }

    /// Its manager makes the class, out of a ConfigMap.
    fn storage_class(&self) -> Result<Option<Value>> {
        Ok(Some(json!({ "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": CLASS },
            "provisioner": DRIVER })))
    }

    /// Its manager makes pods of images that it is told, and its driver's sidecars, which it knows by itself.
    fn images(&self, site: &Site) -> Result<Vec<String>> {
        let told = manifest::told_images(&site::objects(site)?);
        Ok(told.into_iter().chain(Version::parse(&site.lab.spec.longhorn.version)?.images().sidecars).collect())
    }

    fn checks(&self, site: &Site) -> Vec<Check> {
        checks::checks(site)
    }
}

#[cfg(test)]
mod tests;
