//! What a run writes down while it goes: its steps in the first line, then one event a line, each with its time.

use crate::model::{Event, Plan};
use serde::{Deserialize, Serialize};

/// The record of a run, as far as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Its first line.
    pub outline: Outline,
    /// The others.
    pub moments: Vec<Moment>,
}

/// What was to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outline {
    /// When the run began.
    pub began: String,
    /// `up`, `down`, `reset`.
    pub verb: String,
    /// The lab's name.
    pub lab: String,
    /// The provider's name.
    pub provider: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// All steps, each after those that it needs.
    pub steps: Vec<Planned>,
}

/// A step that was to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Ids of the steps that it needs.
    pub needs: Vec<String>,
    /// Its deadline, from its start.
    pub timeout_seconds: f64,
}

/// An event with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Seconds since the run began.
    pub at: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Outline {
    /// The outline of a plan that begins now.
    pub fn of(plan: &Plan, began: String) -> Self {
        let steps = plan.steps.iter().map(|step| Planned {
            id: step.id.clone(),
            title: step.title.clone(),
            needs: step.needs.clone(),
            timeout_seconds: step.timeout.as_secs_f64(),
        });
        Outline {
            began,
            verb: plan.verb.name().into(),
            lab: plan.lab.clone(),
            provider: plan.provider.clone(),
            simulated: plan.simulated,
            steps: steps.collect(),
        }
    }
}

impl Recording {
    /// Reads a record. A run that was killed in the middle of a write leaves half a last line, which is left out; without a whole
    /// first line there is no record. An error names the line that is damaged.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).zip(1..);
        let Some((first, _)) = lines.next() else { return Ok(None) };
        let damaged = |number: usize, error: serde_json::Error| format!("line {number}: {error}");
        let outline = serde_json::from_str(first).map_err(|error| damaged(1, error))?;
        let moments = lines.map(|(line, number)| serde_json::from_str(line).map_err(|error| damaged(number, error)));
        Ok(Some(Recording { outline, moments: moments.collect::<Result<_, _>>()? }))
    }
}
