//! What Longhorn needs of a node, as it is on this host.

use crate::error::Result;
use crate::exec::Machine;
use crate::model::host::{Iscsi, StorageTools};

/// iSCSI.
pub(super) async fn iscsi(_: &dyn Machine) -> Result<Iscsi> {
    Ok(Iscsi::default())
}

/// The other tools.
pub(super) async fn storage(_: &dyn Machine) -> Result<StorageTools> {
    Ok(StorageTools::default())
}
