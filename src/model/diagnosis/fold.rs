//! Brings findings into order: what follows from another one goes under it, and what several objects have in common is said once.

use super::{Cause, Finding, Scene, Subject};

/// The root causes, what is broken before what works with less; under each what follows from it.
pub(super) fn fold(scene: &Scene, findings: Vec<Finding>) -> Vec<Finding> {
    let bases: Vec<Option<usize>> = (0..findings.len()).map(|at| base(scene, &findings, at)).collect();
    let (mut roots, others): (Vec<(usize, Finding)>, Vec<_>) =
        findings.into_iter().enumerate().partition(|(at, _)| bases[*at].is_none());
    for (at, finding) in others {
        let root = root(&bases, at);
        if let Some((_, cause)) = roots.iter_mut().find(|(number, _)| Some(*number) == root) {
            cause.follows.push(finding);
        }
    }
    let mut roots = once(roots.into_iter().map(|(_, finding)| finding).collect());
    roots.iter_mut().for_each(|root| root.follows = once(std::mem::take(&mut root.follows)));
    roots.sort_by_key(|root| !root.broken);
    roots
}

/// The finding because of which this one is there: an earlier one about the same object, or about what that stands on. Only a claim
/// may wait for what stands on it, its pod.
fn base(scene: &Scene, findings: &[Finding], at: usize) -> Option<usize> {
    let subjects = &findings[at].about;
    if findings[at].cause == Cause::ClaimWaitsForPod {
        let waits = |subject: &Subject| scene.stands_on(subject).iter().any(|ground| subjects.contains(ground));
        let is_pod = |subject: &&Subject| matches!(subject, Subject::Pod(_));
        return findings.iter().position(|other| other.broken && other.about.iter().filter(is_pod).any(waits));
    }
    let mut ground: Vec<Subject> = subjects.iter().flat_map(|subject| scene.stands_on(subject)).collect();
    ground.extend(subjects.iter().filter(|subject| !matches!(subject, Subject::Lab(_))).cloned());
    let explains = |earlier: &Finding| earlier.broken && earlier.about.iter().any(|subject| ground.contains(subject));
    findings[..at].iter().position(explains)
}

/// The first one of a chain of reasons.
fn root(bases: &[Option<usize>], at: usize) -> Option<usize> {
    let first = bases[at]?;
    Some(root(bases, first).unwrap_or(first))
}

/// The same said of several objects becomes one finding about all of them.
fn once(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        let same = |other: &&mut Finding| other.cause == finding.cause && other.what == finding.what;
        match merged.iter_mut().find(same) {
            Some(other) => {
                let new = finding.about.into_iter().filter(|subject| !other.about.contains(subject));
                let new: Vec<Subject> = new.collect();
                other.about.extend(new);
                other.evidence.extend(finding.evidence);
                other.follows.extend(finding.follows);
            }
            None => merged.push(finding),
        }
    }
    merged
}
