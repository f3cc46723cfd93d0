//! Objects in the form in which they were asked for: version, table, metadata only.

use crate::sim::api::http::{Form, Request};
use crate::sim::api::tables;
use crate::sim::kinds::Kind;
use crate::sim::status::Status;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How answers to one request look.
#[derive(Clone)]
pub struct View {
    kind: Arc<Kind>,
    version: String,
    form: Form,
    /// What a table row carries: `Metadata`, `None` or `Object`.
    include_object: String,
}

impl View {
    /// The view that a request wants.
    pub fn new(kind: &Arc<Kind>, version: &str, request: &Request) -> Result<Self, Status> {
        let include_object = request.param("includeObject").unwrap_or("Metadata").to_owned();
        Ok(View { kind: kind.clone(), version: version.into(), form: request.form()?, include_object })
    }

    /// One object.
    pub fn one(&self, object: &Value) -> Value {
        let served = serve(&self.kind, &self.version, object);
        match self.form {
            Form::Object => served,
            Form::Metadata => metadata_only(&served),
            Form::Table => {
                let mut table = self.table(&[served], true);
                table["metadata"] = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                table
            }
        }
    }

    /// A list; `metadata` is the list's own.
    pub fn list<'a>(&self, objects: impl Iterator<Item = &'a Value>, metadata: Value) -> Value {
        let mut served: Vec<Value> = objects.map(|object| serve(&self.kind, &self.version, object)).collect();
        match self.form {
            Form::Table => {
                let mut table = self.table(&served, true);
                table["metadata"] = metadata;
                table
            }
            Form::Metadata => {
                let items: Vec<Value> = served.iter().map(metadata_only).collect();
                let kind = "PartialObjectMetadataList";
                json!({"apiVersion": "meta.k8s.io/v1", "kind": kind, "metadata": metadata, "items": items})
            }
            Form::Object => {
                // Like a real server: only the items of custom kinds say what they are.
                for object in served.iter_mut().filter(|_| !self.kind.custom).filter_map(Value::as_object_mut) {
                    object.remove("kind");
                    object.remove("apiVersion");
                }
                let kind = format!("{}List", self.kind.kind);
                json!({"apiVersion": self.kind.api_version(&self.version), "kind": kind, "metadata": metadata, "items": served})
            }
        }
    }

    /// The object of a watch event. Only the first table of a watch names the columns.
    pub fn event(&self, object: &Value, first: bool) -> Value {
        let served = serve(&self.kind, &self.version, object);
        match self.form {
            Form::Object => served,
            Form::Metadata => metadata_only(&served),
            Form::Table => self.table(&[served], first),
        }
    }

    /// The object of a bookmark: nothing but a resourceVersion.
    pub fn bookmark(&self, revision: u64) -> Value {
        let metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        let (api_version, kind) = match self.form {
            Form::Metadata => ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadata"),
            Form::Table => ("meta.k8s.io/v1".to_owned(), "Table"),
            Form::Object => (self.kind.api_version(&self.version), self.kind.kind.as_str()),
        };
        json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})
    }

    fn table(&self, objects: &[Value], with_columns: bool) -> Value {
        let (columns, cells) = tables::render(&self.kind, &self.version, objects);
        let rows = objects.iter().zip(cells).map(|(object, cells)| {
            let object = match self.include_object.as_str() {
                "None" => Value::Null,
                "Object" => object.clone(),
                _ => metadata_only(object),
            };
            json!({"cells": cells, "object": object})
        });
        let columns = if with_columns { columns } else { Value::Null };
        json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": columns, "rows": rows.collect::<Vec<Value>>()})
    }
}

/// The object in one of its kind's versions.
pub fn serve(kind: &Kind, version: &str, object: &Value) -> Value {
    let mut served = object.clone();
    if let Some(fields) = served.as_object_mut() {
        fields.insert("apiVersion".into(), json!(kind.api_version(version)));
        fields.insert("kind".into(), json!(kind.kind));
        if kind.group == "events.k8s.io" {
            rename(fields, &EVENT_FIELDS, false);
        }
    }
    served
}

/// The object as it is stored, from one of its kind's versions.
pub fn unserve(kind: &Kind, object: &mut Value) {
    if kind.group == "events.k8s.io"
        && let Some(fields) = object.as_object_mut()
    {
        rename(fields, &EVENT_FIELDS, true);
        fields.insert("apiVersion".into(), json!("v1"));
    }
}

/// Fields of an event in the core group and in its own group.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn rename(fields: &mut Map<String, Value>, names: &[(&str, &str)], back: bool) {
    for (core, own) in names {
        let (from, to) = if back { (own, core) } else { (core, own) };
        if let Some(value) = fields.remove(*from) {
            fields.insert((*to).into(), value);
        }
    }
}

fn metadata_only(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}
