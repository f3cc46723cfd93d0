//! The timeline of a run: as a chart in the terminal and as a page for a browser. Here: the words and the axis that both share.

mod chart;
mod page;

pub use chart::timeline_text;
pub use page::timeline_page;

use super::look::elapsed;
use crate::model::Timeline;
use crate::model::timeline::{Bar, RunState, StepState};
use std::time::Duration;

/// `0.4s`, `12s`, `4m05s`.
fn time(seconds: f64) -> String {
    elapsed(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// `done in 41s`.
fn ending(run: &Timeline) -> String {
    let time = time(run.seconds);
    match run.state {
        RunState::Done => format!("done in {time}"),
        RunState::Failed => format!("failed after {time}"),
        RunState::Cancelled => format!("cancelled after {time}"),
        RunState::BrokenOff => format!("broken off: what was recorded until {time}"),
        RunState::Running => format!("still running: what was recorded until {time}"),
    }
}

/// `provider sim, simulated: nothing real was made`.
fn place(run: &Timeline) -> String {
    let banner = if run.simulated { ", simulated: nothing real was made" } else { "" };
    format!("provider {}{banner}", run.provider)
}

/// `12 steps, at most 5 at the same time, begun at 2026-01-31T12:00:00Z`.
fn extent(run: &Timeline) -> String {
    let steps = if run.steps.len() == 1 { "1 step".into() } else { format!("{} steps", run.steps.len()) };
    format!("{steps}, at most {} at the same time, begun at {}", run.most_at_once, run.began)
}

/// How long the longest chain is, and how far the run is above it.
fn verdict(run: &Timeline) -> String {
    match run.above_percent {
        None => "nothing took time".into(),
        Some(above) => {
            let chain = time(run.chain_seconds);
            format!("the longest chain of needs and waits took {chain}; the run took {above:.1} % more")
        }
    }
}

/// How a step ended, in a word or two.
fn word(step: &Bar) -> &'static str {
    match step.state {
        StepState::Changed => "done",
        StepState::Unchanged => "nothing to do",
        StepState::Failed => "failed",
        StepState::BrokenOff => "not ended",
        StepState::NotStarted => "not started",
    }
}

/// Round times from 0 on, at most so many, that lie before the end.
fn ticks(end: f64, most: usize) -> Vec<f64> {
    const STEPS: &[f64] = &[
        0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
        3600.0,
    ];
    let step = STEPS.iter().find(|step| end / **step <= most.max(1) as f64).unwrap_or(&3600.0);
    let count = (end / step).ceil().max(1.0) as usize;
    (0..count.min(most.max(1))).map(|number| number as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(41.3, 6), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(ticks(0.3, 4), [0.0, 0.1, 0.2]);
        assert_eq!(ticks(0.0, 4), [0.0]);
        assert_eq!(ticks(100_000.0, 4).len(), 4);
    }
}
