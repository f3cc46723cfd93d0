//! Columns that CustomResourceDefinitions ask for.

use super::{age, definition, name, since};
use crate::sim::kinds::Kind;
use serde_json::{Value, json};

/// Name and the printer columns of the version; without any, name and age.
pub(super) fn render(kind: &Kind, version: &str, objects: &[Value]) -> (Value, Vec<Vec<Value>>) {
    let named = definition("Name", "string", "name", 0);
    let columns = kind.version(version).and_then(|version| version.definition.as_ref());
    let columns = columns.and_then(|version| version["additionalPrinterColumns"].as_array());
    let Some(columns) = columns.filter(|columns| !columns.is_empty()) else {
        let cells = objects.iter().map(|object| vec![name(object), age(object)]);
        return (json!([named, definition("Age", "date", "", 0)]), cells.collect());
    };
    let text = |column: &Value, field: &str| column[field].as_str().unwrap_or_default().to_owned();
    let mut definitions = vec![named];
    definitions.extend(columns.iter().map(|column| {
        let (name, kind) = (text(column, "name"), text(column, "type"));
        definition(&name, &kind, &text(column, "format"), column["priority"].as_i64().unwrap_or(0))
    }));
    let row = |object: &Value| {
        let cells = columns.iter().map(|column| cell(object, &text(column, "jsonPath"), &text(column, "type")));
        std::iter::once(name(object)).chain(cells).collect()
    };
    (Value::Array(definitions), objects.iter().map(row).collect())
}

fn cell(object: &Value, path: &str, kind: &str) -> Value {
    match (find(object, path), kind) {
        (None | Some(Value::Null), _) => Value::Null,
        (Some(value), "date") => json!(since(value.as_str())),
        (Some(value), "integer" | "number" | "boolean") => value.clone(),
        (Some(Value::String(text)), _) => json!(text),
        (Some(other), _) => json!(other.to_string()),
    }
}

/// The first value at a simple JSON path: `.a.b[0].c`, `.a.b[?(@.type=="Ready")].status`, `.metadata.labels.x\.y`.
fn find<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut at = object;
    let mut rest = path.trim_start_matches('$');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (step, after) = inside.split_once(']')?;
            rest = after;
            at = element(at, step)?;
        } else {
            let (step, after) = field(rest.strip_prefix('.').unwrap_or(rest));
            rest = after;
            at = if step.is_empty() { at } else { at.get(&step)? };
        }
    }
    Some(at)
}

/// A field's name, in which a backslash protects a dot, and what follows it.
fn field(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((index, c)) = characters.next() {
        match c {
            '\\' => name.extend(characters.next().map(|(_, protected)| protected)),
            '.' | '[' => return (name, &text[index..]),
            _ => name.push(c),
        }
    }
    (name, "")
}

fn element<'a>(at: &'a Value, step: &str) -> Option<&'a Value> {
    if let Ok(index) = step.parse::<usize>() {
        return at.get(index);
    }
    if let Some(condition) = step.strip_prefix("?(@.").and_then(|step| step.strip_suffix(')')) {
        let (name, wanted) = condition.split_once("==")?;
        let wanted = wanted.trim().trim_matches(['"', '\'']);
        return at.as_array()?.iter().find(|one| one[name.trim()] == wanted);
    }
    at.get(step.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_printer_columns() {
        let object = json!({
            "metadata": {"labels": {"a.b/c": "1"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}], "list": [1, 2]},
        });
        let text = |path: &str| find(&object, path).map(ToString::to_string);
        assert_eq!(text(".status.conditions[?(@.type==\"Ready\")].status").as_deref(), Some("\"True\""));
        assert_eq!(text(".status.list[1]").as_deref(), Some("2"));
        assert_eq!(text(".metadata.labels.a\\.b/c").as_deref(), Some("\"1\""));
        assert_eq!(text(".status.nosuch"), None);
    }
}
