//! What happened in a run, step by step, computed from what the run recorded: which steps ran beside which, and the longest chain of
//! needs and waits, which no run of the same steps can be faster than.

mod recording;

pub use recording::{Moment, Outline, Planned, Recording};

use super::event::{CANCELLED, Event, StepEnd};
use serde::Serialize;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Every step succeeded.
    Done,
    /// A step failed.
    Failed,
    /// The user cancelled it.
    Cancelled,
    /// It was killed: its record just ends.
    BrokenOff,
    /// It still runs.
    Running,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// It changed something, or what it waited for came.
    Changed,
    /// Nothing was to be done.
    Unchanged,
    /// It failed.
    Failed,
    /// It ran when the run or its record ended.
    BrokenOff,
    /// It was never started.
    NotStarted,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// `up`, `down`, `reset`.
    pub verb: String,
    /// The lab's name.
    pub lab: String,
    /// The provider's name.
    pub provider: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// When it began.
    pub began: String,
    /// How it ended.
    pub state: RunState,
    /// How long it took, or what is recorded of it.
    pub seconds: f64,
    /// Ids of the steps of the longest chain, in order; those that took no time are left out.
    pub chain: Vec<String>,
    /// What the steps of the longest chain took together.
    pub chain_seconds: f64,
    /// How much longer than its longest chain the run took, in percent; none where nothing took time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above_percent: Option<f64>,
    /// The largest number of steps that ran at the same time.
    pub most_at_once: usize,
    /// The steps in the order in which they began; those that never did are at the end.
    pub steps: Vec<Bar>,
}

/// A step of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bar {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Ids of the steps that it needs.
    pub needs: Vec<String>,
    /// Its deadline, from its start.
    pub timeout_seconds: f64,
    /// How it ended.
    pub state: StepState,
    /// What came out, why it failed, or what it waited for last.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// When it began, in seconds since the run began; 0 for a step that never did.
    pub start: f64,
    /// How long it took.
    pub seconds: f64,
    /// Whether it belongs to the longest chain.
    pub in_chain: bool,
    /// Ids of the steps that ran beside it.
    pub beside: Vec<String>,
}

impl Bar {
    /// When it ended.
    pub fn end(&self) -> f64 {
        self.start + self.seconds
    }

    /// Whether it began.
    pub fn began(&self) -> bool {
        self.state != StepState::NotStarted
    }

    fn runs_beside(&self, other: &Bar) -> bool {
        self.id != other.id && self.end().min(other.end()) - self.start.max(other.start) > LEAST
    }
}

/// Seconds below which a time is no time: what the record's own clock cannot tell.
const LEAST: f64 = 0.0005;

impl Timeline {
    /// The run of a record. `running` says that the run which writes it is still at work.
    pub fn of(recording: &Recording, running: bool) -> Self {
        let Recording { outline, moments } = recording;
        let (state, seconds) = end(moments, running);
        let mut steps: Vec<Bar> = outline.steps.iter().map(|step| bar(step, moments, seconds)).collect();
        let (chain, chain_seconds) = longest_chain(&steps);
        steps.iter_mut().for_each(|step| step.in_chain = chain.contains(&step.id));
        // The sort is stable: what began together stays in the order of the plan.
        steps.sort_by(|a, b| (!a.began()).cmp(&!b.began()).then(a.start.total_cmp(&b.start)));
        let beside: Vec<Vec<String>> = steps.iter().map(|step| beside(step, &steps)).collect();
        steps.iter_mut().zip(beside).for_each(|(step, beside)| step.beside = beside);
        let above = (chain_seconds > LEAST).then(|| rounded((seconds / chain_seconds - 1.0).max(0.0) * 100.0));
        Timeline {
            verb: outline.verb.clone(),
            lab: outline.lab.clone(),
            provider: outline.provider.clone(),
            simulated: outline.simulated,
            began: outline.began.clone(),
            state,
            seconds: rounded(seconds),
            chain,
            chain_seconds: rounded(chain_seconds),
            above_percent: above,
            most_at_once: most_at_once(&steps),
            steps,
        }
    }

    /// The steps that began.
    pub fn ran(&self) -> impl Iterator<Item = &Bar> {
        self.steps.iter().filter(|step| step.began())
    }
}

/// How the run ended, and after how many seconds.
fn end(moments: &[Moment], running: bool) -> (RunState, f64) {
    let cancelled =
        moments.iter().any(|m| matches!(&m.event, Event::StepsSkipped { reason, .. } if reason == CANCELLED));
    let finished = moments.iter().rev().find_map(|moment| match moment.event {
        Event::PlanFinished { ok, seconds } => Some((ok, seconds)),
        _ => None,
    });
    match finished {
        Some((true, seconds)) => (RunState::Done, seconds),
        Some((false, seconds)) if cancelled => (RunState::Cancelled, seconds),
        Some((false, seconds)) => (RunState::Failed, seconds),
        None => {
            let state = if running { RunState::Running } else { RunState::BrokenOff };
            (state, moments.last().map_or(0.0, |moment| moment.at))
        }
    }
}

fn bar(step: &Planned, moments: &[Moment], over: f64) -> Bar {
    let mut bar = Bar {
        id: step.id.clone(),
        title: step.title.clone(),
        needs: step.needs.clone(),
        timeout_seconds: step.timeout_seconds,
        state: StepState::NotStarted,
        detail: String::new(),
        start: 0.0,
        seconds: 0.0,
        in_chain: false,
        beside: Vec::new(),
    };
    for Moment { at, event } in moments {
        match event {
            Event::StepStarted { step: id, .. } if *id == step.id => {
                (bar.state, bar.start, bar.seconds) = (StepState::BrokenOff, rounded(*at), rounded(over - at));
            }
            Event::StepProgress { step: id, message } if *id == step.id => bar.detail = message.clone(),
            Event::StepFinished { step: id, end, seconds, .. } if *id == step.id => {
                bar.seconds = rounded(*seconds);
                (bar.state, bar.detail) = match end {
                    StepEnd::Changed(detail) => (StepState::Changed, detail.clone()),
                    StepEnd::Unchanged(detail) => (StepState::Unchanged, detail.clone()),
                    StepEnd::Failed(detail) => (StepState::Failed, detail.clone()),
                };
            }
            _ => {}
        }
    }
    bar
}

/// The steps, each needing the one before, that took longest together. The steps come in the order of the plan, each after those
/// that it needs.
fn longest_chain(steps: &[Bar]) -> (Vec<String>, f64) {
    // For each step: what the longest chain that ends with it takes, and the step before it there.
    let mut chains: Vec<(f64, Option<usize>)> = Vec::new();
    for step in steps {
        let needs = (0..chains.len()).filter(|index| step.needs.contains(&steps[*index].id));
        let before = needs.max_by(|a, b| chains[*a].0.total_cmp(&chains[*b].0));
        chains.push((step.seconds + before.map_or(0.0, |index| chains[index].0), before));
    }
    let Some(last) = (0..chains.len()).max_by(|a, b| chains[*a].0.total_cmp(&chains[*b].0)) else {
        return Default::default();
    };
    let mut chain: Vec<usize> = std::iter::successors(Some(last), |index| chains[*index].1).collect();
    chain.reverse();
    let chain = chain.into_iter().filter(|index| steps[*index].seconds > LEAST);
    (chain.map(|index| steps[index].id.clone()).collect(), chains[last].0)
}

fn beside(step: &Bar, steps: &[Bar]) -> Vec<String> {
    steps.iter().filter(|other| step.runs_beside(other)).map(|other| other.id.clone()).collect()
}

fn most_at_once(steps: &[Bar]) -> usize {
    let at = |time: f64| steps.iter().filter(|step| step.start <= time && step.end() > time + LEAST).count();
    steps.iter().map(|step| at(step.start)).max().unwrap_or(0)
}

/// To milliseconds: more is noise.
fn rounded(seconds: f64) -> f64 {
    (seconds.max(0.0) * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
