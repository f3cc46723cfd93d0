//! `iris-lab reset`: back to before the first `up`, and the proof of it.

use super::again;
use super::here::Here;
use super::longhorn::Longhorn;
use super::purge;
use super::run::{judge, lock, release, run};
use crate::cli::ResetArgs;
use crate::cluster::{Cluster, Labelled, Lock};
use crate::engine::Session;
use crate::engine::journal::{Change, Journal};
use crate::engine::lock::HostLock;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::host;
use crate::model::image::registry;
use crate::model::object::LAB_LABEL;
use crate::model::{Action, HostFacts, HostObject, ObjectRef, Step};
use crate::paths::{self, StateDir};
use crate::plan;
use crate::provider;
use crate::ui::{ResetSummary, Ui};

/// Removes everything of a lab.
pub async fn reset(ui: &Ui, args: &ResetArgs) -> Result<()> {
    let state = StateDir::resolve()?;
    if args.lab.name.is_none() && state.labs()?.is_empty() {
        return purge::without_a_lab(ui, &state, args).await;
    }
    let here = Here::find(args.lab.name.as_deref())?;
    let held_here = HostLock::take(&here.dir, &format!("reset {}", here.name))?;
    let undo = Undo::plan(&here, args.purge).await?;
    let cluster = reach(&here, &undo).await?;
    let held = match &cluster {
        Some(cluster) => lock(cluster, here.provider, &format!("reset {}", here.name)).await?,
        None => None,
    };
    let result = locked(ui, args, here, cluster, held.as_ref(), undo).await;
    release(ui, held).await;
    drop(held_here);
    result
}

/// What is undone on this host.
struct Undo {
    steps: Vec<Step>,
    /// What was made on this host and stays.
    stays: Vec<HostObject>,
    /// Labs that are on the same cluster, for which all of it stays.
    others: Vec<String>,
    /// Whether there still is a cluster.
    exists: bool,
}

impl Undo {
    async fn plan(here: &Here, purge: bool) -> Result<Self> {
        let mut made = here.journal.made();
        made.extend(purge::kept(&here.state)?.into_iter().filter(|object| !here.journal.made().contains(object)));
        let others = here.others_on_its_cluster()?;
        let cache = paths::cache()?;
        let uses_host = here.provider.uses_host();
        let seen = if uses_host { host::facts(&System, &cache).await? } else { HostFacts::default() };
        let (lab, dir) = (here.name.as_str(), here.dir.path());
        let steps = match others.is_empty() {
            true => {
                let undo = provider::Undo { lab, dir, cache: &cache, host: &seen, made: &made, purge };
                [here.provider.removal(&undo)?, provider::images(&undo)].concat()
            }
            false => Vec::new(),
        };
        let exists = here.provider.exists(&here.name, &seen);
        let stays = purge::stays(&made, &steps).await;
        Ok(Undo { steps, stays, others, exists })
    }

    /// The objects that the steps remove.
    fn objects(&self) -> impl Iterator<Item = &HostObject> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Unmake { object, .. } => Some(object),
            _ => None,
        })
    }

    /// Leaves folders of data: somebody else's Longhorn keeps its own there by now.
    fn leave_folders(&mut self) {
        let is_folder = |step: &Step| matches!(&step.action, Action::Unmake { object: HostObject::Folder { .. }, .. });
        self.steps.retain(|step| !is_folder(step));
    }

    /// Whether the cluster goes, with everything in it.
    fn takes_the_cluster(&self) -> bool {
        self.objects().any(HostObject::is_the_cluster)
    }
}

/// The cluster; none where nothing can be in it, or where it does not run and goes as a whole.
async fn reach(here: &Here, undo: &Undo) -> Result<Option<Cluster>> {
    let select = again::selector(&here.state, &here.name)?;
    if !here.runs().await? {
        if !undo.exists || undo.takes_the_cluster() || !here.dir.kubeconfig().exists() {
            return Ok(None);
        }
        let start = format!("start it with `iris-lab start{select}`, then run `iris-lab reset{select}` again");
        let failure = Failure::requirement(format!("the cluster of the lab {} is stopped", here.name))
            .cause("what is in it can only be removed while it runs")
            .hint(start);
        return Err(match undo.stays.iter().any(HostObject::holds_the_cluster) {
            true => failure.hint(format!("or remove it as a whole with `iris-lab reset{select} --purge`")),
            false => failure,
        });
    }
    let found = here.connect().await;
    if found.is_err() && undo.takes_the_cluster() {
        // What is in it needs no server to go.
        return Ok(None);
    }
    found.map_err(|failure| {
        failure
            .hint(format!(
                "what is in a cluster can only be removed while it answers; then run `iris-lab reset{select}` again"
            ))
            .hint(format!("if the cluster is gone for good, remove {}", here.dir.path().display()))
    })
}

async fn locked(
    ui: &Ui,
    args: &ResetArgs,
    here: Here,
    cluster: Option<Cluster>,
    lock: Option<&Lock>,
    mut undo: Undo,
) -> Result<()> {
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
        confirm(ui, &here, &found, &longhorn, &undo)?;
    }
    let removal = longhorn.removal(&here.name, here.target().ok().map(|target| target.namespace.as_str()));
    if longhorn.is_others() {
        undo.leave_folders();
    }
    let undone: Vec<String> = undo.objects().map(|object| format!("the {object}")).collect();
    let Undo { steps, stays, others, .. } = undo;
    let plan = plan::reset(&here.name, here.provider, &found, cluster.is_some(), removal.as_ref(), steps)?;
    // Before the lab's own journal goes.
    purge::keep(&here.state, &stays)?;
    let state = here.state.clone();
    let registries = registries(&here);
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
    let (seconds, mut removed) = (outcome.elapsed.as_secs_f64(), plan.deleted(&session.removed()));
    removed.extend(plan.unmade(&outcome.changed));
    let purge = if args.purge { " --purge" } else { "" };
    judge(ui, outcome, "files", &format!("iris-lab reset{select}{adopt}{purge}"))?;
    Journal::forget_kept(&state, &stays)?;
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
    removed.push(folder);
    let mut kept = longhorn.kept();
    kept.extend(purge::lines(&stays, &others));
    let lab = Some(lab);
    let mut not_looked_at = if simulated { Vec::new() } else { longhorn.not_looked_at(here.provider) };
    not_looked_at.extend(registries);
    let summary = ResetSummary { lab, simulated, removed, kept, looked_at, not_looked_at, seconds };
    ui.result(|look| summary.text(look), &summary)
}

/// Registries of the user's own that have images of the lab: nothing is removed there.
fn registries(here: &Here) -> Vec<String> {
    if here.provider.makes_cluster() {
        return Vec::new();
    }
    let made = here.journal.made();
    let hosts = made.iter().filter_map(|object| match object {
        HostObject::Image { name } => Some(registry(name).0).filter(|host| !host.is_empty()),
        _ => None,
    });
    let hosts: std::collections::BTreeSet<&str> = hosts.collect();
    hosts.into_iter().map(|host| format!("the image registry {host}: what was pushed there stays")).collect()
}

fn confirm(ui: &Ui, here: &Here, found: &[ObjectRef], longhorn: &Longhorn, undo: &Undo) -> Result<()> {
    let claims: Vec<&str> =
        found.iter().filter(|o| o.kind == "PersistentVolumeClaim").map(|claim| claim.name.as_str()).collect();
    let data = if claims.is_empty() {
        "It has no volumes".into()
    } else {
        format!("Its data goes too: {}", claims.join(", "))
    };
    let longhorn = longhorn.warning().map(|text| format!(". {text}")).unwrap_or_default();
    let whole = undo.objects().find(|object| object.is_the_cluster());
    let whole =
        whole.map(|object| format!(". The {object} goes as a whole, with whatever else is in it")).unwrap_or_default();
    let what = format!("This removes the lab {} and its {} objects. {data}{longhorn}{whole}", here.name, found.len());
    ui.confirm_typed(&what, &here.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn folders_that_somebody_else_uses_by_now_are_left() {
        let unmake = |object: HostObject| {
            Step::new("x", "x", Duration::from_secs(1), Action::Unmake { object, commands: Vec::new() })
        };
        let snap = HostObject::Snap { name: "microk8s".into() };
        let folder = HostObject::Folder { path: "/var/lib/longhorn".into() };
        let steps = vec![unmake(snap.clone()), unmake(folder)];
        let mut undo = Undo { steps, stays: Vec::new(), others: Vec::new(), exists: true };
        undo.leave_folders();
        assert_eq!(undo.objects().collect::<Vec<_>>(), [&snap]);
    }
}
