//! What a real API server refuses, in its words.

mod formats;
mod pods;
mod quantities;
mod resources;
mod types;
mod workloads;

use crate::sim::api::context::Target;
use crate::sim::status::{Cause, Status};
pub(in crate::sim) use quantities::normalize as normalize_quantities;
pub(in crate::sim) use types::{remove_field, unknown_fields};

use formats::Name;
use serde_json::{Value, json};

/// Refuses a new object that breaks rules.
pub fn new_object(target: &Target, object: &Value) -> Result<(), Status> {
    types::check_simple(&target.kind, &target.version, object)?;
    let mut causes = Vec::new();
    metadata(target, object, &mut causes);
    specific(target, object, &mut causes);
    finish(target, object, causes)?;
    types::check(&target.kind, &target.version, object)
}

/// Refuses a change that breaks rules or touches what cannot be changed.
pub fn changed_object(target: &Target, minor: u32, before: &Value, object: &Value) -> Result<(), Status> {
    types::check_simple(&target.kind, &target.version, object)?;
    let mut causes = Vec::new();
    labels(object, &mut causes);
    finalizers(before, object, &mut causes);
    specific(target, object, &mut causes);
    match (target.kind.group.as_str(), target.kind.plural.as_str()) {
        ("", "pods") => pods::immutable(before, object, &mut causes),
        ("apps", plural) => workloads::immutable(plural, minor, before, object, &mut causes),
        ("" | "storage.k8s.io" | "rbac.authorization.k8s.io", plural) => {
            resources::immutable(plural, before, object, &mut causes);
        }
        _ => {}
    }
    finish(target, object, causes)?;
    types::check(&target.kind, &target.version, object)
}

fn specific(target: &Target, object: &Value, causes: &mut Vec<Cause>) {
    match (target.kind.group.as_str(), target.kind.plural.as_str()) {
        ("", "pods") => pods::spec(&object["spec"], "spec", causes),
        ("apps", plural) => workloads::check(plural, object, causes),
        ("batch", "jobs") => workloads::job(object, causes),
        ("", plural) => resources::check(plural, object, causes),
        ("storage.k8s.io", "storageclasses") => require(object, "", "provisioner", causes),
        ("apiextensions.k8s.io", _) => resources::definition(object, causes),
        _ => {}
    }
}

fn finish(target: &Target, object: &Value, causes: Vec<Cause>) -> Result<(), Status> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid(&target.kind.group, &target.kind.kind, name, causes)) }
}

fn metadata(target: &Target, object: &Value, causes: &mut Vec<Cause>) {
    let rule = match (target.kind.group.as_str(), target.kind.plural.as_str()) {
        ("", "namespaces") => Name::Label,
        ("", "services") => Name::ServiceLabel,
        ("rbac.authorization.k8s.io", _) => Name::PathSegment,
        _ => Name::Subdomain,
    };
    match object["metadata"]["name"].as_str().filter(|name| !name.is_empty()) {
        None => causes.push(Cause::required("metadata.name", "name or generateName is required")),
        Some(name) => causes.extend(rule.check("metadata.name", name)),
    }
    labels(object, causes);
}

fn labels(object: &Value, causes: &mut Vec<Cause>) {
    for (key, value) in object["metadata"]["labels"].as_object().into_iter().flatten() {
        causes.extend(formats::label_key("metadata.labels", key));
        causes.extend(formats::label_value("metadata.labels", value.as_str().unwrap_or_default()));
    }
    for key in object["metadata"]["annotations"].as_object().into_iter().flatten().map(|(key, _)| key) {
        causes.extend(formats::label_key("metadata.annotations", &key.to_lowercase()));
    }
}

/// A deleted object gets no new finalizers.
fn finalizers(before: &Value, object: &Value, causes: &mut Vec<Cause>) {
    if before["metadata"]["deletionTimestamp"].is_null() {
        return;
    }
    let list = |object: &Value| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let old = list(before);
    let new: Vec<Value> = list(object).into_iter().filter(|finalizer| !old.contains(finalizer)).collect();
    if !new.is_empty() {
        let names: Vec<String> = new.iter().map(ToString::to_string).collect();
        let why = "no new finalizers can be added if the object is being deleted, found new finalizers []string{";
        causes.push(Cause::forbidden("metadata.finalizers", &format!("{why}{}}}", names.join(", "))));
    }
}

/// A text field that must not be empty.
fn require(object: &Value, path: &str, field: &str, causes: &mut Vec<Cause>) {
    if object[field].as_str().unwrap_or_default().is_empty() {
        let dot = if path.is_empty() { "" } else { "." };
        causes.push(Cause::required(format!("{path}{dot}{field}"), ""));
    }
}

/// A text field that must have one of some values.
fn one_of(object: &Value, path: &str, field: &str, allowed: &[&str], causes: &mut Vec<Cause>) {
    let Some(value) = object[field].as_str() else { return };
    if !allowed.contains(&value) {
        causes.push(Cause::unsupported(format!("{path}.{field}"), &json!(value), allowed));
    }
}

/// A number that must not be negative.
fn not_negative(object: &Value, path: &str, field: &str, causes: &mut Vec<Cause>) {
    if object[field].as_i64().is_some_and(|number| number < 0) {
        let detail = "must be greater than or equal to 0";
        causes.push(Cause::invalid(format!("{path}.{field}"), &object[field], detail));
    }
}

/// The elements of a list with their paths.
fn each<'a>(object: &'a Value, path: &str, field: &str) -> Vec<(String, &'a Value)> {
    let list = object[field].as_array().into_iter().flatten().enumerate();
    list.map(|(index, element)| (format!("{path}.{field}[{index}]"), element)).collect()
}

#[cfg(test)]
mod tests;
