//! Deleting: options, finalizers and grace periods.

use crate::sim::status::Status;
use crate::sim::store::resource::{Resource, text};
use serde_json::{Value, json};

/// Finalizer of a deletion that waits for its dependents.
pub const FOREGROUND: &str = "foregroundDeletion";
/// Finalizer of a deletion that leaves its dependents behind.
pub const ORPHAN: &str = "orphan";

/// What happens to an object's dependents when it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// The object goes first, its dependents after it.
    Background,
    /// The object goes when its dependents are gone.
    Foreground,
    /// The dependents stay.
    Orphan,
}

/// How an object is to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Seconds that a pod has for its end; none means what the pod says.
    pub grace_period_seconds: Option<i64>,
    /// What happens to the dependents; none is like background.
    pub propagation: Option<Propagation>,
    /// The object must have this uid.
    pub uid: Option<String>,
    /// The object must have this resourceVersion.
    pub resource_version: Option<String>,
}

/// Whether a deleted object has nothing left that holds it.
pub(in crate::sim) fn is_finished(resource: &Resource, object: &Value) -> bool {
    let metadata = &object["metadata"];
    let grace_is_over = metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) == 0;
    metadata.get("deletionTimestamp").is_some() && grace_is_over && finalizers(resource, object) == 0
}

/// Number of finalizers; a namespace has some in its specification too.
pub(in crate::sim) fn finalizers(resource: &Resource, object: &Value) -> usize {
    let count = |path: &str| object.pointer(path).and_then(Value::as_array).map_or(0, Vec::len);
    let of_namespace = if *resource == Resource::new("", "namespaces") { count("/spec/finalizers") } else { 0 };
    count("/metadata/finalizers") + of_namespace
}

/// Refuses when the object is not the one that was meant.
pub(in crate::sim) fn check_preconditions(
    resource: &Resource,
    name: &str,
    object: &Value,
    options: &DeleteOptions,
) -> Result<(), Status> {
    let check = |label: &str, wanted: &Option<String>, found: &str| match wanted {
        Some(wanted) if wanted != found => Err(Status::conflict(
            resource,
            name,
            &format!(
                "the {label} in the precondition ({wanted}) does not match the {label} in record ({found}). The object might have been deleted and then recreated"
            ),
        )),
        _ => Ok(()),
    };
    check("UID", &options.uid, text(object, "/metadata/uid"))?;
    check("ResourceVersion", &options.resource_version, text(object, "/metadata/resourceVersion"))
}

/// Sets the finalizer that stands for the fate of the dependents.
pub(in crate::sim) fn propagate(object: &mut Value, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else { return };
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    let mut finalizers = match metadata.remove("finalizers") {
        Some(Value::Array(finalizers)) => finalizers,
        _ => Vec::new(),
    };
    finalizers.retain(|one| one != FOREGROUND && one != ORPHAN);
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => finalizers.push(json!(FOREGROUND)),
        Propagation::Orphan => finalizers.push(json!(ORPHAN)),
    }
    if !finalizers.is_empty() {
        metadata.insert("finalizers".into(), Value::Array(finalizers));
    }
}

/// Seconds until a pod is gone; zero for all other kinds, for pods without a node and for pods that have ended.
pub(in crate::sim) fn grace_period(resource: &Resource, object: &Value, options: &DeleteOptions) -> i64 {
    let ended = ["Succeeded", "Failed"].contains(&text(object, "/status/phase"));
    if *resource != Resource::new("", "pods") || ended || text(object, "/spec/nodeName").is_empty() {
        return 0;
    }
    let of_pod = object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
    options.grace_period_seconds.or(of_pod).unwrap_or(30).max(0)
}
