//! `iris-lab stop` and `iris-lab start`: the cluster goes and comes back, with all that is in it.

use super::again;
use super::here::Here;
use super::run::{lock, release, run};
use crate::cli::PauseArgs;
use crate::cluster::{Cluster, Lock};
use crate::engine::Session;
use crate::engine::lock::HostLock;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::host;
use crate::model::{HostFacts, Verb};
use crate::paths;
use crate::plan::Paused;
use crate::ui::{PauseSummary, Ui};

/// Stops the cluster of a lab.
pub async fn stop(ui: &Ui, args: &PauseArgs) -> Result<()> {
    let (here, facts) = look(args).await?;
    let _host = HostLock::take(&here.dir, &format!("stop {}", here.name))?;
    if !here.runs().await? {
        let summary = summary(&here, Verb::Stop)?;
        return ui.result(|look| summary.text(look), &summary);
    }
    for other in here.others_on_its_cluster()? {
        ui.note(format!("warning: the lab {other} is on the same cluster, and its pods are not stopped before it"));
    }
    let cluster = here.connect().await?;
    let held = match &cluster {
        Some(cluster) => lock(cluster, here.provider, &format!("stop {}", here.name)).await?,
        None => None,
    };
    let result = carry_out(ui, args, here, &facts, Verb::Stop, cluster, held.as_ref()).await;
    release(ui, held).await;
    result
}

/// Starts it again.
pub async fn start(ui: &Ui, args: &PauseArgs) -> Result<()> {
    let (here, facts) = look(args).await?;
    let _host = HostLock::take(&here.dir, &format!("start {}", here.name))?;
    carry_out(ui, args, here, &facts, Verb::Start, None, None).await
}

/// The lab and its host. A provider whose clusters cannot be stopped says so before anything is looked at.
async fn look(args: &PauseArgs) -> Result<(Here, HostFacts)> {
    let here = Here::find(args.lab.name.as_deref())?;
    here.target()?;
    if here.provider.running(&here.name).is_none() {
        return Err(here.provider.no_stop());
    }
    let facts = host::facts(&System, &paths::cache()?).await?;
    Ok((here, facts))
}

async fn carry_out(
    ui: &Ui,
    args: &PauseArgs,
    here: Here,
    host: &HostFacts,
    verb: Verb,
    cluster: Option<Cluster>,
    lock: Option<&Lock>,
) -> Result<()> {
    let target = here.target()?.clone();
    let (lab, provider) = (here.name.as_str(), here.provider);
    let paused = Paused { lab, namespace: &target.namespace, replicas: target.replicas, provider, host };
    let plan = if verb == Verb::Stop { paused.stop()? } else { paused.start()? };
    let mut summary = summary(&here, verb)?;
    let session = Session::new(lab, &here.state, here.journal, cluster, lock, &System);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    (summary.changed, summary.seconds) = (outcome.changed.len(), outcome.elapsed.as_secs_f64());
    let again = format!("mend the cause and run `iris-lab {}{}` again", verb.name(), summary.select);
    outcome.into_result().map_err(|failure: Failure| failure.hint(again))?;
    ui.result(|look| summary.text(look), &summary)
}

fn summary(here: &Here, verb: Verb) -> Result<PauseSummary> {
    let select = again::selector(&here.state, &here.name)?;
    Ok(PauseSummary { lab: here.name.clone(), stopped: verb == Verb::Stop, select, ..PauseSummary::default() })
}
