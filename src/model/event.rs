//! What the engine tells its readers while a plan runs.

use serde::{Deserialize, Serialize};

/// Why steps were skipped, when the user cancelled the run.
pub const CANCELLED: &str = "cancelled";

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "result", content = "detail")]
pub enum StepEnd {
    /// It did its work; the text says what came out.
    Changed(String),
    /// Nothing was to be done; the text says why.
    Unchanged(String),
    /// It failed; the text is the cause in one line.
    Failed(String),
}

/// One event of a run. Serialised as one JSON line with `-o json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A line of information before or between steps (the choice of provider, a warning of a check).
    Note {
        /// The text.
        text: String,
    },
    /// The run begins.
    PlanStarted {
        /// `up`, `down`, `reset`.
        verb: String,
        /// The lab's name.
        lab: String,
        /// The namespace that is freed.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        /// Whether the cluster is simulated.
        simulated: bool,
        /// Ids of all steps, in plan order.
        steps: Vec<String>,
    },
    /// A step begins.
    StepStarted {
        /// Its id.
        step: String,
        /// Its title.
        title: String,
    },
    /// A running step says what it waits for.
    StepProgress {
        /// Its id.
        step: String,
        /// One line: the reason at this moment.
        message: String,
    },
    /// A step ended.
    StepFinished {
        /// Its id.
        step: String,
        /// Its title.
        title: String,
        /// How.
        #[serde(flatten)]
        end: StepEnd,
        /// How long it ran.
        seconds: f64,
    },
    /// The rest of the plan was not started or was broken off.
    StepsSkipped {
        /// Ids, in plan order.
        steps: Vec<String>,
        /// Why: an earlier step failed, or the user cancelled.
        reason: String,
    },
    /// The run ended.
    PlanFinished {
        /// Whether every step succeeded.
        ok: bool,
        /// How long the run took.
        seconds: f64,
    },
}
