//! What must hold on this host before a cluster of kind is made.

use super::download;
use super::pairs::base;
use super::registry;
use crate::lab::{AddOnName, Lab};
use crate::model::host::{Docker, Kind};
use crate::model::{Check, HostFacts, HostObject};
use crate::provider::Wishes;

/// Longest name of a cluster: the names of its nodes are names of hosts.
const LONGEST: usize = 50;

/// All of them: what the checks of the machine do not know, as they look at no table of ours and at no name.
pub(super) fn checks(lab: &Lab, wishes: &Wishes) -> Vec<Check> {
    let Some(docker) = wishes.host.docker.as_ref().filter(|docker| docker.unreachable.is_none()) else {
        return Vec::new();
    };
    let registry = lab.has(AddOnName::Registry).then(|| image_registry(lab, wishes, docker)).flatten();
    [nodes(lab, wishes.host)].into_iter().chain(name(lab)).chain(registry).collect()
}

/// Whether there is an image of the nodes for this kind, and a kind for this machine.
fn nodes(lab: &Lab, host: &HostFacts) -> Check {
    const NAME: &str = "nodes of kind";
    let base = match base(lab, host.kind.as_ref()) {
        Ok(base) => base,
        Err(failure) => return Check::fail(NAME, failure.message.clone(), failure.hints.join(", ")),
    };
    let hint = "install it yourself (https://kind.sigs.k8s.io)";
    let found = match &host.kind {
        None if download::here().is_none() => {
            return Check::fail(NAME, "it is not installed, and there is none for this machine that we know", hint);
        }
        None => format!("{} is downloaded", Kind::RELEASE),
        Some(kind) => match &kind.unreadable {
            Some(why) => return Check::fail(NAME, format!("it does not tell its clusters: {why}"), hint),
            None => format!("{} is there", kind.version),
        },
    };
    match base.made_for {
        Some(release) => {
            let cause = format!(
                "{found}, and the node image of Kubernetes {} is for {release}: it may not start",
                base.kubernetes
            );
            Check::warn(NAME, cause, format!("should the nodes not start, install kind {release}"))
        }
        None => Check::ok(NAME, format!("{found}, with Kubernetes {}", base.kubernetes)),
    }
}

/// The nodes are named after the lab.
fn name(lab: &Lab) -> Option<Check> {
    let length = lab.metadata.name.len();
    let cause = format!("the lab's name has {length} characters, and kind's nodes are named after it");
    let hint = format!("use a name of at most {LONGEST} with --name");
    (length > LONGEST).then(|| Check::fail("name", cause, hint))
}

fn image_registry(lab: &Lab, wishes: &Wishes, docker: &Docker) -> Option<Check> {
    let name = registry::name(&lab.metadata.name);
    let ours = wishes.made.contains(&HostObject::Container { name: name.clone() });
    (docker.containers.contains(&name) && !ours).then(|| {
        let hint = format!(
            "give the lab another name with --name NAME, or remove it, if nobody needs it: `docker rm -f {name}`"
        );
        Check::fail("image registry", format!("there is a container {name} that this lab did not make"), hint)
    })
}
