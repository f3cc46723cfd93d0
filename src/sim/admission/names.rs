//! Names, namespaces and the metadata that only the server sets.

use crate::sim::status::Status;
use crate::sim::store::resource::{Resource, object_mut};
use crate::sim::store::{Store, random_bytes};
use serde_json::{Value, json};

/// Gives an object with `generateName` a name.
pub fn generate(object: &mut Value) {
    let metadata = object_mut(&mut object["metadata"]);
    let has_name = metadata.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    let prefix = metadata.get("generateName").and_then(Value::as_str).filter(|prefix| !prefix.is_empty());
    if let (false, Some(prefix)) = (has_name, prefix) {
        let cut: String = prefix.chars().take(58).collect();
        let name = format!("{cut}{}", suffix());
        metadata.insert("name".into(), json!(name));
    }
}

/// Five random characters that form no words.
pub fn suffix() -> String {
    let alphabet = b"bcdfghjklmnpqrstvwxz2456789";
    random_bytes::<5>().iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}

/// Nothing can be created in a namespace that is not there or that is going.
pub fn check_namespace(store: &Store, resource: &Resource, namespace: &str, object: &Value) -> Result<(), Status> {
    let namespaces = Resource::new("", "namespaces");
    let found = store.get(&namespaces, None, namespace).ok_or_else(|| Status::not_found(&namespaces, namespace))?;
    if found["metadata"]["deletionTimestamp"].is_null() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut status = Status::forbidden(resource, name, &why);
    if let Some(details) = &mut status.details {
        let message = format!("namespace {namespace} is being terminated");
        details["causes"] =
            json!([{"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}]);
    }
    Err(status)
}

/// Puts back what a client may not change. The store does the same; here it is done before fields are compared.
pub fn keep_system_fields(before: &Value, after: &mut Value) {
    let metadata = object_mut(&mut after["metadata"]);
    let fields =
        ["name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp"];
    for field in fields.iter().chain(&["deletionGracePeriodSeconds", "generateName", "selfLink"]) {
        match before["metadata"].get(field) {
            Some(value) => metadata.insert((*field).into(), value.clone()),
            None => metadata.remove(*field),
        };
    }
    for field in ["labels", "annotations"] {
        if metadata.get(field).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) {
            metadata.remove(field);
        }
    }
}

/// A field that is null is not there.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
