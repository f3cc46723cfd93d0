//! The steps that install Longhorn: its objects, the chain of what must hold before it is usable, and the proof on every node.

use super::canary;
use super::site::{by_design, foreign, objects};
use crate::addon::Site;
use crate::error::Result;
use crate::model::{Action, Link, Step, WaitFor};
use std::time::Duration;

/// Id of the step that applies its objects.
const APPLY: &str = "longhorn";
/// Id of the step after which claims of its class can be made: its manager makes the class as soon as it starts, and claims wait
/// for the driver by themselves.
pub const CLAIMS_STEP: &str = "longhorn-manager";

const APPLY_TIMEOUT: Duration = Duration::from_secs(120);
/// Links before which images are pulled.
const PULLING: Duration = Duration::from_secs(10 * 60);
const SHORT: Duration = Duration::from_secs(3 * 60);

/// All of them. A Longhorn that is there and not of this lab is waited for and proven, not touched.
pub fn steps(site: &Site) -> Result<Vec<Step>> {
    let objects = objects(site)?;
    let canaries = canary::steps(site, &objects)?;
    let version = &site.lab.spec.longhorn.version;
    let apply = match foreign(site) {
        Some(seen) => {
            let reason = format!("{} is there, and not ours: reset will leave it", seen.version().unwrap_or_default());
            let action = Action::Apply { objects: Vec::new() };
            Step::new(APPLY, "Use the Longhorn that is there", APPLY_TIMEOUT, action).satisfied_by(Some(reason))
        }
        None => {
            let title = format!("Install Longhorn {version}: {}", by_design(site));
            Step::apply(APPLY, title, APPLY_TIMEOUT, objects, site.facts)
        }
    };
    let rolled_out = apply.satisfied.is_some();
    let links = Link::ALL.map(|link| link_step(site, link, rolled_out));
    Ok([vec![apply], links.into(), canaries].concat())
}

/// Id of the step that waits for a link.
pub fn step_of(link: Link) -> &'static str {
    match link {
        Link::Manager => CLAIMS_STEP,
        Link::Nodes => "longhorn-nodes",
        Link::EngineImage => "longhorn-engine",
        Link::InstanceManagers => "longhorn-instances",
        Link::Deployer => "longhorn-driver",
        Link::Csi => "longhorn-csi",
        Link::Registered => "longhorn-registered",
        Link::Class => "longhorn-class",
    }
}

/// What a link truly depends on, and how long it may take.
fn link_step(site: &Site, link: Link, rolled_out: bool) -> Step {
    let (before, timeout) = match link {
        Link::Manager => (APPLY, PULLING),
        Link::Nodes => (step_of(Link::Manager), SHORT),
        Link::EngineImage | Link::InstanceManagers => (step_of(Link::Manager), PULLING),
        // It asks the manager whether every node passes mounts on.
        Link::Deployer => (step_of(Link::Nodes), SHORT),
        Link::Csi => (step_of(Link::Deployer), PULLING),
        Link::Registered => (step_of(Link::Csi), SHORT),
        Link::Class => (step_of(Link::Deployer), SHORT),
    };
    let seen = site.facts.longhorn.as_ref().filter(|_| rolled_out);
    let holds = seen.and_then(|seen| link.seen(seen, &site.facts.storage_classes).ok());
    let action = Action::Wait { target: WaitFor::Longhorn { link } };
    Step::new(step_of(link), format!("Wait until {}", link.clause()), timeout, action)
        .after([before])
        .satisfied_by(holds)
}
