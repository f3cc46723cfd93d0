//! `iris-lab unstick`: shows what holds a namespace that does not end, and frees it of what we know.

use super::here::Here;
use super::run::{judge, lock, release, run};
use crate::cli::UnstickArgs;
use crate::cluster::{Cluster, Lock, kubeconfig};
use crate::engine::Session;
use crate::engine::journal::Journal;
use crate::engine::lock::HostLock;
use crate::error::{Failure, Kind, Result};
use crate::exec::System;
use crate::model::longhorn::{GROUP, traces};
use crate::model::{Action, LonghornFacts, ObjectRef, Plan, Stuck, Trace};
use crate::observe;
use crate::paths::StateDir;
use crate::plan::{self, Unstick};
use crate::provider::{self, Provider};
use crate::ui::{Ui, UnstickSummary, plan_text};

/// Stands for a lab where a cluster has none.
const NO_LAB: &str = "unstick";

/// The cluster, and the lab whose it is.
struct Place {
    lab: String,
    state: StateDir,
    journal: Journal,
    provider: &'static dyn Provider,
    cluster: Cluster,
    _host: Option<HostLock>,
}

impl Place {
    async fn find(args: &UnstickArgs) -> Result<Place> {
        if let Some(context) = &args.context {
            let cluster = Cluster::from_text(&kubeconfig::extract(&kubeconfig::users(), context)?).await?;
            let state = StateDir::resolve()?;
            let journal = Journal::read(&state.lab(NO_LAB))?;
            let provider = provider::named("existing")?;
            return Ok(Place { lab: NO_LAB.into(), state, journal, provider, cluster, _host: None });
        }
        let here = Here::find(args.lab.name.as_deref()).map_err(|failure| {
            failure.hint("name a cluster without a lab by its context: `iris-lab unstick --context NAME`")
        })?;
        let host = match args.dry_run {
            true => None,
            false => Some(HostLock::take(&here.dir, &format!("unstick {}", args.namespace))?),
        };
        let Some(cluster) = here.connect().await? else { return Err(here.does_not_run()) };
        let Here { name: lab, state, journal, provider, .. } = here;
        Ok(Place { lab, state, journal, provider, cluster, _host: host })
    }
}

/// Frees a namespace.
pub async fn unstick(ui: &Ui, args: &UnstickArgs) -> Result<()> {
    let place = Place::find(args).await?;
    let held = match args.dry_run {
        true => None,
        false => lock(&place.cluster, place.provider, &format!("unstick {}", args.namespace)).await?,
    };
    let result = locked(ui, args, place, held.as_ref()).await;
    release(ui, held).await;
    result
}

async fn locked(ui: &Ui, args: &UnstickArgs, place: Place, lock: Option<&Lock>) -> Result<()> {
    let namespace = &args.namespace;
    let nothing = |why: String| {
        let nothing_to_do = Some(why);
        let summary = UnstickSummary { namespace: namespace.clone(), nothing_to_do, ..UnstickSummary::default() };
        ui.result(|look| summary.text(look), &summary)
    };
    let Some(stuck) = place.cluster.stuck(namespace).await? else {
        return nothing(format!("there is no namespace {namespace}"));
    };
    if !stuck.is_terminating() {
        return nothing(format!("the namespace {namespace} is not being deleted, and is not touched"));
    }
    ui.note(format!("the namespace {namespace} is Terminating: it is being deleted and does not end"));
    stuck.explain().into_iter().for_each(|line| ui.note(line));
    let (mut longhorn, mut beside) = (None, Vec::new());
    if stuck.is_longhorn() {
        longhorn = observe::longhorn(&place.cluster).await?;
        let names: Vec<Trace> = traces::beside().into_iter().map(Trace::Object).collect();
        beside = place.cluster.traces(&place.lab, &names).await?.objects;
    }
    let plan = planned(args, &place, &stuck, longhorn.as_ref(), &beside)?;
    if let Some(lost) = lost(longhorn.as_ref()) {
        ui.note(format!("warning: {lost}"));
    }
    if args.dry_run {
        if plan.steps.is_empty() {
            unknown(&stuck, &again(args, false)).hints.iter().for_each(|hint| ui.note(format!("hint: {hint}")));
        }
        return ui.result(|look| plan_text(&plan, look), &plan);
    }
    if plan.steps.is_empty() {
        return Err(unknown(&stuck, &again(args, false)));
    }
    if !args.yes && !place.provider.is_simulated() {
        ui.confirm_typed(&question(&stuck, &plan), namespace)?;
    }
    let simulated = place.provider.is_simulated();
    let again = again(args, true);
    let session = Session::new(&place.lab, &place.state, place.journal, Some(place.cluster), lock, &System);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    let (seconds, removed) = (outcome.elapsed.as_secs_f64(), plan.deleted(&session.removed()));
    judge(ui, outcome, plan::PROOF, &again)?;
    let files = "/var/lib/longhorn and iSCSI sessions on the nodes: there is no access to them from here";
    let not_looked_at = (stuck.is_longhorn() && !simulated).then(|| files.to_string()).into_iter().collect();
    let namespace = namespace.clone();
    let summary = UnstickSummary { namespace, nothing_to_do: None, removed, not_looked_at, seconds };
    ui.result(|look| summary.text(look), &summary)
}

fn planned(
    args: &UnstickArgs,
    place: &Place,
    stuck: &Stuck,
    longhorn: Option<&LonghornFacts>,
    beside: &[ObjectRef],
) -> Result<Plan> {
    plan::unstick(&Unstick {
        stuck,
        longhorn,
        beside,
        kubernetes: place.cluster.version(),
        lab: &place.lab,
        provider: provider::word(place.provider.name()),
        simulated: place.provider.is_simulated(),
        strip: &args.strip,
        force: args.force,
    })
}

/// The same command for the same place, with what was asked for besides or without it.
fn again(args: &UnstickArgs, whole: bool) -> String {
    let mut words = vec![format!("iris-lab unstick {}", args.namespace)];
    words.extend(args.context.iter().map(|context| format!("--context {context}")));
    words.extend(args.lab.name.iter().map(|name| format!("--name {name}")));
    if whole {
        words.extend(args.strip.iter().map(|kind| format!("--strip {kind}")));
        words.extend(args.force.then(|| "--force".to_string()));
    }
    words.join(" ")
}

/// Nothing in it is ours to touch: what to do is the user's to say.
fn unknown(stuck: &Stuck, again: &str) -> Failure {
    let name = stuck.name();
    let mut failure =
        Failure::new(Kind::Left, format!("the namespace {name} stays: nothing in it is known to iris-lab"));
    failure.causes = stuck.explain();
    for held in stuck.held().iter().filter(|held| !held.finalizers.is_empty()) {
        let kind = &held.resource;
        failure.hints.push(format!("start the controller of {kind} again, or give them up: `{again} --strip {kind}`"));
    }
    failure
}

fn question(stuck: &Stuck, plan: &Plan) -> String {
    let freed = plan.steps.iter().filter(|step| step.satisfied.is_none()).filter_map(|step| match &step.action {
        Action::Release { seen, .. } => Some(seen.len()),
        _ => None,
    });
    let name = stuck.name();
    let mut text =
        format!("This frees {} objects of their finalizers and removes the namespace {name}", freed.sum::<usize>());
    if stuck.is_longhorn() {
        text += &format!(". Everything of {GROUP} in the cluster goes with it");
    }
    text
}

/// The data that goes with Longhorn, by the claims that it belongs to.
fn lost(longhorn: Option<&LonghornFacts>) -> Option<String> {
    let wanted = |facts: &&LonghornFacts| !facts.volumes.is_empty() || !facts.resources.is_empty();
    let facts = longhorn.filter(wanted)?;
    let mut data: Vec<String> = facts.claims().chain(facts.loose()).map(|one| one.to_string()).collect();
    data.sort();
    (!data.is_empty()).then(|| format!("the data of these is lost: {}", data.join(", ")))
}
