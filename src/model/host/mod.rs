//! What was seen of this host, read-only: each part in a file of its own. Unknown is never absent: a part that could not be read is
//! an error where it is read, and a tool that is not there is none.

mod docker;
mod iscsi;
mod microk8s;
mod network;
mod object;
mod system;

pub use docker::{Docker, DockerNetwork, Kind};
pub use iscsi::{Iscsi, LONGHORN_TARGETS, Module, Session, StorageTools};
pub use microk8s::{MICROK8S_KUBELET, Microk8s, Snap, minor};
pub use network::{Interface, Network};
pub use object::HostObject;
pub use system::{Disk, System, User};

use serde::{Deserialize, Serialize};

/// This host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HostFacts {
    /// Operating system, kernel, processor, memory, disk.
    pub system: System,
    /// Who runs this.
    pub user: User,
    /// Addresses, routes, ports.
    pub network: Network,
    /// snapd; none where it is not installed.
    pub snap: Option<Snap>,
    /// microk8s; none where it is not installed.
    pub microk8s: Option<Microk8s>,
    /// Docker; none where its client is not installed.
    pub docker: Option<Docker>,
    /// kind; none where it is not installed.
    pub kind: Option<Kind>,
    /// iSCSI, as Longhorn needs it.
    pub iscsi: Iscsi,
    /// The other tools that Longhorn's nodes need.
    pub storage: StorageTools,
}
