//! The provider `kind`: nodes that are containers of Docker. One file for each thing that it makes on this host.

mod bundle;
mod checks;
mod cluster;
mod download;
mod image;
mod metallb;
mod network;
mod pairs;
mod pause;
mod registry;
mod removal;

use super::{Provider, Undo, Wishes};
use crate::error::Result;
use crate::lab::{AddOnName, Lab, ProviderName};
use crate::model::bundle::Program;
use crate::model::object::{FIELD_MANAGER, LAB_LABEL, MANAGED_BY};
use crate::model::{Arch, Check, Cmd, Facts, HostFacts, HostObject, LbNetwork, Step, host};
use serde_json::{Value, json};
use std::path::Path;

/// The role of the node on which nothing of the lab runs.
const CONTROL_PLANE: &str = host::Kind::CONTROL_PLANE;
/// Where a node that uses the iSCSI of this machine sees its processes, and by them its namespaces.
const HOST_PROC: &str = "/host-proc";

/// Makes a cluster of its own.
pub struct Kind;

impl Kind {
    /// Prints the kubeconfig of a cluster, for this machine.
    fn access_command(program: &str, name: &str) -> Cmd {
        Cmd::new(program, ["get", "kubeconfig", "--name", name])
    }
}

impl Provider for Kind {
    fn name(&self) -> ProviderName {
        ProviderName::Kind
    }

    fn uses_host(&self) -> bool {
        true
    }

    fn kubernetes(&self, lab: &Lab, wishes: &Wishes) -> String {
        let base = pairs::base(lab, wishes.host.kind.as_ref());
        base.map_or_else(|_| lab.spec.kubernetes.clone().unwrap_or_default(), |base| base.kubernetes)
    }

    /// The control plane takes no pods. What the nodes are called is kind's to say.
    fn nodes(&self, lab: &Lab, _: &Wishes) -> Vec<Value> {
        let taint = json!({ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" });
        let workers = (0..lab.spec.nodes).map(|_| json!({ "metadata": {} }));
        [json!({ "metadata": {}, "spec": { "taints": [taint] } })].into_iter().chain(workers).collect()
    }

    fn access(&self, lab: &Lab, wishes: &Wishes) -> Option<Cmd> {
        let name = &lab.metadata.name;
        let kind = wishes.host.kind.as_ref()?;
        let ours = wishes.made.contains(&HostObject::KindCluster { name: name.clone() });
        (ours && kind.clusters.contains(name)).then(|| Kind::access_command(&kind.program, name))
    }

    fn lb_network(&self, host: &HostFacts) -> Result<Option<LbNetwork>> {
        network::lb_network(host)
    }

    fn checks(&self, lab: &Lab, _: &Facts, wishes: &Wishes) -> Vec<Check> {
        checks::checks(lab, wishes)
    }

    fn steps(&self, lab: &Lab, facts: &Facts, wishes: &Wishes) -> Result<Vec<Step>> {
        cluster::steps(lab, facts, wishes)
    }

    /// Its clusters have names for Services and a storage class from the beginning.
    fn add_on(&self, add_on: AddOnName, lab: &Lab, _: &Facts, wishes: &Wishes) -> Option<Result<Vec<Step>>> {
        match add_on {
            AddOnName::Dns | AddOnName::Storage => Some(Ok(Vec::new())),
            AddOnName::Registry => Some(Ok(registry::steps(lab, wishes))),
            AddOnName::Metallb => Some(metallb::steps(lab)),
            AddOnName::Longhorn => None,
        }
    }

    fn storage_class(&self) -> Option<Value> {
        let default = json!({ "storageclass.kubernetes.io/is-default-class": "true" });
        Some(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": { "name": "standard", "annotations": default },
            "provisioner": "rancher.io/local-path",
        }))
    }

    fn load(&self, lab: &Lab, image: &str, wishes: &Wishes) -> Option<Step> {
        Some(image::load(lab, image, &program(wishes.host, wishes.cache)))
    }

    fn images(&self, lab: &Lab, wishes: &Wishes) -> Result<Vec<String>> {
        let node = pairs::base(lab, wishes.host.kind.as_ref())?.image;
        Ok([node].into_iter().chain(lab.has(AddOnName::Registry).then(|| registry::IMAGE.into())).collect())
    }

    fn programs(&self, arch: Arch) -> Vec<Program> {
        download::program(arch).into_iter().collect()
    }

    fn exists(&self, lab: &str, host: &HostFacts) -> bool {
        !pause::nodes(lab, host).is_empty()
    }

    fn running(&self, lab: &str) -> Option<HostObject> {
        Some(HostObject::KindRuns { name: lab.into() })
    }

    fn stop(&self, lab: &str, host: &HostFacts) -> Result<Step> {
        pause::stop(lab, host)
    }

    fn start(&self, lab: &str, host: &HostFacts) -> Result<Vec<Step>> {
        pause::start(lab, host)
    }

    fn removal(&self, undo: &Undo) -> Result<Vec<Step>> {
        removal::steps(undo)
    }
}

/// Whether Longhorn is tried with the iSCSI of this machine.
fn wants_host_iscsi(lab: &Lab) -> bool {
    lab.has(AddOnName::Longhorn) && lab.spec.kind.experimental_host_iscsi
}

/// The program: the installed one, or the one that is downloaded.
fn program(host: &HostFacts, cache: &Path) -> String {
    host.kind.as_ref().map_or_else(|| host::Kind::cached(cache).display().to_string(), |kind| kind.program.clone())
}

/// Our two labels, for what Docker makes.
fn owned(lab: &str) -> Vec<String> {
    [format!("{MANAGED_BY}={FIELD_MANAGER}"), format!("{LAB_LABEL}={lab}")]
        .into_iter()
        .flat_map(|label| ["--label".to_string(), label])
        .collect()
}

#[cfg(test)]
mod tests;
