//! The rights that a plan needs, read off its steps, so that they can be checked before the first change.

use crate::model::{Access, Action, ObjectRef, Plan, WaitFor};
use std::collections::BTreeSet;

/// Every right that the unsatisfied steps need, each once.
pub fn access(plan: &Plan) -> Vec<Access> {
    let mut all = BTreeSet::new();
    for step in plan.steps.iter().filter(|step| step.satisfied.is_none()) {
        match &step.action {
            Action::Apply { objects } => {
                for object in objects {
                    all.extend(rights(&ObjectRef::of(object), &["get", "create", "patch"]));
                }
            }
            Action::Delete { objects } => {
                for object in objects {
                    all.extend(rights(object, &["get", "list", "watch", "delete"]));
                }
            }
            Action::Wait { target } => all.extend(waiting(target)),
            Action::ProveImage { namespace, .. } => {
                all.extend(rights(&ObjectRef::new("v1", "Pod", Some(namespace), ""), &["list"]));
            }
            // Longhorn's own steps need a cluster administrator, which applying its manifest asks for.
            Action::Reap { .. }
            | Action::Evacuate { .. }
            | Action::Canary { .. }
            | Action::RoutePods { .. }
            | Action::Scale { .. }
            | Action::Grow { .. }
            | Action::Replace { .. }
            | Action::Measure { .. }
            | Action::SetPassword { .. }
            | Action::RunJob { .. }
            | Action::Release { .. }
            | Action::Finalize { .. } => {}
            Action::StartSim(_)
            | Action::StopSim
            | Action::WriteKubeconfig { .. }
            | Action::Make { .. }
            | Action::Unmake { .. }
            | Action::Run { .. }
            | Action::Download { .. }
            | Action::BuildImage(_)
            | Action::PushImage { .. }
            | Action::WriteFile { .. }
            | Action::TakeKubeconfig { .. }
            | Action::Prove { .. }
            | Action::RemoveHostFiles => {}
        }
    }
    all.into_iter().collect()
}

fn waiting(target: &WaitFor) -> Vec<Access> {
    let watched =
        |version, kind, namespace| rights(&ObjectRef::new(version, kind, namespace, ""), &["get", "list", "watch"]);
    match target {
        WaitFor::NodesReady { .. } => watched("v1", "Node", None),
        WaitFor::Served { .. } => watched("apiextensions.k8s.io/v1", "CustomResourceDefinition", None),
        WaitFor::PodReady { namespace, .. } => [("v1", "Pod"), ("apps/v1", "StatefulSet"), ("v1", "Event")]
            .into_iter()
            .flat_map(|(version, kind)| watched(version, kind, Some(namespace.as_str())))
            .collect(),
        WaitFor::Longhorn { .. } | WaitFor::VolumesGone { .. } | WaitFor::Lab { .. } => Vec::new(),
        WaitFor::Address { namespace, .. } => watched("v1", "Service", Some(namespace)),
    }
}

fn rights(object: &ObjectRef, verbs: &[&str]) -> Vec<Access> {
    let right = |verb: &&str| Access {
        verb: verb.to_string(),
        group: object.group().into(),
        resource: resource(&object.kind),
        namespace: object.namespace.clone(),
    };
    verbs.iter().map(right).collect()
}

/// The resource of a kind, by the rule that Kubernetes' own kinds follow.
fn resource(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if lower.ends_with('s') => format!("{lower}es"),
        None => format!("{lower}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_become_resources() {
        let all = ["StatefulSet", "StorageClass", "NetworkPolicy", "Ingress", "PersistentVolumeClaim"].map(resource);
        assert_eq!(all, ["statefulsets", "storageclasses", "networkpolicies", "ingresses", "persistentvolumeclaims"]);
    }
}
