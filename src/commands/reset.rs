//! `iris-lab reset`: back to before the first `up`, and the proof of it.

use super::here::Here;
use super::run::{lock, release, run};
use crate::cli::ResetArgs;
use crate::cluster::{Cluster, Lock};
use crate::engine::lock::HostLock;
use crate::engine::{Outcome, Session};
use crate::error::{Failure, Kind, Result};
use crate::model::ObjectRef;
use crate::model::object::LAB_LABEL;
use crate::paths::StateDir;
use crate::plan;
use crate::ui::{ResetSummary, Ui};
use serde_json::json;

/// Removes everything of a lab.
pub async fn reset(ui: &Ui, args: &ResetArgs) -> Result<()> {
    if args.lab.name.is_none() && StateDir::resolve()?.labs()?.is_empty() {
        let nothing = json!({ "lab": null, "removed": [], "seconds": 0.0 });
        return ui.result(|_| "There is no lab: nothing is to be removed".into(), &nothing);
    }
    let here = Here::find(args.lab.name.as_deref())?;
    let host = HostLock::take(&here.dir, &format!("reset {}", here.name))?;
    let cluster = here.connect().await.map_err(|failure| {
        failure
            .hint("what is in a cluster can only be removed while it answers; then run `iris-lab reset` again")
            .hint(format!("if the cluster is gone for good, remove {}", here.dir.path().display()))
    })?;
    let held = match &cluster {
        Some(cluster) => lock(cluster, here.provider, &format!("reset {}", here.name)).await?,
        None => None,
    };
    let result = locked(ui, args, here, cluster, held.as_ref()).await;
    release(ui, held).await;
    drop(host);
    result
}

async fn locked(ui: &Ui, args: &ResetArgs, here: Here, cluster: Option<Cluster>, lock: Option<&Lock>) -> Result<()> {
    let found = match &cluster {
        Some(cluster) => cluster.labelled(Some(&here.name)).await?,
        None => Vec::new(),
    };
    if !args.yes && !here.provider.is_simulated() {
        confirm(ui, &here, &found)?;
    }
    let plan = plan::reset(&here.name, here.provider, &found, cluster.is_some());
    let (lab, simulated, reached) = (here.name.clone(), here.provider.is_simulated(), cluster.is_some());
    let folder = here.dir.path().display().to_string();
    let session = Session::new(&here.name, &here.state, here.journal, cluster, lock);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    let seconds = outcome.elapsed.as_secs_f64();
    judge(ui, outcome)?;
    let mut looked_at = Vec::new();
    if reached {
        looked_at.push(format!("every kind of object in the cluster, for the label {LAB_LABEL}={lab}"));
    }
    if simulated {
        looked_at.push("the process of the simulated cluster".into());
    }
    looked_at.push(format!("{folder} on this host"));
    let mut removed = plan.deleted();
    removed.push(folder);
    let summary = ResetSummary { lab, simulated, removed, looked_at, seconds };
    ui.result(|look| summary.text(look), &summary)
}

fn confirm(ui: &Ui, here: &Here, found: &[ObjectRef]) -> Result<()> {
    let claims: Vec<&str> =
        found.iter().filter(|o| o.kind == "PersistentVolumeClaim").map(|claim| claim.name.as_str()).collect();
    let data = if claims.is_empty() {
        "It has no volumes".into()
    } else {
        format!("Its data goes too: {}", claims.join(", "))
    };
    ui.confirm_typed(&format!("This removes the lab {} and its {} objects. {data}", here.name, found.len()), &here.name)
}

/// A reset succeeds when nothing is left, whatever failed on the way there; the last step runs only then.
fn judge(ui: &Ui, outcome: Outcome) -> Result<()> {
    if outcome.cancelled || outcome.failures.is_empty() {
        return outcome.into_result();
    }
    if outcome.changed.iter().any(|step| step == "files") {
        for (step, failure) in &outcome.failures {
            ui.note(format!("warning: the step {step} failed, and what it was for is gone all the same: {failure}"));
        }
        return Ok(());
    }
    let mut failure = Failure::new(Kind::Left, "reset left something behind");
    for (step, cause) in outcome.failures {
        failure.causes.push(format!("{step}: {}", cause.message));
        failure.causes.extend(cause.causes);
        failure.hints.extend(cause.hints);
    }
    failure.hints.push("mend the cause and run `iris-lab reset` again".into());
    failure.hints.dedup();
    Err(failure)
}
