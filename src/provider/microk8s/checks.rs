//! What must hold on this host before microk8s is made or used.

use super::{SNAP, channel, minor, name};
use crate::lab::{AddOnName, Lab};
use crate::model::range;
use crate::model::{Check, Facts, HostFacts};
use std::collections::BTreeSet;

/// Releases whose containerd does not start on version 2 of the control groups.
const OLD_CGROUPS: std::ops::RangeInclusive<u32> = 19..=21;

/// All of them.
pub fn checks(lab: &Lab, facts: &Facts, host: &HostFacts) -> Vec<Check> {
    let all = [snapd(host), rights(host), readable(host), cgroups(lab, host), version(lab, host), range(lab, facts)];
    all.into_iter().flatten().collect()
}

fn snapd(host: &HostFacts) -> Option<Check> {
    if host.microk8s.is_some() || host.snap.as_ref().is_some_and(|snap| !snap.version.is_empty()) {
        return None;
    }
    Some(match &host.snap {
        None => {
            Check::fail(name(), "it is a snap, and snapd is not installed", "install snapd: `sudo apt install snapd`")
        }
        Some(_) => {
            let hint = "start it with `sudo systemctl enable --now snapd.socket`";
            Check::fail(name(), "it is a snap, and snapd does not answer", hint)
        }
    })
}

/// Installing needs root, and so does every call in a login that has not the group yet.
fn rights(host: &HostFacts) -> Option<Check> {
    let user = &host.user;
    if user.is_root || user.sudo || (host.microk8s.is_some() && user.groups.iter().any(|group| group == SNAP)) {
        return None;
    }
    let (cause, hint) = match host.microk8s {
        None => ("installing it needs root, and sudo asks for a password", "run `sudo -v` first, which asks once"),
        Some(_) => (
            "this login is not in its group, and sudo asks for a password",
            "run `sudo -v` first, or join the group with `sudo usermod -a -G microk8s $USER` and log in again",
        ),
    };
    Some(Check::fail(name(), cause, hint))
}

fn readable(host: &HostFacts) -> Option<Check> {
    let why = host.microk8s.as_ref()?.unreadable.as_ref()?;
    let hint = if why.contains("Insufficient permissions") {
        "join its group with `sudo usermod -a -G microk8s $USER`, log in again, and look with `microk8s status`"
    } else {
        "look at it with `microk8s status` and `microk8s inspect`"
    };
    Some(Check::fail(name(), format!("it does not say how it is: {why}"), hint))
}

fn cgroups(lab: &Lab, host: &HostFacts) -> Option<Check> {
    let minor = minor(lab, host).filter(|minor| OLD_CGROUPS.contains(minor))?;
    (host.system.cgroups == 2).then(|| {
        let cause =
            format!("1.{minor} does not start on this host: its containerd needs version 1 of the control groups");
        Check::warn(name(), cause, "use `--channel 1.24/stable`, or boot with systemd.unified_cgroup_hierarchy=0")
    })
}

/// One that is there is used as it is, also when the lab names another.
fn version(lab: &Lab, host: &HostFacts) -> Option<Check> {
    let seen = host.microk8s.as_ref()?;
    let named = lab.spec.microk8s.channel.is_some() || lab.spec.kubernetes.is_some();
    let wanted = channel::of(lab);
    let same =
        seen.channel == wanted || crate::model::host::minor(&wanted).is_some_and(|minor| seen.minor() == Some(minor));
    if !named || same {
        return None;
    }
    let cause =
        format!("{} of {} is installed and used as it is; the lab asks for {wanted}", seen.version, seen.channel);
    Some(Check::warn(
        name(),
        cause,
        "nothing changes it but `sudo snap refresh microk8s --channel`, one minor version at a time",
    ))
}

/// metallb keeps the range that it was enabled with, whatever a second `enable` says.
fn range(lab: &Lab, facts: &Facts) -> Option<Check> {
    let there = facts.lb_ranges.as_ref()?;
    let wanted = lab.spec.metallb.range.as_ref().filter(|_| lab.has(AddOnName::Metallb))?;
    // The same addresses, however they are written.
    let set = |ranges: &[String]| -> BTreeSet<String> {
        let read = |text: &String| match range::parse(text) {
            Ok(spans) => spans.iter().map(ToString::to_string).collect(),
            Err(_) => vec![text.clone()],
        };
        ranges.iter().flat_map(read).collect()
    };
    if set(there) == set(std::slice::from_ref(wanted)) {
        return None;
    }
    let (has, hint) = match there.is_empty() {
        true => (
            "no range at all".to_string(),
            "enable it anew: `microk8s disable metallb`, then run this again".to_string(),
        ),
        false => {
            let there = there.join(",");
            let keep = format!("keep it with `--lb-range {there}`");
            (
                there,
                format!(
                    "{keep}, or give it up with `microk8s disable metallb`, which takes the addresses that it gave"
                ),
            )
        }
    };
    Some(Check::fail("metallb", format!("it is enabled with {has}, and the lab asks for {wanted}"), hint))
}
