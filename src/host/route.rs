//! Routes of the kernel, by iproute2.

use crate::error::Result;
use crate::exec::{Machine, ask};

/// Whether there is a route to a network by way of a next hop.
pub(super) async fn has(machine: &dyn Machine, to: &str, via: &str) -> Result<bool> {
    if machine.find("ip").is_none() {
        return Ok(false);
    }
    Ok(!ask(machine, "ip", &["-4", "route", "show", "exact", to, "via", via]).await?.stdout.trim().is_empty())
}
