//! What Longhorn needs of a node, as it is on this host.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::host::{Iscsi, StorageTools};

/// iSCSI.
pub(super) async fn iscsi(_: &dyn Machine) -> Result<Iscsi> {
    Ok(Iscsi::default())
}

/// The other tools.
pub(super) async fn storage(_: &dyn Machine) -> Result<StorageTools> {
    Ok(StorageTools::default())
}

/// Whether there is a session with a target. Where none is, it exits with 21 and says so.
pub(super) async fn has_session(machine: &dyn Machine, target: &str) -> Result<bool> {
    if machine.find("iscsiadm").is_none() {
        return Ok(false);
    }
    let sessions = ask(machine, "iscsiadm", &["-m", "session"]).await?.stdout;
    Ok(sessions.split_whitespace().any(|word| word == target))
}
