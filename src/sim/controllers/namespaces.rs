//! Namespaces: what each contains from its beginning, and how it ends: all content first, then the namespace.

use super::object::{core, is_deleting, items, name, namespace, set_condition, text, uid};
use super::world::World;
use crate::sim::admission::webhooks::{self, Write};
use crate::sim::aggregation;
use crate::sim::kinds::Kinds;
use crate::sim::store::Resource;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The finalizer in a namespace's specification.
const FINALIZER: &str = "kubernetes";
const ROOT_CA: &str = "kube-root-ca.crt";

/// How long a real controller leaves a deleted namespace alone, so that every API server has heard of it.
const GRACE: Duration = Duration::from_secs(5);

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
    if !world.timer(format!("empty/{}", uid(one)), GRACE).over {
        return;
    }
    let (mut refused, dead) = (BTreeMap::new(), dead_groups(world));
    for (resource, objects) in &remaining(world, name(one)) {
        let present = objects.iter().filter(|object| !is_deleting(object));
        // All objects of a kind are deleted in one request, which fails as a whole.
        match present.clone().try_for_each(|object| judge(world, resource, object)) {
            Ok(()) => present.for_each(|object| world.delete(resource, object)),
            Err(why) => drop(refused.insert(resource.clone(), why)),
        }
    }
    let mut left = remaining(world, name(one));
    left.retain(|resource, _| !refused.contains_key(resource));
    // What is in a group that cannot be read is not known: nobody may say that the namespace is empty.
    if left.is_empty() && dead.is_empty() && refused.is_empty() {
        let keep = |spec: &Value| -> Vec<Value> {
            items(spec, "/finalizers").iter().filter(|one| *one != FINALIZER).cloned().collect()
        };
        return world.change(&core("namespaces"), one, |one| {
            let finalizers = keep(&one["spec"]);
            one["spec"]["finalizers"] = Value::Array(finalizers);
        });
    }
    let refused: Vec<String> = refused.into_values().collect();
    let now = world.store.now();
    let mut status = one["status"].clone();
    for condition in conditions(&left, &dead, &refused) {
        set_condition(&mut status, condition, &now);
    }
    world.set_status(&core("namespaces"), one, status);
}

/// Groups whose server is not there.
fn dead_groups(world: &World) -> Vec<String> {
    let all = aggregation::versions(&world.store).into_iter();
    let dead = all.filter(|(group, version)| aggregation::is_unavailable(&world.store, group, version));
    dead.map(|(group, version)| format!("{group}/{version}")).collect()
}

/// Asks the webhooks about the end of an object.
fn judge(world: &World, resource: &Resource, object: &Value) -> Result<(), String> {
    let kinds = Kinds::new(world.store.clone(), world.minor());
    let (group, version) = text(object, "/apiVersion").split_once('/').unwrap_or(("", text(object, "/apiVersion")));
    let Some(kind) = kinds.find(group, version, &resource.plural) else { return Ok(()) };
    let write = Write { operation: "DELETE", kind: &kind, version, subresource: None, object };
    webhooks::check(&world.store, world.minor(), &write).map_err(|status| status.message)
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
fn conditions(left: &Content, dead: &[String], refused: &[String]) -> Vec<Value> {
    let mut counts: Vec<String> = left
        .iter()
        .map(|(resource, objects)| {
            format!("{}.{} has {} resource instances", resource.plural, resource.group, objects.len())
        })
        .collect();
    counts.sort();
    let mut finalizers: BTreeMap<&str, usize> = BTreeMap::new();
    for finalizer in
        left.values().flatten().flat_map(|object| items(object, "/metadata/finalizers")).filter_map(Value::as_str)
    {
        *finalizers.entry(finalizer).or_default() += 1;
    }
    let waits: Vec<String> =
        finalizers.iter().map(|(one, count)| format!("{one} in {count} resource instances")).collect();
    let unread: Vec<String> =
        dead.iter().map(|one| format!("{one}: the server is currently unable to handle the request")).collect();
    let condition = |kind: &str, bad: (bool, &str, String), good: (&str, &str)| match bad {
        (true, reason, message) => json!({"type": kind, "status": "True", "reason": reason, "message": message}),
        _ => json!({"type": kind, "status": "False", "reason": good.0, "message": good.1}),
    };
    let unread = format!(
        "Discovery failed for some groups, {} failing: unable to retrieve the complete list of server APIs: {}",
        dead.len(),
        unread.join(", ")
    );
    let failed = format!("Failed to delete all resource types, {} remaining: {}", refused.len(), refused.join(", "));
    let remain = format!("Some resources are remaining: {}", counts.join(", "));
    let held = format!("Some content in the namespace has finalizers remaining: {}", waits.join(", "));
    vec![
        condition(
            "NamespaceDeletionDiscoveryFailure",
            (!dead.is_empty(), "DiscoveryFailed", unread),
            ("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            (false, "", String::new()),
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        condition(
            "NamespaceDeletionContentFailure",
            (!refused.is_empty(), "ContentDeletionFailed", failed),
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ),
        condition(
            "NamespaceContentRemaining",
            (!left.is_empty(), "SomeResourcesRemain", remain),
            ("ContentRemoved", "All content successfully removed"),
        ),
        condition(
            "NamespaceFinalizersRemaining",
            (!waits.is_empty(), "SomeFinalizersRemain", held),
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    ]
}
