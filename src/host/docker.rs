//! Docker, by its client.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::Cmd;
use crate::model::host::Docker;

/// Whether an object of a kind (`network`, `container`, `volume`, `image`) is there.
pub(super) async fn has(machine: &dyn Machine, kind: &str, name: &str) -> Result<bool> {
    if machine.find("docker").is_none() {
        return Ok(false);
    }
    let args = ["inspect", "--type", kind, "--format", "{{.Id}}", name];
    // Networks and volumes have an inspect of their own in clients before 20.10 that need no type.
    let args: Vec<&str> = match kind {
        "network" | "volume" => vec![kind, "inspect", "--format", "{{.Name}}", name],
        _ => args.to_vec(),
    };
    let output = ask(machine, "docker", &args).await?;
    let said = output.text().to_lowercase();
    match output.ok() {
        true => Ok(true),
        false if said.contains("no such") || said.contains("not found") => Ok(false),
        false => Err(output.failure(&Cmd::new("docker", args))),
    }
}

/// Whether its engine answers.
pub(super) async fn answers(machine: &dyn Machine) -> Result<bool> {
    if machine.find("docker").is_none() {
        return Ok(false);
    }
    Ok(ask(machine, "docker", &["version", "--format", "{{.Server.Version}}"]).await?.ok())
}

/// What it says of itself.
pub(super) async fn docker(_: &dyn Machine) -> Result<Option<Docker>> {
    Ok(None)
}
