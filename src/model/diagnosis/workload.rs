//! The lab as a whole: whether it is there at all, and what of it is missing.

use super::scene::event_of;
use super::{Cause, Finding, Scene, Subject};
use crate::model::object::{is_leaving, text};
use crate::model::status::LabState;

/// The one finding about a lab of which nothing can be looked at, or that is not there.
pub(super) fn whole(scene: &Scene) -> Option<(LabState, Finding)> {
    let (identity, facts) = (scene.identity, scene.facts);
    let lab = || Subject::Lab(identity.lab.clone());
    if identity.stopped {
        let next = format!("start it with {}", scene.iris_lab("start"));
        let what = "the cluster is stopped, the volumes are kept";
        return Some((LabState::Stopped, Finding::new(Cause::Stopped, lab(), what, next)));
    }
    if !facts.reachable {
        return Some((LabState::Unreachable, unreachable(scene, lab())));
    }
    // In a namespace on its way out, that is what is to be said.
    if is_made(scene) || !facts.pods.is_empty() || facts.namespace.as_ref().is_some_and(is_leaving) {
        return None;
    }
    Some(if facts.claims.is_empty() {
        let next = format!("make it with {}", scene.up());
        let what = format!("nothing of lab {} is on this cluster", identity.lab);
        (LabState::Absent, Finding::new(Cause::Absent, lab(), what, next))
    } else {
        let next = format!("bring them back with {}", scene.up());
        let what = "the pods are removed, their volumes are kept";
        (LabState::Down, Finding::new(Cause::Down, lab(), what, next))
    })
}

fn unreachable(scene: &Scene, lab: Subject) -> Finding {
    let facts = scene.facts;
    let (what, next) = if scene.identity.simulated {
        ("the embedded cluster does not run".to_string(), format!("start it with {}", scene.up()))
    } else {
        let server = if facts.server.is_empty() { String::new() } else { format!(" at {}", facts.server) };
        let next = format!("start the cluster, then run {} again", scene.iris_lab("status"));
        (format!("the API server{server} does not answer"), next)
    };
    Finding::new(Cause::Unreachable, lab, what, next)
}

fn is_made(scene: &Scene) -> bool {
    scene.facts.objects.iter().any(|object| matches!(text(object, "/kind"), "StatefulSet" | "Deployment"))
}

/// What somebody else deleted and nothing makes again, and pods that are not there.
pub(super) fn judge(scene: &Scene) -> Vec<Finding> {
    let lab = || Subject::Lab(scene.identity.lab.clone());
    let again = format!("make it again with {}", scene.up());
    let gone = |what: &str| Finding::new(Cause::ObjectGone, lab(), what, &*again);
    let mut findings = Vec::new();
    if !is_made(scene) {
        findings.push(gone("the StatefulSet is gone, a pod that ends is not replaced"));
    }
    let is_external =
        |object: &serde_json::Value| text(object, "/kind") == "Service" && text(object, "/spec/type") == "LoadBalancer";
    if !scene.facts.objects.iter().any(is_external) {
        findings.push(gone("the LoadBalancer Service is gone, the portal has no address"));
    }
    let (there, expected) = (scene.facts.pods.len(), usize::try_from(scene.identity.replicas).unwrap_or(usize::MAX));
    // Without the StatefulSet, nobody makes them.
    if there < expected && is_made(scene) {
        let what = format!("{there} of {expected} pods exist");
        let finding = Finding::new(Cause::PodsMissing, lab(), what, format!("make the others with {}", scene.up()));
        let refused = scene.facts.warnings.iter().find(|event| text(event, "/involvedObject/kind") == "StatefulSet");
        findings.push(match refused {
            Some(event) => finding.seen(event_of(event), text(event, "/message")),
            None => finding,
        });
    }
    findings
}
