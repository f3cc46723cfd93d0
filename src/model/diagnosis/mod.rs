//! What is wrong with a lab, in words: causes found by judges that only read facts, root causes first, and what follows from
//! another one under it. A status and an explanation are both made of these.

mod cause;
mod claims;
#[cfg(test)]
pub(crate) mod fixture;
mod fold;
mod ground;
mod images;
mod logs;
mod longhorn;
mod pods;
mod scene;
mod services;
#[cfg(test)]
mod tests;
mod workload;

pub use cause::Cause;
pub use longhorn::why_broken;
pub use scene::Subject;

use super::Facts;
use super::status::{LabIdentity, LabState};
use scene::Scene;
use serde::Serialize;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// In one word.
    pub cause: Cause,
    /// What it is about: usually one object, several where they have it in common.
    pub about: Vec<Subject>,
    /// What is wrong, in a sentence that goes with each of them.
    pub what: String,
    /// Where that was read.
    pub evidence: Vec<Evidence>,
    /// What to do: the command is in backquotes.
    pub mend: String,
    /// Whether something does not work; otherwise it works with less than it should have.
    pub broken: bool,
    /// What is wrong because of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<Finding>,
}

/// A line, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Such as `event FailedScheduling of pod data-0`, `log of data-0/iris`.
    pub source: String,
    /// What it says.
    pub line: String,
}

impl Finding {
    fn new(cause: Cause, about: Subject, what: impl Into<String>, mend: impl Into<String>) -> Self {
        let (what, mend) = (what.into(), mend.into());
        Finding { cause, about: vec![about], what, evidence: Vec::new(), mend, broken: true, follows: Vec::new() }
    }

    /// Names a line that says so; one without text says nothing.
    fn seen(mut self, source: impl Into<String>, line: impl AsRef<str>) -> Self {
        let evidence = Evidence { source: source.into(), line: line.as_ref().trim().to_string() };
        if !evidence.line.is_empty() && !self.evidence.contains(&evidence) {
            self.evidence.push(evidence);
        }
        self
    }

    /// It works all the same.
    fn but_works(mut self) -> Self {
        self.broken = false;
        self
    }

    /// What is wrong with what, such as `pod data-0, pod data-1: ...`.
    pub fn head(&self) -> String {
        let parts = self.about.iter().filter(|subject| !matches!(subject, Subject::Lab(_)));
        let parts: Vec<String> = parts.map(ToString::to_string).collect();
        if parts.is_empty() { self.what.clone() } else { format!("{}: {}", parts.join(", "), self.what) }
    }

    /// What is wrong, and the first line that says why.
    pub fn why(&self) -> String {
        let why = self.evidence.first().map(|evidence| evidence.line.trim_end_matches('.'));
        let why = why.filter(|why| !self.what.contains(why)).map(|why| format!(": {why}")).unwrap_or_default();
        self.head() + &why
    }

    /// The same with what to do, in one line.
    pub fn line(&self) -> String {
        format!("{}; {}", self.why(), self.mend)
    }

    /// It and all that follows from it.
    pub fn all(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(self).chain(&self.follows)
    }
}

/// The judges, from the ground up: what an earlier one finds may be the reason for what a later one finds.
const JUDGES: &[fn(&Scene) -> Vec<Finding>] =
    &[ground::namespace, ground::nodes, longhorn::judge, claims::judge, workload::judge, pods::judge, services::judge];

/// In which state a lab is, and everything that is wrong with it.
pub fn judge(identity: &LabIdentity, facts: &Facts) -> (LabState, Vec<Finding>) {
    let scene = Scene { identity, facts };
    if let Some((state, finding)) = workload::whole(&scene) {
        // A run that came no further may have waited for a node.
        let nodes = if state == LabState::Absent { ground::nodes(&scene) } else { Vec::new() };
        return (state, nodes.into_iter().chain([finding]).collect());
    }
    let findings = fold::fold(&scene, JUDGES.iter().flat_map(|judge| judge(&scene)).collect());
    let broken = findings.iter().any(|finding| finding.broken);
    (if broken { LabState::Unhealthy } else { LabState::Healthy }, findings)
}

/// What `explain` says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The lab's name.
    pub lab: String,
    /// Its namespace.
    pub namespace: String,
    /// The provider's name.
    pub provider: String,
    /// Whether the cluster is simulated: nothing real was made.
    pub simulated: bool,
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// What is wrong, the most important first.
    pub findings: Vec<Finding>,
    /// What else is worth to know.
    pub notes: Vec<String>,
    /// What could not be looked at, and why.
    pub unread: Vec<String>,
}

impl Diagnosis {
    /// Explains what was seen.
    pub fn of(identity: &LabIdentity, facts: &Facts) -> Self {
        let (_, findings) = judge(identity, facts);
        Diagnosis {
            lab: identity.lab.clone(),
            namespace: identity.namespace.clone(),
            provider: identity.provider.clone(),
            simulated: identity.simulated,
            healthy: findings.is_empty(),
            findings,
            notes: Vec::new(),
            unread: facts.details.unread.clone(),
        }
    }
}
