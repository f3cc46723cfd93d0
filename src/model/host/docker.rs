//! Docker and kind on this host.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Docker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Docker {
    /// Why its engine does not answer; none when it does.
    pub unreachable: Option<String>,
    /// Version of the engine.
    pub version: String,
    /// Storage driver, such as `overlay2`.
    pub storage_driver: String,
    /// Whether it runs without root.
    pub rootless: bool,
    /// Whether root in its containers is somebody else on the host (`userns-remap`).
    pub remaps_users: bool,
    /// What the engine runs on, for people: `Ubuntu 22.04.4 LTS`, `Docker Desktop`.
    pub operating_system: String,
    /// Its networks.
    pub networks: Vec<DockerNetwork>,
    /// Names of its containers, running or not.
    pub containers: Vec<String>,
    /// Names of those that run.
    pub running: Vec<String>,
    /// Names of its images with their tags.
    pub images: Vec<String>,
}

/// A network of Docker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DockerNetwork {
    /// Its name.
    pub name: String,
    /// Its subnets, such as `172.18.0.0/16`.
    pub subnets: Vec<String>,
    /// Addresses of the host in it.
    pub gateways: Vec<String>,
    /// Largest packet, where one is set.
    pub mtu: Option<String>,
    /// Names of the running containers in it.
    pub containers: Vec<String>,
    /// Addresses that containers have in it.
    pub taken: Vec<String>,
}

/// kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Kind {
    /// The program: a name on PATH, or a path in our cache.
    pub program: String,
    /// Version, such as `v0.22.0`.
    pub version: String,
    /// Its clusters.
    pub clusters: Vec<String>,
    /// Why they cannot be read; none when they can.
    pub unreadable: Option<String>,
}

impl Kind {
    /// The release that is downloaded where there is none.
    pub const RELEASE: &str = "v0.22.0";

    /// The role of the node that the cluster is run from.
    pub const CONTROL_PLANE: &str = "control-plane";

    /// Whether a container is a node of a cluster, by kind's way of naming them: it can be told without kind.
    pub fn is_node(container: &str, cluster: &str) -> bool {
        let role = container.strip_prefix(cluster).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
        let plain = role.trim_end_matches(|c: char| c.is_ascii_digit());
        matches!(plain, Kind::CONTROL_PLANE | "worker" | "external-load-balancer")
    }

    /// The name of a downloaded one in our cache.
    pub fn file() -> String {
        format!("kind-{}", Kind::RELEASE)
    }

    /// Where a downloaded one is.
    pub fn cached(cache: &Path) -> PathBuf {
        cache.join(Kind::file())
    }
}
