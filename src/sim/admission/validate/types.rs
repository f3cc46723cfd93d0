//! Wrong types of fields: what a real API server refuses while it decodes.

use super::quantities;
use crate::model::Quantity;
use crate::sim::kinds::Kind;
use crate::sim::status::Status;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::{apps, batch, core, networking, policy, rbac, storage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Refuses values that are no quantities, and data that is not what it says.
pub(super) fn check_simple(kind: &Kind, version: &str, object: &Value) -> Result<(), Status> {
    if kind.custom {
        return Ok(());
    }
    check_quantities(kind, version, object)?;
    let data = object["data"].as_object().into_iter().flatten();
    for (key, value) in data {
        let wrong = match (kind.group.as_str(), kind.plural.as_str(), value) {
            ("", "configmaps" | "secrets", Value::String(_)) if kind.plural == "configmaps" => continue,
            ("", "secrets", Value::String(text)) if STANDARD.decode(text).is_ok() => continue,
            ("", "secrets", Value::String(_)) => "illegal base64 data at input byte 0".to_owned(),
            ("", "configmaps" | "secrets", _) => {
                format!("json: cannot unmarshal {} into Go struct field data.{key} of type string", kind_of(value))
            }
            _ => continue,
        };
        return Err(refuse(kind, version, &wrong));
    }
    Ok(())
}

/// Refuses fields of a wrong type. Missing fields are the business of the rules before.
pub(super) fn check(kind: &Kind, version: &str, object: &Value) -> Result<(), Status> {
    known(kind, object).map(drop).map_err(|why| refuse(kind, version, &why))
}

/// The paths of the fields that the kind does not have. Only kinds whose types are at hand are looked at.
pub(in crate::sim) fn unknown_fields(kind: &Kind, object: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    if let Ok(Some(known)) = known(kind, object) {
        compare(object, &known, "", &mut paths);
    }
    paths
}

/// The object with only those fields that its type has; none for kinds without one.
fn known(kind: &Kind, object: &Value) -> Result<Option<Value>, String> {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => decode::<core::v1::Pod>(object),
        ("", "services") => decode::<core::v1::Service>(object),
        ("", "configmaps") => decode::<core::v1::ConfigMap>(object),
        ("", "secrets") => decode::<core::v1::Secret>(object),
        ("", "namespaces") => decode::<core::v1::Namespace>(object),
        ("", "serviceaccounts") => decode::<core::v1::ServiceAccount>(object),
        ("", "persistentvolumeclaims") => decode::<core::v1::PersistentVolumeClaim>(object),
        ("", "persistentvolumes") => decode::<core::v1::PersistentVolume>(object),
        ("apps", "statefulsets") => decode::<apps::v1::StatefulSet>(object),
        ("apps", "deployments") => decode::<apps::v1::Deployment>(object),
        ("apps", "daemonsets") => decode::<apps::v1::DaemonSet>(object),
        ("batch", "jobs") => decode::<batch::v1::Job>(object),
        ("networking.k8s.io", "networkpolicies") => decode::<networking::v1::NetworkPolicy>(object),
        ("policy", "poddisruptionbudgets") => decode::<policy::v1::PodDisruptionBudget>(object),
        ("rbac.authorization.k8s.io", "clusterroles") => decode::<rbac::v1::ClusterRole>(object),
        ("rbac.authorization.k8s.io", "roles") => decode::<rbac::v1::Role>(object),
        ("storage.k8s.io", "storageclasses") => decode::<storage::v1::StorageClass>(object),
        _ => Ok(None),
    }
}

fn decode<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Option<Value>, String> {
    let mut object = object.clone();
    // The type says which kind it is: a beta version has the same fields.
    if let Some(fields) = object.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    match T::deserialize(&object) {
        Ok(typed) => Ok(serde_json::to_value(typed).ok()),
        Err(error) if error.to_string().contains("missing field") => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn compare(given: &Value, known: &Value, path: &str, unknown: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (key, value) in given {
                let path = format!("{path}.{key}");
                match known.get(key) {
                    Some(known) => compare(value, known, &path, unknown),
                    None => unknown.push(path),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (value, known)) in given.iter().zip(known).enumerate() {
                compare(value, known, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Removes the field at a path as `unknown_fields` gives it.
pub(in crate::sim) fn remove_field(object: &mut Value, path: &str) {
    let pointer = path.replace('[', ".").replace(']', "").replace('~', "~0").replace('/', "~1").replace('.', "/");
    if let Some((parent, field)) = pointer.rsplit_once('/')
        && let Some(Value::Object(parent)) = object.pointer_mut(parent)
    {
        parent.remove(field);
    }
}

fn refuse(kind: &Kind, version: &str, why: &str) -> Status {
    let name = &kind.kind;
    Status::bad_request(format!("{name} in version \"{version}\" cannot be handled as a {name}: {why}"))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Every `requests`, `limits` and `capacity` below resources holds quantities.
fn check_quantities(kind: &Kind, version: &str, value: &Value) -> Result<(), Status> {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if quantities::FIELDS.contains(&key.as_str()) {
                    for amount in inner.as_object().into_iter().flatten().map(|(_, amount)| amount) {
                        if Quantity::of(amount).is_none() && !amount.is_object() {
                            return Err(refuse(kind, version, quantities::SYNTAX));
                        }
                    }
                }
                check_quantities(kind, version, inner)?;
            }
            Ok(())
        }
        Value::Array(list) => list.iter().try_for_each(|inner| check_quantities(kind, version, inner)),
        _ => Ok(()),
    }
}
