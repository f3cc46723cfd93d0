//! What steps wait for, and the chain of what must hold before Longhorn is usable.

use serde::Serialize;

/// What a waiting step waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "what")]
pub enum WaitFor {
    /// Every node of the cluster is Ready, and there are at least so many.
    NodesReady {
        /// Least number of nodes.
        count: u32,
    },
    /// Kinds of somebody's own are served: a definition that was only just made takes a moment.
    Served {
        /// Names of their definitions.
        definitions: Vec<String>,
    },
    /// A pod is Ready and belongs to the newest revision of its StatefulSet.
    PodReady {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Name of the StatefulSet that owns it.
        stateful_set: String,
    },
    /// One link of the chain after which Longhorn is usable.
    Longhorn {
        /// The link.
        link: Link,
    },
    /// No volume and no attachment of a storage driver is left in the cluster.
    VolumesGone {
        /// The driver.
        driver: String,
    },
    /// Whatever there is of a lab is complete: every pod of its StatefulSets is Ready, and its Services of type LoadBalancer have
    /// addresses.
    Lab {
        /// Its namespace.
        namespace: String,
        /// Its name.
        lab: String,
    },
    /// A Service of type LoadBalancer has an address.
    Address {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// The chain of what must hold before Longhorn is usable, in order. Source: what each of its parts waits for at v1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Link {
    /// The DaemonSet longhorn-manager is ready on every node that takes pods.
    Manager,
    /// Every `nodes.longhorn.io` is Ready, propagates mounts, and is schedulable with all its disks.
    Nodes,
    /// The engine image is deployed.
    EngineImage,
    /// Both instance managers of each node run.
    InstanceManagers,
    /// The driver deployer is available.
    Deployer,
    /// The four CSI Deployments and the CSI plugin's DaemonSet are complete.
    Csi,
    /// The CSINode of every node names the driver.
    Registered,
    /// The StorageClass and the CSIDriver are there.
    Class,
}
