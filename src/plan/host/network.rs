//! Ports that the lab will listen on, and proxies that stand between this host and the rest.

use super::Case;
use crate::lab::AddOnName;
use crate::model::{Check, HostObject};

/// Of microk8s: its API server.
const API: u16 = 16443;
/// Of every kubelet that runs on the machine itself.
const KUBELET: u16 = 10250;
/// Of the add-on registry.
const REGISTRY: u16 = 32000;

/// All of them.
pub(super) fn checks(case: &Case) -> Vec<Check> {
    let mut checks = vec![ports(case)];
    checks.extend(proxy(case));
    checks
}

fn ports(case: &Case) -> Check {
    let mut wanted = Vec::new();
    if !case.is_kind() && !case.runs() {
        wanted.extend([(API, "the API server of microk8s"), (KUBELET, "its kubelet")]);
    }
    if case.lab.has(AddOnName::Registry) && !has_registry(case) {
        wanted.push((REGISTRY, "the image registry"));
    }
    let taken: Vec<_> = wanted.iter().filter(|(port, _)| case.host.network.listening.contains(port)).collect();
    let numbers = |ports: Vec<u16>| ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if taken.is_empty() {
        let cause = match wanted.is_empty() {
            true => "the lab has them already".into(),
            false => {
                let verb = if wanted.len() == 1 { "is" } else { "are" };
                format!("{} {verb} free", numbers(wanted.iter().map(|(port, _)| *port).collect()))
            }
        };
        return Check::ok("ports", cause);
    }
    let causes: Vec<String> = taken.iter().map(|(port, whose)| format!("{port} for {whose} is taken")).collect();
    let ports = numbers(taken.iter().map(|(port, _)| *port).collect());
    let mut hint = format!("see who listens there with `sudo ss -ltnp`, and end it ({ports})");
    if taken.iter().any(|(port, _)| *port == KUBELET) {
        hint += "; another Kubernetes (k3s, kubeadm) cannot run beside microk8s";
    }
    if taken.iter().all(|(port, _)| *port == REGISTRY) {
        hint += ", or leave `registry` out of the lab's addOns";
    }
    // One that was only just stopped may still hold its own.
    let may_be_its_own = !case.is_kind() && case.host.microk8s.is_some();
    match may_be_its_own {
        true => {
            Check::warn("ports", format!("{}: perhaps by microk8s itself, which is stopped", causes.join("; ")), hint)
        }
        false => Check::fail("ports", causes.join("; "), hint),
    }
}

/// Whether the registry there is the lab's own.
fn has_registry(case: &Case) -> bool {
    let microk8s = case.host.microk8s.as_ref();
    let enabled = microk8s.and_then(|microk8s| microk8s.add_ons.get("registry")).copied().unwrap_or(false);
    let made = case.made.iter().any(|object| matches!(object, HostObject::Container { .. }));
    if case.is_kind() { made } else { enabled }
}

fn proxy(case: &Case) -> Option<Check> {
    let proxies = &case.host.system.proxies;
    let named = |what: &str| proxies.iter().find(|(name, _)| name.eq_ignore_ascii_case(what));
    let (name, _) = named("https_proxy").or_else(|| named("http_proxy"))?;
    let spared = named("no_proxy").map(|(_, list)| list.as_str()).unwrap_or_default();
    let own = case.own_address();
    let local = spared.split(',').any(|part| matches!(part.trim(), "127.0.0.1" | "127.0.0.0/8" | "*"));
    let own_spared =
        own.as_ref().is_none_or(|own| spared.split(',').any(|part| part.trim() == own || part.trim() == "*"));
    let (whose, pulls) = match case.is_kind() {
        true => {
            ("the daemon of Docker does", "set it for the daemon as https://docs.docker.com/engine/daemon/proxy says")
        }
        false => (
            "snapd and microk8s do",
            "set it there: `sudo snap set system proxy.https=ADDRESS`, and HTTPS_PROXY and NO_PROXY=10.1.0.0/16,10.152.183.0/24 \
             in /etc/environment before microk8s starts",
        ),
    };
    let cause = format!("{name} is set here; {whose} not take it from this shell");
    if local && own_spared {
        return Some(Check::warn("proxy", cause, pulls));
    }
    let missing = own.map_or("localhost,127.0.0.1".into(), |own| format!("localhost,127.0.0.1,{own}"));
    let cause = format!("{cause}, and NO_PROXY does not spare the cluster");
    Some(Check::warn("proxy", cause, format!("export NO_PROXY={missing} here; {pulls}")))
}

impl Case<'_> {
    /// The address at which microk8s serves its API.
    fn own_address(&self) -> Option<String> {
        let network = &self.host.network;
        let name = network.default_interface.as_ref().filter(|_| !self.is_kind())?;
        network.interfaces.iter().find(|one| one.name == *name).map(|one| one.address.to_string())
    }
}
