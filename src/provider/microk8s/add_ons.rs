//! The add-ons that microk8s brings: enabled one by one, because each restarts something that the next one needs.

use super::minor;
use crate::error::{Failure, Result};
use crate::lab::{AddOnName, Lab};
use crate::model::{Action, HostObject, Step};
use crate::provider::{CLUSTER, Wishes};
use std::time::Duration;

/// Images are pulled before some of them say that they are done.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// In this order.
const ALL: [AddOnName; 4] = [AddOnName::Dns, AddOnName::Storage, AddOnName::Registry, AddOnName::Metallb];
/// The release that moved the add-ons to a repository of their own, and renamed one.
const RENAMED: u32 = 24;
/// The release from which on the registry takes options.
const OPTIONS: u32 = 25;
/// The least that the registry takes, and what it takes by itself.
const REGISTRY_SIZE: &str = "20Gi";
/// What passes: dns restarts the kubelet, and with it, from 1.21 on, the API server; snapd is at something else; newer releases let
/// one call in at a time.
const PASSING: [&str; 5] = [
    "change in progress",
    "connection refused",
    "connection reset by peer",
    "ServiceUnavailable",
    "TLS handshake timeout",
];

/// The steps for one add-on. The registry takes storage along: without a step of its own, nobody would disable that again.
pub fn steps(add_on: AddOnName, lab: &Lab, wishes: &Wishes) -> Result<Vec<Step>> {
    let mut wanted = vec![add_on];
    if add_on == AddOnName::Registry && !lab.has(AddOnName::Storage) {
        wanted.insert(0, AddOnName::Storage);
    }
    let mut before = before(add_on, lab);
    let mut steps = Vec::new();
    for add_on in wanted {
        steps.push(step(add_on, lab, wishes)?.after([before]));
        before = add_on.name();
    }
    Ok(steps)
}

/// Id of the step before: that of the add-on before it, or the cluster's.
fn before(add_on: AddOnName, lab: &Lab) -> &'static str {
    let earlier = ALL.into_iter().take_while(|one| *one != add_on).filter(|one| lab.has(*one));
    earlier.last().map_or(CLUSTER, AddOnName::name)
}

fn step(add_on: AddOnName, lab: &Lab, wishes: &Wishes) -> Result<Step> {
    let host = wishes.host;
    let minor = minor(lab, host);
    let newer = |than: u32| minor.is_none_or(|minor| minor >= than);
    let name = match add_on {
        AddOnName::Storage if newer(RENAMED) => "hostpath-storage",
        other => other.name(),
    };
    let there = host.microk8s.as_ref().is_some_and(|seen| is_on(&seen.add_ons, name));
    // Not all forms of arguments go together: one add-on a call, and each in the form that every release with it takes.
    let words = match add_on {
        // One that is enabled has its range.
        AddOnName::Metallb if there => vec![name.into()],
        AddOnName::Metallb => vec![format!("{name}:{}", range(lab)?)],
        AddOnName::Registry if newer(OPTIONS) => vec![name.into(), "--size".into(), REGISTRY_SIZE.into()],
        AddOnName::Registry => vec![format!("{name}:size={REGISTRY_SIZE}")],
        _ => vec![name.to_string()],
    };
    let commands = vec![host.user.microk8s(["enable".to_string()].into_iter().chain(words))];
    let passing = PASSING.map(Into::into).into();
    let object = HostObject::Microk8sAddOn { name: name.into() };
    let reason = match wishes.made.contains(&object) {
        true => "it is enabled already",
        false => "it is enabled already, and not by us: reset will leave it",
    };
    Ok(Step::new(
        add_on.name(),
        format!("Enable the add-on {name}"),
        TIMEOUT,
        Action::Make { object, commands, passing },
    )
    .satisfied_by(there.then(|| reason.into())))
}

/// Whether an add-on is enabled, under its new name or its old one.
fn is_on(add_ons: &std::collections::BTreeMap<String, bool>, name: &str) -> bool {
    let old = (name == "hostpath-storage").then_some("storage");
    [Some(name), old].into_iter().flatten().any(|name| add_ons.get(name) == Some(&true))
}

/// The addresses that metallb gives. Without them, its `enable` asks, and waits for ever.
fn range(lab: &Lab) -> Result<String> {
    let range = lab.spec.metallb.range.as_ref().ok_or_else(|| {
        Failure::requirement("metallb needs a range of addresses, and none is known for this machine's network")
            .hint("give one with --lb-range FIRST-LAST, or leave metallb out with `--set addOns=[dns, storage]`")
    })?;
    Ok(range.split_whitespace().collect())
}
