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
    /// A session of the kernel's iSCSI with a target. It is found by a route in the journal, not recorded.
    Session {
        /// Name of the target.
        target: String,
        /// Address and port at which it is.
        portal: String,
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
        matches!(self, HostObject::Snap { .. } | HostObject::Microk8sRuns | HostObject::KindCluster { .. })
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
            HostObject::Network { name } => write!(f, "Docker network {name}"),
            HostObject::Container { name } => write!(f, "container {name}"),
            HostObject::Volume { name } => write!(f, "Docker volume {name}"),
            HostObject::Image { name } => write!(f, "image {name}"),
            HostObject::Session { target, portal } => write!(f, "iSCSI session with {target} at {portal}"),
            HostObject::Route { to, via } => write!(f, "route to {to} via {via}"),
        }
    }
}
