//! One requirement with its verdict, cause and hint.

use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The requirement holds.
    Ok,
    /// The lab works, with less than it should have.
    Warn,
    /// The lab cannot work: `up` stops before its first change.
    Fail,
}

/// One requirement and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is required, as a short noun phrase.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was found.
    pub cause: String,
    /// The way out; none when the verdict is ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Check {
    /// A requirement that holds.
    pub fn ok(name: impl Into<String>, cause: impl Into<String>) -> Self {
        Check { name: name.into(), verdict: Verdict::Ok, cause: cause.into(), hint: None }
    }

    /// A requirement that is not met but can be lived with.
    pub fn warn(name: impl Into<String>, cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Check { name: name.into(), verdict: Verdict::Warn, cause: cause.into(), hint: Some(hint.into()) }
    }

    /// A requirement without which the lab cannot work.
    pub fn fail(name: impl Into<String>, cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Check { name: name.into(), verdict: Verdict::Fail, cause: cause.into(), hint: Some(hint.into()) }
    }
}
