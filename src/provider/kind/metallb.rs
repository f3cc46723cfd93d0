//! The add-on `metallb`: MetalLB 0.13 out of our own manifest, with addresses of Docker's network `kind`.
//!
//! Its validating webhook is left out. It would refuse the pool until the controller serves it with a certificate that it makes
//! itself, and every Service and pool of the cluster would hang on one pod; what it validates is the pool, which we made and checked.

use crate::error::{Failure, Result};
use crate::lab::Lab;
use crate::model::object::labelled;
use crate::model::{Action, Step, WaitFor};
use crate::provider::CLUSTER;
use crate::yaml;
use serde_json::Value;
use std::time::Duration;

const MANIFEST: &str = include_str!("../../../manifests/add-ons/metallb-0.13.yaml");
const TIMEOUT: Duration = Duration::from_secs(60);
const DEFINITION: &str = "CustomResourceDefinition";
/// The group of its own kinds.
const GROUP: &str = "metallb.io/";

/// The steps that install it: a pool can only be made when its kind is served.
pub(super) fn steps(lab: &Lab) -> Result<Vec<Step>> {
    let mut objects = labelled(yaml::documents(MANIFEST)?, &lab.metadata.name);
    let addresses = addresses(lab)?;
    for pool in objects.iter_mut().filter(|object| object["kind"] == "IPAddressPool") {
        pool["spec"]["addresses"] = addresses.clone().into();
    }
    let (definitions, rest): (Vec<Value>, Vec<Value>) =
        objects.into_iter().partition(|object| object["kind"] == DEFINITION);
    let own = |object: &Value| object["apiVersion"].as_str().is_some_and(|version| version.starts_with(GROUP));
    let (pool, rest): (Vec<Value>, Vec<Value>) = rest.into_iter().partition(own);
    let kinds = definitions.iter().filter_map(|definition| definition["metadata"]["name"].as_str());
    let served = Action::Wait { target: WaitFor::Served { definitions: kinds.map(Into::into).collect() } };
    let title = format!("Give MetalLB the addresses {}", addresses.join(", "));
    Ok(vec![
        Step::new("metallb-kinds", "Define MetalLB's kinds", TIMEOUT, Action::Apply { objects: definitions })
            .after([CLUSTER]),
        Step::new("metallb-served", "Wait until MetalLB's kinds are served", TIMEOUT, served).after(["metallb-kinds"]),
        Step::new("metallb-pods", "Install MetalLB", TIMEOUT, Action::Apply { objects: rest }).after(["metallb-kinds"]),
        Step::new("metallb", title, TIMEOUT, Action::Apply { objects: pool }).after(["metallb-served", "metallb-pods"]),
    ])
}

/// The range of the lab, as MetalLB takes it: it is settled before anything is planned.
fn addresses(lab: &Lab) -> Result<Vec<String>> {
    let range = lab.spec.metallb.range.as_deref().ok_or_else(|| {
        Failure::requirement("the addresses of the load balancer are not known")
            .hint("name them with --lb-range FIRST-LAST, out of Docker's network kind")
    })?;
    Ok(range.split(',').map(|part| part.trim().to_string()).collect())
}
