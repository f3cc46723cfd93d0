//! Who owns which fields: `metadata.managedFields`, and server-side apply.

use crate::sim::patch::fields::Fields;
use crate::sim::patch::schema::{List, Node, keys_of};
use crate::sim::status::{Cause, Status};
use serde_json::{Value, json};

/// One manager's fields.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    manager: String,
    operation: String,
    api_version: String,
    subresource: String,
    time: String,
    fields: Fields,
}

/// Who writes, and how.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Field manager.
    pub manager: String,
    /// `apps/v1`.
    pub api_version: String,
    /// Empty, or `status`.
    pub subresource: String,
    /// The time of now.
    pub time: String,
}

impl Writer {
    fn is(&self, entry: &Entry, operation: &str) -> bool {
        entry.manager == self.manager && entry.operation == operation && entry.subresource == self.subresource
    }

    fn entry(&self, operation: &str, fields: Fields) -> Entry {
        Entry {
            manager: self.manager.clone(),
            operation: operation.into(),
            api_version: self.api_version.clone(),
            subresource: self.subresource.clone(),
            time: self.time.clone(),
            fields,
        }
    }
}

/// Records the fields that a create, update or patch has changed: they are the writer's now.
pub fn record(before: Option<&Value>, after: &mut Value, node: Node, writer: &Writer) {
    let mut entries = match after["metadata"].get("managedFields") {
        // An empty list is the request to forget all owners.
        Some(given) => parse(given),
        None => before.map_or_else(Vec::new, |before| parse(&before["metadata"]["managedFields"])),
    };
    let empty = json!({});
    let (mut changed, mut gone) = Fields::difference(before.unwrap_or(&empty), after, node);
    strip_system_fields(&mut changed);
    strip_system_fields(&mut gone);
    if !changed.is_empty() || !gone.is_empty() {
        let own = entries.iter().position(|entry| writer.is(entry, "Update"));
        let mut own = own.map_or_else(|| writer.entry("Update", Fields::default()), |index| entries.remove(index));
        for entry in &mut entries {
            entry.fields.subtract(&changed);
            entry.fields.subtract(&gone);
        }
        own.fields.subtract(&gone);
        own.fields.add(&changed);
        own.time.clone_from(&writer.time);
        own.api_version.clone_from(&writer.api_version);
        entries.push(own);
    }
    store(after, entries);
}

/// Server-side apply: the object that results from applying a configuration to the live object.
pub fn apply(live: &Value, wanted: &Value, node: Node, writer: &Writer, force: bool) -> Result<Value, Status> {
    let mut entries = parse(&live["metadata"]["managedFields"]);
    let mut fields = Fields::of(wanted, node);
    strip_system_fields(&mut fields);
    let own = entries.iter().position(|entry| writer.is(entry, "Apply")).map(|index| entries.remove(index));
    take_over(&mut entries, &fields, live, wanted, node, force)?;

    let mut result = merge(live, wanted, node);
    if let Some(own) = &own {
        let mut kept = fields.clone();
        entries.iter().for_each(|entry| kept.add(&entry.fields));
        own.fields.prune(&kept, &mut result, node);
    }
    let mut entry = writer.entry("Apply", fields);
    if let Some(own) = own.filter(|own| own.fields == entry.fields && own.api_version == entry.api_version) {
        // Applying the same again is no change.
        entry.time = own.time;
    }
    entries.push(entry);
    store(&mut result, entries);
    Ok(result)
}

/// Finds fields that others own with another value: an error, or they lose them.
fn take_over(
    entries: &mut [Entry],
    fields: &Fields,
    live: &Value,
    wanted: &Value,
    node: Node,
    force: bool,
) -> Result<(), Status> {
    let mut conflicts: Vec<(String, Vec<String>)> = Vec::new();
    for entry in entries.iter_mut() {
        let mut paths = Vec::new();
        fields.conflicts(&entry.fields, live, wanted, node, "", &mut paths);
        if paths.is_empty() {
            continue;
        }
        if force {
            let mut lost = fields.clone();
            keep_only(&mut lost, &paths, "");
            entry.fields.subtract(&lost);
        } else {
            conflicts.push((describe(entry), paths));
        }
    }
    if conflicts.is_empty() { Ok(()) } else { Err(conflict(&conflicts)) }
}

/// Reduces a set to the paths, which are written as in messages.
fn keep_only(fields: &mut Fields, paths: &[String], at: &str) {
    fields.member &= paths.iter().any(|path| path == at);
    let mut kept = std::mem::take(&mut fields.children);
    for (key, below) in &mut kept {
        let path = format!("{at}{}", crate::sim::patch::fields::readable(key));
        keep_only(below, paths, &path);
    }
    kept.retain(|_, below| !below.is_empty());
    fields.children = kept;
}

fn describe(entry: &Entry) -> String {
    let mut text = format!("{:?}", entry.manager);
    if !entry.subresource.is_empty() {
        text.push_str(&format!(" with subresource {:?}", entry.subresource));
    }
    if entry.operation == "Update" {
        text.push_str(&format!(" using {}", entry.api_version));
    }
    text
}

fn conflict(conflicts: &[(String, Vec<String>)]) -> Status {
    let causes: Vec<Cause> = conflicts
        .iter()
        .flat_map(|(manager, paths)| paths.iter().map(move |path| (manager, path)))
        .map(|(manager, path)| Cause {
            reason: "FieldManagerConflict",
            field: path.clone(),
            message: format!("conflict with {manager}"),
        })
        .collect();
    let message = match causes.as_slice() {
        [only] => format!("Apply failed with 1 conflict: {}: {}", only.message, only.field),
        _ => {
            let each =
                conflicts.iter().map(|(manager, paths)| format!("conflicts with {manager}:\n- {}", paths.join("\n- ")));
            format!("Apply failed with {} conflicts: {}", causes.len(), each.collect::<Vec<String>>().join("\n"))
        }
    };
    Status::apply_conflict(message, causes)
}

/// Lays a configuration over a live value.
fn merge(live: &Value, wanted: &Value, node: Node) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) if !node.is_atomic_map() => {
            let mut merged = live.clone();
            for (key, value) in wanted {
                let old = live.get(key).unwrap_or(&Value::Null);
                merged.insert(key.clone(), merge(old, value, node.field(key)));
            }
            Value::Object(merged)
        }
        (Value::Array(live), Value::Array(wanted)) => match node.list(&[live.as_slice(), wanted].concat()) {
            List::Atomic => Value::Array(wanted.clone()),
            List::Set => {
                let added = wanted.iter().filter(|element| !live.contains(element));
                Value::Array(live.iter().chain(added).cloned().collect())
            }
            List::Map(keys) => merge_elements(live, wanted, &keys, node),
        },
        _ => wanted.clone(),
    }
}

fn merge_elements(live: &[Value], wanted: &[Value], keys: &[String], node: Node) -> Value {
    let mut merged = live.to_vec();
    for element in wanted {
        let key = keys_of(element, keys);
        match merged.iter_mut().find(|one| keys_of(one, keys) == key) {
            Some(one) => *one = merge(one, element, node.item()),
            None => merged.push(element.clone()),
        }
    }
    Value::Array(merged)
}

/// Nobody owns what only the API server sets.
fn strip_system_fields(fields: &mut Fields) {
    for field in ["f:apiVersion", "f:kind"] {
        fields.forget(&[field]);
    }
    let system = [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "selfLink",
        "managedFields",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ];
    for field in system {
        fields.forget(&["f:metadata", &format!("f:{field}")]);
    }
    if fields.children.get("f:metadata").is_some_and(|metadata| metadata.children.is_empty()) {
        fields.children.remove("f:metadata");
    }
}

fn parse(entries: &Value) -> Vec<Entry> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let named = entries.as_array().into_iter().flatten().filter(|entry| entry["operation"].is_string());
    named
        .map(|entry| Entry {
            manager: text(entry, "manager"),
            operation: text(entry, "operation"),
            api_version: text(entry, "apiVersion"),
            subresource: text(entry, "subresource"),
            time: text(entry, "time"),
            fields: Fields::from_json(&entry["fieldsV1"]),
        })
        .collect()
}

fn store(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.is_empty());
    entries.sort_by(|a, b| (&a.operation, &a.time, &a.manager).cmp(&(&b.operation, &b.time, &b.manager)));
    let list = entries.iter().map(|entry| {
        let mut value = json!({
            "manager": entry.manager, "operation": entry.operation, "apiVersion": entry.api_version, "time": entry.time,
            "fieldsType": "FieldsV1", "fieldsV1": entry.fields.to_json(),
        });
        if !entry.subresource.is_empty() {
            value["subresource"] = json!(entry.subresource);
        }
        value
    });
    let list: Vec<Value> = list.collect();
    let metadata = crate::sim::store::resource::object_mut(&mut object["metadata"]);
    match list.is_empty() {
        true => metadata.remove("managedFields"),
        false => metadata.insert("managedFields".into(), Value::Array(list)),
    };
}
