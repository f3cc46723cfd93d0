//! Kubernetes quantities: `500m`, `5Gi`, `1e3`.

use crate::model::Quantity;
use crate::sim::status::Cause;
use serde_json::{Value, json};

/// What a real API server says of something that is no quantity.
pub(super) const SYNTAX: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// The fields that hold quantities by their names.
pub(super) const FIELDS: [&str; 3] = ["requests", "limits", "capacity"];

/// Quantities may be written as numbers, but are kept as text.
pub(in crate::sim) fn normalize(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                let amounts = inner.as_object_mut().filter(|_| FIELDS.contains(&key.as_str()));
                for amount in
                    amounts.into_iter().flatten().map(|(_, amount)| amount).filter(|amount| amount.is_number())
                {
                    *amount = json!(amount.to_string());
                }
                normalize(inner);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(normalize),
        _ => {}
    }
}

/// Requests and limits of one container or claim.
pub(super) fn check(resources: &Value, path: &str, causes: &mut Vec<Cause>) {
    for part in ["limits", "requests"] {
        for (name, value) in resources[part].as_object().into_iter().flatten() {
            if Quantity::of(value).is_some_and(|amount| amount < Quantity::default()) {
                let detail = "must be greater than or equal to 0";
                causes.push(Cause::invalid(format!("{path}.{part}[{name}]"), &json!(text(value)), detail));
            }
        }
    }
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let limit = Quantity::of(&resources["limits"][name]);
        if let (Some(amount), Some(limit)) = (Quantity::of(request), limit)
            && amount > limit
        {
            let detail = format!("must be less than or equal to {name} limit");
            causes.push(Cause::invalid(format!("{path}.requests"), &json!(text(request)), &detail));
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
