//! snapd and microk8s on this host.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// snapd.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Snap {
    /// Its version; empty when the daemon does not answer.
    pub version: String,
}

/// microk8s.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Microk8s {
    /// Version of its Kubernetes, such as `v1.24.17`.
    pub version: String,
    /// The channel that it follows, such as `1.24/stable`.
    pub channel: String,
    /// Why its state cannot be read, such as a missing group; none when it can.
    pub unreadable: Option<String>,
    /// Whether it runs.
    pub running: bool,
    /// Its add-ons, and whether each is enabled. Empty while it does not run.
    pub add_ons: BTreeMap<String, bool>,
}
