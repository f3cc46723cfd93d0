//! Reading and changing objects as JSON: fields, owners, selectors and conditions, the way every controller needs them.

use crate::model::Quantity;
use crate::sim::store::Resource;
use serde_json::{Value, json};

/// A quantity in billionths, to add and compare; what is no quantity counts nothing.
pub fn amount(value: &Value) -> i128 {
    Quantity::of(value).map_or(0, Quantity::nanos)
}

/// A kind of the core group.
pub fn core(plural: &str) -> Resource {
    Resource::new("", plural)
}

/// A kind of the group apps.
pub fn apps(plural: &str) -> Resource {
    Resource::new("apps", plural)
}

/// A text field by its JSON pointer; empty when it is missing.
pub fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// A number.
pub fn int(object: &Value, path: &str) -> Option<i64> {
    object.pointer(path).and_then(Value::as_i64)
}

/// A truth value; false when it is missing.
pub fn flag(object: &Value, path: &str) -> bool {
    object.pointer(path).and_then(Value::as_bool).unwrap_or(false)
}

/// A list; empty when it is missing.
pub fn items<'a>(object: &'a Value, path: &str) -> &'a [Value] {
    object.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`; none for cluster-scoped objects.
pub fn namespace(object: &Value) -> Option<&str> {
    object.pointer("/metadata/namespace").and_then(Value::as_str)
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Whether the object is being deleted.
pub fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(Value::is_string)
}

/// One label.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["labels"].get(key).and_then(Value::as_str)
}

/// One annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"].get(key).and_then(Value::as_str)
}

/// Whether `owner` is the object's controller.
pub fn is_controlled_by(object: &Value, owner: &Value) -> bool {
    let references = items(object, "/metadata/ownerReferences");
    references.iter().any(|one| flag(one, "/controller") && text(one, "/uid") == uid(owner))
}

/// The reference by which a controller owns what it made.
pub fn controller_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

/// Whether every pair of a map of labels is in the labels.
pub fn has_labels(labels: &Value, wanted: &Value) -> bool {
    wanted.as_object().is_some_and(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// Whether a label selector selects these labels. An empty selector selects everything, a missing one nothing.
pub fn selects(selector: &Value, labels: &Value) -> bool {
    if !selector.is_object() {
        return false;
    }
    let pairs = &selector["matchLabels"];
    let expressions = items(selector, "/matchExpressions");
    (pairs.is_null() || has_labels(labels, pairs)) && expressions.iter().all(|one| expression(one, labels))
}

/// One requirement of a label selector or a node selector.
pub fn expression(requirement: &Value, labels: &Value) -> bool {
    let value = labels.get(text(requirement, "/key"));
    let values = items(requirement, "/values");
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<i64>().ok());
    let compare = |is: fn(&i64, &i64) -> bool| match (value.and_then(number), values.first().and_then(number)) {
        (Some(found), Some(wanted)) => is(&found, &wanted),
        _ => false,
    };
    match text(requirement, "/operator") {
        "In" => value.is_some_and(|value| values.contains(value)),
        "NotIn" => value.is_none_or(|value| !values.contains(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compare(i64::gt),
        "Lt" => compare(i64::lt),
        _ => false,
    }
}

/// One condition of the object's status.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, "/status/conditions").iter().find(|one| one["type"] == kind)
}

/// Whether a condition is true.
pub fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|one| one["status"] == "True")
}

/// Sets a condition of a status. Its transition time moves only when its status changes. Extra fields are kept.
pub fn set_condition(status: &mut Value, mut wanted: Value, now: &str) {
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Some(conditions) = status["conditions"].as_array_mut() else { return };
    match conditions.iter_mut().find(|one| one["type"] == wanted["type"]) {
        Some(found) => {
            let same = found["status"] == wanted["status"];
            wanted["lastTransitionTime"] = if same { found["lastTransitionTime"].clone() } else { json!(now) };
            for field in ["lastProbeTime", "lastHeartbeatTime", "lastUpdateTime"] {
                if wanted.get(field).is_none() && found.get(field).is_some() {
                    wanted[field] = found[field].clone();
                }
            }
            *found = wanted;
        }
        None => {
            wanted["lastTransitionTime"] = json!(now);
            conditions.push(wanted);
        }
    }
}

/// Whether the object has a finalizer.
pub fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    items(object, "/metadata/finalizers").iter().any(|one| one == finalizer)
}

/// Adds or takes away a finalizer.
pub fn set_finalizer(object: &mut Value, finalizer: &str, present: bool) {
    let mut all: Vec<Value> = items(object, "/metadata/finalizers").to_vec();
    all.retain(|one| one != finalizer);
    if present {
        all.push(json!(finalizer));
    }
    match (all.is_empty(), object["metadata"].as_object_mut()) {
        (true, Some(metadata)) => drop(metadata.remove("finalizers")),
        _ => object["metadata"]["finalizers"] = Value::Array(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors() {
        let labels = json!({"app": "iris", "tier": "3"});
        for (selector, selected) in [
            (json!({}), true),
            (Value::Null, false),
            (json!({"matchLabels": {"app": "iris"}}), true),
            (json!({"matchLabels": {"app": "web"}}), false),
            (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "iris"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["iris"]}]}), false),
            (json!({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["iris"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), false),
            (json!({"matchExpressions": [{"key": "tier", "operator": "Gt", "values": ["2"]}]}), true),
        ] {
            assert_eq!(selects(&selector, &labels), selected, "{selector}");
        }
    }

    #[test]
    fn a_condition_keeps_its_time_while_its_status_stays() {
        let mut status = json!({});
        set_condition(&mut status, json!({"type": "Ready", "status": "False", "reason": "A"}), "t1");
        set_condition(&mut status, json!({"type": "Ready", "status": "False", "reason": "B"}), "t2");
        assert_eq!(status["conditions"][0]["lastTransitionTime"], "t1");
        set_condition(&mut status, json!({"type": "Ready", "status": "True"}), "t3");
        assert_eq!(status["conditions"], json!([{"type": "Ready", "status": "True", "lastTransitionTime": "t3"}]));
    }
}
