//! The name of a kind in the store, and reading and filling objects.

use serde_json::{Map, Value};
use std::fmt;

/// One kind of object as it is stored: independent of its served versions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: String,
    /// Plural name, such as `pods`.
    pub plural: String,
}

impl Resource {
    /// A kind by its group and plural name.
    pub fn new(group: &str, plural: &str) -> Self {
        Resource { group: group.into(), plural: plural.into() }
    }
}

impl fmt::Display for Resource {
    /// `pods`, `statefulsets.apps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plural)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

/// A text field, empty when it is not there.
pub(in crate::sim) fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// An empty object to fill, when a field that should be one is not.
pub fn object_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was made an object in the line above")
}
