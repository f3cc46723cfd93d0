//! How each distribution installs what a check misses.

use super::Case;
use crate::model::Cmd;
use crate::model::host::System;

/// Something that a distribution packages.
#[derive(Clone, Copy)]
pub(super) enum Package {
    Iscsi,
    Snapd,
    Docker,
    UtilLinux,
}

#[derive(Clone, Copy)]
enum Manager {
    Apt,
    Dnf,
    Zypper,
    Pacman,
}

fn manager(system: &System) -> Option<Manager> {
    std::iter::once(&system.distribution).chain(&system.like).find_map(|name| match name.as_str() {
        "debian" | "ubuntu" => Some(Manager::Apt),
        "fedora" | "rhel" | "centos" => Some(Manager::Dnf),
        "suse" | "opensuse" | "opensuse-leap" | "opensuse-tumbleweed" | "sles" => Some(Manager::Zypper),
        "arch" => Some(Manager::Pacman),
        _ => None,
    })
}

/// Its name there; none where there is no such package in the distribution's own archive.
fn name(package: Package, manager: Manager) -> Option<&'static str> {
    use Manager::{Apt, Dnf, Pacman, Zypper};
    match (package, manager) {
        (Package::Iscsi, Dnf) => Some("iscsi-initiator-utils"),
        (Package::Iscsi, _) => Some("open-iscsi"),
        (Package::Snapd, Apt | Dnf) => Some("snapd"),
        (Package::Snapd, Zypper | Pacman) => None,
        (Package::Docker, Apt) => Some("docker.io"),
        (Package::Docker, Dnf) => Some("moby-engine"),
        (Package::Docker, Zypper | Pacman) => Some("docker"),
        (Package::UtilLinux, _) => Some("util-linux"),
    }
}

/// Whether systems of this family load iscsi_tcp when iscsid starts.
pub(super) fn loads_iscsi_tcp(system: &System) -> bool {
    matches!(manager(system), Some(Manager::Apt))
}

/// The commands that install it; none where we do not know them.
pub(super) fn install(case: &Case, package: Package) -> Vec<Cmd> {
    let Some(manager) = manager(&case.host.system) else { return Vec::new() };
    let Some(name) = name(package, manager) else { return Vec::new() };
    match manager {
        Manager::Apt => vec![case.root("apt-get", ["update"]), case.root("apt-get", ["install", "-y", name])],
        Manager::Dnf => vec![case.root("dnf", ["install", "-y", name])],
        Manager::Zypper => vec![case.root("zypper", ["--non-interactive", "install", name])],
        Manager::Pacman => vec![case.root("pacman", ["-S", "--noconfirm", "--needed", name])],
    }
}
