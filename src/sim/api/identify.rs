//! The object in a body must be what the path names.

use crate::sim::admission::{names, validate};
use crate::sim::api::context::Target;
use crate::sim::status::Status;
use crate::sim::store::resource::object_mut;
use serde_json::{Value, json};

/// Checks kind, name and namespace, and fills in those that the body leaves out.
pub fn identify(target: &Target, object: &mut Value) -> Result<(), Status> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if !object.is_object() {
        return Err(Status::bad_request("the object provided is unrecognized: json: cannot unmarshal into Go value"));
    }
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let expected = target.api_version();
    if !api_version.is_empty() && api_version != expected {
        let message =
            format!("the API version in the data ({api_version}) does not match the expected API version ({expected})");
        return Err(Status::bad_request(message));
    }
    if !kind.is_empty() && kind != target.kind.kind {
        let wanted = &target.kind.kind;
        let message = format!(
            "{kind} in version \"{api_version}\" cannot be handled as a {wanted}: no kind \"{kind}\" is registered here"
        );
        return Err(Status::bad_request(message));
    }
    object["apiVersion"] = json!(expected);
    object["kind"] = json!(target.kind.kind);
    let metadata = object_mut(&mut object["metadata"]);
    if let Some(namespace) = &target.namespace {
        if metadata
            .get("namespace")
            .and_then(Value::as_str)
            .is_some_and(|given| !given.is_empty() && given != namespace)
        {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Status::bad_request(message));
        }
        metadata.insert("namespace".into(), json!(namespace));
    } else {
        metadata.remove("namespace");
    }
    if let Some(name) = &target.name {
        let given = metadata.get("name").and_then(Value::as_str).unwrap_or(name);
        if given != name {
            let message = format!("the name of the object ({given}) does not match the name on the URL ({name})");
            return Err(Status::bad_request(message));
        }
        metadata.insert("name".into(), json!(name));
    }
    names::drop_nulls(object);
    if !target.kind.custom {
        validate::normalize_quantities(object);
    }
    Ok(())
}
