//! What Longhorn needs of a node. With microk8s that node is this host; kind's nodes have no iSCSI of their own, and the trial with
//! the host's needs all of it here.

use super::machine::CONTAINERS;
use super::packages::{Package, install, loads_iscsi_tcp};
use super::{Case, gib};
use crate::model::host::Module;
use crate::model::{Check, Cmd, Verdict};

/// Where multipath is told to leave the devices of Longhorn alone.
const MULTIPATH: &str = "/etc/multipath/conf.d/iris-lab.conf";
/// Where modules are named that are loaded at boot.
const MODULES: &str = "/etc/modules-load.d/iris-lab.conf";

/// All of them.
pub(super) fn checks(case: &Case) -> Vec<Check> {
    if case.is_kind() {
        let nodes = kind(case);
        if nodes.verdict == Verdict::Fail {
            return vec![nodes];
        }
        return std::iter::once(nodes).chain(host(case)).collect();
    }
    host(case)
}

/// Why kind's nodes cannot attach a volume, and what can be tried.
fn kind(case: &Case) -> Check {
    let name = "iSCSI in kind";
    let why = "the kernel opens its iSCSI in the network namespace of the machine alone, and each node of kind has one of its own: \
               Longhorn's pods would all run, and no volume would ever attach";
    let microk8s = "use `--provider microk8s`, or leave Longhorn out";
    if let Some(place) = case.foreign_kernel() {
        let cause = format!(
            "{why}. Nor is there an iSCSI of the machine to try: the nodes are in {place}, whose kernel has none"
        );
        return Check::fail(
            name,
            cause,
            "use a machine or a virtual machine with Linux and microk8s, or leave Longhorn out",
        );
    }
    if !case.lab.spec.kind.experimental_host_iscsi {
        return Check::fail(
            name,
            why,
            format!("{microk8s}; `--experimental-host-iscsi` tries the iSCSI of this machine"),
        );
    }
    let (docker, user) = (case.host.docker.as_ref(), &case.host.user);
    if docker.is_some_and(|docker| docker.rootless) {
        let cause = "Docker runs without root: its nodes cannot enter the namespaces of the machine";
        return Check::fail(name, cause, "use the Docker of the machine: `docker context use default`");
    }
    if docker.is_some_and(|docker| docker.remaps_users) {
        let cause = "Docker remaps users: its nodes cannot enter the namespaces of the machine";
        return Check::fail(name, cause, "take userns-remap out of /etc/docker/daemon.json, and restart Docker");
    }
    if !case.lab.spec.longhorn.canary {
        let cause = "only a volume that was attached proves it, and --no-canary leaves that out";
        return Check::fail(name, cause, "leave --no-canary out");
    }
    if !user.is_root && !user.sudo {
        let cause = "routes to the pods are made by root, and sudo asks for a password";
        return Check::fail(name, cause, "let it ask now, in this terminal, and try again: `sudo -v`");
    }
    let cause = "the iSCSI of this machine is tried, which nobody has proven: a volume on each node tells whether it works. All \
                 nodes share the machine's one initiator and disk, and a privileged pod can become root here";
    Check::warn(name, cause, microk8s)
}

/// What it needs of the machine itself.
pub fn host(case: &Case) -> Vec<Check> {
    let mut checks = vec![iscsiadm(case)];
    checks.extend(case.host.iscsi.iscsiadm.is_some().then(|| iscsid(case)));
    checks.extend([module(case), netlink(case)]);
    checks.extend(initiator(case));
    checks.extend([multipath(case), tools(case), nfs(case)]);
    checks.extend(disk(case));
    checks
}

fn iscsiadm(case: &Case) -> Check {
    match &case.host.iscsi.iscsiadm {
        Some(version) => Check::ok("iscsiadm", version),
        None => {
            let mut commands = install(case, Package::Iscsi);
            let hint = if commands.is_empty() { "install open-iscsi" } else { "install it, and start its service" };
            if !commands.is_empty() {
                commands.push(start_iscsid(case));
            }
            let cause = "it is not installed: Longhorn's manager does not start without it";
            Check::fail("iscsiadm", cause, hint).mended_by(commands)
        }
    }
}

fn iscsid(case: &Case) -> Check {
    let (name, iscsi) = ("iscsid", &case.host.iscsi);
    match (iscsi.iscsid.as_str(), iscsi.socket.as_str()) {
        ("active", _) => Check::ok(name, "the service is active"),
        (_, "active") => Check::ok(name, "the socket is active, and starts the service"),
        ("", "") => {
            let hint = "see to it that it runs: `pgrep iscsid`";
            Check::warn(name, "whether it runs is not known: there is no systemd to ask", hint)
        }
        (state, _) => {
            let cause = format!("the service is {state}: no volume can be attached");
            Check::fail(name, cause, "start it, now and at each boot").mended_by([start_iscsid(case)])
        }
    }
}

fn start_iscsid(case: &Case) -> Cmd {
    case.root("systemctl", ["enable", "--now", "iscsid"])
}

fn module(case: &Case) -> Check {
    let name = "iscsi_tcp";
    let load = [case.root("modprobe", ["iscsi_tcp"]), case.root("tee", [MODULES]).reading("iscsi_tcp\n")];
    match case.host.iscsi.module {
        Module::Loaded => Check::ok(name, "the module is loaded"),
        Module::Loadable if loads_iscsi_tcp(&case.host.system) => {
            Check::ok(name, "the module is there, and iscsid loads it")
        }
        Module::Loadable => {
            Check::warn(name, "the module is not loaded", "load it, now and at each boot").mended_by(load)
        }
        Module::Missing => Check::fail(
            name,
            format!("the kernel {} has no such module: no volume can be attached", case.host.system.kernel),
            match case.foreign_kernel() {
                Some(_) => {
                    "use a kernel that has it built in, a virtual machine with its own kernel, or leave Longhorn out"
                }
                None => {
                    "install the modules of the kernel (linux-modules-extra, kernel-modules), or leave Longhorn out"
                }
            },
        ),
        Module::Unknown => {
            Check::warn(name, "whether there is such a module is not known", "try `sudo modprobe iscsi_tcp`")
        }
    }
}

/// Whether the kernel's end of iSCSI can be reached from where Longhorn will use it.
fn netlink(case: &Case) -> Check {
    let (name, kind) = ("iSCSI netlink", case.host.system.virtualization.as_str());
    match &case.host.iscsi.unreachable {
        Some(why) => {
            let hint = "run the cluster on the machine itself or in a virtual machine, or leave Longhorn out";
            Check::fail(name, format!("{why}: no volume can be attached"), hint)
        }
        None if CONTAINERS.contains(&kind) => {
            let cause = format!("this is a container ({kind}): whether the kernel's iSCSI is open to it is not known");
            Check::warn(name, cause, "a volume on each node tells; if none attaches, use a virtual machine")
        }
        None => Check::ok(name, "nothing stands between Longhorn and the kernel"),
    }
}

fn initiator(case: &Case) -> Option<Check> {
    let iscsi = &case.host.iscsi;
    (iscsi.iscsiadm.is_some() && !iscsi.named).then(|| {
        let cause = "there is no /etc/iscsi/initiatorname.iscsi: this machine has no name as an initiator";
        Check::warn(
            "initiator",
            cause,
            "some systems write it when iscsid first starts: `sudo systemctl restart iscsid`",
        )
    })
}

fn multipath(case: &Case) -> Check {
    let (name, tools) = ("multipathd", &case.host.storage);
    let active = [("service", &tools.multipathd), ("socket", &tools.multipathd_socket)];
    let active: Vec<&str> = active.iter().filter(|(_, state)| *state == "active").map(|(what, _)| *what).collect();
    if active.is_empty() {
        return Check::ok(name, "it does not run");
    }
    if tools.multipath_spares_sd {
        return Check::ok(name, "it runs, and leaves sd devices alone");
    }
    let cause = format!(
        "its {} {} active: it takes the devices of Longhorn's volumes, which then do not mount (\"mount point busy\")",
        active.join(" and "),
        if active.len() == 1 { "is" } else { "are" },
    );
    let hint = "make it leave sd devices alone, unless this machine has disks of its own behind several paths";
    Check::warn(name, cause, hint).mended_by([
        case.root("mkdir", ["-p", "/etc/multipath/conf.d"]),
        case.root("tee", [MULTIPATH]).reading("blacklist {\n    devnode \"^sd[a-z0-9]+\"\n}\n"),
        case.root("systemctl", ["restart", "multipathd"]),
    ])
}

fn tools(case: &Case) -> Check {
    let (name, missing) = ("disk tools", &case.host.storage.missing);
    match missing.is_empty() {
        true => Check::ok(name, "findmnt, blkid and lsblk are there"),
        false => Check::fail(name, format!("missing: {}", missing.join(", ")), "install them")
            .mended_by(install(case, Package::UtilLinux)),
    }
}

/// Only volumes that several nodes mount at once go by NFS, and labs have none.
fn nfs(case: &Case) -> Check {
    match case.host.storage.nfs {
        true => Check::ok("NFS client", "it is there"),
        false => Check::ok("NFS client", "not there; only ReadWriteMany volumes need it"),
    }
}

/// Longhorn writes on ext4 and XFS alone, and puts no volume on a disk of which a quarter would not stay free.
fn disk(case: &Case) -> Vec<Check> {
    let Some(disk) = case.disk() else { return Vec::new() };
    let system = match disk.file_system.as_str() {
        "ext4" | "xfs" => Check::ok("file system", format!("{} below {}", disk.file_system, disk.path)),
        other => Check::fail(
            "file system",
            format!("{other} below {}: Longhorn writes on ext4 and XFS alone", disk.path),
            "mount a disk with ext4 or XFS there",
        ),
    };
    // Copies of a volume are on different nodes: on one disk where the nodes are containers.
    let copies = case.nodes().min(3);
    let asked = if case.runs() { 0 } else { u64::from(case.lab.spec.iris.replicas) * case.volumes() * copies };
    let left = disk.free.saturating_sub(asked);
    let (name, quarter) = ("a quarter free", disk.size / 4);
    let cause = match asked {
        0 => format!("{} of {} are free", gib(disk.free), gib(disk.size)),
        _ => format!("{} of {} stay free beside its {}", gib(left), gib(disk.size), gib(asked)),
    };
    let free = if left > quarter {
        Check::ok(name, cause)
    } else {
        let cause = format!("{cause}: Longhorn puts no volume on a disk with less than {}", gib(quarter));
        let hint = "make room, use a larger disk, or ask for smaller volumes with `--storage 2Gi`";
        if case.runs() { Check::warn(name, cause, hint) } else { Check::fail(name, cause, hint) }
    };
    vec![system, free]
}
