//! The one error type of the program: what failed, why, and what to do; its kind decides the exit code.

use std::fmt;

/// Result of everything that a user may hear about.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a run ended without success. Each kind has one documented exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A step failed.
    Step,
    /// Wrong usage or an invalid lab.
    Usage,
    /// A requirement is missing; nothing was changed.
    Requirement,
    /// Something was not ready before its deadline.
    NotReady,
    /// `reset` left something behind.
    Left,
    /// The user cancelled the run.
    Cancelled,
}

impl Kind {
    /// The exit code, as documented in the README.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Step => 1,
            Kind::Usage => 2,
            Kind::Requirement => 3,
            Kind::NotReady => 4,
            Kind::Left => 5,
            Kind::Cancelled => 130,
        }
    }

    /// The name in `-o json` output.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Step => "StepFailed",
            Kind::Usage => "InvalidUsage",
            Kind::Requirement => "RequirementMissing",
            Kind::NotReady => "NotReady",
            Kind::Left => "ResetIncomplete",
            Kind::Cancelled => "Cancelled",
        }
    }
}

/// A failure as the user reads it: one sentence, its causes from the outside in, and the next commands.
#[derive(Debug)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What failed: one sentence, lower case, no period.
    pub message: String,
    /// Why, from the outside in. Several lines are allowed (log tails).
    pub causes: Vec<String>,
    /// What to do: a command or a change.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure without causes and hints yet.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// A step that failed.
    pub fn step(message: impl Into<String>) -> Self {
        Self::new(Kind::Step, message)
    }

    /// Wrong usage or an invalid lab.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A requirement that is missing.
    pub fn requirement(message: impl Into<String>) -> Self {
        Self::new(Kind::Requirement, message)
    }

    /// Not ready before the deadline.
    pub fn not_ready(message: impl Into<String>) -> Self {
        Self::new(Kind::NotReady, message)
    }

    /// Adds a cause.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds every error of a chain as a cause, outermost first.
    #[must_use]
    pub fn caused_by(mut self, error: impl Into<anyhow::Error>) -> Self {
        self.causes.extend(error.into().chain().map(ToString::to_string));
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for Failure {}
