//! What Longhorn needs of a node, as it is on this host.

use crate::model::Cmd;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// iSCSI.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Iscsi {
    /// Version of iscsiadm; none where it is not installed.
    pub iscsiadm: Option<String>,
    /// State of the service iscsid, and of its socket: `active`, `inactive`, `failed`; empty when unknown.
    pub iscsid: String,
    /// State of the socket that starts it.
    pub socket: String,
    /// The module iscsi_tcp.
    pub module: Module,
    /// Whether this host has a name as an initiator.
    pub named: bool,
    /// Why the kernel's iSCSI cannot be reached from here; none when it can.
    pub unreachable: Option<String>,
    /// Sessions with Longhorn's own names.
    pub sessions: Vec<Session>,
    /// Why its sessions cannot be listed; none when they can.
    pub unlisted: Option<String>,
}

/// A module of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Module {
    /// It is in the kernel, now.
    Loaded,
    /// It is on the disk.
    Loadable,
    /// The kernel has none.
    Missing,
    /// There is nobody to ask.
    #[default]
    Unknown,
}

/// How Longhorn names its targets: the volume's name follows.
pub const LONGHORN_TARGETS: &str = "iqn.2019-10.io.longhorn";

/// A session of the kernel's iSCSI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Address and port at which the target is.
    pub portal: String,
    /// Name of the target.
    pub target: String,
}

impl Session {
    /// Whether its target is in one of these networks: in the pods of a cluster of ours, and of no other on this host.
    pub fn leads_into(&self, networks: &[Ipv4Net]) -> bool {
        let address = self.portal.split(':').next().and_then(|address| address.parse::<Ipv4Addr>().ok());
        address.is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
    }

    /// The commands that end it and forget it.
    pub fn log_out(&self, is_root: bool) -> Vec<Cmd> {
        let of = |rest: &[&str]| {
            let node = ["-m", "node", "-T", &self.target, "-p", &self.portal];
            Cmd::new("iscsiadm", node.iter().chain(rest).copied()).as_root(is_root)
        };
        vec![of(&["--logout"]), of(&["-o", "delete"])]
    }
}

/// The other tools.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StorageTools {
    /// State of the service multipathd.
    pub multipathd: String,
    /// State of its socket.
    pub multipathd_socket: String,
    /// Whether multipath leaves sd devices alone.
    pub multipath_spares_sd: bool,
    /// Whether an NFS client is installed.
    pub nfs: bool,
    /// Which of findmnt, blkid and lsblk are missing.
    pub missing: Vec<String>,
    /// Whether /var/lib/longhorn is there, with something in it.
    pub old_data: bool,
}
