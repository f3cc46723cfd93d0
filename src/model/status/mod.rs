//! The state of a lab as its user sees it, computed from the facts: what runs, where, whether it is healthy, and if not why.

mod longhorn;
mod pod;
mod problems;
#[cfg(test)]
mod tests;

pub use longhorn::LonghornStatus;
pub use pod::{PodStatus, status_column};

use super::Facts;
use super::object::{by_name, is_default_class, is_leaving, is_ready, list, name, text};
use serde::Serialize;
use serde_json::Value;

/// What is known of a lab without looking at its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabIdentity {
    /// The lab's name.
    pub lab: String,
    /// Its namespace.
    pub namespace: String,
    /// The provider's name.
    pub provider: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// Whether this host says that the cluster is stopped.
    pub stopped: bool,
    /// Number of pods that there should be.
    pub replicas: u32,
    /// The command that brings it up again.
    pub up: String,
    /// Where the password is, if we made it.
    pub password_file: Option<String>,
    /// What commands need to find this lab among several, such as ` --name demo`.
    pub select: String,
}

/// In which state a lab is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LabState {
    /// All of it is there and works.
    Healthy,
    /// It is there, with problems.
    Unhealthy,
    /// Its pods were removed, its volumes are kept.
    Down,
    /// Its cluster is stopped, with all that is in it.
    Stopped,
    /// Nothing of it is on the cluster.
    Absent,
    /// The cluster does not answer.
    Unreachable,
}

/// The state of a lab.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The lab's name.
    pub lab: String,
    /// Its namespace.
    pub namespace: String,
    /// The provider's name.
    pub provider: String,
    /// Whether the cluster is simulated: nothing real was made.
    pub simulated: bool,
    /// In one word.
    pub state: LabState,
    /// Whether all of it is there and works.
    pub healthy: bool,
    /// What is wrong: each names the cause and the next command.
    pub problems: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// The API server's URL.
    pub server: String,
    /// The server's version.
    pub version: String,
    /// Nodes.
    pub nodes: Vec<NodeStatus>,
    /// Storage classes.
    pub storage_classes: Vec<ClassStatus>,
    /// Longhorn, where the lab has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longhorn: Option<LonghornStatus>,
    /// Pods.
    pub pods: Vec<PodStatus>,
    /// Volumes, by their claims.
    pub volumes: Vec<VolumeStatus>,
    /// Services with an address from outside of the cluster, or waiting for it.
    pub services: Vec<ServiceStatus>,
    /// The management portal's URLs.
    pub portal_urls: Vec<String>,
    /// Accounts that log in with the lab's password, as far as is known without asking its instances: filled in by the caller.
    pub users: Vec<String>,
    /// Where their password is, if we made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// Name.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// As in kubectl's column STATUS.
    pub status: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Version of its kubelet.
    pub version: String,
}

/// One storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassStatus {
    /// Name.
    pub name: String,
    /// Who makes the volumes.
    pub provisioner: String,
    /// Whether claims without a class get it.
    pub default: bool,
    /// Whether a claim of the lab has it.
    pub used: bool,
}

/// One claim with its volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeStatus {
    /// Name of the claim.
    pub claim: String,
    /// `Bound`, `Pending`, `Lost`, or `Terminating`.
    pub phase: String,
    /// Size: what it has, or what it asks for while it has nothing.
    pub size: String,
    /// Storage class; empty for the default that is not decided yet.
    pub class: String,
    /// Name of the volume; empty while there is none.
    pub volume: String,
    /// How well it is, where Longhorn has it: `healthy`, `degraded` (fewer copies than wanted), `faulted` (none).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub robustness: Option<String>,
}

/// One Service of type LoadBalancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Name.
    pub name: String,
    /// Its addresses; none while it waits.
    pub addresses: Vec<String>,
    /// Ports.
    pub ports: Vec<u64>,
}

impl Status {
    /// Computes the state from what was seen.
    pub fn of(identity: &LabIdentity, facts: &Facts) -> Self {
        let services = services(&facts.objects);
        let mut status = Status {
            lab: identity.lab.clone(),
            namespace: identity.namespace.clone(),
            provider: identity.provider.clone(),
            simulated: identity.simulated,
            state: LabState::Unreachable,
            healthy: false,
            problems: Vec::new(),
            notes: Vec::new(),
            server: facts.server.clone(),
            version: facts.version.clone(),
            nodes: by_name(&facts.nodes).into_iter().map(node).collect(),
            storage_classes: by_name(&facts.storage_classes).into_iter().map(|class| storage(class, facts)).collect(),
            longhorn: facts
                .longhorn
                .as_ref()
                .map(|seen| LonghornStatus::of(&identity.lab, seen, &facts.storage_classes)),
            pods: by_name(&facts.pods).into_iter().map(PodStatus::of).collect(),
            volumes: by_name(&facts.claims).into_iter().map(|claim| volume(claim, facts)).collect(),
            portal_urls: portal_urls(&services),
            services,
            users: Vec::new(),
            password_file: identity.password_file.clone(),
        };
        problems::judge(&mut status, identity, facts);
        status
    }
}

fn node(node: &Value) -> NodeStatus {
    let ready = is_ready(node);
    let cordoned = node.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or(false);
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let roles = labels.into_iter().flatten().filter_map(|(key, value)| match key.as_str() {
        "kubernetes.io/role" => value.as_str().map(str::to_string),
        key => key.strip_prefix("node-role.kubernetes.io/").map(str::to_string),
    });
    NodeStatus {
        name: name(node).into(),
        ready,
        status: format!(
            "{}{}",
            if ready { "Ready" } else { "NotReady" },
            if cordoned { ",SchedulingDisabled" } else { "" }
        ),
        roles: roles.filter(|role| !role.is_empty()).collect(),
        version: text(node, "/status/nodeInfo/kubeletVersion").into(),
    }
}

fn storage(class: &Value, facts: &Facts) -> ClassStatus {
    let name = name(class);
    ClassStatus {
        name: name.into(),
        provisioner: text(class, "/provisioner").into(),
        default: is_default_class(class),
        used: facts.claims.iter().any(|claim| text(claim, "/spec/storageClassName") == name),
    }
}

fn volume(claim: &Value, facts: &Facts) -> VolumeStatus {
    let phase = if is_leaving(claim) { "Terminating" } else { text(claim, "/status/phase") };
    let size = match text(claim, "/status/capacity/storage") {
        "" => text(claim, "/spec/resources/requests/storage"),
        size => size,
    };
    VolumeStatus {
        claim: name(claim).into(),
        phase: if phase.is_empty() { "Pending" } else { phase }.into(),
        size: size.into(),
        class: text(claim, "/spec/storageClassName").into(),
        volume: text(claim, "/spec/volumeName").into(),
        robustness: longhorn::robustness(facts.longhorn.as_ref(), text(claim, "/spec/volumeName")),
    }
}

fn services(objects: &[Value]) -> Vec<ServiceStatus> {
    let external = objects
        .iter()
        .filter(|object| text(object, "/kind") == "Service" && text(object, "/spec/type") == "LoadBalancer");
    external
        .map(|service| ServiceStatus {
            name: name(service).into(),
            addresses: list(service, "/status/loadBalancer/ingress")
                .map(|ingress| match text(ingress, "/ip") {
                    "" => text(ingress, "/hostname"),
                    ip => ip,
                })
                .filter(|address| !address.is_empty())
                .map(str::to_string)
                .collect(),
            ports: list(service, "/spec/ports").filter_map(|port| port["port"].as_u64()).collect(),
        })
        .collect()
}

/// The first page of the management portal.
pub const PORTAL_PATH: &str = "/csp/sys/UtilHome.csp";

/// URLs of the management portal at an address of a LoadBalancer Service.
pub fn portal_url(address: &str) -> String {
    // An IPv6 address stands in brackets in a URL.
    let host = if address.contains(':') { format!("[{address}]") } else { address.into() };
    format!("http://{host}:52773{PORTAL_PATH}")
}

/// URLs of the management portal, as far as there are addresses.
pub fn portal_urls_of(facts: &Facts) -> Vec<String> {
    portal_urls(&services(&facts.objects))
}

fn portal_urls(services: &[ServiceStatus]) -> Vec<String> {
    let portals = services.iter().filter(|service| service.ports.contains(&52773));
    portals.flat_map(|service| &service.addresses).map(|address| portal_url(address)).collect()
}
