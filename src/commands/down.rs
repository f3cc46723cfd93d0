//! `iris-lab down`: the workload goes, its volumes stay.

use super::again;
use super::here::Here;
use super::longhorn::Longhorn;
use super::run::{judge, lock, release, run};
use crate::cli::DownArgs;
use crate::cluster::{Cluster, Lock};
use crate::engine::Session;
use crate::engine::lock::HostLock;
use crate::error::Result;
use crate::exec::System;
use crate::plan;
use crate::ui::{DownSummary, Ui};

/// Removes the workload, and the volumes if they are named.
pub async fn down(ui: &Ui, args: &DownArgs) -> Result<()> {
    let here = Here::find(args.lab.name.as_deref())?;
    here.target()?;
    let _host = HostLock::take(&here.dir, &format!("down {}", here.name))?;
    let Some(cluster) = here.connect().await? else { return Err(here.does_not_run()) };
    let held = lock(&cluster, here.provider, &format!("down {}", here.name)).await?;
    let result = locked(ui, args, here, cluster, held.as_ref()).await;
    release(ui, held).await;
    result
}

async fn locked(ui: &Ui, args: &DownArgs, here: Here, cluster: Cluster, lock: Option<&Lock>) -> Result<()> {
    let found = cluster.labelled(Some(&here.name)).await?.objects;
    let claims = found.iter().filter(|object| object.kind == "PersistentVolumeClaim");
    let claims: Vec<String> = claims.map(|claim| claim.name.clone()).collect();
    let select = again::selector(&here.state, &here.name)?;
    let mut longhorn = Longhorn::default();
    if args.longhorn {
        longhorn = Longhorn::look(&cluster, &here, &found, false).await?;
        longhorn.must_go(&here.name, &select, &found, args.delete_data)?;
    }
    let data = (args.delete_data && !claims.is_empty())
        .then(|| format!("This deletes the data of {}: {}", here.name, claims.join(", ")));
    let question: Vec<String> = data.into_iter().chain(longhorn.warning()).collect();
    if !question.is_empty() && !args.yes && !here.provider.is_simulated() {
        ui.confirm_typed(&question.join(". "), &here.name)?;
    }
    let namespace = &here.target()?.namespace;
    let removal = longhorn.removal(&here.name, Some(namespace));
    let plan = plan::down(&here.name, namespace, here.provider, &found, args.delete_data, removal.as_ref())?;
    let (lab, simulated, up) = (here.name.clone(), here.provider.is_simulated(), here.target()?.up.clone());
    let session = Session::new(&here.name, &here.state, here.journal, Some(cluster), lock, &System);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    let (seconds, removed) = (outcome.elapsed.as_secs_f64(), plan.deleted(&session.removed()));
    let hint = format!("run `iris-lab down{select}` again, or remove all with `iris-lab reset{select}`");
    let result = match longhorn.goes() {
        true => judge(ui, outcome, plan::PROOF, &format!("iris-lab down --longhorn{select}")),
        false => outcome.into_result(),
    };
    result.map_err(|failure| failure.hint(hint))?;
    let kept = if args.delete_data { Vec::new() } else { claims };
    let summary = DownSummary { lab, simulated, removed, kept, seconds, up, select };
    ui.result(|look| summary.text(look), &summary)
}
