//! What must hold on this host before a cluster of kind is made.

use super::cluster::{is_node, platform};
use super::pairs::base;
use super::{registry, wants_host_iscsi};
use crate::lab::{AddOnName, Lab};
use crate::model::host::{Docker, Kind};
use crate::model::{Check, HostFacts, HostObject};
use crate::provider::Wishes;

/// Longest name of a cluster: the names of its nodes are names of hosts.
const LONGEST: usize = 50;

/// All of them. Without Docker nothing else can be told.
pub(super) fn checks(lab: &Lab, wishes: &Wishes) -> Vec<Check> {
    let docker = match &wishes.host.docker {
        Some(docker) if docker.unreachable.is_none() => docker,
        other => return vec![no_docker(other.as_ref())],
    };
    let found = Check::ok("Docker", format!("{} answers", docker.version));
    let mut checks = vec![found, kind(lab, wishes.host), cluster(lab, wishes, docker)];
    if lab.has(AddOnName::Registry) {
        checks.push(image_registry(lab, wishes, docker));
    }
    if lab.has(AddOnName::Longhorn) {
        checks.push(longhorn(lab, wishes.host, docker));
    }
    checks
}

fn no_docker(docker: Option<&Docker>) -> Check {
    let Some(why) = docker.and_then(|docker| docker.unreachable.as_ref()) else {
        let hint = "install Docker Engine (https://docs.docker.com/engine/install/)";
        return Check::fail("Docker", "it is not installed, and the nodes of kind are its containers", hint);
    };
    let hint = match why.contains("permission denied") {
        true => "join the group that may use it, and log in again: `sudo usermod -aG docker $USER`",
        false => "start it: `sudo systemctl start docker`, or Docker Desktop where that is what runs it",
    };
    Check::fail("Docker", format!("it does not answer: {why}"), hint)
}

fn kind(lab: &Lab, host: &HostFacts) -> Check {
    let base = match base(lab, host.kind.as_ref()) {
        Ok(base) => base,
        Err(failure) => return Check::fail("kind", failure.message.clone(), failure.hints.join(", ")),
    };
    let hint = "install it yourself (https://kind.sigs.k8s.io)";
    let found = match &host.kind {
        None if platform().is_none() => {
            return Check::fail("kind", "it is not installed, and there is none for this machine that we know", hint);
        }
        None => format!("{} is downloaded", Kind::RELEASE),
        Some(kind) => match &kind.unreadable {
            Some(why) => return Check::fail("kind", format!("it does not tell its clusters: {why}"), hint),
            None => format!("{} is there", kind.version),
        },
    };
    match base.made_for {
        Some(release) => {
            let cause = format!(
                "{found}, and the node image of Kubernetes {} is for {release}: it may not start",
                base.kubernetes
            );
            Check::warn("kind", cause, format!("should the nodes not start, install kind {release}"))
        }
        None => Check::ok("kind", found),
    }
}

/// A cluster of this name that the journal does not know is somebody else's.
fn cluster(lab: &Lab, wishes: &Wishes, docker: &Docker) -> Check {
    let name = &lab.metadata.name;
    let there = wishes.host.kind.iter().any(|kind| kind.clusters.contains(name))
        || docker.containers.iter().any(|container| is_node(container, name));
    let ours = wishes.made.contains(&HostObject::KindCluster { name: name.clone() });
    if there && !ours {
        let cause = format!("there is a kind cluster {name} that this lab did not make");
        let hint = format!(
            "give the lab another name with --name NAME, or remove that one, if nobody needs it: `kind delete cluster --name {name}`"
        );
        return Check::fail("cluster", cause, hint);
    }
    if name.len() > LONGEST {
        let cause = format!("the lab's name has {} characters, and kind's nodes are named after it", name.len());
        return Check::fail("cluster", cause, format!("use a name of at most {LONGEST} with --name"));
    }
    Check::ok("cluster", if there { format!("{name} is there") } else { format!("{name} is free") })
}

fn image_registry(lab: &Lab, wishes: &Wishes, docker: &Docker) -> Check {
    let name = registry::name(&lab.metadata.name);
    let ours = wishes.made.contains(&HostObject::Container { name: name.clone() });
    if docker.containers.contains(&name) && !ours {
        let hint = format!(
            "give the lab another name with --name NAME, or remove it, if nobody needs it: `docker rm -f {name}`"
        );
        return Check::fail("image registry", format!("there is a container {name} that this lab did not make"), hint);
    }
    Check::ok("image registry", format!("{name} is {}", if ours { "there" } else { "free" }))
}

/// Nobody has been seen to make it work: it is tried on a real Linux alone, and proven or refused by a volume on every node.
fn longhorn(lab: &Lab, host: &HostFacts, docker: &Docker) -> Check {
    const NAME: &str = "iSCSI in kind";
    const LEAVE: &str = "use --provider microk8s, or leave Longhorn out";
    if !wants_host_iscsi(lab) {
        let cause = "a volume is attached by iSCSI, which the kernel has in the machine's own network namespace alone: in kind's nodes \
                     all of Longhorn would run, and no volume would ever attach";
        return Check::fail(
            NAME,
            cause,
            format!("{LEAVE}; --experimental-host-iscsi tries it with the iSCSI of this machine"),
        );
    }
    let system = &host.system;
    let runs_on = |words: &str| docker.operating_system.to_lowercase().contains(words);
    let kernel = system.kernel.to_lowercase();
    let refusals = [
        (
            cfg!(target_os = "macos") || system.os == "macos",
            "on macOS, Docker runs in a virtual machine whose kernel has no iSCSI",
        ),
        (system.virtualization == "wsl" || kernel.contains("microsoft"), "the kernel of WSL2 has no iSCSI"),
        (
            runs_on("docker desktop") || runs_on("orbstack"),
            "Docker runs in a virtual machine whose kernel has no iSCSI",
        ),
        (docker.rootless, "Docker runs without root, and its nodes cannot enter this machine's namespaces"),
        (docker.remaps_users, "Docker remaps users, and its nodes cannot enter this machine's namespaces"),
        (!lab.spec.longhorn.canary, "only a volume that was attached proves it, and --no-canary leaves that out"),
        (
            !host.user.is_root && !host.user.sudo && !host.user.name.is_empty(),
            "routes are made by root, and sudo asks for a password",
        ),
    ];
    match refusals.iter().find(|(holds, _)| *holds) {
        Some((_, why)) => Check::fail(NAME, *why, LEAVE),
        None => Check::warn(
            NAME,
            "experimental: nobody is known to have made it work. All nodes share this machine's one initiator and disk, and a privileged \
             pod can become root here",
            "a volume is tried on every node, and `up` fails where none attaches",
        ),
    }
}
