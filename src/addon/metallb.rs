//! The add-on `metallb`: addresses for Services of type LoadBalancer.

use super::AddOn;
use crate::error::Result;
use crate::lab::{AddOnName, Lab};
use crate::model::{Check, Facts};
use serde_json::Value;

const MANIFEST: &str = include_str!("../../manifests/add-ons/metallb.yaml");

/// A pool of addresses.
pub struct Metallb;

impl AddOn for Metallb {
    fn name(&self) -> AddOnName {
        AddOnName::Metallb
    }

    fn title(&self) -> &'static str {
        "the load balancer's addresses"
    }

    fn step(&self) -> &'static str {
        "metallb"
    }

    fn objects(&self) -> Result<Vec<Value>> {
        crate::yaml::documents(MANIFEST)
    }

    /// Nothing in the API tells whether some controller gives addresses: the wait for the address does.
    fn check(&self, _: &Lab, _: &Facts) -> Check {
        Check::ok("load balancer", "whether it gives an address is seen when the Service is there")
    }
}
