//! Whether a pod fits on a node, and how well: taints, affinity, resources, spreading.

use crate::sim::controllers::object::{amount, expression, has_labels, int, items, name, namespace, selects, text};
use crate::sim::controllers::pods::is_finished;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The pods of each node that still need it.
pub type Placed = BTreeMap<String, Vec<Arc<Value>>>;

/// Sorts pods by their nodes.
pub fn by_node(pods: &[Arc<Value>]) -> Placed {
    let mut placed = Placed::new();
    for pod in pods.iter().filter(|pod| !text(pod, "/spec/nodeName").is_empty() && !is_finished(pod)) {
        placed.entry(text(pod, "/spec/nodeName").to_owned()).or_default().push(pod.clone());
    }
    placed
}

/// Whether a pod tolerates a taint.
pub fn tolerates(tolerations: &[Value], taint: &Value) -> bool {
    tolerations.iter().any(|one| tolerates_by(one, taint))
}

/// Whether this toleration is one for this taint.
pub fn tolerates_by(toleration: &Value, taint: &Value) -> bool {
    let effect = text(toleration, "/effect");
    let key = text(toleration, "/key");
    let exists = text(toleration, "/operator") == "Exists";
    (effect.is_empty() || effect == text(taint, "/effect"))
        && if key.is_empty() {
            exists
        } else {
            key == text(taint, "/key") && (exists || text(toleration, "/value") == text(taint, "/value"))
        }
}

/// Whether node selector and required node affinity of a pod's specification allow a node.
pub fn matches_node(spec: &Value, node: &Value) -> bool {
    let selector = &spec["nodeSelector"];
    let labels = &node["metadata"]["labels"];
    let required = spec.pointer("/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution");
    (selector.is_null() || has_labels(labels, selector))
        && required
            .is_none_or(|required| items(required, "/nodeSelectorTerms").iter().any(|term| matches_term(term, node)))
}

fn matches_term(term: &Value, node: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let fields = json!({"metadata.name": name(node)});
    let (expressions, of_fields) = (items(term, "/matchExpressions"), items(term, "/matchFields"));
    (!expressions.is_empty() || !of_fields.is_empty())
        && expressions.iter().all(|one| expression(one, labels))
        && of_fields.iter().all(|one| expression(one, &fields))
}

/// Why a pod does not fit on a node; empty when it does.
pub fn misfit(pod: &Value, node: &Value, placed: &Placed, nodes: &[Arc<Value>]) -> Vec<String> {
    let tolerations = items(pod, "/spec/tolerations");
    let cordon = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
    if node["spec"]["unschedulable"] == true && !tolerates(tolerations, &cordon) {
        return vec!["node(s) were unschedulable".into()];
    }
    let hinders = |taint: &&Value| {
        ["NoSchedule", "NoExecute"].contains(&text(taint, "/effect")) && !tolerates(tolerations, taint)
    };
    if let Some(taint) = items(node, "/spec/taints").iter().find(hinders) {
        let (key, value) = (text(taint, "/key"), text(taint, "/value"));
        return vec![format!("node(s) had taint {{{key}: {value}}}, that the pod didn't tolerate")];
    }
    if !matches_node(&pod["spec"], node) {
        return vec!["node(s) didn't match Pod's node affinity".into()];
    }
    if conflicts_with_pods(pod, node, placed, nodes) {
        return vec!["node(s) didn't match pod affinity/anti-affinity rules".into()];
    }
    missing_resources(pod, node, placed)
}

fn missing_resources(pod: &Value, node: &Value, placed: &Placed) -> Vec<String> {
    let there = placed.get(name(node)).map_or(&[][..], Vec::as_slice);
    let allocatable = &node["status"]["allocatable"];
    let mut missing = Vec::new();
    if amount(&json!(there.len() + 1)) > amount(&allocatable["pods"]) {
        missing.push("Too many pods".to_owned());
    }
    for (resource, wanted) in requests(pod) {
        let used: i128 = there.iter().map(|one| requests(one).get(&resource).copied().unwrap_or(0)).sum();
        if wanted > 0 && used + wanted > amount(&allocatable[&resource]) {
            missing.push(format!("Insufficient {resource}"));
        }
    }
    missing
}

/// What a pod reserves: the sum of its containers, or more if an init container needs more.
fn requests(pod: &Value) -> BTreeMap<String, i128> {
    let of = |container: &Value| -> Vec<(String, i128)> {
        let resources = &container["resources"];
        let list = if resources["requests"].is_object() { &resources["requests"] } else { &resources["limits"] };
        list.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), amount(value))).collect()
    };
    let mut sum: BTreeMap<String, i128> = BTreeMap::new();
    for (key, value) in items(pod, "/spec/containers").iter().flat_map(of) {
        *sum.entry(key).or_default() += value;
    }
    for (key, value) in items(pod, "/spec/initContainers").iter().flat_map(of) {
        let entry = sum.entry(key).or_default();
        *entry = value.max(*entry);
    }
    sum
}

/// Whether required pod affinity or anti-affinity forbids the node.
fn conflicts_with_pods(pod: &Value, node: &Value, placed: &Placed, nodes: &[Arc<Value>]) -> bool {
    let terms =
        |kind: &str| items(pod, &format!("/spec/affinity/{kind}/requiredDuringSchedulingIgnoredDuringExecution"));
    let there =
        |term: &Value| in_domain(text(term, "/topologyKey"), node, placed, nodes).any(|one| selected(term, pod, one));
    terms("podAntiAffinity").iter().any(there)
        || terms("podAffinity").iter().any(|term| {
            // The first of a group of pods that want to be together may go anywhere.
            let alone = !placed.values().flatten().any(|one| selected(term, pod, one));
            !(there(term) || (alone && selected(term, pod, pod)))
        })
}

/// The pods on all nodes that have the same value of a label as this node.
fn in_domain<'a>(
    key: &'a str,
    node: &'a Value,
    placed: &'a Placed,
    nodes: &'a [Arc<Value>],
) -> impl Iterator<Item = &'a Value> {
    let domain = node["metadata"]["labels"].get(key);
    let same = nodes.iter().filter(move |one| domain.is_some() && one["metadata"]["labels"].get(key) == domain);
    same.flat_map(|one| placed.get(name(one)).into_iter().flatten()).map(AsRef::as_ref)
}

fn selected(term: &Value, pod: &Value, other: &Value) -> bool {
    let namespaces = items(term, "/namespaces");
    let in_namespace = match namespaces.is_empty() {
        true => namespace(other) == namespace(pod),
        false => namespaces.iter().any(|one| one.as_str() == namespace(other)),
    };
    in_namespace && selects(&term["labelSelector"], &other["metadata"]["labels"])
}

/// How bad a node is: first preferences that are not met, then pods of the same kind, then pods at all.
pub fn cost(pod: &Value, node: &Value, placed: &Placed) -> (i64, usize, usize, String) {
    let there = placed.get(name(node)).map_or(&[][..], Vec::as_slice);
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    let terms = items(pod, &format!("/spec/affinity/nodeAffinity/{preferred}"));
    let missed = terms
        .iter()
        .filter(|term| !matches_term(&term["preference"], node))
        .filter_map(|term| int(term, "/weight"))
        .sum();
    let spread = items(pod, &format!("/spec/affinity/podAntiAffinity/{preferred}"));
    let spread =
        spread.iter().map(|term| &term["podAffinityTerm"]).chain(items(pod, "/spec/topologySpreadConstraints"));
    let owner = &pod["metadata"]["ownerReferences"][0]["uid"];
    let same_owner = |one: &Value| !owner.is_null() && one["metadata"]["ownerReferences"][0]["uid"] == *owner;
    let spread: Vec<&Value> = spread.collect();
    let alike = |one: &&Arc<Value>| same_owner(one) || spread.iter().any(|term| selected(term, pod, one));
    (missed, there.iter().filter(alike).count(), there.len(), format!("{:>40}", name(node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations() {
        let taint = json!({"key": "k", "value": "v", "effect": "NoSchedule"});
        for (toleration, tolerated) in [
            (json!({"operator": "Exists"}), true),
            (json!({"key": "k", "operator": "Exists"}), true),
            (json!({"key": "k", "value": "v"}), true),
            (json!({"key": "k", "value": "w"}), false),
            (json!({"key": "k", "operator": "Exists", "effect": "NoExecute"}), false),
            (json!({}), false),
        ] {
            assert_eq!(tolerates(std::slice::from_ref(&toleration), &taint), tolerated, "{toleration}");
        }
    }

    #[test]
    fn reasons_in_the_words_of_a_scheduler() {
        let node = |change: Value| {
            let mut node = json!({"metadata": {"name": "n", "labels": {"disk": "ssd"}}, "spec": {},
                                  "status": {"allocatable": {"cpu": "2", "memory": "8Gi", "pods": "110"}}});
            json_patch::merge(&mut node, &change);
            node
        };
        let pod = |spec: Value| json!({"metadata": {"name": "p", "namespace": "x"}, "spec": spec});
        let big = json!({"containers": [{"resources": {"requests": {"cpu": "3", "memory": "9Gi"}}}]});
        for (spec, node, why) in [
            (json!({}), node(json!({})), ""),
            (json!({}), node(json!({"spec": {"unschedulable": true}})), "node(s) were unschedulable"),
            (
                json!({}),
                node(json!({"spec": {"taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}]}})),
                "node(s) had taint {a: b}, that the pod didn't tolerate",
            ),
            (json!({"nodeSelector": {"disk": "hdd"}}), node(json!({})), "node(s) didn't match Pod's node affinity"),
            (big, node(json!({})), "Insufficient cpu, Insufficient memory"),
            (json!({}), node(json!({"status": {"allocatable": {"pods": "0"}}})), "Too many pods"),
        ] {
            assert_eq!(misfit(&pod(spec), &node, &Placed::new(), &[]).join(", "), why);
        }
    }
}
