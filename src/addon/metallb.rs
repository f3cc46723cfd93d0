//! The add-on `metallb`: addresses for Services of type LoadBalancer.

use super::{ADDRESS, AddOn, Site};
use crate::error::Result;
use crate::lab::AddOnName;
use crate::model::object::labelled;
use crate::model::{Check, Step};
use crate::yaml;
use serde_json::Value;
use std::time::Duration;

const STEP: &str = "metallb";
const TIMEOUT: Duration = Duration::from_secs(60);

const MANIFEST: &str = include_str!("../../manifests/add-ons/metallb.yaml");

/// A pool of addresses.
pub struct Metallb;

/// Lets the pool give these addresses.
fn give(map: &mut Value, range: &str) -> Result<()> {
    let mut config: Value = yaml::parse(map["data"]["config"].as_str().unwrap_or_default())?;
    config["address-pools"][0]["addresses"] = range.split(',').map(str::trim).collect();
    map["data"]["config"] = yaml::to_string(&config).into();
    Ok(())
}

impl AddOn for Metallb {
    fn name(&self) -> AddOnName {
        AddOnName::Metallb
    }

    fn steps(&self, site: &Site) -> Result<Vec<Step>> {
        let mut objects = yaml::documents(MANIFEST)?;
        if let Some(range) = &site.lab.spec.metallb.range {
            objects.iter_mut().filter(|object| object["kind"] == "ConfigMap").try_for_each(|map| give(map, range))?;
        }
        let objects = labelled(objects, &site.lab.metadata.name);
        Ok(vec![Step::apply(STEP, "Install the load balancer's addresses", TIMEOUT, objects, site.facts)])
    }

    fn gives(&self) -> Option<(&'static str, &'static str)> {
        Some((STEP, ADDRESS))
    }

    /// Nothing in the API says for sure who gives addresses: where nobody was seen, somebody may still do.
    fn checks(&self, site: &Site) -> Vec<Check> {
        if site.is_ours || !site.facts.reachable {
            return Vec::new();
        }
        let name = "load balancer";
        vec![match &site.facts.load_balancer {
            Some(who) => Check::ok(name, who),
            None => Check::warn(
                name,
                "nothing was seen in this cluster that gives addresses to Services of type LoadBalancer: `up` would wait for one",
                "install one, such as MetalLB, or do without: `--set 'addOns=[dns, storage, registry]'` waits for none, and \
                 `kubectl port-forward` reaches the portal",
            ),
        }]
    }
}
