//! What a lab needs of this host, for the providers that make its cluster there: the checks of `doctor`, and of `up` before its
//! first change. One file a topic. Only what matters for the lab and the provider at hand is asked.

mod leftovers;
mod longhorn;
mod machine;
mod mend;
mod network;
mod packages;
mod room;
mod tools;

#[cfg(test)]
mod tests;

pub use longhorn::host as about_longhorn;
pub use mend::mend;

use crate::lab::{AddOnName, Lab, ProviderName};
use crate::model::host::{Disk, Kind};
use crate::model::{Check, Cmd, HostFacts, HostObject, Verdict};

/// What the checks are made from.
pub struct Case<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// Its provider.
    pub provider: ProviderName,
    /// The version of Kubernetes that it will run.
    pub kubernetes: &'a str,
    /// This host.
    pub host: &'a HostFacts,
    /// What the lab's journal says was made on it.
    pub made: &'a [HostObject],
}

/// All of them.
pub fn checks(case: &Case) -> Vec<Check> {
    let system = machine::operating_system(case);
    if system.verdict == Verdict::Fail {
        // What another system would have to have is of no use to anybody.
        return about(MACHINE, vec![system]);
    }
    let topics = [
        (MACHINE, vec![system]),
        (MACHINE, machine::checks(case)),
        (MACHINE, room::checks(case)),
        (if case.is_kind() { "Docker and kind" } else { "microk8s" }, tools::checks(case)),
        ("Network", network::checks(case)),
        ("Longhorn", if case.longhorn() { longhorn::checks(case) } else { Vec::new() }),
        ("What is there", leftovers::checks(case)),
    ];
    topics.into_iter().flat_map(|(topic, checks)| about(topic, checks)).collect()
}

const MACHINE: &str = "Machine";

fn about(topic: &'static str, checks: Vec<Check>) -> Vec<Check> {
    checks.into_iter().map(|check| check.about(topic)).collect()
}

impl<'a> Case<'a> {
    fn is_kind(&self) -> bool {
        self.provider == ProviderName::Kind
    }

    fn longhorn(&self) -> bool {
        self.lab.has(AddOnName::Longhorn)
    }

    /// Nodes that take pods.
    fn nodes(&self) -> u64 {
        if self.is_kind() { self.lab.spec.nodes.into() } else { 1 }
    }

    /// Whether the lab's cluster is there and runs, so that it has what it needs already.
    fn runs(&self) -> bool {
        match self.is_kind() {
            true => self.kind_cluster(),
            false => self.host.microk8s.as_ref().is_some_and(|microk8s| microk8s.running),
        }
    }

    /// Whether kind has a cluster with the lab's name, whoever made it.
    fn kind_cluster(&self) -> bool {
        let name = &self.lab.metadata.name;
        // Its nodes are there, too, where kind itself is not any more.
        self.host.kind.iter().any(|kind| kind.clusters.contains(name))
            || self.host.docker.iter().flat_map(|docker| &docker.containers).any(|one| Kind::is_node(one, name))
    }

    /// The folder in which its volumes are, and the disk of that folder.
    fn disk(&self) -> Option<&'a Disk> {
        let folder = match (self.is_kind(), self.longhorn()) {
            (true, _) => "/var/lib/docker",
            (false, true) => "/var/lib/longhorn",
            (false, false) => "/var/snap/microk8s",
        };
        self.host.system.disks.iter().find(|disk| disk.path == folder)
    }

    /// The command as root.
    fn root<const N: usize>(&self, program: &str, args: [&str; N]) -> Cmd {
        Cmd::new(program, args).as_root(self.host.user.is_root)
    }

    /// A virtual machine that pretends to be this machine: Docker Desktop and its like, and WSL2.
    fn foreign_kernel(&self) -> Option<String> {
        let docker = self.host.docker.as_ref().map(|docker| docker.operating_system.as_str()).unwrap_or_default();
        let desktop = ["Docker Desktop", "OrbStack", "Rancher Desktop"].into_iter().find(|name| docker.contains(name));
        let system = &self.host.system;
        match desktop {
            Some(name) => Some(format!("a virtual machine of {name}")),
            None if system.os == "macos" => Some("the virtual machine in which Docker runs on macOS".into()),
            None if system.virtualization == "wsl" => Some("WSL2".into()),
            None => None,
        }
    }
}

/// Bytes for people.
fn gib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 30;
    if tenths.is_multiple_of(10) {
        format!("{} GiB", tenths / 10)
    } else {
        format!("{}.{} GiB", tenths / 10, tenths % 10)
    }
}
