//! Stopping and starting a cluster that is there: its nodes and its registry are containers, and keep all that is in them.

use super::{Kind, registry};
use crate::error::{Failure, Result};
use crate::model::host;
use crate::model::{Action, Cmd, HostFacts, HostObject, Step, WaitFor};
use crate::provider::CLUSTER;
use std::time::Duration;

const SHORT: Duration = Duration::from_secs(3 * 60);
const READY: Duration = Duration::from_secs(5 * 60);

/// The containers that are the nodes of a cluster, running or not.
pub(super) fn nodes<'a>(name: &str, host: &'a HostFacts) -> Vec<&'a str> {
    let containers = host.docker.iter().flat_map(|docker| &docker.containers);
    containers.map(String::as_str).filter(|container| host::Kind::is_node(container, name)).collect()
}

/// The step that stops it.
pub(super) fn stop(name: &str, host: &HostFacts) -> Result<Step> {
    let commands = vec![Cmd::new("docker", ["stop"].into_iter().chain(containers(name, host)?))];
    let action = Action::Unmake { object: HostObject::KindRuns { name: name.into() }, commands };
    Ok(Step::new("kind-stop", format!("Stop the nodes of {name}"), SHORT, action))
}

/// Steps that start it again, until it answers.
pub(super) fn start(name: &str, host: &HostFacts) -> Result<Vec<Step>> {
    let commands = vec![Cmd::new("docker", ["start"].into_iter().chain(containers(name, host)?))];
    let kind = host.kind.as_ref().ok_or_else(|| {
        Failure::requirement("kind is not installed any more")
            .hint("`iris-lab up` gets it again, and starts the cluster, too")
    })?;
    let workers = nodes(name, host).iter().filter(|node| node.starts_with(&format!("{name}-worker"))).count();
    let access = Action::TakeKubeconfig { command: Kind::access_command(&kind.program, name) };
    let ready = Action::Wait { target: WaitFor::NodesReady { count: workers as u32 } };
    Ok(vec![
        Step::new("kind-start", format!("Start the nodes of {name}"), SHORT, Action::Run { unless: None, commands }),
        Step::new("kubeconfig", "Wait until its API server answers", READY, access).after(["kind-start"]),
        Step::new(CLUSTER, "Wait until its nodes are Ready", READY, ready).after(["kubeconfig"]),
    ])
}

/// The nodes and the registry.
fn containers<'a>(name: &str, host: &'a HostFacts) -> Result<Vec<&'a str>> {
    let mut all = nodes(name, host);
    if all.is_empty() {
        return Err(Failure::requirement(format!("the kind cluster {name} is not there any more")).hint(
            "make the lab anew with `iris-lab up --provider kind`, or remove what is left of it with `iris-lab reset`",
        ));
    }
    let registry = registry::name(name);
    let containers = host.docker.iter().flat_map(|docker| &docker.containers);
    all.extend(containers.map(String::as_str).filter(|container| *container == registry));
    Ok(all)
}
