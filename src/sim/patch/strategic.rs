//! Strategic merge patches: lists merge by key, and directives replace, delete and order.

use crate::sim::patch::schema::{List, Node, keys_of};
use serde_json::{Map, Value};

const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";

/// Lays a patch over a value.
pub fn patch(value: &mut Value, patch: &Value, node: Node) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let fields = patch.iter().filter(|(key, _)| *key != "$patch");
            *value = Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect());
        }
        Some("delete") => *value = Value::Object(Map::new()),
        _ => patch_map(crate::sim::store::resource::object_mut(value), patch, node),
    }
}

fn patch_map(map: &mut Map<String, Value>, patch: &Map<String, Value>, node: Node) {
    if let Some(Value::Array(retained)) = patch.get("$retainKeys") {
        map.retain(|key, _| retained.iter().any(|one| one == key));
    }
    for (key, wanted) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        match wanted {
            Value::Null => {
                map.remove(key);
            }
            Value::Array(wanted) => {
                let list = map.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
                patch_list(list, wanted, node.field(key));
            }
            Value::Object(fields) if fields.get("$patch").is_some_and(|directive| directive == "delete") => {
                map.remove(key);
            }
            Value::Object(_) => self::patch(map.entry(key.clone()).or_insert(Value::Null), wanted, node.field(key)),
            simple => {
                map.insert(key.clone(), simple.clone());
            }
        }
    }
    for (key, values) in patch {
        if let (Some(field), Some(values)) = (key.strip_prefix(DELETE), values.as_array())
            && let Some(Value::Array(list)) = map.get_mut(field)
        {
            list.retain(|element| !values.contains(element));
        }
        if let (Some(field), Some(order)) = (key.strip_prefix(ORDER), values.as_array())
            && let Some(Value::Array(list)) = map.get_mut(field)
        {
            sort(list, order, node.field(field));
        }
    }
}

fn patch_list(value: &mut Value, wanted: &[Value], node: Node) {
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    let Value::Array(list) = value else { return };
    let directive = |element: &Value, name: &str| element.get("$patch").is_some_and(|directive| directive == name);
    if wanted.iter().any(|element| directive(element, "replace")) {
        *list = wanted.iter().filter(|element| !directive(element, "replace")).cloned().collect();
        return;
    }
    match merge_key(list, wanted, node) {
        List::Atomic => *list = wanted.to_vec(),
        List::Set => {
            let added: Vec<Value> = wanted.iter().filter(|element| !list.contains(element)).cloned().collect();
            list.extend(added);
        }
        List::Map(keys) => {
            for element in wanted {
                let key = keys_of(element, &keys);
                let found = list.iter().position(|one| keys_of(one, &keys) == key);
                match (found, directive(element, "delete")) {
                    (Some(index), true) => {
                        list.remove(index);
                    }
                    (None, true) => {}
                    (Some(index), false) => patch(&mut list[index], element, node.item()),
                    (None, false) => {
                        let mut new = Value::Null;
                        patch(&mut new, element, node.item());
                        list.push(new);
                    }
                }
            }
        }
    }
}

/// Strategic patches know only the first key of a list.
fn merge_key(list: &[Value], wanted: &[Value], node: Node) -> List {
    match node.list(&[list, wanted].concat()) {
        List::Map(mut keys) => {
            keys.truncate(1);
            List::Map(keys)
        }
        other => other,
    }
}

/// Brings a list into the order of a directive; what the directive does not name goes last.
fn sort(list: &mut [Value], order: &[Value], node: Node) {
    let keys = merge_key(list, &[], node);
    let same = |one: &Value, other: &Value| match &keys {
        List::Map(keys) => keys_of(one, keys) == keys_of(other, keys),
        _ => one == other,
    };
    list.sort_by_key(|element| order.iter().position(|one| same(one, element)).unwrap_or(usize::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::kinds::Kinds;
    use crate::sim::store::Store;
    use serde_json::json;

    fn patched(mut object: Value, wanted: &Value) -> Value {
        let pods = Kinds::new(Store::new(), 24).find("", "v1", "pods").unwrap();
        patch(&mut object, wanted, Node::root(&pods, "v1"));
        object
    }

    #[test]
    fn elements_are_found_by_their_key_and_ordered() {
        let pod = json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}});
        let containers = json!([{"name": "c"}, {"name": "a", "tty": true}]);
        let order = json!([{"name": "c"}, {"name": "b"}, {"name": "a"}]);
        let after = patched(pod, &json!({"spec": {"containers": containers, "$setElementOrder/containers": order}}));
        assert_eq!(
            after["spec"]["containers"],
            json!([{"name": "c"}, {"name": "b"}, {"name": "a", "image": "1", "tty": true}])
        );
    }

    #[test]
    fn directives_delete_and_replace() {
        let pod = json!({
            "metadata": {"finalizers": ["x", "y"], "labels": {"a": "1"}},
            "spec": {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "w"}], "securityContext": {"fsGroup": 1}},
        });
        let wanted = json!({
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["x"], "labels": {"$patch": "replace", "b": "2"}},
            "spec": {
                "volumes": [{"name": "w", "$patch": "delete"}, {"name": "v", "$retainKeys": ["name", "secret"], "secret": {}}],
                "securityContext": null,
            },
        });
        let after = patched(pod, &wanted);
        assert_eq!(after["metadata"], json!({"finalizers": ["y"], "labels": {"b": "2"}}));
        assert_eq!(after["spec"], json!({"volumes": [{"name": "v", "secret": {}}]}));
    }
}
