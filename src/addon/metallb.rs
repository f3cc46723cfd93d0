//! The add-on `metallb`: addresses for Services of type LoadBalancer.

use super::{ADDRESS, AddOn, Site};
use crate::error::Result;
use crate::lab::AddOnName;
use crate::model::object::labelled;
use crate::model::{Check, Step};
use crate::yaml;
use std::time::Duration;

const STEP: &str = "metallb";
const TIMEOUT: Duration = Duration::from_secs(60);

const MANIFEST: &str = include_str!("../../manifests/add-ons/metallb.yaml");

/// A pool of addresses.
pub struct Metallb;

impl AddOn for Metallb {
    fn name(&self) -> AddOnName {
        AddOnName::Metallb
    }

    fn steps(&self, site: &Site) -> Result<Vec<Step>> {
        let objects = labelled(yaml::documents(MANIFEST)?, &site.lab.metadata.name);
        Ok(vec![Step::apply(STEP, "Install the load balancer's addresses", TIMEOUT, objects, site.facts)])
    }

    fn gives(&self) -> Option<(&'static str, &'static str)> {
        Some((STEP, ADDRESS))
    }

    /// Nothing in the API tells whether some controller gives addresses: the wait for the address does.
    fn checks(&self, _: &Site) -> Vec<Check> {
        Vec::new()
    }
}
