//! The lab file's types with their defaults. The JSON Schema for editors is derived from them.

use crate::model::longhorn::version;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A lab: the desired state, as written in a lab file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Lab {
    /// Always `iris-lab/v1`.
    pub api_version: ApiVersion,
    /// Always `Lab`.
    pub kind: LabKind,
    /// Who the lab is.
    pub metadata: Metadata,
    /// What the lab is.
    pub spec: Spec,
}

/// Version of the lab file's format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The only version.
    #[default]
    #[serde(rename = "iris-lab/v1")]
    V1,
}

/// Kind of document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LabKind {
    /// The only kind.
    #[default]
    Lab,
}

/// Who the lab is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Metadata {
    /// Name of the lab: a DNS label. Objects carry it in the label `iris-lab/lab`.
    pub name: String,
}

/// What the lab is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Spec {
    /// Who makes the cluster.
    pub provider: ProviderName,
    /// Number of nodes, where the provider makes them.
    #[schemars(range(min = 1, max = 20))]
    pub nodes: u32,
    /// Kubernetes version, such as `1.24`, where the provider chooses it; the provider's own default if it is not given.
    #[schemars(extend("type" = ["string", "number", "null"]))]
    pub kubernetes: Option<String>,
    /// What the lab needs in its cluster. A provider that makes the cluster installs it; an existing cluster must have it.
    pub add_ons: Vec<AddOnName>,
    /// The provider `microk8s`.
    pub microk8s: Microk8s,
    /// The provider `kind`.
    pub kind: Kind,
    /// The add-on `metallb`.
    pub metallb: Metallb,
    /// The add-on `longhorn`.
    pub longhorn: Longhorn,
    /// Where an image that the lab builds is pushed to, and pulled from by the nodes: a host with its port.
    pub registry: String,
    /// The IRIS workload.
    pub iris: Iris,
}

/// Who makes the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ProviderName {
    /// The best one that this machine has.
    #[default]
    Auto,
    /// The snap microk8s on this machine: one node.
    Microk8s,
    /// Nodes that are containers of Docker.
    Kind,
    /// A cluster that exists already, named by its kubeconfig context.
    Existing,
    /// The embedded simulator: nothing real is made.
    Sim,
}

/// Something that is installed into a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AddOnName {
    /// Names of Services inside of the cluster.
    Dns,
    /// A storage class for the IRIS volumes.
    Storage,
    /// An image registry at localhost:32000.
    Registry,
    /// Addresses for Services of type LoadBalancer.
    Metallb,
    /// Longhorn: volumes that live on several nodes at once. It is installed into existing clusters too.
    Longhorn,
}

impl AddOnName {
    /// The name in a lab file.
    pub fn name(self) -> &'static str {
        match self {
            AddOnName::Dns => "dns",
            AddOnName::Storage => "storage",
            AddOnName::Registry => "registry",
            AddOnName::Metallb => "metallb",
            AddOnName::Longhorn => "longhorn",
        }
    }
}

/// The provider `microk8s`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Microk8s {
    /// Channel of the snap, such as `1.24/stable`; chosen from the Kubernetes version and the add-ons if it is not given.
    pub channel: Option<String>,
}

/// The provider `kind`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Kind {
    /// Image of the nodes; pinned by its digest for the version of kind if it is not given.
    pub node_image: Option<String>,
    /// Whether Longhorn is tried with the iSCSI of this machine, which nobody has proven.
    pub experimental_host_iscsi: bool,
}

/// The add-on `metallb`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Metallb {
    /// Addresses that it gives, such as `192.168.1.240-192.168.1.250`; computed from the network if it is not given.
    pub range: Option<String>,
}

/// The add-on `longhorn`: what is installed when `addOns` names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Longhorn {
    /// Version, 1.2.1 to 1.2.6.
    pub version: String,
    /// Whether a volume is attached, written and read on every node before Longhorn counts as usable.
    pub canary: bool,
    /// An original manifest to install instead of ours: a file, or an address that begins with https://.
    pub manifest: Option<String>,
    /// The sha256 of that manifest, as 64 hexadecimal digits; not needed for the original ones of 1.2.1 to 1.2.6.
    pub sha256: Option<String>,
}

/// The IRIS workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Iris {
    /// Number of pods. Each is an independent database.
    #[schemars(range(min = 1, max = 20))]
    pub replicas: u32,
    /// Image with tag. With `build`, the name and the tag that the image gets: what it is built from is added to the tag.
    pub image: String,
    /// What the image is built from; it is pulled as it is where no context is given.
    pub build: Build,
    /// Namespace: a DNS label.
    pub namespace: String,
    /// Volumes.
    pub storage: Storage,
    /// Time zone of the pods, as in the variable TZ.
    pub time_zone: String,
    /// CPU and memory of each pod.
    pub resources: Resources,
    /// Configuration merge.
    pub cpf: Cpf,
    /// How the password is made.
    pub password: Password,
    /// Whether the load balancer leads all calls of a client to one pod.
    pub session_affinity: SessionAffinity,
    /// Accounts of the application, which get the lab's password.
    pub users: Vec<User>,
}

/// Whether calls of one client go to one pod, in Kubernetes' own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SessionAffinity {
    /// To one pod: a login to the portal holds in one pod alone.
    #[default]
    #[serde(rename = "ClientIP")]
    ClientIp,
    /// To any pod, each call anew.
    None,
}

/// What an image is built from, as by `docker build`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Build {
    /// The build context: a folder beside the lab file, or the name of one that is part of iris-lab (`simple`).
    pub context: Option<String>,
    /// The Dockerfile, in the context.
    pub file: String,
    /// Values for the ARG lines of the Dockerfile. They are kept in the image: secrets do not belong here.
    #[schemars(extend("additionalProperties" = {"type": ["string", "number"]}))]
    pub args: BTreeMap<String, String>,
    /// Secrets that RUN lines mount: the file of each, by its id.
    pub secrets: BTreeMap<String, String>,
}

/// An account of the application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its roles, all of which the image must have.
    pub roles: Vec<String>,
}

/// Volumes of each pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Storage {
    /// Storage class; the cluster's default class if it is not given.
    pub class: Option<String>,
    /// Size of the volume with the instance itself (durable %SYS), as a Kubernetes quantity.
    pub mgr: String,
    /// Size of the volume with the databases, as a Kubernetes quantity.
    pub data: String,
}

/// CPU and memory of each pod, as Kubernetes quantities. What is not given is not set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Resources {
    /// CPU that is reserved.
    #[schemars(extend("type" = ["string", "number", "null"]))]
    pub cpu: Option<String>,
    /// Memory that is reserved.
    #[schemars(extend("type" = ["string", "number", "null"]))]
    pub memory: Option<String>,
    /// Most CPU.
    #[schemars(extend("type" = ["string", "number", "null"]))]
    pub cpu_limit: Option<String>,
    /// Most memory.
    #[schemars(extend("type" = ["string", "number", "null"]))]
    pub memory_limit: Option<String>,
}

/// Configuration merge: what is merged into each instance's CPF at its start. A section that is given replaces its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cpf {
    /// Section [Startup]. `PasswordHash` is made by iris-lab.
    #[schemars(extend("additionalProperties" = {"type": ["string", "number"]}))]
    pub startup: BTreeMap<String, String>,
    /// Section [config].
    #[schemars(extend("additionalProperties" = {"type": ["string", "number"]}))]
    pub config: BTreeMap<String, String>,
    /// Section [Actions]: each line `Name:Property=value,...`.
    pub actions: Vec<String>,
}

/// How the lab's password is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Password {
    /// Length of the generated password. IRIS's own pattern ends at 32 characters.
    #[schemars(range(min = 8, max = 32))]
    pub length: u8,
    /// A file whose first line is the password, instead of a generated one.
    pub file: Option<String>,
}

/// The default image: the newest release whose built-in Community licence is valid (it ends a year after the release).
pub const DEFAULT_IMAGE: &str = "containers.intersystems.com/intersystems/iris-community:2026.1";

impl Default for Metadata {
    fn default() -> Self {
        Metadata { name: "two-pod".into() }
    }
}

impl Default for Spec {
    fn default() -> Self {
        Spec {
            provider: ProviderName::Auto,
            nodes: 3,
            kubernetes: None,
            add_ons: vec![AddOnName::Dns, AddOnName::Storage, AddOnName::Registry, AddOnName::Metallb],
            microk8s: Microk8s::default(),
            kind: Kind::default(),
            metallb: Metallb::default(),
            longhorn: Longhorn::default(),
            registry: "localhost:32000".into(),
            iris: Iris::default(),
        }
    }
}

impl Default for Longhorn {
    fn default() -> Self {
        Longhorn { version: version::DEFAULT.name().into(), canary: true, manifest: None, sha256: None }
    }
}

impl Lab {
    /// Whether the lab has an add-on.
    pub fn has(&self, add_on: AddOnName) -> bool {
        self.spec.add_ons.contains(&add_on)
    }

    /// The storage class of the IRIS volumes: the named one, or Longhorn's where the lab has it; none means the cluster's
    /// default.
    pub fn storage_class(&self) -> Option<&str> {
        let longhorn = self.has(AddOnName::Longhorn).then_some(crate::model::longhorn::CLASS);
        self.spec.iris.storage.class.as_deref().or(longhorn)
    }
}

impl Default for Iris {
    fn default() -> Self {
        Iris {
            replicas: 2,
            image: DEFAULT_IMAGE.into(),
            build: Build::default(),
            namespace: "iris-lab".into(),
            storage: Storage::default(),
            time_zone: "UTC".into(),
            resources: Resources::default(),
            cpf: Cpf::default(),
            password: Password::default(),
            session_affinity: SessionAffinity::ClientIp,
            users: Vec::new(),
        }
    }
}

impl Default for Build {
    fn default() -> Self {
        Build { context: None, file: "Dockerfile".into(), args: BTreeMap::new(), secrets: BTreeMap::new() }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Storage { class: None, mgr: "5Gi".into(), data: "5Gi".into() }
    }
}

impl Default for Cpf {
    fn default() -> Self {
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Cpf {
            startup: pairs(&[("SystemMode", "TEST")]),
            config: pairs(&[("globals", "0,0,128,0,0,0"), ("routines", "80"), ("gmheap", "307200")]),
            actions: vec![
                "CreateDatabase:Name=TEST-DATA,Directory=/vol-data/TEST-DATA".into(),
                "CreateNamespace:Name=TEST,Globals=TEST-DATA,Routines=TEST-DATA".into(),
            ],
        }
    }
}

impl Default for Password {
    fn default() -> Self {
        Password { length: 16, file: None }
    }
}
