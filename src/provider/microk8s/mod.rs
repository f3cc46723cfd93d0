//! The provider `microk8s`: the snap on this machine, one node. It is installed where it is missing, and taken as it is where it is
//! there: only what is missing in it is made, and only that is undone.

mod add_ons;
mod bundle;
mod channel;
mod checks;
mod install;
mod removal;
#[cfg(test)]
mod tests;

use super::{Provider, Undo, Wishes, word};
use crate::error::{Failure, Result};
use crate::lab::{AddOnName, Lab, ProviderName};
use crate::model::host::{MICROK8S_KUBELET, Microk8s as Seen};
use crate::model::{Check, Cmd, Facts, HostFacts, HostObject, LbNetwork, Step};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

/// Name of the snap and of the group of its users.
const SNAP: &str = "microk8s";

/// Installs the snap where it is missing, and takes one that is there as it is.
pub struct Microk8s;

impl Provider for Microk8s {
    fn name(&self) -> ProviderName {
        ProviderName::Microk8s
    }

    fn uses_host(&self) -> bool {
        true
    }

    fn is_the_node(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn kubernetes(&self, lab: &Lab, wishes: &Wishes) -> String {
        match &wishes.host.microk8s {
            Some(seen) => seen.version.trim_start_matches('v').into(),
            None => channel::track(&channel::of(lab)).into(),
        }
    }

    /// One, which has the name of this machine, or another that its kubelet was given: it is not known before.
    fn nodes(&self, _: &Lab, _: &Wishes) -> Vec<Value> {
        vec![json!({ "metadata": { "labels": { "microk8s.io/cluster": "true" } } })]
    }

    fn kubelet_root(&self) -> Option<&'static str> {
        Some(MICROK8S_KUBELET)
    }

    fn access(&self, _: &Lab, wishes: &Wishes) -> Option<Cmd> {
        let seen = wishes.host.microk8s.as_ref().filter(|seen| seen.running)?;
        Some(install::config(wishes.host, seen.minor()))
    }

    fn lb_network(&self, host: &HostFacts) -> Result<Option<LbNetwork>> {
        let network = &host.network;
        let default = network.default_interface.as_deref();
        let Some(interface) = network.interfaces.iter().find(|one| default == Some(one.name.as_str())) else {
            return Ok(None);
        };
        let subnet = Ipv4Net::new(interface.address, interface.prefix)
            .map_err(|e| Failure::step(format!("{} has no usable network", interface.name)).caused_by(e))?;
        let own = network.interfaces.iter().map(|one| one.address).chain(network.gateway).collect();
        let name = format!("the network of {}", interface.name);
        Ok(Some(LbNetwork { name, subnet: subnet.trunc(), own, taken: network.neighbours.clone(), shared: true }))
    }

    fn checks(&self, lab: &Lab, facts: &Facts, wishes: &Wishes) -> Vec<Check> {
        checks::checks(lab, facts, wishes.host)
    }

    fn steps(&self, lab: &Lab, facts: &Facts, wishes: &Wishes) -> Result<Vec<Step>> {
        Ok(install::steps(lab, facts, wishes))
    }

    fn add_on(&self, add_on: AddOnName, lab: &Lab, _: &Facts, wishes: &Wishes) -> Option<Result<Vec<Step>>> {
        (add_on != AddOnName::Longhorn).then(|| add_ons::steps(add_on, lab, wishes))
    }

    fn storage_class(&self) -> Option<Value> {
        Some(json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "microk8s-hostpath",
                "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
            },
            "provisioner": "microk8s.io/hostpath",
        }))
    }

    fn exists(&self, _: &str, host: &HostFacts) -> bool {
        host.microk8s.is_some()
    }

    fn running(&self, _: &str) -> Option<HostObject> {
        Some(HostObject::Microk8sRuns)
    }

    fn stop(&self, _: &str, host: &HostFacts) -> Result<Step> {
        installed(host)?;
        Ok(removal::stop(host))
    }

    fn start(&self, _: &str, host: &HostFacts) -> Result<Vec<Step>> {
        Ok(install::start(host, installed(host)?))
    }

    fn removal(&self, undo: &Undo) -> Result<Vec<Step>> {
        Ok(removal::steps(undo.host, undo.made, undo.purge))
    }
}

fn installed(host: &HostFacts) -> Result<&Seen> {
    host.microk8s.as_ref().ok_or_else(|| {
        Failure::requirement("microk8s is not installed any more")
            .hint("make the lab anew with `iris-lab up --provider microk8s`, or remove what is left of it with `iris-lab reset`")
    })
}

/// What a host says that has microk8s, of some version.
fn minor(lab: &Lab, host: &HostFacts) -> Option<u32> {
    match &host.microk8s {
        Some(seen) => seen.minor(),
        None => crate::model::host::minor(&channel::of(lab)),
    }
}

/// Its name in messages.
fn name() -> &'static str {
    word(ProviderName::Microk8s)
}
