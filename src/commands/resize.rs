//! `iris-lab resize`: more room for the volumes of a lab.

use super::again;
use super::here::Here;
use super::run::{lock, release, run};
use crate::cli::{ResizeArgs, VolumeChoice};
use crate::cluster::{Cluster, Lock};
use crate::engine::Session;
use crate::engine::lock::HostLock;
use crate::error::Result;
use crate::exec::System;
use crate::model::ObjectRef;
use crate::plan::Resize;
use crate::ui::{ResizeSummary, Ui, plan_text};
use crate::workload::CLAIM_TEMPLATES;

/// Grows the volumes.
pub async fn resize(ui: &Ui, args: &ResizeArgs) -> Result<()> {
    let here = Here::find(args.lab.name.as_deref())?;
    here.target()?;
    let task = format!("resize {}", here.name);
    let _host = if args.dry_run { None } else { Some(HostLock::take(&here.dir, &task)?) };
    let Some(cluster) = here.connect().await? else { return Err(here.does_not_run()) };
    let held = if args.dry_run { None } else { lock(&cluster, here.provider, &task).await? };
    let result = locked(ui, args, here, cluster, held.as_ref()).await;
    release(ui, held).await;
    result
}

async fn locked(ui: &Ui, args: &ResizeArgs, here: Here, cluster: Cluster, lock: Option<&Lock>) -> Result<()> {
    let facts = here.facts(Some(&cluster)).await?;
    let (lab, password_hash) = here.recorded(&facts)?;
    let [mgr, data] = CLAIM_TEMPLATES;
    let templates: &[&str] = match args.volume {
        VolumeChoice::Data => &[data],
        VolumeChoice::Mgr => &[mgr],
        VolumeChoice::All => &CLAIM_TEMPLATES,
    };
    let size = args.size.as_str();
    let resize = Resize { lab: &lab, provider: here.provider, facts: &facts, password_hash, templates, size };
    if let Some(failure) = resize.refusal() {
        return Err(failure);
    }
    if let Some(warning) = resize.warning() {
        ui.note(format!("warning: {warning}"));
    }
    let plan = resize.plan()?;
    if args.dry_run {
        return ui.result(|look| plan_text(&plan, look), &plan);
    }
    if resize.stops_pods() && !args.yes && !here.provider.is_simulated() {
        let what = format!("This stops the pods of {} for as long as their volumes grow", here.name);
        ui.confirm_typed(&what, &here.name)?;
    }
    let select = again::selector(&here.state, &here.name)?;
    let session = Session::new(&here.name, &here.state, here.journal, Some(cluster), lock, &System);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    let (changed, seconds) = (outcome.changed.len(), outcome.elapsed.as_secs_f64());
    outcome.into_result().map_err(|failure| {
        let volume = args.volume.word();
        failure.hint(format!(
            "mend the cause and run `iris-lab resize {size} --volume {volume}{select}` again: it goes on from here"
        ))
    })?;
    let summary = ResizeSummary {
        lab: here.name,
        simulated: here.provider.is_simulated(),
        size: size.into(),
        volumes: resize.claims().into_iter().map(|claim| ObjectRef::of(claim).name).collect(),
        up: resize.is_up(),
        changed,
        seconds,
        select,
    };
    ui.result(|look| summary.text(look), &summary)
}
