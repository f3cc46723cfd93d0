//! Longhorn 1.2 as everybody here knows it: its names, its kinds, and what is seen of it in a cluster. Sources: the manifests and
//! the manager's code at the tags v1.2.0 to v1.2.6.

pub mod chain;
pub mod traces;
pub mod version;

use super::object::{ObjectRef, is_of};
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// Namespace of everything that Longhorn runs.
pub const NAMESPACE: &str = "longhorn-system";
/// Name of its CSI driver, and the provisioner of its storage class.
pub const DRIVER: &str = "driver.longhorn.io";
/// Its storage class.
pub const CLASS: &str = "longhorn";
/// The Deployments beside its driver.
pub const SIDECARS: [&str; 4] = ["csi-attacher", "csi-provisioner", "csi-resizer", "csi-snapshotter"];
/// API group of its custom resources.
pub const GROUP: &str = "longhorn.io";
/// Version of its custom resources in every 1.2.x.
pub const API_VERSION: &str = "longhorn.io/v1beta1";
/// The finalizer that its manager puts on custom resources and clears again.
pub const FINALIZER: &str = "longhorn.io";
/// The finalizer that its CSI attacher puts on volumes and attachments.
pub const ATTACHER_FINALIZER: &str = "external-attacher/driver-longhorn-io";

/// What the keys of a lab's record begin with under which it keeps that a volume worked on a node; the node's name follows. The
/// value is the uid of Longhorn's own object of that node, so that a node or a Longhorn that was made anew is proven anew.
pub const CANARY_KEY: &str = "longhorn-canary.";

/// Label with which a node is picked for a canary.
pub const HOST_NAME: &str = "kubernetes.io/hostname";

/// The fifteen kinds of custom resources, children before parents: plural and kind. Eleven of them carry [`FINALIZER`]; not
/// settings, instance managers, backup targets and recurring jobs.
pub const KINDS: &[(&str, &str)] = &[
    ("replicas", "Replica"),
    ("engines", "Engine"),
    ("volumes", "Volume"),
    ("sharemanagers", "ShareManager"),
    ("backingimagedatasources", "BackingImageDataSource"),
    ("backingimagemanagers", "BackingImageManager"),
    ("backingimages", "BackingImage"),
    ("backups", "Backup"),
    ("backupvolumes", "BackupVolume"),
    ("backuptargets", "BackupTarget"),
    ("engineimages", "EngineImage"),
    ("instancemanagers", "InstanceManager"),
    ("nodes", "Node"),
    ("recurringjobs", "RecurringJob"),
    ("settings", "Setting"),
];

/// Whether a node can hold volumes: it has no taint that keeps pods away for good. Kubernetes' own taints, of cordoned or ailing
/// nodes, pass.
pub fn takes_volumes(node: &Value) -> bool {
    let keeps_away = |taint: &Value| {
        matches!(taint["effect"].as_str(), Some("NoSchedule" | "NoExecute"))
            && !taint["key"].as_str().is_some_and(|key| key.starts_with("node.kubernetes.io/"))
    };
    !node["spec"]["taints"].as_array().into_iter().flatten().any(keeps_away)
}

/// Which node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NodeName {
    /// The one with that name.
    Known(String),
    /// The one with that number, from 1 on, among those that take volumes, in the order of their names: they are not made yet, and
    /// have no names before.
    Number(usize),
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeName::Known(name) => f.write_str(name),
            NodeName::Number(number) => write!(f, "node {number}"),
        }
    }
}

/// What is seen of Longhorn in a cluster. Objects are kept whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LonghornFacts {
    /// Its namespace, whoever made it.
    pub namespace: Option<Value>,
    /// DaemonSets and Deployments in its namespace.
    pub workloads: Vec<Value>,
    /// Custom resources of its group, each with apiVersion and kind.
    pub resources: Vec<Value>,
    /// Definitions of its custom resources.
    pub definitions: Vec<Value>,
    /// Its CSIDriver.
    pub driver: Option<Value>,
    /// The CSINode of every node.
    pub csi_nodes: Vec<Value>,
    /// Persistent volumes of its driver.
    pub volumes: Vec<Value>,
    /// Attachments of its driver.
    pub attachments: Vec<Value>,
}

impl LonghornFacts {
    /// A DaemonSet or Deployment of its namespace.
    pub fn workload(&self, kind: &str, name: &str) -> Option<&Value> {
        self.workloads.iter().find(|one| one["kind"] == kind && one["metadata"]["name"] == name)
    }

    /// A custom resource, by its kind and name.
    pub fn resource(&self, kind: &str, name: &str) -> Option<&Value> {
        self.resources.iter().find(|one| one["kind"] == kind && one["metadata"]["name"] == name)
    }

    /// Whether anything of it is there.
    pub fn is_there(&self) -> bool {
        self.namespace.is_some() || !self.definitions.is_empty() || self.driver.is_some() || !self.volumes.is_empty()
    }

    /// Whether its namespace is on its way out.
    pub fn is_terminating(&self) -> bool {
        let stamp = self.namespace.as_ref().and_then(|namespace| namespace.pointer("/metadata/deletionTimestamp"));
        stamp.is_some_and(Value::is_string)
    }

    /// Whether a lab of ours installed it.
    pub fn is_of(&self, lab: &str) -> bool {
        match &self.namespace {
            Some(namespace) => is_of(namespace, lab),
            None => self.definitions.iter().any(|definition| is_of(definition, lab)),
        }
    }

    /// The installed version, such as `1.2.6`, read off the image of its manager, or of its engine, which has the same tag; none
    /// when neither is there.
    pub fn version(&self) -> Option<&str> {
        let manager = self.workload("DaemonSet", "longhorn-manager").and_then(version_of);
        let engine = || self.resources.iter().find(|one| one["kind"] == "EngineImage");
        manager.or_else(|| tag(engine()?["spec"]["image"].as_str()?))
    }

    /// The image of its manager; none when there is no manager.
    pub fn manager_image(&self) -> Option<&str> {
        self.workload("DaemonSet", "longhorn-manager")?.pointer("/spec/template/spec/containers/0/image")?.as_str()
    }

    /// Whether some manager works: without one, nobody clears the finalizers.
    pub fn has_manager(&self) -> bool {
        let ready =
            self.workload("DaemonSet", "longhorn-manager").and_then(|set| set["status"]["numberReady"].as_u64());
        ready.is_some_and(|ready| ready > 0) && !self.is_terminating()
    }

    /// Whether its driver works: without it, no volume is detached and none is removed.
    pub fn has_driver(&self) -> bool {
        let works = |name: &str| {
            let available = self.workload("Deployment", name).map(|one| &one["status"]["availableReplicas"]);
            available.and_then(Value::as_u64).is_some_and(|available| available > 0)
        };
        works("csi-attacher") && works("csi-provisioner") && self.has_manager()
    }

    /// Data on it that no claim speaks for: volumes that were made in Longhorn's own page, and persistent volumes that wait for
    /// a claim.
    pub fn loose(&self) -> impl Iterator<Item = ObjectRef> {
        let leaves = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
        let free = self.volumes.iter().filter(move |volume| volume["spec"]["claimRef"].is_null() && !leaves(volume));
        let known = |name: &str| {
            let volumes = self.volumes.iter();
            volumes.into_iter().any(|one| one["metadata"]["name"] == name || one["spec"]["csi"]["volumeHandle"] == name)
        };
        let made_apart = self.resources.iter().filter(move |one| {
            let name = one["metadata"]["name"].as_str().unwrap_or_default();
            one["kind"] == "Volume" && !leaves(one) && !is_of_claim(name) && !known(name)
        });
        free.chain(made_apart).map(ObjectRef::of)
    }

    /// The claims whose data lies on it, in whatever namespace: those that are there, and those that are gone while their
    /// volume was kept on purpose.
    pub fn claims(&self) -> impl Iterator<Item = ObjectRef> {
        self.volumes.iter().filter(|volume| is_kept(volume)).filter_map(|volume| {
            let claim = volume.pointer("/spec/claimRef")?;
            let namespace = claim["namespace"].as_str()?;
            Some(ObjectRef::new("v1", "PersistentVolumeClaim", Some(namespace), claim["name"].as_str()?))
        })
    }
}

/// The version, such as `1.2.6`, that the image of a DaemonSet longhorn-manager tells.
pub fn version_of(manager: &Value) -> Option<&str> {
    tag(manager.pointer("/spec/template/spec/containers/0/image")?.as_str()?)
}

/// The version in the tag of one of its images.
fn tag(image: &str) -> Option<&str> {
    let (_, tag) = image.split('@').next()?.rsplit_once(':')?;
    Some(tag.trim_start_matches('v'))
}

/// Whether somebody still wants a persistent volume: its claim is there, or it outlives its claim on purpose.
pub fn is_kept(volume: &Value) -> bool {
    let released = matches!(volume["status"]["phase"].as_str(), Some("Released" | "Failed"));
    !released || volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
}

/// Whether a name is that of a volume that was made for a claim: Longhorn's provisioner names them after the claim's uid.
fn is_of_claim(volume: &str) -> bool {
    volume
        .strip_prefix("pvc-")
        .is_some_and(|uid| uid.len() == 36 && uid.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()))
}

/// Whether a persistent volume is one of Longhorn's.
pub fn is_volume(volume: &Value) -> bool {
    volume["spec"]["csi"]["driver"] == DRIVER
        || volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] == DRIVER
}
