//! What must hold before Longhorn's first object is applied: each with its cause and the way out.

use super::manifest::adjustments;
use super::site::{foreign, settings, storage_nodes};
use super::version::Version;
use crate::addon::Site;
use crate::model::object::condition;
use crate::model::{Check, LonghornFacts};
use serde_json::Value;

/// Minor versions of Kubernetes 1 that every 1.2.x runs on. From 1.25 on, the APIs of its manifest and its manager are gone; the
/// driver deployer refuses what is older than 1.18.
const KUBERNETES: std::ops::RangeInclusive<u32> = 18..=24;

const NAME: &str = "longhorn";
/// Systems of nodes, as they call themselves, that have no iscsiadm and on which none can be installed.
const WITHOUT_ISCSI: &[&str] = &["Container-Optimized OS", "Bottlerocket", "Talos"];
const KIND_NODE: &str = "a container of kind";

/// All of them; those that need a cluster only where one was looked at.
pub fn checks(site: &Site) -> Vec<Check> {
    let mut checks = vec![kubernetes(site)];
    checks.extend(release(site));
    if site.facts.reachable {
        checks.extend(nodes(site));
    }
    checks.extend(site.facts.longhorn.as_ref().map(|seen| there(site, seen)));
    checks
}

fn kubernetes(site: &Site) -> Check {
    let wanted = &site.lab.spec.longhorn.version;
    let version = site.kubernetes.trim_start_matches('v');
    let mut parts = version.split('.').map(|part| part.chars().take_while(char::is_ascii_digit).collect::<String>());
    let minor = match (parts.next().as_deref(), parts.next()) {
        (Some("1"), Some(minor)) => minor.parse().unwrap_or(0),
        _ => 0,
    };
    if KUBERNETES.contains(&minor) {
        return Check::ok(NAME, format!("{wanted} runs on Kubernetes {version}"));
    }
    let why = if minor < *KUBERNETES.start() {
        "its driver refuses an older one"
    } else {
        "its manifest contains policy/v1beta1, which newer ones have not"
    };
    let (subject, hint) = if site.is_ours && !site.facts.reachable {
        ("the lab asks for", "use `--kubernetes 1.24`, or leave Longhorn out")
    } else {
        ("this cluster runs", "use a cluster with Kubernetes 1.24, or leave Longhorn out")
    };
    Check::fail(NAME, format!("{wanted} needs Kubernetes 1.18 to 1.24, {subject} {version}: {why}"), hint)
}

/// What is to be said about the release, and about an original manifest that is not applied word by word.
fn release(site: &Site) -> Vec<Check> {
    if foreign(site).is_some() {
        return Vec::new();
    }
    let warning = Version::parse(&site.lab.spec.longhorn.version).ok().and_then(Version::warning);
    let old = warning.map(|warning| Check::warn(NAME, warning, "use --longhorn=1.2.6"));
    let changed = site.manifest.and_then(|_| settings(site).ok()).map(|settings| {
        let cause = format!("set in the original manifest: {}", adjustments(&settings).join(", "));
        Check::warn(NAME, cause, "`iris-lab render` with the same options prints what is applied")
    });
    old.into_iter().chain(changed).collect()
}

fn nodes(site: &Site) -> Vec<Check> {
    let name = |node: &Value| node["metadata"]["name"].as_str().unwrap_or_default().to_string();
    let those = |bad: &dyn Fn(&Value) -> bool| {
        storage_nodes(site).into_iter().filter(|node| bad(node)).map(name).collect::<Vec<_>>().join(", ")
    };
    let mut checks = Vec::new();
    if storage_nodes(site).is_empty() {
        let hint = "take the taint off a node: kubectl taint node NAME KEY- (`kubectl describe node NAME` shows it)";
        let all = site.nodes.len();
        checks.push(Check::fail(
            NAME,
            format!("none of the cluster's {all} nodes takes its pods: all are tainted"),
            hint,
        ));
    }
    let system = |node: &Value| node["status"]["nodeInfo"]["operatingSystem"].as_str().is_some_and(|os| os != "linux");
    let others = those(&system);
    if !others.is_empty() {
        let hint = "keep its pods off: kubectl taint node NAME os=windows:NoSchedule";
        checks.push(Check::fail(NAME, format!("it runs on Linux alone, and these nodes do not: {others}"), hint));
    }
    if let Some((node, what)) = storage_nodes(site).into_iter().find_map(|node| Some((name(node), container(node)?))) {
        let why = "a volume is attached by iSCSI, and the kernel talks to iSCSI only in the network namespace of the machine \
                   itself: Longhorn's pods would all run, and no volume would ever attach";
        let cause = format!("node {node} is {what}: {why}");
        checks.push(match site.lab.spec.kind.experimental_host_iscsi && what == KIND_NODE {
            true => Check::warn(
                NAME,
                cause,
                "with --experimental-host-iscsi it is tried all the same, with a volume on every node",
            ),
            false => {
                let hint =
                    "use nodes that are machines (microk8s on Linux, or virtual machines), or leave Longhorn out";
                Check::fail(NAME, cause, hint)
            }
        });
    }
    let bare = |node: &Value| {
        let system = node.pointer("/status/nodeInfo/osImage").and_then(Value::as_str).unwrap_or_default();
        WITHOUT_ISCSI.iter().any(|name| system.contains(name))
    };
    let without = those(&bare);
    if !without.is_empty() {
        let cause = format!("the system of these nodes has no iscsiadm, and takes none: {without}");
        let hint =
            "use nodes with Ubuntu or another full system (GKE: --image-type=UBUNTU_CONTAINERD), or leave Longhorn out";
        checks.push(Check::fail(NAME, cause, hint));
    }
    let few = storage_nodes(site).len();
    if !site.is_ours && (1..3).contains(&few) && foreign(site).is_none() {
        let cause = format!("{few} of the nodes can hold volumes: each volume gets {few} instead of 3 copies");
        checks.push(Check::warn(
            NAME,
            cause,
            "add nodes, or take it as it is: a node that is lost may take data along",
        ));
    }
    let full = those(&|node| condition(node, "DiskPressure").is_some_and(|pressure| pressure["status"] == "True"));
    if !full.is_empty() {
        let hint =
            "make room on it: Longhorn needs more than a quarter of the disk below /var/lib/longhorn to stay free";
        checks.push(Check::fail(NAME, format!("the disk is full (DiskPressure) on {full}"), hint));
    }
    checks
}

/// What a node is when it is no machine of its own with a kernel that knows iSCSI.
fn container(node: &Value) -> Option<&'static str> {
    let text = |path: &str| node.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (provider, kernel) = (text("/spec/providerID"), text("/status/nodeInfo/kernelVersion"));
    if provider.starts_with("kind://") {
        return Some(KIND_NODE);
    }
    if provider.starts_with("k3s://k3d-") || text("/metadata/name").starts_with("k3d-") {
        return Some("a container of k3d");
    }
    if text("/metadata/name") == "docker-desktop" || kernel.contains("linuxkit") {
        return Some("in Docker Desktop, whose kernel has no iSCSI");
    }
    if kernel.contains("WSL2") {
        return Some("in WSL2, whose kernel has no iSCSI");
    }
    kernel.contains("orbstack").then_some("in OrbStack, whose kernel has no iSCSI")
}

/// How a lab removes what another installation made: there is no lab yet, and no command removes anything without one.
const ADOPT: &str = "bring the lab up without Longhorn, and remove both with `iris-lab reset --adopt`";

/// A Longhorn, or what is left of one, that is there already.
fn there(site: &Site, seen: &LonghornFacts) -> Check {
    let (lab, wanted) = (&site.lab.metadata.name, &site.lab.spec.longhorn.version);
    let ours = seen.is_of(lab);
    let leaving = seen.definitions.iter().filter(|d| d["metadata"]["deletionTimestamp"].is_string()).count();
    if seen.is_terminating() {
        let hint = match (ours, site.is_ours) {
            (true, _) => format!("finish that with `iris-lab reset --name {lab}`"),
            (_, true) => "finish that with `iris-lab unstick longhorn-system`".into(),
            _ => "finish that with `iris-lab unstick longhorn-system --context NAME`".into(),
        };
        return Check::fail(NAME, "the namespace longhorn-system is being deleted, and is not gone", hint);
    }
    if leaving > 0 {
        let reset = format!("finish that with `iris-lab reset --name {lab}`");
        let hint = if ours { reset } else { ADOPT.into() };
        return Check::fail(NAME, format!("{leaving} of its definitions are being deleted, and are not gone"), hint);
    }
    match seen.version() {
        Some(version) if version != wanted => {
            let cause =
                format!("{version} is installed, the lab asks for {wanted}; two versions cannot live in one cluster");
            let removal = match ours {
                true => format!("`iris-lab down --longhorn --delete-data --name {lab}`"),
                false => ADOPT.into(),
            };
            let hint = match Version::parse(version) {
                Ok(_) => format!("take that one with `--longhorn={version}`, or remove it first: {removal}"),
                Err(_) => {
                    "remove it first, or leave Longhorn out and use its class with `--storage-class longhorn`".into()
                }
            };
            Check::fail(NAME, cause, hint)
        }
        Some(version) if ours => Check::ok(NAME, format!("{version} is there")),
        Some(version) => Check::ok(NAME, format!("{version} is there, and not ours: reset will leave it")),
        None if ours => Check::ok(NAME, "parts of it are there"),
        None => leftovers(seen),
    }
}

/// What somebody's Longhorn has left without its manager: a new one would not be whole on top of it.
fn leftovers(seen: &LonghornFacts) -> Check {
    let count = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let parts = [
        count(seen.definitions.len(), "definitions of its resources"),
        count(seen.resources.len(), "of its resources"),
        count(seen.volumes.len(), "volumes"),
        seen.driver.as_ref().map(|_| "its CSI driver".into()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return Check::ok(NAME, "its namespace is there, and empty");
    }
    let cause = format!("another installation has left {} here, without its manager", parts.join(", "));
    Check::fail(NAME, cause, format!("{ADOPT}, or delete them with the manifest that they came from"))
}
