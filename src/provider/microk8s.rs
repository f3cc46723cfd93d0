//! The provider `microk8s`: the snap on this machine, one node.

use super::{Provider, Wishes};
use crate::error::{Failure, Result};
use crate::lab::{Lab, ProviderName};
use crate::model::{Facts, HostFacts, LbNetwork, Step};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

/// Installs the snap where it is missing, and takes one that is there as it is.
pub struct Microk8s;

impl Provider for Microk8s {
    fn name(&self) -> ProviderName {
        ProviderName::Microk8s
    }

    fn uses_host(&self) -> bool {
        true
    }

    fn kubernetes(&self, _: &Lab, _: &Wishes) -> String {
        "1.24.17".into()
    }

    fn nodes(&self, _: &Lab, _: &Wishes) -> Vec<Value> {
        vec![json!({ "metadata": { "name": "microk8s", "labels": { "microk8s.io/cluster": "true" } } })]
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

    fn steps(&self, _: &Lab, _: &Facts, _: &Wishes) -> Result<Vec<Step>> {
        Err(Failure::usage("the provider microk8s is not there yet"))
    }
}
