//! snapd and microk8s on this host.

use super::User;
use crate::model::Cmd;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where it keeps its kubelet's files. Longhorn looks for a process called kubelet, and from 1.21 on there is none.
pub const MICROK8S_KUBELET: &str = "/var/snap/microk8s/common/var/lib/kubelet";

/// The groups whose members may call it: that of the classic snap, and that of the strict one.
const GROUPS: [&str; 2] = ["microk8s", "snap_microk8s"];

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

impl User {
    /// A call of microk8s that works in this very login: plain where this process may, else by sudo. A group that was given to the
    /// user meanwhile counts from the next login on.
    pub fn microk8s<I: IntoIterator<Item = S>, S: Into<String>>(&self, args: I) -> Cmd {
        let member = self.groups.iter().any(|group| GROUPS.contains(&group.as_str()));
        Cmd::new("microk8s", args).as_root(self.is_root || member)
    }
}

impl Microk8s {
    /// Its minor version of Kubernetes 1, such as 24.
    pub fn minor(&self) -> Option<u32> {
        minor(&self.version)
    }
}

/// The minor version in `v1.24.17`, `1.24` or `1.24/stable`; none where there is none.
pub fn minor(text: &str) -> Option<u32> {
    let rest = text.trim_start_matches('v').strip_prefix("1.")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
