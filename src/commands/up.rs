//! `iris-lab up` and `plan`: the lab, the checks, the plan, the run, the summary.

use super::request::Request;
use super::run::{lock, release, run};
use super::{again, credentials};
use crate::cli::{LabArgs, UpArgs};
use crate::cluster::{Cluster, Lock, kubeconfig};
use crate::engine::journal::{Change, Journal};
use crate::engine::lock::HostLock;
use crate::engine::{Outcome, Session, simulator};
use crate::error::{Failure, Kind, Result};
use crate::exec::System;
use crate::lab::AddOnName;
use crate::model::longhorn::{CLASS, takes_volumes};
use crate::model::shell::Shell;
use crate::model::status::{LabIdentity, Status};
use crate::model::{Action, Check, Facts, NodeName, Plan, Verdict};
use crate::observe;
use crate::paths::{LabDir, StateDir};
use crate::ui::{Look, Ui, UpSummary, plan_text};
use crate::{plan as planner, provider, workload, yaml};
use std::fs;
use std::time::Instant;

/// The cluster as it is before the run.
pub(super) struct Found {
    pub(super) cluster: Option<Cluster>,
    pub(super) facts: Facts,
    kubeconfig_is_current: bool,
}

/// Brings a lab up.
pub async fn up(ui: &Ui, args: &UpArgs) -> Result<()> {
    if args.dry_run {
        return plan(ui, &args.lab, false).await;
    }
    let start = Instant::now();
    let request = Request::new(&args.lab, &System).await?;
    announce(ui, &request);
    let guard = Guard::new(&request)?;
    let _host = HostLock::take(&request.dir, &format!("up {}", request.lab.metadata.name))?;
    let mut journal = Journal::read(&request.dir)?;
    if journal.target().is_none() {
        // Before the first change in the cluster, which is our lock.
        journal.record(Change::Target(request.target()))?;
    }
    let cluster = connect(&request).await?;
    let held = match &cluster {
        Some(cluster) => lock(cluster, request.provider, &format!("up {}", request.lab.metadata.name)).await?,
        None => None,
    };
    let result = locked(ui, args, &request, cluster, held.as_ref(), start, guard).await;
    release(ui, held).await;
    result
}

/// The part of `up` that runs under the locks.
async fn locked(
    ui: &Ui,
    args: &UpArgs,
    request: &Request,
    cluster: Option<Cluster>,
    lock: Option<&Lock>,
    start: Instant,
    guard: Guard,
) -> Result<()> {
    let found = look(request, cluster).await?;
    judge(ui, &args.lab, request, &found)?;
    let mut journal = Journal::read(&request.dir)?;
    journal.record(Change::Target(request.target()))?;
    let hash = credentials::ensure(&request.lab, &request.dir, &mut journal, &found.facts)?;
    let plan = planned(request, &found, &hash)?;
    consent(ui, args, &plan)?;
    if let Some(cluster) = &found.cluster {
        permitted(cluster, &plan).await?;
    }
    guard.keep();
    let session = Session::new(&request.lab.metadata.name, &request.state, journal, found.cluster, lock, &System);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    let changed = outcome.changed.len();
    finish(request, outcome)?;
    let facts = match session.cluster() {
        Some(cluster) if changed > 0 => read(cluster, request).await?,
        _ => found.facts,
    };
    let summary = UpSummary {
        changed,
        unchanged: plan.steps.len() - changed,
        requests: session.cluster().map_or(0, Cluster::requests),
        seconds: start.elapsed().as_secs_f64(),
        select: again::selector(&request.state, &request.lab.metadata.name)?,
        longhorn: longhorn(&plan, &facts),
        ..summary(request, &facts, &hash)
    };
    ui.result(|look| summary.text(look), &summary)
}

/// What the cluster shows at the end; how it came there is the run's to say.
fn summary(request: &Request, facts: &Facts, hash: &str) -> UpSummary {
    let target = request.target();
    let identity = LabIdentity {
        lab: request.lab.metadata.name.clone(),
        namespace: target.namespace,
        provider: target.provider,
        simulated: request.provider.is_simulated(),
        replicas: target.replicas,
        up: target.up,
        password_file: credentials::file_of(&request.dir, hash),
        ..LabIdentity::default()
    };
    let status = Status::of(&identity, facts);
    UpSummary {
        // After a change to fewer pods, the others may still be on their way out.
        pods: status.pods.iter().filter(|pod| pod.status != "Terminating").map(|pod| pod.name.clone()).collect(),
        lab: status.lab,
        provider: status.provider,
        simulated: status.simulated,
        namespace: status.namespace,
        portal_urls: status.portal_urls,
        users: credentials::logins(&request.dir, &request.lab),
        password_file: status.password_file,
        kubeconfig: request.dir.kubeconfig().display().to_string(),
        ..UpSummary::default()
    }
}

/// What the user has of Longhorn, in a line.
fn longhorn(plan: &Plan, facts: &Facts) -> Option<String> {
    let seen = facts.longhorn.as_ref()?;
    let class = facts.storage_classes.iter().find(|class| class["metadata"]["name"] == CLASS);
    let copies = class.and_then(|class| class["parameters"]["numberOfReplicas"].as_str()).unwrap_or("3");
    let copies = if copies == "1" { "1 copy".into() } else { format!("{copies} copies") };
    let proven: Vec<&str> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Canary { node: NodeName::Known(name), .. } => Some(name.as_str()),
            Action::Canary { node: NodeName::Number(number), .. } => {
                facts.nodes.iter().filter(|node| takes_volumes(node)).nth(number - 1)?["metadata"]["name"].as_str()
            }
            _ => None,
        })
        .collect();
    let proof = match proven.is_empty() {
        true => "not proven to work (--no-canary)".into(),
        false => format!("proven to work on {}", proven.join(", ")),
    };
    Some(format!("{}, {copies} of each volume, {proof}", seen.version().unwrap_or_default()))
}

/// Shows the plan and changes nothing: as a list of steps, or as shell text.
pub async fn plan(ui: &Ui, args: &LabArgs, shell: bool) -> Result<()> {
    let request = Request::new(args, &System).await?;
    announce(ui, &request);
    let found = look(&request, connect(&request).await?).await?;
    judge(ui, args, &request, &found)?;
    let plan = planned(&request, &found, &request.shown_hash()?)?;
    let render = again::render(args);
    let text = |look: &Look| match shell {
        true => Shell { yaml: &yaml::to_documents, render: Some(&render) }.text(&plan),
        false => plan_text(&plan, look),
    };
    ui.result(text, &plan)
}

pub(super) fn planned(request: &Request, found: &Found, hash: &str) -> Result<Plan> {
    planner::up(&request.wanted(hash, found.kubeconfig_is_current), &found.facts)
}

/// The plan as it is now, with this hash of the password.
pub async fn plan_with(request: &Request, hash: &str) -> Result<Plan> {
    planned(request, &look(request, connect(request).await?).await?, hash)
}

pub(super) fn announce(ui: &Ui, request: &Request) {
    ui.note(format!("provider {}: {}", provider::word(request.provider.name()), request.reason));
    if let (Some(original), Some(origin)) = (&request.longhorn, &request.lab.spec.longhorn.manifest) {
        ui.note(format!("Longhorn {} comes from {origin}", original.version));
    }
    request.addresses.iter().chain(&request.image_notes).for_each(|note| ui.note(note));
}

/// Connects to a cluster that is there already; none if the plan makes it.
pub(super) async fn connect(request: &Request) -> Result<Option<Cluster>> {
    let path = request.dir.kubeconfig();
    if request.provider.uses_host() {
        let Some(text) = &request.access else { return Ok(None) };
        // One that does not answer is waited for by the plan.
        return Ok(Cluster::from_text(text).await.ok());
    }
    if request.provider.makes_cluster() {
        let runs = simulator::runs(&request.dir)? && path.exists();
        return if runs { Cluster::connect(&path, None).await.map(Some) } else { Ok(None) };
    }
    match &request.context {
        Some(context) => Cluster::from_text(&kubeconfig::extract(&kubeconfig::users(), context)?).await.map(Some),
        None => Cluster::connect(&path, None).await.map(Some),
    }
}

pub(super) async fn look(request: &Request, cluster: Option<Cluster>) -> Result<Found> {
    let facts = match &cluster {
        Some(cluster) => read(cluster, request).await?,
        None => Facts::default(),
    };
    let kubeconfig_is_current = match &request.context {
        Some(context) if !request.provider.makes_cluster() => {
            let wanted = kubeconfig::extract(&kubeconfig::users(), context)?;
            fs::read_to_string(request.dir.kubeconfig()).is_ok_and(|text| text == wanted)
        }
        _ if request.provider.uses_host() => {
            let wanted = request.access.as_ref();
            wanted.is_some_and(|wanted| fs::read_to_string(request.dir.kubeconfig()).is_ok_and(|text| text == *wanted))
        }
        _ => request.dir.kubeconfig().exists(),
    };
    Ok(Found { cluster, facts, kubeconfig_is_current })
}

async fn read(cluster: &Cluster, request: &Request) -> Result<Facts> {
    let lab = &request.lab;
    let mut facts = observe::facts(cluster, &lab.metadata.name, &lab.spec.iris.namespace).await?;
    if lab.has(AddOnName::Longhorn) {
        observe::of_lab(cluster, &lab.metadata.name, &mut facts).await?;
    }
    if lab.has(AddOnName::Metallb) && !request.provider.makes_cluster() {
        facts.load_balancer = observe::load_balancer(cluster, &facts.nodes).await?;
    }
    if lab.has(AddOnName::Metallb) && request.provider.uses_host() {
        facts.lb_ranges = observe::lb_ranges(cluster).await?;
    }
    Ok(facts)
}

/// Everything that must hold before the first change.
pub(super) fn checks(request: &Request, found: &Found) -> Vec<Check> {
    let mut checks = vec![workload::licence(&request.lab.spec.iris.image, today())];
    checks.extend(planner::checks(&request.wanted("", found.kubeconfig_is_current), &found.facts));
    // What is about the cluster and the lab protects others: only the machine is the user's own risk.
    let passes = |check: &Check| {
        check.verdict == Verdict::Fail && !check.topic.is_empty() && request.ignored.contains(&check.name)
    };
    checks.into_iter().map(|check| if passes(&check) { check.ignored() } else { check }).collect()
}

/// Stops before the first change when a requirement is missing; warnings become notes.
fn judge(ui: &Ui, args: &LabArgs, request: &Request, found: &Found) -> Result<()> {
    let checks = checks(request, found);
    let with = |verdict: Verdict| checks.iter().filter(move |check| check.verdict == verdict);
    for check in with(Verdict::Warn) {
        let hint = check.way_out().map(|hint| format!("; {hint}")).unwrap_or_default();
        ui.note(format!("warning: {}: {}{hint}", check.name, check.cause));
    }
    let Some(mut failure) = stopped(&checks) else { return Ok(()) };
    if checks.iter().any(|check| check.verdict == Verdict::Fail && !check.mend.is_empty()) {
        failure.hints.push(format!("have that done for you with `{}`", again::fix(args)));
    }
    Err(failure)
}

/// The failure that these checks are, if any of them fails.
pub(super) fn stopped(checks: &[Check]) -> Option<Failure> {
    let failed: Vec<&Check> = checks.iter().filter(|check| check.verdict == Verdict::Fail).collect();
    let mut failure = Failure::requirement("a requirement is missing; nothing was changed");
    for check in &failed {
        failure = failure.cause(format!("{}: {}", check.name, check.cause));
        failure.hints.extend(check.way_out());
    }
    (!failed.is_empty()).then_some(failure)
}

/// Asks before software is installed on this host, and shows the exact commands.
fn consent(ui: &Ui, args: &UpArgs, plan: &Plan) -> Result<()> {
    let installs = plan.installs();
    if installs.is_empty() || args.yes {
        return Ok(());
    }
    ui.confirm_typed(&format!("This installs software on this machine: `{}`", installs.join("`, then `")), "yes")
}

/// Stops before the first change when the user may not do what the plan needs.
async fn permitted(cluster: &Cluster, plan: &Plan) -> Result<()> {
    let wanted = planner::access(plan);
    if wanted.is_empty() {
        return Ok(());
    }
    let missing = cluster.missing_access(&wanted).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let mut failure =
        Failure::requirement("this user may not do what the lab needs; nothing was changed in the cluster");
    failure.causes = missing.iter().map(|access| format!("missing: {access}")).collect();
    Err(failure.hint("use a context of a user who may, or ask for these rights"))
}

/// Turns a failed run into its failure, with the two ways on.
fn finish(request: &Request, outcome: Outcome) -> Result<()> {
    let (name, up) = (&request.lab.metadata.name, &request.again);
    outcome.into_result().map_err(|failure| {
        let again = match failure.kind {
            Kind::Cancelled => format!("run `{up}` again: it goes on from here"),
            _ => format!("mend the cause and run `{up}` again: it goes on from here"),
        };
        let failure = match failure.kind {
            Kind::Cancelled => failure,
            _ => failure.hint(format!("see what is wrong, and what mends it: `iris-lab explain --name {name}`")),
        };
        failure.hint(again).hint(format!("or remove what was made with `iris-lab reset --name {name}`"))
    })
}

fn today() -> jiff::civil::Date {
    jiff::Zoned::now().date()
}

/// Removes the lab's folder again when the run ends before it made anything.
struct Guard {
    state: StateDir,
    dir: LabDir,
    armed: bool,
}

impl Guard {
    fn new(request: &Request) -> Result<Self> {
        let guard =
            Guard { state: request.state.clone(), dir: request.dir.clone(), armed: !request.dir.path().exists() };
        guard.dir.create()?;
        Ok(guard)
    }

    fn keep(mut self) {
        self.armed = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.armed {
            // Nothing was made that its journal would be needed for; what cannot be removed is found again by the next run.
            let _ = fs::remove_dir_all(self.dir.path());
            self.state.remove_if_empty();
        }
    }
}
