//! Judges a tree by the JSON Schema of the lab types (fields, types, ranges, allowed values) and turns it into a value.

use super::names::nearest;
use super::source::{Finding, Path};
use crate::yaml::{Content, Node};
use serde_json::{Map, Value};

/// The value of a tree, typed by the schema. What is wrong is reported and left out, and so is what is empty: the default
/// takes its place.
pub fn check(root: &Node, schema: &Value, findings: &mut Vec<Finding>) -> Value {
    let mut walk = Walk { schema, path: Vec::new(), findings };
    walk.node(root, schema).unwrap_or_else(|| Value::Object(Map::new()))
}

/// The schema that a `$ref` names, or the schema itself.
pub fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
    target.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

/// The fields of an object schema.
pub fn fields(schema: &Value) -> Vec<&str> {
    schema["properties"].as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// Whether the schema takes a type.
pub fn takes(schema: &Value, wanted: &str) -> bool {
    match &schema["type"] {
        Value::String(name) => name == wanted,
        Value::Array(names) => names.iter().any(|name| name == wanted),
        _ => false,
    }
}

/// The rule for a field that does not exist.
pub fn unknown(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("unknown field; did you mean {near}?"),
        None => format!("unknown field; there are {}", known.join(", ")),
    }
}

struct Walk<'a> {
    schema: &'a Value,
    path: Path,
    findings: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, schema: &Value) -> Option<Value> {
        let schema = resolve(schema, self.schema);
        match &node.content {
            Content::Map(entries) if takes(schema, "object") => Some(self.map(entries, schema)),
            Content::List(items) if takes(schema, "array") => Some(self.list(items, &schema["items"])),
            Content::Scalar { text, plain } => self.scalar(text, *plain, schema),
            Content::Map(_) => self.reject(None, format!("must be {}, not a mapping", wanted(schema))),
            Content::List(_) => self.reject(None, format!("must be {}, not a list", wanted(schema))),
        }
    }

    fn map(&mut self, entries: &[(String, Node)], schema: &Value) -> Value {
        let mut map = Map::new();
        for (key, node) in entries {
            self.path.push(key.clone());
            let known = schema["properties"].get(key);
            let free = schema.get("additionalProperties").filter(|schema| schema.is_object());
            match known.or(free) {
                None => {
                    self.reject(None, unknown(key, &fields(schema)));
                }
                Some(_) if known.is_some() && node.is_null() => {}
                Some(schema) => map.extend(self.node(node, schema).map(|value| (key.clone(), value))),
            }
            self.path.pop();
        }
        Value::Object(map)
    }

    fn list(&mut self, items: &[Node], schema: &Value) -> Value {
        let mut list = Vec::new();
        for (index, item) in items.iter().enumerate() {
            self.path.push(index.to_string());
            list.extend(self.node(item, schema));
            self.path.pop();
        }
        Value::Array(list)
    }

    fn scalar(&mut self, text: &str, plain: bool, schema: &Value) -> Option<Value> {
        if let Some(allowed) = allowed(schema) {
            if allowed.contains(&text) {
                return Some(text.into());
            }
            let near = nearest(text, &allowed).filter(|_| allowed.len() > 1);
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return self.reject(Some(text), format!("must be {}{near}", wanted(schema)));
        }
        // A text takes every scalar as it was written: 1.20 stays 1.20, and does not become 1.2.
        if takes(schema, "string") && !(plain && text.is_empty()) {
            return Some(text.into());
        }
        if takes(schema, "integer") && plain {
            return self.integer(text, schema);
        }
        match text {
            "true" | "false" if takes(schema, "boolean") && plain => Some((text == "true").into()),
            _ if takes(schema, "integer") => {
                self.reject(Some(text), format!("must be {}, without quotes", wanted(schema)))
            }
            _ => self.reject(Some(text), format!("must be {}", wanted(schema))),
        }
    }

    fn integer(&mut self, text: &str, schema: &Value) -> Option<Value> {
        let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
        let (least, most) = (bound("minimum").unwrap_or(i64::MIN), bound("maximum").unwrap_or(i64::MAX));
        match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Some(number.into()),
            Ok(_) if most == i64::MAX => self.reject(Some(text), format!("must be at least {least}")),
            Ok(_) => self.reject(Some(text), format!("must be {least} to {most}")),
            Err(_) => self.reject(Some(text), format!("must be {}", wanted(schema))),
        }
    }

    fn reject(&mut self, value: Option<&str>, rule: String) -> Option<Value> {
        self.findings.push(Finding::new(&self.path, value, rule));
        None
    }
}

/// The allowed values, where the schema lists them.
fn allowed(schema: &Value) -> Option<Vec<&str>> {
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return Some(list.iter().filter_map(Value::as_str).collect());
    }
    let list = schema.get("oneOf")?.as_array()?;
    list.iter().map(|one| one.get("const").and_then(Value::as_str)).collect()
}

/// What the schema wants, in words.
fn wanted(schema: &Value) -> String {
    if let Some(allowed) = allowed(schema) {
        let one = if allowed.len() == 1 { "" } else { "one of " };
        return format!("{one}{}", allowed.join(", "));
    }
    let words = [
        ("object", "a mapping"),
        ("array", "a list"),
        ("string", "a text"),
        ("integer", "a whole number"),
        ("boolean", "true or false"),
    ];
    words.iter().find(|(name, _)| takes(schema, name)).map_or("something else", |(_, words)| words).into()
}
