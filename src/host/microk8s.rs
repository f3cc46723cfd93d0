//! microk8s. Its exit codes are not to be trusted: `status` exits with 0 when it is stopped, and after a time-out.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::host::Microk8s;

/// Whether it runs.
pub(super) async fn runs(machine: &dyn Machine) -> Result<bool> {
    if machine.find("microk8s").is_none() {
        return Ok(false);
    }
    Ok(ask(machine, "microk8s", &["status"]).await?.stdout.contains("microk8s is running"))
}

/// Whether an add-on is enabled.
pub(super) async fn is_enabled(machine: &dyn Machine, name: &str) -> Result<bool> {
    if machine.find("microk8s").is_none() {
        return Ok(false);
    }
    Ok(ask(machine, "microk8s", &["status", "--addon", name]).await?.stdout.trim() == "enabled")
}

/// What it says of itself.
pub(super) async fn microk8s(_: &dyn Machine) -> Result<Option<Microk8s>> {
    Ok(None)
}
