//! `iris-lab reset`: back to before the first `up`, and the proof of it.

use super::again;
use super::here::Here;
use super::longhorn::Longhorn;
use super::run::{judge, lock, release, run};
use crate::cli::ResetArgs;
use crate::cluster::{Cluster, Labelled, Lock};
use crate::engine::Session;
use crate::engine::journal::Change;
use crate::engine::lock::HostLock;
use crate::error::Result;
use crate::exec::System;
use crate::host;
use crate::model::object::LAB_LABEL;
use crate::model::{Action, HostFacts, HostObject, ObjectRef};
use crate::paths::{self, StateDir};
use crate::plan;
use crate::provider::Undo;
use crate::ui::{ResetSummary, Ui};
use serde_json::json;

/// Removes everything of a lab.
pub async fn reset(ui: &Ui, args: &ResetArgs) -> Result<()> {
    if args.lab.name.is_none() && StateDir::resolve()?.labs()?.is_empty() {
        let nothing = json!({ "lab": null, "removed": [], "seconds": 0.0 });
        return ui.result(|_| "There is no lab: nothing is to be removed".into(), &nothing);
    }
    let here = Here::find(args.lab.name.as_deref())?;
    let held_here = HostLock::take(&here.dir, &format!("reset {}", here.name))?;
    let cluster = match here.connect().await {
        Err(failure) if here.journal.made().iter().any(HostObject::is_the_cluster) => {
            ui.note(format!("warning: the cluster does not answer, and goes as a whole: {failure}"));
            None
        }
        found => found.map_err(|failure| {
            failure
                .hint("what is in a cluster can only be removed while it answers; then run `iris-lab reset` again")
                .hint(format!("if the cluster is gone for good, remove {}", here.dir.path().display()))
        })?,
    };
    let held = match &cluster {
        Some(cluster) => lock(cluster, here.provider, &format!("reset {}", here.name)).await?,
        None => None,
    };
    let result = locked(ui, args, here, cluster, held.as_ref()).await;
    release(ui, held).await;
    drop(held_here);
    result
}

async fn locked(ui: &Ui, args: &ResetArgs, here: Here, cluster: Option<Cluster>, lock: Option<&Lock>) -> Result<()> {
    let mut found = Labelled::default();
    let mut longhorn = Longhorn::default();
    if let Some(cluster) = &cluster {
        found = cluster.labelled(Some(&here.name)).await?;
        longhorn = Longhorn::look(cluster, &here, &found.objects, args.adopt).await?;
    }
    for version in &found.unseen {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        ui.note(format!(
            "warning: the API service {version}.{group} is dead: no namespace can end until it answers again, or is removed with \
             `kubectl delete apiservice {version}.{group}`"
        ));
    }
    let Labelled { objects: found, .. } = found;
    if !args.yes && !here.provider.is_simulated() {
        confirm(ui, &here, &found, &longhorn)?;
    }
    let removal = longhorn.removal(&here.name, here.target().ok().map(|target| target.namespace.as_str()));
    let uses_host = here.provider.uses_host();
    let cache = paths::cache()?;
    let host = if uses_host { host::facts(&System, &cache).await? } else { HostFacts::default() };
    let (made, dir) = (here.journal.made(), here.dir.path());
    let undo = Undo { lab: &here.name, dir, cache: &cache, host: &host, made: &made, purge: args.purge };
    let undo = here.provider.removal(&undo)?;
    let undone: Vec<String> = undo
        .iter()
        .filter_map(|step| match &step.action {
            Action::Unmake { object, .. } => Some(format!("the {object}")),
            _ => None,
        })
        .collect();
    let plan = plan::reset(&here.name, here.provider, &found, cluster.is_some(), removal.as_ref(), undo)?;
    let mut journal = here.journal;
    if longhorn.goes() {
        // Its own objects carry no label: a run that is killed is gone on with by this.
        journal.record(Change::Longhorn)?;
    }
    let (lab, simulated, reached) = (here.name.clone(), here.provider.is_simulated(), cluster.is_some());
    let folder = here.dir.path().display().to_string();
    let (select, adopt) = (again::selector(&here.state, &lab)?, if args.adopt { " --adopt" } else { "" });
    let session = Session::new(&here.name, &here.state, journal, cluster, lock, &System);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    let (seconds, changed) = (outcome.elapsed.as_secs_f64(), outcome.changed.clone());
    judge(ui, outcome, "files", &format!("iris-lab reset{select}{adopt}"))?;
    let mut looked_at = Vec::new();
    if reached {
        looked_at.push(format!("every kind of object in the cluster, for the label {LAB_LABEL}={lab}"));
    }
    if simulated {
        looked_at.push("the process of the simulated cluster".into());
    }
    looked_at.extend(undone);
    looked_at.extend(longhorn.goes().then(|| "what Longhorn leaves in a cluster".into()));
    looked_at.push(format!("{folder} on this host"));
    let mut removed = plan.deleted(&changed);
    removed.push(folder);
    let (kept, not_looked_at) = (longhorn.kept(), if simulated { Vec::new() } else { longhorn.not_looked_at() });
    let summary = ResetSummary { lab, simulated, removed, kept, looked_at, not_looked_at, seconds };
    ui.result(|look| summary.text(look), &summary)
}

fn confirm(ui: &Ui, here: &Here, found: &[ObjectRef], longhorn: &Longhorn) -> Result<()> {
    let claims: Vec<&str> =
        found.iter().filter(|o| o.kind == "PersistentVolumeClaim").map(|claim| claim.name.as_str()).collect();
    let data = if claims.is_empty() {
        "It has no volumes".into()
    } else {
        format!("Its data goes too: {}", claims.join(", "))
    };
    let longhorn = longhorn.warning().map(|text| format!(". {text}")).unwrap_or_default();
    let what = format!("This removes the lab {} and its {} objects. {data}{longhorn}", here.name, found.len());
    ui.confirm_typed(&what, &here.name)
}
