//! What is to be said of a microk8s that is there: another release or another range than the lab asks for.

use super::{channel, name};
use crate::lab::{AddOnName, Lab};
use crate::model::range;
use crate::model::{Check, Facts, HostFacts};
use std::collections::BTreeSet;

/// All of them: what the checks of the machine do not know, as they look at no channel and into no cluster.
pub fn checks(lab: &Lab, facts: &Facts, host: &HostFacts) -> Vec<Check> {
    [version(lab, host), range(lab, facts)].into_iter().flatten().collect()
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
