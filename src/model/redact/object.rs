//! Secrets in objects, by where they stand.

use super::GONE;
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Names of variables whose values are secrets.
static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("(?i){}", super::WORDS)).expect("a fixed pattern"));

/// Names of fields whose values are secrets.
static FIELD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("(?i)^{}$", super::FIELDS)).expect("a fixed pattern"));

/// The fields of a Secret that hold what is secret.
const DATA: [&str; 2] = ["data", "stringData"];

/// An object without secrets; `text` takes them out of texts.
pub(super) fn redact(value: &Value, text: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(string) => Value::String(inner(string, text)),
        Value::Array(items) => items.iter().map(|item| redact(item, text)).collect(),
        Value::Object(fields) => Value::Object(map(fields, text)),
        plain => plain.clone(),
    }
}

fn map(fields: &Map<String, Value>, text: &dyn Fn(&str) -> String) -> Map<String, Value> {
    let secret = fields.get("kind").is_some_and(|kind| kind == "Secret");
    let named = |key: &str| fields.get(key).and_then(Value::as_str);
    let variable = named("name").is_some_and(|name| VARIABLE.is_match(name));
    let field = |key: &String, value: &Value| match value {
        Value::Object(data) if secret && DATA.contains(&key.as_str()) => {
            Value::Object(data.keys().map(|key| (key.clone(), GONE.into())).collect())
        }
        Value::String(_) if variable && key == "value" => GONE.into(),
        Value::String(string) if FIELD.is_match(key) && !string.is_empty() => GONE.into(),
        value => redact(value, text),
    };
    fields.iter().map(|(key, value)| (key.clone(), field(key, value))).collect()
}

/// A text; one that is itself an object, such as kubectl's last-applied-configuration, is read as one.
fn inner(string: &str, text: &dyn Fn(&str) -> String) -> String {
    match serde_json::from_str::<Value>(string) {
        Ok(object @ (Value::Object(_) | Value::Array(_))) => redact(&object, text).to_string(),
        _ => text(string),
    }
}
