//! Undoing what the journal says was made, and nothing else: iSCSI sessions and routes before the nodes that they lead to.

use super::network::{NETWORK, there};
use super::program;
use crate::error::{Failure, Result};
use crate::model::host;
use crate::model::{Action, Cmd, HostFacts, HostObject, Step};
use crate::provider::Undo;
use ipnet::Ipv4Net;
use std::path::Path;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(3 * 60);

/// All of it, in order.
pub(super) fn steps(undo: &Undo) -> Result<Vec<Step>> {
    let of_docker = |object: &HostObject| {
        use HostObject::{Container, KindCluster, Network, Volume};
        matches!(object, Container { .. } | KindCluster { .. } | Network { .. } | Volume { .. })
    };
    if undo.made.iter().any(of_docker) {
        answers(undo.host)?;
    }
    let is_root = undo.host.user.is_root;
    let mut steps = sessions(undo);
    let routes = undo.made.iter().filter_map(|object| match object {
        HostObject::Route { to, via } => {
            Some((object, Cmd::new("ip", ["-4", "route", "del", to, "via", via]).as_root(is_root)))
        }
        _ => None,
    });
    steps.extend(
        routes.enumerate().map(|(number, (object, cmd))| unmake(format!("route-{}", number + 1), object, vec![cmd])),
    );
    let program = program(undo.host, undo.cache);
    for object in undo.made {
        if let HostObject::KindCluster { name } = object {
            steps.push(Step::new(
                "kind-cluster",
                format!("Remove the {object}"),
                TIMEOUT,
                cluster(name, &program, undo.dir),
            ));
        }
    }
    let docker = |args: &[&str]| vec![Cmd::new("docker", args.iter().copied())];
    for object in undo.made {
        if let HostObject::Container { name } = object {
            steps.push(unmake("registry", object, docker(&["rm", "--force", name])));
        }
    }
    for object in undo.made {
        if let HostObject::Volume { name } = object {
            steps.push(unmake("registry-volume", object, docker(&["volume", "rm", name])));
        }
    }
    let network = undo.made.iter().find(|object| matches!(object, HostObject::Network { .. }));
    // One that others use stays in the journal, and goes with the last of them.
    if let Some(object) = network.filter(|_| !is_used(undo)) {
        steps.push(unmake("network", object, docker(&["network", "rm", NETWORK])));
    }
    Ok(steps)
}

/// Removes a cluster with all of its nodes. The user's own kubeconfig is not looked at.
pub(super) fn cluster(name: &str, program: &str, dir: &Path) -> Action {
    let kubeconfig = dir.join("kubeconfig").display().to_string();
    let command = Cmd::new(program, ["delete", "cluster", "--name", name, "--kubeconfig", &kubeconfig]);
    Action::Unmake { object: HostObject::KindCluster { name: name.into() }, commands: vec![command] }
}

fn unmake(id: impl Into<String>, object: &HostObject, commands: Vec<Cmd>) -> Step {
    Step::new(id, format!("Remove the {object}"), TIMEOUT, Action::Unmake { object: object.clone(), commands })
}

/// Everything is Docker's: while it does not answer, nothing can be removed, and the journal must stay.
fn answers(host: &HostFacts) -> Result<()> {
    let why = match &host.docker {
        Some(docker) => docker.unreachable.clone(),
        None => Some("its client is not installed any more".into()),
    };
    why.map_or(Ok(()), |why| {
        Err(Failure::requirement("Docker does not answer, and the lab is in it; nothing was removed")
            .cause(why)
            .hint("start it (`sudo systemctl start docker`), and run `iris-lab reset` again"))
    })
}

/// Longhorn's sessions with the pods that our routes lead to.
fn sessions(undo: &Undo) -> Vec<Step> {
    let ranges: Vec<Ipv4Net> = undo
        .made
        .iter()
        .filter_map(|object| match object {
            HostObject::Route { to, .. } => to.parse().ok(),
            _ => None,
        })
        .collect();
    let ours = undo.host.iscsi.sessions.iter().filter(|session| session.leads_into(&ranges));
    let steps = ours.enumerate().map(|(number, session)| {
        let object = HostObject::IscsiSession { target: session.target.clone() };
        unmake(format!("session-{}", number + 1), &object, session.log_out(undo.host.user.is_root))
    });
    steps.collect()
}

/// Whether others use the network. Stopped nodes of other clusters are in it too, of which Docker does not tell.
fn is_used(undo: &Undo) -> bool {
    let ours = |container: &String| {
        undo.made.iter().any(|object| match object {
            HostObject::KindCluster { name } => host::Kind::is_node(container, name),
            HostObject::Container { name } => container == name,
            _ => false,
        })
    };
    let own = |cluster: &String| undo.made.contains(&HostObject::KindCluster { name: cluster.clone() });
    let mut containers = there(undo.host).into_iter().flat_map(|network| &network.containers);
    let mut clusters = undo.host.kind.iter().flat_map(|kind| &kind.clusters);
    containers.any(|container| !ours(container)) || clusters.any(|cluster| !own(cluster))
}
