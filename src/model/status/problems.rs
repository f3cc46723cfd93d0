//! What is wrong with a lab, in a line each: every problem names its cause and the next command.

use super::{LabIdentity, LabState, Status};
use crate::model::Facts;
use crate::model::diagnosis::{self, Finding};

/// Fills in state, problems and notes. What is broken is a problem; what works with less than it should have is worth a note.
pub(super) fn judge(status: &mut Status, identity: &LabIdentity, facts: &Facts) {
    let (state, findings) = diagnosis::judge(identity, facts);
    let (broken, weak): (Vec<&Finding>, _) = findings.iter().flat_map(Finding::all).partition(|finding| finding.broken);
    status.problems = broken.into_iter().map(Finding::line).collect();
    status.notes = notes(status, identity);
    status.notes.extend(weak.into_iter().map(Finding::line));
    status.healthy = state == LabState::Healthy;
    status.state = state;
}

fn notes(status: &Status, identity: &LabIdentity) -> Vec<String> {
    let mut notes = Vec::new();
    if identity.replicas > 1 && !status.pods.is_empty() {
        notes.push("the pods are independent databases, they share no data".into());
    }
    let cordoned = status.nodes.iter().filter(|node| node.status.contains("SchedulingDisabled"));
    notes.extend(cordoned.map(|node| format!("node {0} takes no new pods until `kubectl uncordon {0}`", node.name)));
    notes
}
