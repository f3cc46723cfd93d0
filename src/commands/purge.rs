//! What `reset` keeps on this host for the next lab, and `reset --purge` removes: it stands in a journal of its own, so that it stays
//! known after the lab's own journal has gone.

use super::run::run;
use crate::cli::ResetArgs;
use crate::engine::Session;
use crate::engine::journal::{Change, Journal};
use crate::error::Result;
use crate::exec::System;
use crate::host;
use crate::model::{Action, HostObject, Plan, Step, Verb};
use crate::paths::{self, StateDir};
use crate::provider::{self, Undo};
use crate::ui::{ResetSummary, Ui};

/// Stands for a lab where there is none: no lab has a dot in its name, and so none has its folder.
pub(super) const NO_LAB: &str = "no.lab";

/// What is kept, beside what a lab's own journal says.
pub fn kept(state: &StateDir) -> Result<Vec<HostObject>> {
    Ok(Journal::kept(state)?.made())
}

/// What these steps do not undo is kept, as far as it is there: it may never have come to be, or somebody else removed it.
pub async fn stays(made: &[HostObject], undo: &[Step]) -> Vec<HostObject> {
    let undone = |object: &HostObject| {
        undo.iter().any(|step| matches!(&step.action, Action::Unmake { object: gone, .. } if object.goes_with(gone)))
    };
    let mut stays = Vec::new();
    for object in made.iter().filter(|object| !undone(object)) {
        // Unknown is not absent.
        if host::has(&System, object).await.unwrap_or(true) {
            stays.push(object.clone());
        }
    }
    stays
}

/// Notes what is kept, before the lab's own journal goes.
pub fn keep(state: &StateDir, objects: &[HostObject]) -> Result<()> {
    let mut journal = Journal::kept(state)?;
    objects.iter().try_for_each(|object| journal.record(Change::Host { object: object.clone() }))
}

/// How a summary names it.
pub fn lines(objects: &[HostObject], others: &[String]) -> Vec<String> {
    let why = match others {
        [] => "for the next lab; `iris-lab reset --purge` removes it".to_string(),
        others => format!("because the lab {} uses it", others.join(" and the lab ")),
    };
    objects.iter().map(|object| format!("{object}, {why}")).collect()
}

/// `reset` without a lab: removes what is kept when that is wanted, and says otherwise that it is there.
pub async fn without_a_lab(ui: &Ui, state: &StateDir, args: &ResetArgs) -> Result<()> {
    let kept = kept(state)?;
    let mut summary = ResetSummary { lab: None, ..ResetSummary::default() };
    if kept.is_empty() || !args.purge {
        summary.kept = lines(&kept, &[]);
        return ui.result(|look| summary.text(look), &summary);
    }
    let cache = paths::cache()?;
    let host = host::facts(&System, &cache).await?;
    // Nothing that is kept is in a folder of a lab's.
    let undo = Undo { lab: "", dir: &cache, cache: &cache, host: &host, made: &kept, purge: true };
    let makers = provider::ALL.iter().filter(|provider| provider.uses_host());
    let steps = makers.map(|provider| provider.removal(&undo)).collect::<Result<Vec<_>>>()?;
    let mut steps: Vec<Step> = steps.into_iter().flatten().chain(provider::images(&undo)).collect();
    let stays = stays(&kept, &steps).await;
    let ids: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
    for (step, before) in steps.iter_mut().skip(1).zip(ids) {
        step.needs.push(before);
    }
    let (lab, provider) = ("kept".into(), "none".into());
    let plan = Plan { verb: Verb::Reset, lab, namespace: None, provider, simulated: false, steps };
    if !args.yes {
        let names: Vec<String> = kept.iter().map(|object| format!("the {object}")).collect();
        let what = format!("This removes {}, with whatever else is in it by now", names.join(", "));
        ui.confirm_typed(&what, "yes")?;
    }
    let session = Session::new(NO_LAB, state, Journal::kept(state)?, None, None, &System);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    (summary.seconds, summary.removed) = (outcome.elapsed.as_secs_f64(), plan.unmade(&outcome.changed));
    outcome.into_result().map_err(|failure| failure.hint("mend the cause and run `iris-lab reset --purge` again"))?;
    Journal::forget_kept(state, &stays)?;
    summary.kept = lines(&stays, &[]);
    summary.looked_at = kept.iter().map(|object| format!("the {object}")).collect();
    ui.result(|look| summary.text(look), &summary)
}
