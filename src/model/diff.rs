//! Whether a live object differs from a desired one in what the desired one says. Pure; what the server added does not count.

use super::object::FIELD_MANAGER;
use super::quantity::Quantity;
use serde_json::{Map, Value};

/// The fields by which the API server tells the elements of a list apart. The order matters: mounts and ports have names too.
const MERGE_KEYS: [&str; 4] = ["mountPath", "containerPort", "port", "name"];
/// Under these fields values are quantities.
const QUANTITIES: [&str; 5] = ["requests", "limits", "capacity", "hard", "sizeLimit"];

/// Fields that the server drops when they are false.
const DROPPED_IF_FALSE: [&str; 3] = ["hostIPC", "hostNetwork", "hostPID"];

/// Whether applying `desired` would change `live`. In doubt it does: an apply too many is harmless, one too few is not.
pub fn differs(live: &Value, desired: &Value) -> bool {
    !covers(live, desired, false) || leftover(live, desired)
}

/// Whether `live` has all that `desired` says.
fn covers(live: &Value, desired: &Value, quantity: bool) -> bool {
    match (live, desired) {
        // The server drops what is empty.
        (Value::Null, desired) => empty(desired),
        (_, Value::Null) => true,
        (Value::Object(live), Value::Object(desired)) => desired.iter().all(|(key, desired)| {
            let quantity = quantity || QUANTITIES.contains(&key.as_str());
            let dropped = *desired == false && DROPPED_IF_FALSE.contains(&key.as_str()) && !live.contains_key(key);
            dropped || covers(live.get(key).unwrap_or(&Value::Null), desired, quantity)
        }),
        (Value::Array(live), Value::Array(desired)) => lists(live, desired, quantity),
        (live, desired) => {
            live == desired || quantity && Quantity::of(live).is_some_and(|live| Some(live) == Quantity::of(desired))
        }
    }
}

/// Whether a value says nothing. A false, a zero or an empty text may say much where the default is another one.
fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(empty),
    }
}

fn lists(live: &[Value], desired: &[Value], quantity: bool) -> bool {
    if live.len() != desired.len() {
        return false;
    }
    let key = MERGE_KEYS.iter().find(|key| tells_apart(key, live) && tells_apart(key, desired));
    match key {
        Some(key) => desired
            .iter()
            .all(|wanted| live.iter().any(|live| live[*key] == wanted[*key] && covers(live, wanted, quantity))),
        None => live.iter().zip(desired).all(|(live, desired)| covers(live, desired, quantity)),
    }
}

/// Whether every element has this field, each another value of it.
fn tells_apart(key: &str, list: &[Value]) -> bool {
    let mut seen = Vec::new();
    list.iter().all(|element| match element.get(key) {
        Some(value) if !seen.contains(&value) => {
            seen.push(value);
            true
        }
        _ => false,
    })
}

/// Whether we own something in the live object that is not desired any more, or own nothing of it yet.
fn leftover(live: &Value, desired: &Value) -> bool {
    let Some(managers) = live["metadata"]["managedFields"].as_array() else { return false };
    let ours = managers.iter().find(|entry| {
        entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply" && entry["subresource"].is_null()
    });
    ours.is_none_or(|entry| entry["fieldsV1"].as_object().is_some_and(|fields| !wanted(fields, desired)))
}

/// Whether every owned field is still desired. Keys are `f:field`, `k:{"name":"x"}` and `v:value`.
fn wanted(fields: &Map<String, Value>, desired: &Value) -> bool {
    fields.iter().all(|(key, below)| {
        let found = match key.split_once(':') {
            Some(("f", field)) => desired.get(field),
            Some(("k", keys)) => element(keys, desired),
            Some(("v", value)) => {
                let value = serde_json::from_str::<Value>(value).ok();
                desired.as_array().and_then(|list| list.iter().find(|element| Some(*element) == value.as_ref()))
            }
            _ => return true,
        };
        found.is_some_and(|found| below.as_object().is_none_or(|below| below.is_empty() || wanted(below, found)))
    })
}

/// The element of a list that has these keys. What the server defaults, such as a port's protocol, may be missing.
fn element<'a>(keys: &str, desired: &'a Value) -> Option<&'a Value> {
    let keys: Map<String, Value> = serde_json::from_str(keys).ok()?;
    desired.as_array()?.iter().find(|element| {
        keys.iter().all(|(key, value)| element.get(key).is_none_or(|own| own == value))
            && keys.keys().any(|key| element.get(key).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_server_adds_or_drops_is_no_difference() {
        assert!(!differs(&json!({ "spec": {} }), &json!({ "spec": { "hostIPC": false } })));
        assert!(differs(&json!({ "spec": {} }), &json!({ "spec": { "hostIPC": true } })));
        assert!(differs(&json!({ "spec": { "hostIPC": true } }), &json!({ "spec": { "hostIPC": false } })));
        let desired = json!({ "spec": { "replicas": 2, "template": { "spec": { "nodeName": null,
            "securityContext": {}, "containers": [{ "name": "iris", "env": [{ "name": "TZ", "value": "UTC" }] }] } } } });
        let live = json!({ "metadata": { "uid": "1" }, "status": { "replicas": 2 }, "spec": { "replicas": 2,
            "revisionHistoryLimit": 10, "template": { "spec": { "dnsPolicy": "ClusterFirst",
            "containers": [{ "name": "iris", "imagePullPolicy": "Always", "env": [{ "name": "TZ", "value": "UTC" }] }] } } } });
        assert!(!differs(&live, &desired));
    }

    #[test]
    fn another_value_a_missing_field_and_a_further_element_are_differences() {
        let live = json!({ "a": 1, "list": [{ "name": "x", "v": 1 }, { "name": "y" }] });
        for desired in [
            json!({ "a": 2 }),
            json!({ "a": 1, "b": "new" }),
            json!({ "a": 1, "b": false }),
            json!({ "list": [{ "name": "x", "v": 1 }] }),
            json!({ "list": [{ "name": "x", "v": 2 }, { "name": "y" }] }),
            json!({ "list": [{ "name": "x", "v": 1 }, { "name": "z" }] }),
            json!({ "a": { "b": 1 } }),
        ] {
            assert!(differs(&live, &desired), "{desired}");
        }
    }

    #[test]
    fn elements_are_matched_by_their_key_not_by_their_place() {
        let live = json!({ "volumeMounts": [{ "name": "data", "mountPath": "/b" }, { "name": "data", "mountPath": "/a" }],
            "ports": [{ "port": 2, "name": "web" }, { "port": 1, "name": "sql", "protocol": "TCP" }] });
        let desired = json!({ "volumeMounts": [{ "name": "data", "mountPath": "/a" }, { "name": "data", "mountPath": "/b" }],
            "ports": [{ "port": 1, "name": "sql" }, { "port": 2, "name": "web" }] });
        assert!(!differs(&live, &desired));
    }

    #[test]
    fn quantities_are_compared_by_value_but_other_texts_are_not() {
        let resources = |cpu: Value, memory: &str| json!({ "requests": { "cpu": cpu, "memory": memory } });
        let live = resources(json!("1"), "1Gi");
        assert!(!differs(&live, &resources(json!("1000m"), "1024Mi")));
        assert!(!differs(&live, &resources(json!(1), "1073741824")));
        assert!(differs(&live, &resources(json!("1"), "1G")));
        assert!(differs(&json!({ "data": { "v": "1" } }), &json!({ "data": { "v": "1000m" } })));
    }

    #[test]
    fn a_field_that_we_own_and_no_longer_want_is_a_difference() {
        let owned = |fields: Value| {
            json!({ "data": { "a": "1", "b": "2" }, "metadata": { "managedFields": [
                { "manager": "iris-lab", "operation": "Apply", "fieldsV1": fields } ] } })
        };
        let desired = json!({ "data": { "a": "1" } });
        assert!(!differs(&owned(json!({ "f:data": { "f:a": {} } })), &desired));
        assert!(differs(&owned(json!({ "f:data": { "f:a": {}, "f:b": {} } })), &desired));
        let foreign = json!({ "data": { "a": "1" }, "metadata": { "managedFields": [
            { "manager": "kubectl", "operation": "Update", "fieldsV1": {} } ] } });
        assert!(differs(&foreign, &desired));
    }

    #[test]
    fn owned_elements_of_lists_are_found_in_the_desired_ones() {
        let live = json!({ "ports": [{ "port": 1972, "protocol": "TCP" }], "metadata": { "finalizers": ["a"],
            "managedFields": [{ "manager": "iris-lab", "operation": "Apply", "fieldsV1": {
                "f:ports": { "k:{\"port\":1972,\"protocol\":\"TCP\"}": { ".": {}, "f:port": {} } },
                "f:metadata": { "f:finalizers": { "v:\"a\"": {} } } } }] } });
        assert!(!differs(&live, &json!({ "ports": [{ "port": 1972 }], "metadata": { "finalizers": ["a"] } })));
        assert!(differs(&live, &json!({ "ports": [{ "port": 1972 }] })));
    }
}
