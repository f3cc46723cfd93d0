//! How the embedded cluster is to behave.

use serde::Serialize;
use std::path::PathBuf;

/// What the embedded cluster names as its compiler in `/version`: so a client can tell it from a real one.
pub const COMPILER: &str = "iris-lab-sim";

/// How the embedded cluster behaves.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimSettings {
    /// Number of nodes.
    pub nodes: u32,
    /// Kubernetes version that it reports, such as `1.24.17`.
    pub kubernetes: String,
    /// How much faster than real time it runs; none means instantly.
    pub speed: Option<f64>,
    /// A file of faults (see `sim::faults`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<PathBuf>,
}
