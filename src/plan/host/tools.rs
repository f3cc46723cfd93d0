//! The tools of the provider: snapd and microk8s, or Docker and kind, and whether this user may use them.

use super::packages::{Package, install};
use super::{Case, machine};
use crate::lab::AddOnName;
use crate::model::host::Docker;
use crate::model::{Check, Cmd};

/// The oldest Docker on which the nodes of kind v0.22 start.
const DOCKER: (u32, u32) = (20, 10);
/// Storage drivers that share what images have in common.
const DRIVERS: &[&str] = &["overlay2", "overlayfs", "fuse-overlayfs", "stargz", "btrfs", "zfs"];

/// All of them.
pub(super) fn checks(case: &Case) -> Vec<Check> {
    if case.is_kind() {
        return match &case.host.docker {
            None => vec![no_docker(case)],
            Some(docker) => of_docker(case, docker),
        };
    }
    let mut checks = vec![snapd(case), microk8s(case)];
    checks.extend(root(case));
    checks.push(group(case, "microk8s"));
    checks
}

fn snapd(case: &Case) -> Check {
    let name = "snapd";
    match &case.host.snap {
        None => {
            let commands = install(case, Package::Snapd);
            let hint = match commands.is_empty() {
                true => "install it as https://snapcraft.io/docs/installing-snapd says, or use `--provider kind`",
                false => "install it",
            };
            Check::fail(name, "it is not installed", hint).mended_by(commands)
        }
        Some(snap) if snap.version.is_empty() => Check::fail(name, "its daemon does not answer", "start it")
            .mended_by([case.root("systemctl", ["enable", "--now", "snapd.socket"])]),
        Some(snap) => Check::ok(name, &snap.version),
    }
}

fn microk8s(case: &Case) -> Check {
    let name = "microk8s";
    match &case.host.microk8s {
        None => Check::ok(name, "it is not installed: `up` does that"),
        Some(there) => {
            let version = [there.version.as_str(), there.channel.as_str()].into_iter().find(|text| !text.is_empty());
            let version = version.unwrap_or("an unknown version");
            match &there.unreadable {
                // Its own check says that sudo is the cause.
                Some(why) if root(case).is_some() => {
                    Check::ok(name, format!("{version} is there; its state is read by `up`: {why}"))
                }
                Some(why) => {
                    let hint = match why.contains("Insufficient permissions") {
                        true => "join its group, and log in again",
                        false => "look at it with `microk8s status` and `microk8s inspect`",
                    };
                    let join = case.root("usermod", ["-a", "-G", name, case.host.user.name.as_str()]);
                    let check = Check::fail(name, format!("{version} does not say how it is: {why}"), hint);
                    if hint.starts_with("join") { check.mended_by([join]) } else { check }
                }
                None if there.running => Check::ok(name, format!("{version} runs")),
                None => Check::ok(name, format!("{version} is stopped: `up` starts it")),
            }
        }
    }
}

/// The snap and the group need root, and so does every call in a login without the group; a command in the background can answer
/// no question.
fn root(case: &Case) -> Option<Check> {
    let user = &case.host.user;
    let may = user.is_root || user.sudo;
    let needed = case.host.microk8s.is_none() || !user.groups.iter().any(|group| group == "microk8s");
    (needed && !may).then(|| {
        let hint = "let it ask now, in this terminal, and go on within its few minutes: `sudo -v`";
        Check::fail("root", format!("sudo asks {} for a password, or is not there", user.name), hint)
    })
}

/// A group is one of a login: what was added since is not there yet.
fn group(case: &Case, group: &str) -> Check {
    let (name, user) = ("group", &case.host.user);
    let is_in = |groups: &[String]| groups.iter().any(|name| name == group);
    if user.is_root {
        return Check::ok(name, "root needs none");
    }
    if is_in(&user.groups) {
        return Check::ok(name, format!("{} is in {group}", user.name));
    }
    if is_in(&user.groups_after_login) {
        let cause = format!("{} is in {group}, but not in this login", user.name);
        let hint = format!("iris-lab goes on without it; for your own use log in again, or run `newgrp {group}`");
        return Check::warn(name, cause, hint);
    }
    let cause = format!("`up` adds {}; log in again to use it yourself", user.name);
    Check::ok(name, cause)
}

fn no_docker(case: &Case) -> Check {
    let name = "Docker";
    if case.host.system.os == "macos" {
        return Check::fail(name, "it is not installed", "install Docker Desktop, OrbStack or colima, and start it");
    }
    let mut commands = install(case, Package::Docker);
    let hint = match commands.is_empty() {
        true => "install it as https://docs.docker.com/engine/install says",
        false => "install and start it",
    };
    if !commands.is_empty() {
        commands.push(case.root("systemctl", ["enable", "--now", "docker"]));
        commands.extend(join_docker(case));
    }
    Check::fail(name, "it is not installed", hint).mended_by(commands)
}

fn join_docker(case: &Case) -> Option<Cmd> {
    let user = &case.host.user;
    (!user.is_root).then(|| case.root("usermod", ["-aG", "docker", user.name.as_str()]))
}

fn of_docker(case: &Case, docker: &Docker) -> Vec<Check> {
    if let Some(why) = &docker.unreachable {
        return vec![unreachable(case, why)];
    }
    let mut checks = vec![version(docker), driver(docker)];
    checks.extend(docker.rootless.then(|| {
        let cause = "it runs without root: kind needs control groups of version 2 that are delegated to you, and nothing outside \
                     reaches the addresses of its networks";
        Check::warn("rootless Docker", cause, "use the Docker of the machine: `docker context use default`")
    }));
    checks.extend(addresses(case));
    checks
}

fn unreachable(case: &Case, why: &str) -> Check {
    let (name, user) = ("Docker", &case.host.user);
    let cause = format!("it does not answer: {why}");
    let denied = why.to_lowercase().contains("permission denied");
    if denied && user.groups_after_login.iter().any(|group| group == "docker") {
        let hint = "you are in its group since this login began: log in again, or run `newgrp docker`";
        return Check::fail(name, cause, hint);
    }
    if denied {
        let hint = "join its group, and log in again";
        return Check::fail(name, cause, hint).mended_by(join_docker(case));
    }
    if case.foreign_kernel().is_some() {
        return Check::fail(
            name,
            cause,
            "start it: its application has to run, and on WSL2 to be switched on for this distribution",
        );
    }
    if machine::CONTAINERS.contains(&case.host.system.virtualization.as_str()) {
        return Check::fail(name, cause, "start it with `dockerd`, or share the socket of the host's");
    }
    Check::fail(name, cause, "start it").mended_by([case.root("systemctl", ["enable", "--now", "docker"])])
}

fn version(docker: &Docker) -> Check {
    let mut numbers = docker.version.split(['.', '+', '-']).map_while(|part| part.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let name = "Docker";
    match found {
        (0, _) => Check::ok(name, "it answers; its version is not known"),
        old if old < DOCKER => {
            let cause = format!("{} is older than {}.{}", docker.version, DOCKER.0, DOCKER.1);
            Check::warn(name, format!("{cause}: kind's nodes may not start"), "update it")
        }
        _ if docker.operating_system.is_empty() => Check::ok(name, &docker.version),
        _ => Check::ok(name, format!("{} on {}", docker.version, docker.operating_system)),
    }
}

fn driver(docker: &Docker) -> Check {
    let (name, driver) = ("storage driver", docker.storage_driver.as_str());
    match driver {
        "" => Check::ok(name, "it is not known"),
        driver if DRIVERS.contains(&driver) => Check::ok(name, driver),
        driver => {
            let cause = format!("{driver} copies every layer whole: it is slow, and takes a multiple of the disk");
            Check::warn(name, cause, "use overlay2 (`storage-driver` in /etc/docker/daemon.json)")
        }
    }
}

/// The addresses of a network inside a virtual machine end there.
fn addresses(case: &Case) -> Option<Check> {
    let place = case.foreign_kernel().filter(|place| place != "WSL2")?;
    case.lab.has(AddOnName::Metallb).then(|| {
        let cause = format!("kind's network is inside {place}: no address in it is reached from here");
        let way = format!("kubectl port-forward -n {} service/iris-ext 52773", case.lab.spec.iris.namespace);
        Check::warn("addresses", cause, format!("open the portal with `{way}`, at http://localhost:52773"))
    })
}
