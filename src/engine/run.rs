//! Runs the graph of a plan: what is ready runs at the same time, each step under its deadline, until all is done, a step
//! fails, or the user cancels.

use crate::error::{Failure, Kind, Result};
use crate::model::event::CANCELLED;
use crate::model::{Event, Plan, Step, StepEnd};
use futures::future::{Either, LocalBoxFuture, select};
use futures::stream::{FuturesUnordered, StreamExt};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the engine asks for the causes of a missed deadline.
const WHY_TIMEOUT: Duration = Duration::from_secs(5);

/// Performs the action of one step. The real one changes the world; the tests' one is scripted.
pub trait Perform {
    /// Looks, changes what is missing, looks again. `progress` takes the current reason for waiting.
    fn perform<'a>(&'a self, step: &'a Step, progress: &'a dyn Fn(String)) -> LocalBoxFuture<'a, Result<StepEnd>>;

    /// Why the step is not done at its deadline.
    fn why<'a>(&'a self, step: &'a Step) -> LocalBoxFuture<'a, Vec<String>>;
}

/// Tells a run that the user wants it to end.
#[derive(Clone)]
pub struct Cancel(watch::Receiver<bool>);

impl Cancel {
    /// A cancel signal and the handle that raises it.
    pub fn new() -> (watch::Sender<bool>, Cancel) {
        let (sender, receiver) = watch::channel(false);
        (sender, Cancel(receiver))
    }

    /// Whether it was raised.
    pub fn raised(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is raised; never, once its handle is gone.
    async fn wait(&mut self) {
        if self.0.wait_for(|raised| *raised).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Failures, each with the id of its step, in the order in which they happened.
    pub failures: Vec<(String, Failure)>,
    /// Ids of the steps that changed something.
    pub changed: Vec<String>,
    /// Ids of the steps that had nothing to do.
    pub unchanged: Vec<String>,
    /// Whether the user cancelled it.
    pub cancelled: bool,
    /// How long it took.
    pub elapsed: Duration,
}

impl Outcome {
    /// Whether a step succeeded.
    pub fn did(&self, step: &str) -> bool {
        self.changed.iter().chain(&self.unchanged).any(|id| id == step)
    }

    /// The first failure, as the failure of the whole run.
    pub fn into_result(self) -> Result<()> {
        if let Some((_, failure)) = self.failures.into_iter().next() {
            return Err(failure);
        }
        if self.cancelled {
            return Err(Failure::new(Kind::Cancelled, "cancelled"));
        }
        Ok(())
    }
}

/// Runs the plan. `budget` bounds the whole run: every step's deadline ends with it.
pub async fn run(plan: &Plan, world: &impl Perform, emit: &dyn Fn(Event), cancel: Cancel, budget: Duration) -> Outcome {
    emit(Event::PlanStarted {
        verb: plan.verb.name().into(),
        lab: plan.lab.clone(),
        namespace: plan.namespace.clone(),
        simulated: plan.simulated,
        steps: plan.steps.iter().map(|step| step.id.clone()).collect(),
    });
    let start = Instant::now();
    let mut graph = Graph::new(plan);
    let mut outcome = Outcome::default();
    let mut running = FuturesUnordered::new();
    let mut cancelling = cancel.clone();
    loop {
        // A step without any time left could only break something off.
        let ready = if start.elapsed() < budget { graph.take_ready() } else { Vec::new() };
        for step in ready {
            emit(Event::StepStarted { step: step.id.clone(), title: step.title.clone() });
            running.push(attempt(step, world, emit, start + budget));
        }
        if running.is_empty() {
            break;
        }
        let ended = match select(running.next(), pin!(cancelling.wait())).await {
            Either::Left((Some(ended), _)) => ended,
            Either::Left((None, _)) => break,
            Either::Right(_) => {
                outcome.cancelled = true;
                break;
            }
        };
        let failed = ended.result.is_err();
        graph.finished(&ended.step.id, !failed);
        finish(ended, emit, &mut outcome);
        if failed && graph.stops_at_failure {
            break;
        }
    }
    drop(running);
    let steps: Vec<String> = graph.unfinished().map(|step| step.id.clone()).collect();
    let late = start.elapsed() >= budget && !steps.is_empty();
    if late && outcome.failures.is_empty() && !outcome.cancelled {
        let failure = Failure::not_ready("the time for the whole run is over").hint("give it more with --timeout");
        outcome.failures.push((steps[0].clone(), failure));
    }
    let reason = match (outcome.cancelled, late) {
        (true, _) => CANCELLED,
        (_, true) => "the time for the whole run is over",
        _ => "an earlier step failed",
    };
    if !steps.is_empty() {
        emit(Event::StepsSkipped { steps, reason: reason.into() });
    }
    outcome.elapsed = start.elapsed();
    let ok = outcome.failures.is_empty() && !outcome.cancelled;
    emit(Event::PlanFinished { ok, seconds: outcome.elapsed.as_secs_f64() });
    outcome
}

/// A step that ended.
struct Ended<'p> {
    step: &'p Step,
    result: Result<StepEnd>,
    seconds: f64,
}

fn finish(ended: Ended<'_>, emit: &dyn Fn(Event), outcome: &mut Outcome) {
    let Ended { step, result, seconds } = ended;
    let end = match result {
        Ok(end) => {
            match end {
                StepEnd::Changed(_) => outcome.changed.push(step.id.clone()),
                _ => outcome.unchanged.push(step.id.clone()),
            }
            end
        }
        Err(failure) => {
            // Its readers have the title already.
            let text = failure.to_string().replacen(&format!(": {}", step.title), "", 1);
            outcome.failures.push((step.id.clone(), failure));
            StepEnd::Failed(text.lines().next().unwrap_or_default().to_string())
        }
    };
    emit(Event::StepFinished { step: step.id.clone(), title: step.title.clone(), end, seconds });
}

/// Performs one step under its deadline.
async fn attempt<'p>(step: &'p Step, world: &impl Perform, emit: &dyn Fn(Event), end: Instant) -> Ended<'p> {
    let start = Instant::now();
    if let Some(reason) = &step.satisfied {
        return Ended { step, result: Ok(StepEnd::Unchanged(reason.clone())), seconds: 0.0 };
    }
    let last = RefCell::new(None);
    let progress = |message: String| {
        if last.borrow().as_ref() != Some(&message) {
            emit(Event::StepProgress { step: step.id.clone(), message: message.clone() });
            last.replace(Some(message));
        }
    };
    let allowed = step.timeout.min(end.saturating_duration_since(start));
    let result = match tokio::time::timeout(allowed, world.perform(step, &progress)).await {
        Ok(result) => result,
        Err(_) => Err(late(step, world, allowed, last.take()).await),
    };
    Ended { step, result, seconds: start.elapsed().as_secs_f64() }
}

/// The failure of a step that missed its deadline: the last reason seen, and what the world says now.
async fn late(step: &Step, world: &impl Perform, allowed: Duration, last: Option<String>) -> Failure {
    let millis = allowed.as_millis() as u64;
    let unit = if millis < 950 { 10 } else { 1000 };
    let rounded = Duration::from_millis(((millis + unit / 2) / unit * unit).max(1));
    let after = humantime::format_duration(rounded);
    let mut failure = Failure::not_ready(format!("gave up after {after}: {}", step.title));
    if allowed < step.timeout {
        failure = failure.hint("that was all the time of the run: give it more with --timeout");
    }
    let causes = tokio::time::timeout(WHY_TIMEOUT, world.why(step)).await.unwrap_or_default();
    failure.causes.extend(if causes.is_empty() { last.into_iter().collect() } else { causes });
    failure
}

/// Which steps wait, run, and are done.
struct Graph<'p> {
    plan: &'p Plan,
    waiting: BTreeMap<usize, &'p Step>,
    running: BTreeSet<&'p str>,
    /// Whether each finished step succeeded.
    done: BTreeMap<String, bool>,
    stops_at_failure: bool,
}

impl<'p> Graph<'p> {
    fn new(plan: &'p Plan) -> Self {
        Graph {
            plan,
            waiting: plan.steps.iter().enumerate().collect(),
            running: BTreeSet::new(),
            done: BTreeMap::new(),
            stops_at_failure: !plan.goes_on(),
        }
    }

    /// The steps that can start now. A step whose need failed still runs in a plan that goes on, unless it is strict.
    fn take_ready(&mut self) -> Vec<&'p Step> {
        let ready: Vec<usize> = self
            .waiting
            .iter()
            .filter(|(_, step)| {
                let needs = &step.needs;
                needs.iter().all(|need| self.done.get(need).is_some_and(|ok| *ok || !step.strict))
            })
            .map(|(index, _)| *index)
            .collect();
        let steps: Vec<&'p Step> = ready.iter().filter_map(|index| self.waiting.remove(index)).collect();
        self.running.extend(steps.iter().map(|step| step.id.as_str()));
        steps
    }

    fn finished(&mut self, id: &str, ok: bool) {
        self.running.remove(id);
        self.done.insert(id.to_string(), ok);
    }

    fn unfinished(&self) -> impl Iterator<Item = &'p Step> {
        self.plan.steps.iter().filter(|step| !self.done.contains_key(&step.id))
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
