//! Namespaces: what each contains from its beginning, and how it ends: all content first, then the namespace.

use super::object::{core, is_deleting, items, name, namespace, set_condition};
use super::world::World;
use crate::sim::store::Resource;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The finalizer in a namespace's specification.
const FINALIZER: &str = "kubernetes";
const ROOT_CA: &str = "kube-root-ca.crt";

/// Fills new namespaces and empties deleted ones.
pub fn sync(world: &World) {
    for one in world.all(&core("namespaces")) {
        if is_deleting(&one) {
            empty(world, &one);
        } else {
            fill(world, &one);
        }
    }
}

fn fill(world: &World, one: &Value) {
    let home = Some(name(one));
    if world.store.get(&core("serviceaccounts"), home, "default").is_none() {
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": home}});
        drop(world.create(&core("serviceaccounts"), account));
    }
    if world.store.get(&core("configmaps"), home, ROOT_CA).is_none() {
        let system = world.store.get(&core("configmaps"), Some("kube-system"), ROOT_CA);
        let data = system.map_or_else(|| json!({"ca.crt": ""}), |map| map["data"].clone());
        let note = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": {"name": ROOT_CA, "namespace": home, "annotations": {"kubernetes.io/description": note}},
        });
        drop(world.create(&core("configmaps"), map));
    }
}

fn empty(world: &World, one: &Value) {
    let mut left = remaining(world, name(one));
    for (resource, objects) in &left {
        for object in objects.iter().filter(|object| !is_deleting(object)) {
            world.delete(resource, object);
        }
    }
    left = remaining(world, name(one));
    if left.is_empty() {
        let keep = |spec: &Value| -> Vec<Value> {
            items(spec, "/finalizers").iter().filter(|one| *one != FINALIZER).cloned().collect()
        };
        return world.change(&core("namespaces"), one, |one| {
            let finalizers = keep(&one["spec"]);
            one["spec"]["finalizers"] = Value::Array(finalizers);
        });
    }
    let now = world.store.now();
    let mut status = one["status"].clone();
    for condition in conditions(&left) {
        set_condition(&mut status, condition, &now);
    }
    world.set_status(&core("namespaces"), one, status);
}

type Content = BTreeMap<Resource, Vec<Arc<Value>>>;

fn remaining(world: &World, home: &str) -> Content {
    let all = world.store.resources().into_iter();
    let with_objects = all.map(|resource| {
        let objects = world.store.list(&resource, Some(home));
        (resource, objects.into_iter().filter(|object| namespace(object).is_some()).collect::<Vec<_>>())
    });
    with_objects.filter(|(_, objects)| !objects.is_empty()).collect()
}

/// The conditions of a namespace that waits for its content, in the words of a real controller.
fn conditions(left: &Content) -> Vec<Value> {
    let fine = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "False", "reason": reason, "message": message});
    let counts: Vec<String> = left
        .iter()
        .map(|(resource, objects)| {
            format!("{}.{} has {} resource instances", resource.plural, resource.group, objects.len())
        })
        .collect();
    let mut finalizers: BTreeMap<&str, usize> = BTreeMap::new();
    for finalizer in
        left.values().flatten().flat_map(|object| items(object, "/metadata/finalizers")).filter_map(Value::as_str)
    {
        *finalizers.entry(finalizer).or_default() += 1;
    }
    let waits: Vec<String> =
        finalizers.iter().map(|(one, count)| format!("{one} in {count} resource instances")).collect();
    let mut sorted = counts;
    sorted.sort();
    vec![
        fine("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
        fine(
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        fine(
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        json!({
            "type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain",
            "message": format!("Some resources are remaining: {}", sorted.join(", ")),
        }),
        match waits.is_empty() {
            true => fine(
                "NamespaceFinalizersRemaining",
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
            ),
            false => json!({
                "type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain",
                "message": format!("Some content in the namespace has finalizers remaining: {}", waits.join(", ")),
            }),
        },
    ]
}
