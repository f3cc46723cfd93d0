//! How lists and maps merge: by keys, as sets, or as a whole. One table for the built-in kinds; the schema of a custom kind.

use crate::sim::kinds::Kind;
use serde_json::{Map, Value};

/// Lists that merge: the field that holds the object with the list (`*` for any, empty for the object itself), the list's
/// field, and the keys of its elements. Without keys it is a set of simple values.
const LISTS: &[(&str, &str, &[&str])] = &[
    ("*", "conditions", &["type"]),
    ("metadata", "finalizers", &[]),
    ("metadata", "ownerReferences", &["uid"]),
    ("spec", "containers", &["name"]),
    ("spec", "initContainers", &["name"]),
    ("spec", "ephemeralContainers", &["name"]),
    ("spec", "volumes", &["name"]),
    ("spec", "imagePullSecrets", &["name"]),
    ("spec", "hostAliases", &["ip"]),
    ("spec", "topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("containers", "env", &["name"]),
    ("containers", "ports", &["containerPort", "protocol"]),
    ("containers", "volumeMounts", &["mountPath"]),
    ("containers", "volumeDevices", &["devicePath"]),
    ("initContainers", "env", &["name"]),
    ("initContainers", "ports", &["containerPort", "protocol"]),
    ("initContainers", "volumeMounts", &["mountPath"]),
    ("initContainers", "volumeDevices", &["devicePath"]),
    ("spec", "ports", &["port", "protocol"]),
    ("spec", "podCIDRs", &[]),
    ("spec", "drivers", &["name"]),
    ("spec", "volumeLifecycleModes", &[]),
    ("status", "addresses", &["type"]),
    ("status", "podIPs", &["ip"]),
    ("", "secrets", &["name"]),
    ("", "webhooks", &["name"]),
];

/// Maps of the built-in kinds that are written as a whole.
const ATOMIC_MAPS: &[&str] = &[
    "selector",
    "podSelector",
    "namespaceSelector",
    "labelSelector",
    "nodeSelector",
    "roleRef",
    "claimRef",
    "fieldRef",
    "resourceFieldRef",
    "secretKeyRef",
    "configMapKeyRef",
];

/// How a list merges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// As a whole.
    Atomic,
    /// By its values.
    Set,
    /// By the keys of its elements.
    Map(Vec<String>),
}

/// A place in an object.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Schema of a custom kind at this place.
    custom: Option<Option<&'a Value>>,
    parent: &'a str,
    field: &'a str,
}

impl<'a> Node<'a> {
    /// The top of an object.
    pub fn root(kind: &'a Kind, version: &str) -> Self {
        let definition = kind.version(version).and_then(|version| version.definition.as_ref());
        let schema = definition.and_then(|version| version.pointer("/schema/openAPIV3Schema"));
        Node { custom: kind.custom.then_some(schema), parent: "", field: "" }
    }

    /// The place of a field. Metadata is the same for all kinds.
    pub fn field(self, name: &'a str) -> Self {
        let custom = match self.custom {
            Some(_) if self.field.is_empty() && name == "metadata" => None,
            Some(schema) => Some(schema.and_then(|schema| {
                let property = schema.get("properties").and_then(|properties| properties.get(name));
                property.or_else(|| schema.get("additionalProperties"))
            })),
            None => None,
        };
        Node { custom, parent: self.field, field: name }
    }

    /// The place of a list's elements.
    pub fn item(self) -> Self {
        Node { custom: self.custom.map(|schema| schema.and_then(|schema| schema.get("items"))), ..self }
    }

    /// How the list at this place merges. Elements without their keys make it atomic.
    pub fn list(self, elements: &[Value]) -> List {
        let list = match self.custom {
            Some(schema) => custom_list(schema),
            None => self.built_in_list(),
        };
        match &list {
            List::Map(keys) if !elements.iter().all(|element| has_keys(element, keys)) => List::Atomic,
            List::Set if elements.iter().any(|element| element.is_object() || element.is_array()) => List::Atomic,
            _ => list,
        }
    }

    fn built_in_list(self) -> List {
        let found =
            LISTS.iter().find(|(parent, field, _)| *field == self.field && (*parent == "*" || *parent == self.parent));
        match found {
            None => List::Atomic,
            Some((_, _, [])) => List::Set,
            Some((_, _, keys)) => List::Map(keys.iter().map(|key| (*key).to_owned()).collect()),
        }
    }

    /// Whether the map at this place is written as a whole.
    pub fn is_atomic_map(self) -> bool {
        match self.custom {
            Some(schema) => schema.is_some_and(|schema| schema["x-kubernetes-map-type"] == "atomic"),
            None => ATOMIC_MAPS.contains(&self.field),
        }
    }
}

fn custom_list(schema: Option<&Value>) -> List {
    let Some(schema) = schema else { return List::Atomic };
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => List::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            List::Map(keys.filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => List::Atomic,
    }
}

/// A key that may be left out, because it has a default.
fn default_of(key: &str) -> Option<&'static str> {
    (key == "protocol").then_some("TCP")
}

fn has_keys(element: &Value, keys: &[String]) -> bool {
    element.is_object() && keys.iter().all(|key| element.get(key).is_some() || default_of(key).is_some())
}

/// The keys of an element with their values.
pub fn keys_of(element: &Value, keys: &[String]) -> Map<String, Value> {
    let value = |key: &String| {
        let given = element.get(key).filter(|value| !value.is_null()).cloned();
        given.or_else(|| default_of(key).map(Value::from)).unwrap_or(Value::Null)
    };
    keys.iter().map(|key| (key.clone(), value(key))).collect()
}

/// The first element of a list that leaves out one of its keys, in the words of a real API server.
pub fn missing_key(value: &Value, node: Node, path: &str) -> Option<String> {
    match value {
        Value::Object(map) => {
            map.iter().find_map(|(key, inner)| missing_key(inner, node.field(key), &format!("{path}.{key}")))
        }
        Value::Array(list) => {
            let keys = match node.list(list) {
                List::Map(keys) => keys,
                List::Atomic | List::Set => return None,
            };
            list.iter().enumerate().find_map(|(index, element)| {
                if let Some(key) = keys.iter().find(|key| element.get(*key).is_none()) {
                    let fault = format!("omits key field \"{key}\" (and doesn't have default value)");
                    return Some(format!(
                        "{path}: element {index}: associative list with keys has an element that {fault}"
                    ));
                }
                let shown: Vec<String> =
                    keys_of(element, &keys).iter().map(|(key, value)| format!("{key}={value}")).collect();
                missing_key(element, node.item(), &format!("{path}[{}]", shown.join(",")))
            })
        }
        _ => None,
    }
}
