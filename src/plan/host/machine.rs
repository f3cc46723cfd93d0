//! Operating system, kernel, processor, control groups, virtual machine or container, inotify.

use super::Case;
use crate::model::{Check, Quantity};

/// Kinds of containers, as systemd-detect-virt names them.
pub(super) const CONTAINERS: &[&str] =
    &["docker", "podman", "lxc", "lxc-libvirt", "systemd-nspawn", "container-other", "openvz", "rkt", "pouch", "proot"];

/// What kind asks for when it has several nodes: each runs a whole system that watches files.
const INOTIFY: (u64, u64) = (524_288, 512);

/// Whether the lab can run on this system at all.
pub(super) fn operating_system(case: &Case) -> Check {
    let (name, system) = ("system", &case.host.system);
    let kernel = if system.os == "macos" { "Darwin" } else { "Linux" };
    let cause = match system.name.is_empty() {
        true => format!("{kernel} {}, {}", system.kernel, system.architecture),
        false => format!("{}, {kernel} {}, {}", system.name, system.kernel, system.architecture),
    };
    match system.os.as_str() {
        "" => {
            Check::warn(name, "it is not known: there is no `uname`", "expect the worst, or use a system that has one")
        }
        "macos" if !case.is_kind() => Check::fail(
            name,
            format!("{cause}: microk8s is a snap, and snaps run on Linux alone"),
            "use `--provider kind`, or run iris-lab in a virtual machine with Linux",
        ),
        "linux" | "macos" if !matches!(system.architecture.as_str(), "x86_64" | "aarch64") => {
            let cause = format!("{cause}: there are images of IRIS for x86_64 and aarch64 alone");
            Check::fail(name, cause, "use another machine, or a cluster elsewhere with --context NAME")
        }
        "linux" | "macos" => Check::ok(name, cause),
        _ => Check::fail(
            name,
            format!("{}: this is neither Linux nor macOS", system.os),
            "use a cluster elsewhere with --context NAME",
        ),
    }
}

/// The others.
pub(super) fn checks(case: &Case) -> Vec<Check> {
    let mut checks = vec![processors(case), virtualization(case)];
    if case.host.system.os == "linux" {
        checks.push(control_groups(case));
        checks.extend(case.is_kind().then(|| inotify(case)));
    }
    checks
}

fn processors(case: &Case) -> Check {
    let cpus = case.host.system.cpus;
    let wanted = if case.longhorn() { 4 } else { 2 };
    let found = if cpus == 1 { "1 processor".into() } else { format!("{cpus} processors") };
    let asked = case.lab.spec.iris.resources.cpu.as_deref().and_then(Quantity::parse);
    // Pods of one node share its processors; each node of kind counts all of them as its own.
    let pods = if case.is_kind() { 1 } else { case.lab.spec.iris.replicas };
    let asked = asked.map_or(0, Quantity::nanos) * i128::from(pods);
    if cpus == 0 {
        return Check::warn("processors", "their number is not known", format!("see to it that there are {wanted}"));
    }
    if asked > i128::from(cpus) * 1_000_000_000 {
        let cause = format!("{found}: the pods of IRIS ask for more");
        return Check::fail("processors", cause, "ask for less with `--set spec.iris.resources.cpu=500m`");
    }
    if cpus < wanted {
        let why =
            if case.longhorn() { "Longhorn reserves a quarter of them on each node" } else { "everything is slow" };
        let hint = format!("give the machine {wanted}");
        return Check::warn("processors", format!("{found}: {why}"), hint);
    }
    Check::ok("processors", found)
}

fn virtualization(case: &Case) -> Check {
    let (name, kind) = ("machine", case.host.system.virtualization.as_str());
    match kind {
        "" if case.host.system.os == "macos" => Check::ok(name, "Docker runs in a virtual machine of its own here"),
        "" => Check::ok(name, "whether it is a virtual one is not known"),
        "none" => Check::ok(name, "a real one"),
        "wsl" if !case.is_kind() => Check::warn(
            name,
            "WSL2: snaps run there only with systemd, and its addresses are not those of Windows",
            "set `systemd=true` under [boot] in /etc/wsl.conf, and restart it with `wsl --shutdown`",
        ),
        "wsl" => Check::ok(name, "WSL2"),
        kind if CONTAINERS.contains(&kind) && !case.is_kind() => Check::warn(
            name,
            format!("a container ({kind}): snapd and the kubelet of microk8s need rights that few containers have"),
            "use a virtual machine, or `--provider kind` with the Docker of the host",
        ),
        kind if CONTAINERS.contains(&kind) => Check::ok(name, format!("a container ({kind})")),
        kind => Check::ok(name, format!("a virtual one ({kind})")),
    }
}

fn control_groups(case: &Case) -> Check {
    let (name, version) = ("control groups", case.host.system.cgroups);
    if version == 0 {
        let hint = "look at /sys/fs/cgroup: Kubernetes needs version 1 or 2 there";
        return Check::warn(name, "their version is not known", hint);
    }
    let found = format!("version {version}");
    let minor = case.microk8s_minor();
    match (version, minor) {
        (2, Some(minor @ ..=21)) => Check::warn(
            name,
            format!("{found}: no pod of microk8s 1.{minor} starts there, it knows version 1 alone"),
            "use `--channel 1.24/stable`, or boot with systemd.unified_cgroup_hierarchy=0",
        ),
        (1, Some(minor @ 36..)) => Check::fail(
            name,
            format!("{found}: microk8s 1.{minor} refuses it"),
            "use `--channel 1.24/stable`, or boot with systemd.unified_cgroup_hierarchy=1",
        ),
        _ => Check::ok(name, found),
    }
}

impl Case<'_> {
    /// The minor version of the microk8s that is there, or that the lab asks for.
    fn microk8s_minor(&self) -> Option<u32> {
        if self.is_kind() {
            return None;
        }
        let there = self.host.microk8s.as_ref();
        let there =
            there.map(|microk8s| if microk8s.version.is_empty() { &microk8s.channel } else { &microk8s.version });
        let asked = there.or(self.lab.spec.microk8s.channel.as_ref()).map(String::as_str).unwrap_or(self.kubernetes);
        let minor = asked.trim_start_matches('v').strip_prefix("1.")?;
        minor.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    }
}

fn inotify(case: &Case) -> Check {
    let (name, (watches, instances)) = ("inotify", case.host.system.inotify);
    if watches >= INOTIFY.0 && instances >= INOTIFY.1 {
        return Check::ok(name, format!("{watches} watches, {instances} instances"));
    }
    let cause = format!(
        "{watches} watches and {instances} instances: programs in the nodes may fail with \"too many open files\""
    );
    let watches = format!("fs.inotify.max_user_watches={}", INOTIFY.0.max(watches));
    let instances = format!("fs.inotify.max_user_instances={}", INOTIFY.1.max(instances));
    Check::warn(name, cause, "raise them until the next boot")
        .mended_by([case.root("sysctl", ["-w", watches.as_str(), instances.as_str()])])
}
