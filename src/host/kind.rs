//! kind: its clusters, seen as Docker has their nodes, which needs no kind.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::Cmd;
use crate::model::host::Kind;

/// Whether any node of a cluster is there. kind marks its containers with the cluster's name.
pub(super) async fn has(machine: &dyn Machine, name: &str) -> Result<bool> {
    if machine.find("docker").is_none() {
        return Ok(false);
    }
    let filter = format!("label=io.x-k8s.kind.cluster={name}");
    let args = ["ps", "--all", "--quiet", "--filter", &filter];
    let output = ask(machine, "docker", &args).await?;
    if !output.ok() {
        return Err(output.failure(&Cmd::new("docker", args)));
    }
    Ok(!output.stdout.trim().is_empty())
}

/// What it says of itself.
pub(super) async fn kind(_: &dyn Machine) -> Result<Option<Kind>> {
    Ok(None)
}
