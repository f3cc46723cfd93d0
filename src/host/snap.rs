//! snapd, and the groups of users that its packages need.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::host::Snap;

/// Whether a snap is installed.
pub(super) async fn has(machine: &dyn Machine, name: &str) -> Result<bool> {
    if machine.find("snap").is_none() {
        return Ok(false);
    }
    // It exits with 1 and says so when no snap fits.
    Ok(ask(machine, "snap", &["list", name]).await?.ok())
}

/// Whether a user is in a group, as of the next login.
pub(super) async fn is_member(machine: &dyn Machine, user: &str, group: &str) -> Result<bool> {
    let output = ask(machine, "id", &["-nG", user]).await?;
    Ok(output.stdout.split_whitespace().any(|name| name == group))
}

/// What it says of itself.
pub(super) async fn snap(_: &dyn Machine) -> Result<Option<Snap>> {
    Ok(None)
}
