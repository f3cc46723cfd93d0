//! Sets of fields, as in `managedFields` (format FieldsV1).

use crate::sim::patch::schema::{List, Node, keys_of};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A set of fields: a tree whose branches are `f:NAME`, `k:{KEYS}` and `v:VALUE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Whether the field at this place is in the set itself.
    pub member: bool,
    /// What is in the set below it.
    pub children: BTreeMap<String, Fields>,
}

impl Fields {
    fn leaf() -> Self {
        Fields { member: true, children: BTreeMap::new() }
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        !self.member && self.children.values().all(Fields::is_empty)
    }

    /// Reads FieldsV1.
    pub fn from_json(value: &Value) -> Self {
        let map = value.as_object().filter(|map| !map.is_empty());
        let Some(map) = map else { return Self::leaf() };
        let children = map.iter().filter(|(key, _)| *key != ".");
        Fields {
            member: map.contains_key("."),
            children: children.map(|(key, below)| (key.clone(), Self::from_json(below))).collect(),
        }
    }

    /// Writes FieldsV1.
    pub fn to_json(&self) -> Value {
        let mut map: Map<String, Value> =
            self.children.iter().map(|(key, below)| (key.clone(), below.to_json())).collect();
        if self.member && !map.is_empty() {
            map.insert(".".into(), json!({}));
        }
        Value::Object(map)
    }

    /// All fields of a value.
    pub fn of(value: &Value, node: Node) -> Self {
        match value {
            Value::Object(map) if !map.is_empty() && !node.is_atomic_map() => {
                let child = |(key, below): (&String, &Value)| (format!("f:{key}"), Self::of(below, node.field(key)));
                Fields { member: false, children: map.iter().map(child).collect() }
            }
            Value::Array(list) if !list.is_empty() && node.list(list) != List::Atomic => {
                let kind = node.list(list);
                let child = |element: &Value| {
                    let below = if kind == List::Set { Self::leaf() } else { Self::of(element, node.item()) };
                    (branch(element, &kind), Fields { member: true, children: below.children })
                };
                Fields { member: false, children: list.iter().map(child).collect() }
            }
            _ => Self::leaf(),
        }
    }

    /// The fields that two values do not have in common: those new or different in `after`, and those gone.
    pub fn difference(before: &Value, after: &Value, node: Node) -> (Self, Self) {
        if before == after {
            return Default::default();
        }
        let (before, after) = (Branches::of(before, node), Branches::of(after, node));
        let (Some(before), Some(after)) = (before, after) else { return (Self::leaf(), Fields::default()) };
        let (mut changed, mut gone) = (Fields::default(), Fields::default());
        for (key, (value, below)) in &after.0 {
            match before.0.get(key) {
                None => {
                    let mut all = Self::of(value, *below);
                    all.member |= !key.starts_with("f:");
                    changed.children.insert(key.clone(), all);
                }
                Some((old, _)) => {
                    let (one, other) = Self::difference(old, value, *below);
                    changed.insert_below(key, one);
                    gone.insert_below(key, other);
                }
            }
        }
        for (key, (value, below)) in before.0.iter().filter(|(key, _)| !after.0.contains_key(*key)) {
            let mut all = Self::of(value, *below);
            all.member = true;
            gone.children.insert(key.clone(), all);
        }
        (changed, gone)
    }

    fn insert_below(&mut self, key: &str, below: Fields) {
        if !below.is_empty() {
            self.children.insert(key.to_owned(), below);
        }
    }

    /// Adds all of another set.
    pub fn add(&mut self, other: &Fields) {
        self.member |= other.member;
        for (key, below) in &other.children {
            self.children.entry(key.clone()).or_default().add(below);
        }
    }

    /// Takes all of another set away. A field that is taken away as a whole takes what is below it along.
    pub fn subtract(&mut self, other: &Fields) {
        if other.member && other.children.is_empty() {
            *self = Fields::default();
            return;
        }
        self.member &= !other.member;
        for (key, below) in &other.children {
            if let Some(own) = self.children.get_mut(key) {
                own.subtract(below);
                if own.is_empty() {
                    self.children.remove(key);
                }
            }
        }
    }

    /// Removes one path, such as `["f:metadata", "f:name"]`.
    pub fn forget(&mut self, path: &[&str]) {
        match path {
            [] => {}
            [last] => {
                self.children.remove(*last);
            }
            [first, rest @ ..] => {
                if let Some(below) = self.children.get_mut(*first) {
                    below.forget(rest);
                    if below.is_empty() {
                        self.children.remove(*first);
                    }
                }
            }
        }
    }

    /// Paths that are in this set and in the other, where the two values differ.
    pub fn conflicts(
        &self,
        other: &Fields,
        live: &Value,
        wanted: &Value,
        node: Node,
        path: &str,
        found: &mut Vec<String>,
    ) {
        let is_leaf = self.children.is_empty() || other.children.is_empty();
        if is_leaf && merges_with_anything(wanted, node) {
            return;
        }
        if is_leaf {
            if live != wanted && self.member && (other.member || !other.children.is_empty()) {
                found.push(path.to_owned());
            }
            return;
        }
        let (Some(live), Some(wanted)) = (Branches::of(live, node), Branches::of(wanted, node)) else { return };
        for (key, below) in &self.children {
            let Some(others) = other.children.get(key) else { continue };
            let Some((wanted, node)) = wanted.0.get(key) else { continue };
            let live = live.0.get(key).map_or(&Value::Null, |(live, _)| *live);
            let is_element = !key.starts_with("f:");
            if is_element && (below.children.is_empty() || others.children.is_empty()) {
                continue;
            }
            below.conflicts(others, live, wanted, *node, &format!("{path}{}", readable(key)), found);
        }
    }

    /// Removes from a value what is in this set and not in the other.
    pub fn prune(&self, kept: &Fields, value: &mut Value, node: Node) {
        match value {
            Value::Object(map) => {
                for (key, below) in &self.children {
                    let Some(name) = key.strip_prefix("f:") else { continue };
                    let kept = kept.children.get(key);
                    if kept.is_none() && below.children.is_empty() {
                        map.remove(name);
                    } else if let Some(inner) = map.get_mut(name) {
                        below.prune(kept.unwrap_or(&Fields::default()), inner, node.field(name));
                        let emptied = matches!(inner, Value::Object(map) if map.is_empty())
                            || matches!(inner, Value::Array(list) if list.is_empty());
                        if emptied && kept.is_none() {
                            map.remove(name);
                        }
                    }
                }
            }
            Value::Array(list) => {
                let kind = node.list(list);
                list.retain_mut(|element| {
                    let key = branch(element, &kind);
                    let Some(below) = self.children.get(&key) else { return true };
                    match kept.children.get(&key) {
                        None if below.member => false,
                        kept => {
                            below.prune(kept.unwrap_or(&Fields::default()), element, node.item());
                            true
                        }
                    }
                });
            }
            _ => {}
        }
    }
}

/// Whether a value changes nothing when it is laid over another one of its type.
fn merges_with_anything(value: &Value, node: Node) -> bool {
    match value {
        Value::Object(map) => map.is_empty() && !node.is_atomic_map(),
        Value::Array(list) => list.is_empty() && node.list(list) != List::Atomic,
        _ => false,
    }
}

/// The direct parts of a value that merges.
struct Branches<'a>(BTreeMap<String, (&'a Value, Node<'a>)>);

impl<'a> Branches<'a> {
    /// None for simple values and for those that are written as a whole.
    fn of(value: &'a Value, node: Node<'a>) -> Option<Self> {
        match value {
            Value::Object(map) if !node.is_atomic_map() => {
                Some(Branches(map.iter().map(|(key, below)| (format!("f:{key}"), (below, node.field(key)))).collect()))
            }
            Value::Array(list) if node.list(list) != List::Atomic => {
                let kind = node.list(list);
                Some(Branches(list.iter().map(|one| (branch(one, &kind), (one, node.item()))).collect()))
            }
            _ => None,
        }
    }
}

/// The branch of a list's element.
fn branch(element: &Value, kind: &List) -> String {
    match kind {
        List::Map(keys) => format!("k:{}", Value::Object(keys_of(element, keys))),
        List::Set | List::Atomic => format!("v:{element}"),
    }
}

/// A branch as error messages write it: `.name`, `[name="x"]`.
pub(in crate::sim) fn readable(branch: &str) -> String {
    if let Some(name) = branch.strip_prefix("f:") {
        return format!(".{name}");
    }
    let keys: Option<Map<String, Value>> = branch.strip_prefix("k:").and_then(|keys| serde_json::from_str(keys).ok());
    match keys {
        Some(keys) => {
            let pairs: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", pairs.join(","))
        }
        None => format!("[={}]", branch.trim_start_matches("v:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::kinds::Kinds;
    use crate::sim::store::Store;

    #[test]
    fn sets_are_written_as_real_servers_do() {
        let pods = Kinds::new(Store::new(), 24).find("", "v1", "pods").unwrap();
        let pod = json!({
            "metadata": {"labels": {"app": "x"}, "finalizers": ["f"]},
            "spec": {"containers": [{"name": "a", "image": "i", "args": ["1", "2"]}], "nodeSelector": {"a": "b"}},
        });
        let fields = Fields::of(&pod, Node::root(&pods, "v1"));
        let expected = json!({
            "f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {"v:\"f\"": {}}},
            "f:spec": {
                "f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}},
                "f:nodeSelector": {},
            },
        });
        assert_eq!(fields.to_json(), expected);
        assert_eq!(Fields::from_json(&expected), fields);
    }
}
