//! Docker and kind on this host.

use serde::{Deserialize, Serialize};

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
    /// What the engine runs on, for people: `Ubuntu 22.04.4 LTS`, `Docker Desktop`.
    pub operating_system: String,
    /// Its networks.
    pub networks: Vec<DockerNetwork>,
    /// Names of its containers, running or not.
    pub containers: Vec<String>,
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
}
