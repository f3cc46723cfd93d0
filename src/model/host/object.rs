//! Something on this host that a lab makes with the host's own tools, and that reset removes again: what the journal records.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One thing. Whether it is there is looked up by `host::has`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "object")]
pub enum HostObject {
    /// A snap.
    Snap {
        /// Its name.
        name: String,
    },
    /// A user's membership in a group.
    Member {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// microk8s runs; it was stopped before.
    Microk8sRuns,
    /// An add-on of microk8s is enabled.
    Microk8sAddOn {
        /// Its name, as microk8s has it.
        name: String,
    },
    /// A cluster of kind.
    KindCluster {
        /// Its name.
        name: String,
    },
    /// The control plane of a cluster of kind runs.
    KindRuns {
        /// Name of the cluster.
        name: String,
    },
    /// A network of Docker.
    Network {
        /// Its name.
        name: String,
    },
    /// A container of Docker.
    Container {
        /// Its name.
        name: String,
    },
    /// A volume of Docker.
    Volume {
        /// Its name.
        name: String,
    },
    /// An image of Docker.
    Image {
        /// Its name with the tag.
        name: String,
    },
    /// An iSCSI session of Longhorn's. None of a lab is made by us: it is only ever removed.
    IscsiSession {
        /// Name of its target, such as `iqn.2019-10.io.longhorn:pvc-1`.
        target: String,
    },
    /// A folder that was not there before.
    Folder {
        /// Its path.
        path: String,
    },
    /// A route of the kernel.
    Route {
        /// Its destination, such as `10.244.1.0/24`.
        to: String,
        /// The next hop.
        via: String,
    },
}

impl HostObject {
    /// Whether it is a cluster that did not exist before: what is in it goes with it.
    pub fn is_the_cluster(&self) -> bool {
        matches!(self, HostObject::Snap { .. } | HostObject::KindCluster { .. })
    }

    /// Whether the cluster ends with it.
    pub fn holds_the_cluster(&self) -> bool {
        self.is_the_cluster() || matches!(self, HostObject::Microk8sRuns | HostObject::KindRuns { .. })
    }

    /// Whether it ends with that other object, without a step of its own.
    pub fn goes_with(&self, other: &HostObject) -> bool {
        let of_microk8s = matches!(self, HostObject::Microk8sRuns | HostObject::Microk8sAddOn { .. });
        self == other || (of_microk8s && matches!(other, HostObject::Snap { name } if name == "microk8s"))
    }

    /// Whether it comes up only some time after the command that makes it has ended, and is waited for.
    pub fn comes_later(&self) -> bool {
        matches!(self, HostObject::Microk8sRuns)
    }
}

impl fmt::Display for HostObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostObject::Snap { name } => write!(f, "snap {name}"),
            HostObject::Member { user, group } => write!(f, "membership of {user} in the group {group}"),
            HostObject::Microk8sRuns => f.write_str("running microk8s"),
            HostObject::Microk8sAddOn { name } => write!(f, "microk8s add-on {name}"),
            HostObject::KindCluster { name } => write!(f, "kind cluster {name}"),
            HostObject::KindRuns { name } => write!(f, "running kind cluster {name}"),
            HostObject::Network { name } => write!(f, "Docker network {name}"),
            HostObject::Container { name } => write!(f, "container {name}"),
            HostObject::Volume { name } => write!(f, "Docker volume {name}"),
            HostObject::Image { name } => write!(f, "image {name}"),
            HostObject::IscsiSession { target } => write!(f, "iSCSI session {target}"),
            HostObject::Folder { path } => write!(f, "folder {path}"),
            HostObject::Route { to, via } => write!(f, "route to {to} via {via}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_snap_goes_with_it() {
        let snap = |name: &str| HostObject::Snap { name: name.into() };
        let add_on = HostObject::Microk8sAddOn { name: "dns".into() };
        assert!(add_on.goes_with(&snap("microk8s")) && HostObject::Microk8sRuns.goes_with(&snap("microk8s")));
        assert!(!add_on.goes_with(&snap("lxd")) && !add_on.goes_with(&HostObject::Microk8sRuns));
        assert!(snap("lxd").goes_with(&snap("lxd")) && !snap("microk8s").goes_with(&snap("lxd")));
    }
}
