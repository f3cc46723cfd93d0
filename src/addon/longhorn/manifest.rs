//! The objects of Longhorn and of its uninstall job.

use super::version::Version;
use crate::error::Result;
use serde_json::Value;

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
pub fn objects(_: &Settings) -> Result<Vec<Value>> {
    Ok(Vec::new())
}

/// The uninstall job of a release, with what it needs.
pub fn uninstall(_: Version) -> Result<Vec<Value>> {
    Ok(Vec::new())
}
