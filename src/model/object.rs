//! The name of a Kubernetes object, and reading the few fields that every object has.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Label on every object that we make: its value is [`FIELD_MANAGER`].
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Label on every object that we make: its value is the lab's name.
pub const LAB_LABEL: &str = "iris-lab/lab";
/// Label on the claim and the pod of a canary, beside our other two: they prove something and are no part of the lab.
pub const CANARY_LABEL: &str = "iris-lab/canary";
/// Field manager of server-side apply, and the value of [`MANAGED_BY`].
pub const FIELD_MANAGER: &str = "iris-lab";

/// Name of the ConfigMap, in the lab's namespace, that keeps what was applied and what was proven.
pub const RECORD: &str = "iris-lab";

/// One object of a cluster. `namespace` is none for cluster-scoped kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `StatefulSet`.
    pub kind: String,
    /// Namespace, for namespaced kinds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl ObjectRef {
    /// A reference from its parts.
    pub fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        ObjectRef {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: namespace.map(Into::into),
            name: name.into(),
        }
    }

    /// The reference of a whole object; missing fields become empty.
    pub fn of(object: &Value) -> Self {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str);
        ObjectRef {
            api_version: text("/apiVersion").unwrap_or_default().into(),
            kind: text("/kind").unwrap_or_default().into(),
            namespace: text("/metadata/namespace").map(Into::into),
            name: text("/metadata/name").unwrap_or_default().into(),
        }
    }

    /// API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }

    /// API version without its group.
    pub fn version(&self) -> &str {
        self.api_version.rsplit_once('/').map_or(self.api_version.as_str(), |(_, version)| version)
    }
}

impl fmt::Display for ObjectRef {
    /// `StatefulSet iris-lab/data`, `Namespace iris-lab`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// Puts our two labels on an object.
pub fn label(object: &mut Value, lab: &str) {
    object["metadata"]["labels"][MANAGED_BY] = FIELD_MANAGER.into();
    object["metadata"]["labels"][LAB_LABEL] = lab.into();
}

/// The same for all of them.
pub fn labelled(mut objects: Vec<Value>, lab: &str) -> Vec<Value> {
    objects.iter_mut().for_each(|object| label(object, lab));
    objects
}

/// Whether an object carries our labels, for this lab.
pub fn is_of(object: &Value, lab: &str) -> bool {
    let labels = &object["metadata"]["labels"];
    labels[MANAGED_BY] == FIELD_MANAGER && labels[LAB_LABEL] == lab
}

/// A condition of an object's status.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// Whether a node or pod is Ready.
pub fn is_ready(object: &Value) -> bool {
    condition(object, "Ready").is_some_and(|condition| condition["status"] == "True")
}

/// The text at a path such as `/spec/nodeName`; empty where there is none.
pub fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a path; empty where there is none.
pub fn list<'a>(object: &'a Value, path: &str) -> impl DoubleEndedIterator<Item = &'a Value> {
    object.pointer(path).and_then(Value::as_array).into_iter().flatten()
}

/// The name of an object.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// Whether an object is being deleted.
pub fn is_leaving(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// Whether claims that name no class get this one.
pub fn is_default_class(class: &Value) -> bool {
    text(class, "/metadata/annotations/storageclass.kubernetes.io~1is-default-class") == "true"
}

/// These objects in the order of their names.
pub fn by_name(objects: &[Value]) -> Vec<&Value> {
    let mut objects: Vec<_> = objects.iter().collect();
    objects.sort_by_key(|object| name(object));
    objects
}
