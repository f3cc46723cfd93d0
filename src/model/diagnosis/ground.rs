//! What everything else stands on: the lab's namespace and the nodes.

use super::{Cause, Finding, Scene, Subject};
use crate::model::object::{by_name, condition, is_leaving, is_ready, list, name, text};
use serde_json::Value;

/// Conditions of a node that should not hold, and what each means.
const PRESSURES: &[(&str, &str)] = &[
    ("MemoryPressure", "it runs out of memory, and ends pods"),
    ("DiskPressure", "its disk is nearly full, and it ends pods and removes images"),
    ("PIDPressure", "it runs out of process numbers"),
    ("NetworkUnavailable", "its network is not set up"),
];

pub(super) fn namespace(scene: &Scene) -> Vec<Finding> {
    let leaving = scene.facts.namespace.as_ref().filter(|namespace| is_leaving(namespace));
    let finding = leaving.map(|namespace| {
        let own = name(namespace);
        let mend = format!("finish with `iris-lab reset --name {}`", scene.identity.lab);
        let about = Subject::Namespace(own.into());
        let held = list(namespace, "/status/conditions").filter(|condition| text(condition, "/status") == "True");
        let finding =
            Finding::new(Cause::NamespaceTerminating, about, "it is being deleted, nothing new can start in it", mend);
        held.fold(finding, |finding, condition| {
            finding
                .seen(format!("condition {} of namespace {own}", text(condition, "/type")), text(condition, "/message"))
        })
    });
    finding.into_iter().collect()
}

pub(super) fn nodes(scene: &Scene) -> Vec<Finding> {
    if scene.facts.nodes.is_empty() {
        let what = "it has no nodes, nothing can run";
        return vec![Finding::new(Cause::NoNodes, Subject::Cluster, what, "see `kubectl get nodes`")];
    }
    by_name(&scene.facts.nodes).into_iter().flat_map(node).collect()
}

fn node(node: &Value) -> Vec<Finding> {
    let own = name(node);
    let about = || Subject::Node(own.into());
    let see = format!("see `kubectl describe node {own}`");
    let said = |kind: &str| condition(node, kind).map(|condition| text(condition, "/message")).unwrap_or_default();
    let source = |kind: &str| format!("condition {kind} of node {own}");
    if !is_ready(node) {
        let mend = format!("see that its machine and its kubelet run, and {see}");
        let finding = Finding::new(Cause::NodeNotReady, about(), "it is not ready, and its pods do not answer", mend);
        return vec![finding.seen(source("Ready"), said("Ready"))];
    }
    let holds = |kind: &str| condition(node, kind).is_some_and(|condition| text(condition, "/status") == "True");
    let pressed = PRESSURES.iter().filter(|(kind, _)| holds(kind)).map(|(kind, meaning)| {
        let finding = Finding::new(Cause::NodePressure, about(), *meaning, format!("free some on that machine; {see}"));
        finding.seen(source(kind), said(kind))
    });
    pressed.collect()
}
