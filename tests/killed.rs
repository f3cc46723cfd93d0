//! Killed with SIGKILL at every step, and run again: the same end; and reset from every such state: nothing left.

use crate::scenario::inventory;
use crate::support::{Id, Lab, Place, Run, same, shape};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;

#[test]
fn up_on_the_simulator_then_up() {
    up_again(&Lab::on_sim());
}

#[test]
fn up_on_the_simulator_then_reset() {
    reset_at_once(&Lab::on_sim());
}

#[test]
fn up_on_an_existing_cluster_then_up() {
    up_again(&Lab::new(Place::served(), "killed"));
}

#[test]
fn up_on_an_existing_cluster_then_reset() {
    reset_at_once(&Lab::new(Place::served(), "killed"));
}

#[test]
fn up_on_a_real_cluster() {
    if let Some(place) = Place::real() {
        let lab = Lab::new(place, "e2e-killed");
        up_again(&lab);
        reset_at_once(&lab);
    }
}

#[test]
fn reset_on_the_simulator_then_reset() {
    reset_again(&Lab::on_sim());
}

#[test]
fn reset_on_an_existing_cluster_then_reset() {
    reset_again(&Lab::new(Place::served(), "killed"));
}

const LONGHORN: &[&str] = &["--longhorn"];

#[test]
fn up_with_longhorn_then_up() {
    up_again(&Lab::new(Place::served(), "killed").with(LONGHORN));
}

#[test]
fn up_with_longhorn_then_reset() {
    reset_at_once(&Lab::new(Place::served(), "killed").with(LONGHORN));
}

#[test]
fn reset_with_longhorn_then_reset() {
    reset_again(&Lab::new(Place::served(), "killed").with(LONGHORN));
}

#[test]
fn up_with_longhorn_on_a_real_cluster_then_up() {
    if let Some(place) = Place::real_at_length() {
        up_in_a_row(&Lab::new(place, "e2e-killed").with(LONGHORN));
    }
}

#[test]
fn up_with_longhorn_on_a_real_cluster_then_reset() {
    if let Some(place) = Place::real_at_length() {
        reset_at_once(&Lab::new(place, "e2e-killed").with(LONGHORN));
    }
}

#[test]
fn reset_with_longhorn_on_a_real_cluster_then_reset() {
    if let Some(place) = Place::real_at_length() {
        reset_in_a_row(&Lab::new(place, "e2e-killed").with(LONGHORN));
    }
}

/// Where a run is killed.
#[derive(Debug)]
enum Moment {
    /// When the step says that it begins.
    During(String),
    /// When the step says that it ended.
    After(String),
}

impl Moment {
    fn is(&self, event: &Value) -> bool {
        match self {
            Moment::During(step) => event["event"] == "step-started" && event["step"] == step.as_str(),
            Moment::After(step) => event["event"] == "step-finished" && event["step"] == step.as_str(),
        }
    }
}

/// Every moment of `up`; on a real cluster a few that matter, unless all are asked for.
fn moments(lab: &Lab) -> Vec<Moment> {
    if !lab.place.is_thorough() {
        let (after, during) = (|step: &str| Moment::After(step.into()), |step: &str| Moment::During(step.into()));
        return vec![after("namespace"), during("iris"), after("iris"), after("data-0-ready")];
    }
    let open = lab.steps().into_iter().filter(|step| !step.satisfied);
    open.flat_map(|step| around(lab, step.id)).collect()
}

/// The moments of one step. The many steps of Longhorn follow upon each other: the end of one is the beginning of the next.
fn around(lab: &Lab, step: String) -> Vec<Moment> {
    match lab.flags.as_slice() {
        LONGHORN => vec![Moment::During(step)],
        _ => vec![Moment::During(step.clone()), Moment::After(step)],
    }
}

fn up_again(lab: &Lab) {
    let before = inventory(lab);
    lab.up(&[]).exits(0);
    let undisturbed = state(lab);
    lab.reset().exits(0);
    // That `reset` copes with every moment is tried apart; what `up` makes of it differs little from link to link.
    let every = if lab.flags.as_slice() == LONGHORN { 3 } else { 1 };
    for moment in moments(lab).into_iter().step_by(every) {
        kill_up(lab, &moment);
        lab.up(&[]).exits(0);
        same(&undisturbed, &state(lab), &format!("`up` after a kill {moment:?}"));
        lab.reset().exits(0);
        nothing_is_left(lab, &before, &moment);
    }
}

fn reset_at_once(lab: &Lab) {
    let before = inventory(lab);
    for moment in moments(lab) {
        kill_up(lab, &moment);
        lab.reset().exits(0);
        nothing_is_left(lab, &before, &moment);
    }
}

/// One run after the other, each killed a step later; then one that nobody kills. Where a round takes minutes, every state is still
/// one that a later run has to go on from.
fn up_in_a_row(lab: &Lab) {
    let before = inventory(lab);
    lab.up(&[]).exits(0);
    let undisturbed = state(lab);
    lab.reset().exits(0);
    for moment in moments(lab) {
        kill_up(lab, &moment);
    }
    lab.up(&[]).exits(0);
    same(&undisturbed, &state(lab), "`up` after a kill at every step");
    lab.reset().exits(0);
    nothing_is_left(lab, &before, "every step");
}

fn reset_again(lab: &Lab) {
    let before = inventory(lab);
    for moment in moments_of_reset(lab) {
        lab.up(&[]).exits(0);
        killed_at(lab, &moment);
        lab.reset().exits(0);
        nothing_is_left(lab, &before, &moment);
    }
}

/// As [`up_in_a_row`], for `reset`.
fn reset_in_a_row(lab: &Lab) {
    let before = inventory(lab);
    let moments = moments_of_reset(lab);
    lab.up(&[]).exits(0);
    for moment in moments {
        // What an earlier run has removed to the end is no step of the next one any more.
        if let Err(run) = kill_reset(lab, &moment) {
            run.exits(0);
            lab.up(&[]).exits(0);
            killed_at(lab, &moment);
        }
    }
    lab.reset().exits(0);
    nothing_is_left(lab, &before, "every step");
}

/// Every moment of a `reset` of the whole lab, which is gone then.
fn moments_of_reset(lab: &Lab) -> Vec<Moment> {
    lab.up(&[]).exits(0);
    let events = lab.run(&["reset", "--yes", "-o", "json"]).exits(0).events();
    let steps = events.iter().filter(|event| event["event"] == "step-finished");
    let steps: Vec<String> = steps.filter_map(|event| Some(event["step"].as_str()?.to_string())).collect();
    assert!(!steps.is_empty());
    steps.into_iter().flat_map(|step| around(lab, step)).collect()
}

#[track_caller]
fn killed_at(lab: &Lab, moment: &Moment) {
    if let Err(run) = kill_reset(lab, moment) {
        panic!("no {moment:?} in `reset`\n{}", run.transcript());
    }
}

/// Kills a `reset` at that moment; the run that ended without coming to it.
fn kill_reset(lab: &Lab, moment: &Moment) -> Result<(), Run> {
    let mut seen = false;
    let run = lab.killed(&["reset", "--yes"], |event| {
        seen |= moment.is(event);
        seen
    });
    if seen { Ok(()) } else { Err(run) }
}

fn kill_up(lab: &Lab, moment: &Moment) {
    let mut seen = false;
    let run = lab.killed(&lab.for_lab("up", &[]), |event| {
        seen |= moment.is(event);
        seen
    });
    assert!(seen, "no {moment:?} in `up`\n{}", run.transcript());
}

fn state(lab: &Lab) -> BTreeMap<String, Value> {
    let mut objects = lab.reader().all();
    let others = |namespace: &str| lab.place.is_real() && namespace != lab.namespace;
    objects.retain(|id, object| {
        let claim = object.pointer("/spec/claimRef/namespace").and_then(Value::as_str).unwrap_or(&lab.namespace);
        let is_lock = id.kind == "Lease" && id.name == "iris-lab";
        !is_lock && !others(claim) && (id.namespace.is_empty() || !others(&id.namespace))
    });
    objects.retain(|id, _| !(lab.place.is_real() && id.kind == "Namespace" && id.name != lab.namespace));
    // Longhorn names what it makes for each volume after the volume, and its pods at random; it renews its lease all the time.
    const NAMED_ANEW: &[&str] = &["Engine", "Lease", "Pod", "Replica", "Volume", "VolumeAttachment"];
    let is_named_anew =
        |id: &Id| NAMED_ANEW.contains(&id.kind.as_str()) && matches!(id.namespace.as_str(), "" | "longhorn-system");
    objects.retain(|id, _| !is_named_anew(id));
    shape(&objects, &lab.hash())
}

#[track_caller]
fn nothing_is_left(lab: &Lab, before: &crate::support::Objects, moment: impl Debug) {
    let left = lab.left();
    assert!(left.is_empty(), "left on this host after a kill {moment:?}:\n{}", left.join("\n"));
    same(before, &inventory(lab), &format!("left in the cluster after a kill {moment:?}"));
}
