//! The engine against a scripted world: order, concurrency, failures, deadlines, cancellation.

use super::*;
use crate::model::{Action, Verb};
use futures::FutureExt;

/// What each step does, by id; a step without a script succeeds at once.
struct Script(BTreeMap<&'static str, Turn>);

#[derive(Clone, Copy)]
enum Turn {
    Fail,
    Hang,
    /// Succeeds only if the other step runs at the same time.
    Meet(&'static str),
}

struct World {
    script: Script,
    met: watch::Sender<Vec<String>>,
}

impl World {
    fn new(script: &[(&'static str, Turn)]) -> Self {
        World { script: Script(script.iter().copied().collect()), met: watch::channel(Vec::new()).0 }
    }
}

impl Perform for World {
    fn perform<'a>(&'a self, step: &'a Step, progress: &'a dyn Fn(String)) -> LocalBoxFuture<'a, Result<StepEnd>> {
        async move {
            match self.script.0.get(step.id.as_str()) {
                None => Ok(StepEnd::Changed("done".into())),
                Some(Turn::Fail) => Err(Failure::step(format!("{} broke", step.id))),
                Some(Turn::Hang) => {
                    progress("waiting for ever".into());
                    std::future::pending().await
                }
                Some(Turn::Meet(other)) => {
                    self.met.send_modify(|seen| seen.push(step.id.clone()));
                    let _ = self.met.subscribe().wait_for(|seen| seen.iter().any(|id| id == other)).await;
                    Ok(StepEnd::Changed("met".into()))
                }
            }
        }
        .boxed_local()
    }

    fn why<'a>(&'a self, _: &'a Step) -> LocalBoxFuture<'a, Vec<String>> {
        async { Vec::new() }.boxed_local()
    }
}

fn step(id: &str, needs: &[&str]) -> Step {
    Step::new(id, format!("Do {id}"), Duration::from_secs(60), Action::StopSim).after(needs.iter().copied())
}

fn plan(verb: Verb, steps: Vec<Step>) -> Plan {
    Plan { verb, lab: "x".into(), namespace: None, provider: "sim".into(), simulated: true, steps }
}

async fn run_all(plan: &Plan, world: &World) -> (Outcome, Vec<String>) {
    let log = RefCell::new(Vec::new());
    let emit = |event: Event| match event {
        Event::StepFinished { step, end, .. } => {
            let word = match end {
                StepEnd::Changed(_) => "changed",
                StepEnd::Unchanged(_) => "unchanged",
                StepEnd::Failed(_) => "failed",
            };
            log.borrow_mut().push(format!("{step} {word}"));
        }
        Event::StepsSkipped { steps, .. } => log.borrow_mut().push(format!("skipped {}", steps.join(", "))),
        _ => {}
    };
    let (_raise, cancel) = Cancel::new();
    let outcome = run(plan, world, &emit, cancel, Duration::from_secs(3600)).await;
    (outcome, log.into_inner())
}

#[tokio::test]
async fn a_step_runs_after_what_it_needs() {
    let plan = plan(Verb::Up, vec![step("c", &["b"]), step("b", &["a"]), step("a", &[])]);
    let (outcome, log) = run_all(&plan, &World::new(&[])).await;
    assert_eq!(log, ["a changed", "b changed", "c changed"]);
    assert!(outcome.into_result().is_ok());
}

#[tokio::test(start_paused = true)]
async fn independent_steps_run_at_the_same_time() {
    let plan = plan(Verb::Up, vec![step("a", &[]), step("b", &[])]);
    let (outcome, _) = run_all(&plan, &World::new(&[("a", Turn::Meet("b")), ("b", Turn::Meet("a"))])).await;
    assert!(outcome.into_result().is_ok());
}

#[tokio::test]
async fn up_stops_at_a_failure_and_says_what_was_not_done() {
    let plan = plan(Verb::Up, vec![step("a", &[]), step("wait", &[]), step("b", &["a"])]);
    let (outcome, log) = run_all(&plan, &World::new(&[("a", Turn::Fail), ("wait", Turn::Hang)])).await;
    assert_eq!(log, ["a failed", "skipped wait, b"]);
    let failure = outcome.into_result().unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (Kind::Step, "a broke"));
}

#[tokio::test]
async fn reset_goes_on_but_a_strict_step_does_not_follow_a_failure() {
    let steps = vec![step("a", &[]), step("b", &["a"]).lenient(), step("files", &["a", "b"])];
    let (outcome, log) = run_all(&plan(Verb::Reset, steps), &World::new(&[("a", Turn::Fail)])).await;
    assert_eq!(log, ["a failed", "b changed", "skipped files"]);
    assert_eq!(outcome.failures.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_a_failure_with_the_last_reason() {
    let plan = plan(Verb::Up, vec![step("a", &[])]);
    let (outcome, _) = run_all(&plan, &World::new(&[("a", Turn::Hang)])).await;
    let failure = outcome.into_result().unwrap_err();
    assert_eq!(failure.kind, Kind::NotReady);
    assert_eq!(failure.message, "gave up after 1m: Do a");
    assert_eq!(failure.causes, ["waiting for ever"]);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_the_time_of_the_run_cut_short_says_so() {
    let plan = plan(Verb::Up, vec![step("a", &[])]);
    let (_raise, cancel) = Cancel::new();
    let world = World::new(&[("a", Turn::Hang)]);
    let outcome = run(&plan, &world, &|_| {}, cancel, Duration::from_millis(300)).await;
    let failure = outcome.into_result().unwrap_err();
    assert_eq!(failure.message, "gave up after 300ms: Do a");
    assert!(failure.hints.iter().any(|hint| hint.contains("--timeout")), "{:?}", failure.hints);
}

#[tokio::test]
async fn a_satisfied_step_is_not_performed() {
    let done = step("a", &[]).satisfied_by(Some("there already".into()));
    let (outcome, log) = run_all(&plan(Verb::Up, vec![done]), &World::new(&[("a", Turn::Fail)])).await;
    assert_eq!(log, ["a unchanged"]);
    assert!(outcome.changed.is_empty() && outcome.into_result().is_ok());
}

#[tokio::test]
async fn cancelling_starts_no_new_step() {
    let plan = plan(Verb::Up, vec![step("a", &[]), step("b", &["a"])]);
    let world = World::new(&[("a", Turn::Hang)]);
    let (raise, cancel) = Cancel::new();
    let emit = |event: Event| {
        if matches!(event, Event::StepProgress { .. }) {
            let _ = raise.send(true);
        }
    };
    let outcome = run(&plan, &world, &emit, cancel, Duration::from_secs(60)).await;
    assert!(outcome.cancelled);
    assert_eq!(outcome.into_result().unwrap_err().kind, Kind::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn no_step_begins_when_the_time_of_the_run_is_over() {
    let steps = vec![step("a", &[]), step("b", &["a"]).lenient()];
    let plan = plan(Verb::Reset, steps);
    let log = RefCell::new(Vec::new());
    let emit = |event: Event| match event {
        Event::StepStarted { step, .. } => log.borrow_mut().push(step),
        Event::StepsSkipped { steps, reason } => log.borrow_mut().push(format!("{}: {reason}", steps.join(", "))),
        _ => {}
    };
    let (_raise, cancel) = Cancel::new();
    let outcome = run(&plan, &World::new(&[("a", Turn::Hang)]), &emit, cancel, Duration::ZERO).await;
    assert_eq!(log.into_inner(), ["a, b: the time for the whole run is over"]);
    assert_eq!(outcome.into_result().unwrap_err().message, "the time for the whole run is over");
}
