//! What each check makes of a host.

use super::*;
use crate::lab;
use crate::model::Verdict::{Fail, Ok, Warn};
use crate::model::host::{Disk, Docker, Kind, Microk8s, Module, Session, Snap};
use crate::provider;

/// A host that has all that a lab on microk8s with Longhorn wants.
fn good() -> HostFacts {
    let mut host = HostFacts { snap: Some(Snap { version: "2.63".into() }), ..HostFacts::default() };
    let disk = |path: &str| {
        let (size, free) = (500 << 30, 400 << 30);
        Disk { path: path.into(), file_system: "ext4".into(), size, free }
    };
    host.system.disks = ["/var/snap/microk8s", "/var/lib/docker", "/var/lib/longhorn"].map(disk).to_vec();
    host.system.os = "linux".into();
    host.system.distribution = "ubuntu".into();
    host.system.architecture = "x86_64".into();
    (host.system.cpus, host.system.memory, host.system.cgroups) = (8, 16 << 30, 2);
    host.system.inotify = (524_288, 512);
    host.user.name = "anna".into();
    host.user.sudo = true;
    host.iscsi.iscsiadm = Some("2.1.5".into());
    host.iscsi.iscsid = "active".into();
    (host.iscsi.module, host.iscsi.named) = (Module::Loaded, true);
    host.docker = Some(Docker { version: "26.1.4".into(), storage_driver: "overlay2".into(), ..Docker::default() });
    host
}

fn lab(spec: &str) -> Lab {
    lab::load(&format!("apiVersion: iris-lab/v1\nkind: Lab\nspec: {{ {spec} }}\n"), "test").unwrap()
}

const MICROK8S: &str = "provider: microk8s, addOns: [registry, longhorn]";
const KIND: &str = "provider: kind, addOns: [registry]";
const KIND_LONGHORN: &str = "provider: kind, addOns: [longhorn]";
const UNPROVEN: &str =
    "provider: kind, addOns: [longhorn], kind: { experimentalHostIscsi: true }, longhorn: { canary: false }";
const TRIED: &str = "provider: kind, addOns: [longhorn], kind: { experimentalHostIscsi: true }";

fn checked(spec: &str, host: &HostFacts, made: &[HostObject]) -> Vec<Check> {
    let lab = lab(spec);
    checks(&Case { lab: &lab, provider: lab.spec.provider, kubernetes: "1.24.17", host, made })
}

/// The verdict and the text of one check, once the host was changed.
fn found(spec: &str, name: &str, change: impl FnOnce(&mut HostFacts)) -> (Verdict, String) {
    let mut host = good();
    change(&mut host);
    let checks = checked(spec, &host, &[]);
    let check = checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no {name}: {checks:#?}"));
    (check.verdict, format!("{} ({})", check.cause, check.way_out().unwrap_or_default()))
}

#[track_caller]
fn is(spec: &str, name: &str, verdict: Verdict, says: &str, change: impl FnOnce(&mut HostFacts)) {
    let (is, text) = found(spec, name, change);
    assert!(is == verdict && text.contains(says), "{name} is {is:?}, not {verdict:?} with {says:?}: {text}");
}

/// A session of Longhorn's.
fn session(target: &str) -> Session {
    Session { portal: "10.1.7.9:3260".into(), target: target.into() }
}

#[test]
fn a_host_that_has_all_of_it_passes() {
    for spec in [MICROK8S, KIND] {
        let bad: Vec<Check> = checked(spec, &good(), &[]).into_iter().filter(|check| check.verdict != Ok).collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }
}

#[test]
fn only_what_matters_is_asked() {
    let names = |spec: &str| checked(spec, &good(), &[]).into_iter().map(|check| check.name).collect::<Vec<_>>();
    assert!(!names(KIND).iter().any(|name| name == "snapd" || name == "iscsiadm"));
    assert!(!names(MICROK8S).iter().any(|name| name == "Docker" || name == "inotify"));
}

#[test]
fn longhorn_on_kind_is_told_as_it_is() {
    is(KIND_LONGHORN, "iSCSI in kind", Fail, "--provider microk8s", |_| {});
    is(KIND_LONGHORN, "iSCSI in kind", Fail, "WSL2", |host| host.system.virtualization = "wsl".into());
    is(TRIED, "iSCSI in kind", Fail, "macOS", |host| host.system.os = "macos".into());
    is(TRIED, "iSCSI in kind", Fail, "Docker Desktop", |host| {
        host.docker.as_mut().unwrap().operating_system = "Docker Desktop".into();
    });
    is(TRIED, "iSCSI in kind", Fail, "without root", |host| host.docker.as_mut().unwrap().rootless = true);
    is(TRIED, "iSCSI in kind", Fail, "remaps users", |host| host.docker.as_mut().unwrap().remaps_users = true);
    is(TRIED, "iSCSI in kind", Fail, "sudo -v", |host| host.user.sudo = false);
    is(UNPROVEN, "iSCSI in kind", Fail, "--no-canary", |_| {});
    is(TRIED, "iSCSI in kind", Warn, "nobody has proven", |_| {});
    is(TRIED, "iscsiadm", Fail, "sudo apt-get install -y open-iscsi", |host| host.iscsi.iscsiadm = None);
}

#[test]
fn what_longhorn_needs_of_the_machine() {
    is(MICROK8S, "iscsid", Fail, "systemctl enable --now iscsid", |host| host.iscsi.iscsid = "failed".into());
    is(MICROK8S, "iscsid", Ok, "socket", |host| {
        (host.iscsi.iscsid, host.iscsi.socket) = ("inactive".into(), "active".into());
    });
    is(MICROK8S, "iscsid", Warn, "not known", |host| host.iscsi.iscsid = String::new());
    is(MICROK8S, "iscsi_tcp", Fail, "no such module", |host| host.iscsi.module = Module::Missing);
    is(MICROK8S, "iscsi_tcp", Warn, "modprobe iscsi_tcp", |host| {
        (host.iscsi.module, host.system.distribution) = (Module::Loadable, "fedora".into());
    });
    is(MICROK8S, "iSCSI netlink", Fail, "no volume", |host| host.iscsi.unreachable = Some("closed".into()));
    is(MICROK8S, "iSCSI netlink", Warn, "not known", |host| host.system.virtualization = "lxc".into());
    is(MICROK8S, "multipathd", Warn, "socket is active", |host| host.storage.multipathd_socket = "active".into());
    is(MICROK8S, "multipathd", Ok, "alone", |host| {
        (host.storage.multipathd, host.storage.multipath_spares_sd) = ("active".into(), true);
    });
    is(MICROK8S, "disk tools", Fail, "lsblk", |host| host.storage.missing = vec!["lsblk".into()]);
    is(MICROK8S, "file system", Fail, "btrfs", |host| host.system.disks[2].file_system = "btrfs".into());
    // 145 free, of which the lab's two pods take 20: less than a quarter of 500.
    is(MICROK8S, "a quarter free", Fail, "125 GiB", |host| host.system.disks[2].free = 144 << 30);
    is(MICROK8S, "a quarter free", Ok, "stay free", |host| host.system.disks[2].free = 146 << 30);
}

#[test]
fn a_cluster_that_runs_has_its_ports_and_its_disk() {
    let busy = |host: &mut HostFacts| {
        host.network.listening = vec![16443, 10250, 32000];
        host.system.disks[2].free = 130 << 30;
    };
    is(MICROK8S, "ports", Fail, "16443 for the API server of microk8s is taken", busy);
    is(MICROK8S, "a quarter free", Fail, "110 GiB", busy);
    let running = |host: &mut HostFacts| {
        busy(host);
        let add_ons = [("registry".to_string(), true)].into();
        host.microk8s = Some(Microk8s { running: true, add_ons, ..Microk8s::default() });
        host.iscsi.sessions = vec![session("iqn.2019-10.io.longhorn:pvc-1")];
        host.storage.old_data = true;
    };
    is(MICROK8S, "ports", Ok, "already", running);
    is(MICROK8S, "a quarter free", Ok, "are free", running);
    let mut host = good();
    running(&mut host);
    assert!(
        checked(MICROK8S, &host, &[]).iter().all(|check| check.verdict == Ok),
        "its sessions and its data are no leftovers"
    );
}

#[test]
fn control_groups_against_the_channel() {
    let channel = |channel: &str| format!("provider: microk8s, microk8s: {{ channel: {channel} }}");
    is(&channel("1.21/stable"), "control groups", Warn, "1.21", |_| {});
    is(&channel("1.21/stable"), "control groups", Ok, "version 1", |host| host.system.cgroups = 1);
    is(&channel("1.22/stable"), "control groups", Ok, "version 2", |_| {});
    is(&channel("1.36/stable"), "control groups", Fail, "refuses", |host| host.system.cgroups = 1);
    is(MICROK8S, "control groups", Warn, "1.20", |host| {
        host.microk8s = Some(Microk8s { version: "v1.20.13".into(), ..Microk8s::default() });
    });
    is(MICROK8S, "control groups", Warn, "not known", |host| host.system.cgroups = 0);
}

#[test]
fn memory_and_processors() {
    is(MICROK8S, "memory", Fail, "--replicas 1", |host| host.system.memory = 2 << 30);
    is(MICROK8S, "memory", Warn, "little is left", |host| host.system.memory = 4 << 30);
    is(MICROK8S, "processors", Warn, "4", |host| host.system.cpus = 2);
    let asking = "provider: microk8s, iris: { replicas: 3, resources: { cpu: 3 } }";
    is(asking, "processors", Fail, "ask for more", |_| {});
    is(MICROK8S, "disk", Fail, "at once", |host| host.system.disks[2].free = 5 << 30);
}

#[test]
fn who_may_do_it() {
    is(MICROK8S, "group", Warn, "not in this login", |host| host.user.groups_after_login = vec!["microk8s".into()]);
    is(MICROK8S, "group", Ok, "adds anna", |_| {});
    is(MICROK8S, "root", Fail, "sudo -v", |host| host.user.sudo = false);
    is(MICROK8S, "root", Fail, "sudo -v", |host| {
        (host.user.sudo, host.microk8s) = (false, Some(Microk8s { running: true, ..Microk8s::default() }));
    });
    is(MICROK8S, "microk8s", Fail, "sudo usermod -a -G microk8s anna", |host| {
        let why = "Insufficient permissions to access MicroK8s.".to_string();
        host.microk8s = Some(Microk8s { unreadable: Some(why), ..Microk8s::default() });
    });
    is(MICROK8S, "microk8s", Fail, "microk8s inspect", |host| {
        host.microk8s = Some(Microk8s { unreadable: Some("it hangs".into()), ..Microk8s::default() });
    });
    is(MICROK8S, "snapd", Fail, "sudo apt-get install -y snapd", |host| host.snap = None);
    is(MICROK8S, "snapd", Fail, "does not answer", |host| host.snap = Some(Snap::default()));
    let denied = |host: &mut HostFacts| {
        host.docker.as_mut().unwrap().unreachable = Some("permission denied while trying to connect".into());
    };
    is(KIND, "Docker", Fail, "sudo usermod -aG docker anna", denied);
    is(KIND, "Docker", Fail, "log in again", |host| {
        denied(host);
        host.user.groups_after_login = vec!["docker".into()];
    });
    is(KIND, "Docker", Fail, "systemctl enable --now docker", |host| {
        host.docker.as_mut().unwrap().unreachable = Some("Cannot connect to the Docker daemon".into());
    });
    is(KIND, "Docker", Warn, "older", |host| host.docker.as_mut().unwrap().version = "19.03.8".into());
    is(KIND, "storage driver", Warn, "vfs", |host| host.docker.as_mut().unwrap().storage_driver = "vfs".into());
}

#[test]
fn what_is_there_already() {
    let with = |clusters: &[&str]| {
        let clusters = clusters.iter().map(ToString::to_string).collect();
        let kind = Kind { program: "kind".into(), version: "v0.22.0".into(), clusters, unreadable: None };
        HostFacts { kind: Some(kind), ..good() }
    };
    let verdict = |host: &HostFacts, made: &[HostObject]| {
        let checks = checked(KIND, host, made);
        checks.into_iter().find(|check| check.name == "cluster").map(|check| check.verdict)
    };
    let ours = [HostObject::KindCluster { name: "two-pod".into() }];
    assert_eq!(verdict(&with(&["two-pod"]), &[]), Some(Fail), "somebody else made it");
    assert_eq!(verdict(&with(&["two-pod"]), &ours), Some(Ok));
    assert_eq!(verdict(&with(&["other"]), &[]), Some(Ok));
    let mut uninstalled = good();
    uninstalled.docker.as_mut().unwrap().containers = vec!["two-pod-control-plane".into()];
    assert_eq!(verdict(&uninstalled, &[]), Some(Fail), "Docker knows its nodes, too");
    is(MICROK8S, "iSCSI sessions", Warn, "--logout", |host| {
        host.iscsi.sessions = vec![session("iqn.2019-10.io.longhorn:a")]
    });
    is(MICROK8S, "old data", Warn, "/var/lib/longhorn", |host| host.storage.old_data = true);
    is(MICROK8S, "leftovers", Warn, "vxlan", |host| host.system.leftovers = vec!["/sys/class/net/vxlan.calico".into()]);
}

#[test]
fn nothing_that_holds_data_is_mended() {
    let mut host = good();
    host.iscsi.sessions = vec![session("iqn.2019-10.io.longhorn:a")];
    host.storage.old_data = true;
    host.system.leftovers = vec!["/var/snap/microk8s".into()];
    assert!(checked(MICROK8S, &host, &[]).iter().all(|check| check.mend.is_empty()));
}

#[test]
fn proxies_are_named_without_their_address() {
    let proxy = |host: &mut HostFacts| {
        host.system.proxies = vec![("HTTPS_PROXY".into(), "http://proxy:3128".into())];
    };
    is(MICROK8S, "proxy", Warn, "export NO_PROXY=localhost,127.0.0.1", proxy);
    let (_, text) = found(MICROK8S, "proxy", proxy);
    assert!(!text.contains("3128"), "{text}");
}

#[test]
fn mends_run_one_after_the_other_and_once() {
    let mut host = good();
    (host.snap, host.iscsi.iscsiadm, host.user.is_root) = (None, None, true);
    let plan = mend("two-pod", provider::named("microk8s").unwrap(), &checked(MICROK8S, &host, &[]));
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["snapd", "iscsiadm"]);
    assert_eq!((plan.steps[1].needs.as_slice(), plan.steps[1].strict), (["snapd".to_string()].as_slice(), false));
    let lines: Vec<String> = plan
        .steps
        .iter()
        .flat_map(|step| match &step.action {
            crate::model::Action::Run { commands, .. } => commands.iter().map(Cmd::line).collect(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "apt-get update",
            "apt-get install -y snapd",
            "apt-get install -y open-iscsi",
            "systemctl enable --now iscsid"
        ]
    );
}
