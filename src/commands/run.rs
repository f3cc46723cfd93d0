//! Running a plan from a command: signals, events to the display, the lock in the cluster.

use crate::cluster::{Cluster, Holder, Lock};
use crate::engine::record::Recorder;
use crate::engine::{self, Cancel, Outcome, Session};
use crate::error::{Failure, Kind, Result};
use crate::exec;
use crate::model::{Event, Plan};
use crate::provider::Provider;
use crate::ui::Ui;
use std::pin::pin;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the plan, and keeps a record of it in the lab's folder. The first Ctrl-C (or SIGTERM) starts no new step and ends the run;
/// the second ends the program at once.
pub async fn run(ui: &Ui, plan: &Plan, session: &Session<'_>, budget: Duration) -> Outcome {
    let (raise, cancel) = Cancel::new();
    let signals = tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        for again in [false, true] {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            if again {
                std::process::exit(Kind::Cancelled.exit_code().into());
            }
            // The run may be over already; then there is nothing to tell.
            let _ = raise.send(true);
        }
    });
    let recorder = Recorder::begin(session.dir(), plan);
    let emit = |event: Event| {
        recorder.event(&event);
        ui.event(&event);
    };
    let mut work = pin!(engine::run(plan, session, &emit, cancel, budget));
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            _ = second.tick() => ui.tick(),
        }
    };
    signals.abort();
    if let Some(failure) = recorder.failure() {
        ui.note(format!("warning: the timeline of this run is not complete: {failure}"));
    }
    outcome
}

/// Returns at Ctrl-C or SIGTERM.
pub async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
}

/// Removing succeeds when nothing is left, whatever failed on the way there: `last` is the step that runs only then, or that
/// looks for it. `again` is the command that tries it again.
pub fn judge(ui: &Ui, outcome: Outcome, last: &str, again: &str) -> Result<()> {
    if outcome.cancelled || outcome.failures.is_empty() {
        return outcome.into_result();
    }
    if outcome.did(last) {
        for (step, failure) in &outcome.failures {
            ui.note(format!("warning: the step {step} failed, and what it was for is gone all the same: {failure}"));
        }
        return Ok(());
    }
    let mut failure =
        Failure::new(Kind::Left, format!("{} left something behind", again.trim_start_matches("iris-lab ")));
    for (step, cause) in outcome.failures {
        failure.causes.push(format!("{step}: {}", cause.message));
        failure.causes.extend(cause.causes);
        failure.hints.extend(cause.hints);
    }
    failure.hints.push(format!("mend the cause and run `{again}` again"));
    failure.hints.dedup();
    Err(failure)
}

/// Takes the cluster's lock for this run. A simulated cluster serves this host alone, where the lock on the lab's folder is
/// enough.
pub async fn lock(cluster: &Cluster, provider: &dyn Provider, task: &str) -> Result<Option<Lock>> {
    if provider.is_simulated() {
        return Ok(None);
    }
    let holder = Holder {
        user: exec::user(),
        host: exec::host_name(),
        pid: std::process::id(),
        task: task.into(),
        alive: exec::is_alive,
    };
    cluster.lock(&holder).await.map(Some)
}

/// Gives the lock back. What the run did is not undone by a lock that cannot be deleted: it ends by itself.
pub async fn release(ui: &Ui, lock: Option<Lock>) {
    if let Some(lock) = lock
        && let Err(failure) = lock.release().await
    {
        ui.note(format!("warning: {failure}"));
    }
}
