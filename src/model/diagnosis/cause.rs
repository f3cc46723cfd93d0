//! Every cause that can be named, in one list.

use serde::Serialize;

/// What is wrong, in one word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    // The lab as a whole.
    /// Its cluster is stopped.
    Stopped,
    /// The API server does not answer.
    Unreachable,
    /// Nothing of the lab is on the cluster.
    Absent,
    /// The pods were removed, the volumes are kept.
    Down,
    /// An object that nothing makes again was deleted.
    ObjectGone,
    /// There are fewer pods than there should be.
    PodsMissing,
    // What the lab stands on.
    /// A namespace is on its way out.
    NamespaceTerminating,
    /// There is no node at all.
    NoNodes,
    /// A node does not report, or says that it is not ready.
    NodeNotReady,
    /// A node runs out of memory, disk or process numbers.
    NodePressure,
    /// Longhorn as a whole cannot be used.
    LonghornBroken,
    /// A volume has fewer copies than it wants.
    VolumeDegraded,
    /// A volume has no copy left that works.
    VolumeFaulted,
    // Claims.
    /// A claim is being deleted.
    ClaimTerminating,
    /// A claim has lost its volume.
    ClaimLost,
    /// A claim names no class, and there is no default one.
    ClaimWithoutClass,
    /// A claim's class does not exist.
    ClassMissing,
    /// A claim's class makes no volumes, or who makes them does not answer.
    NoProvisioner,
    /// Making the volume failed.
    ProvisioningFailed,
    /// A claim waits until its pod has a node.
    ClaimWaitsForPod,
    // Pods.
    /// A pod is being deleted.
    PodTerminating,
    /// A pod has ended as a whole, such as by an eviction.
    PodEnded,
    /// The nodes have too little cpu, memory or room for pods.
    NoRoom,
    /// Taints or a cordon keep the pod off the nodes.
    NodesClosed,
    /// The pod's selectors or affinities, or its volume's, fit no node.
    NoFittingNode,
    /// No node takes the pod, for another reason.
    Unscheduled,
    /// An image's name is not valid.
    ImageName,
    /// The registry has no such image.
    ImageMissing,
    /// The registry wants a login for the image.
    ImageDenied,
    /// The registry does not answer, or breaks off.
    RegistrySilent,
    /// The volumes or the network of a pod are not there yet.
    NotPrepared,
    /// The container cannot be made as it is written down.
    ContainerConfig,
    /// The kernel ended a container that used more memory than it may.
    OutOfMemory,
    /// A container ends again and again.
    CrashLoop,
    /// A container runs and its probe fails.
    NotReady,
    /// It is on its way up.
    Starting,
    // Lines in the logs of IRIS.
    /// A volume cannot be written to by the group 51773.
    NotWritable,
    /// The built-in Community licence has ended.
    LicenceExpired,
    /// The Community Edition runs on at most 20 cores.
    TooManyCores,
    /// All connections that the licence allows are in use.
    LicenceLimit,
    /// A Linux capability that the image wants is not there.
    CapabilityMissing,
    /// The durable directory has content that is not of IRIS.
    ForeignContent,
    /// A licensed image has no web server.
    WebServer,
    /// An action of the merge file failed.
    MergeFailed,
    /// A user has to change the password first.
    PasswordChange,
    // Addresses.
    /// Nobody gives addresses to Services.
    NoLoadBalancer,
    /// The pool of addresses is used up.
    PoolExhausted,
    /// A Service has no address yet.
    NoAddress,
}
