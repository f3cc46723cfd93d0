//! The four types of patch.

pub mod fields;
pub mod managed;
pub mod schema;
pub mod strategic;

use crate::sim::admission::{names, validate};
use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::Request;
use crate::sim::api::identify::identify;
use crate::sim::api::view::serve;
use crate::sim::patch::schema::{Node, missing_key};
use crate::sim::status::{Cause, Status};
use managed::Writer;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Json,
    Merge,
    Strategic,
    Apply,
}

/// A patch as it was sent.
#[derive(Debug)]
pub struct Patch {
    kind: Type,
    body: Value,
    force: bool,
}

impl Patch {
    /// Reads a patch; 415 for types that the kind does not take.
    pub fn parse(api: &Api, request: &Request, target: &Target) -> Result<Self, Status> {
        let kind = match request.content_type() {
            "application/json-patch+json" => Type::Json,
            "application/merge-patch+json" => Type::Merge,
            "application/strategic-merge-patch+json" if !target.kind.custom => Type::Strategic,
            "application/apply-patch+yaml" => Type::Apply,
            _ => return Err(Status::unsupported_media_type(accepted(target))),
        };
        let mut body = request.object()?;
        if kind == Type::Apply {
            check_apply(request, &body)?;
            if target.subresource.as_deref() != Some("scale") {
                identify(target, &mut body)?;
            }
            // Releases before 1.21 know no defaults of the keys of lists.
            let node = Node::root(&target.kind, &target.version);
            if let Some(why) = missing_key(&body, node, "").filter(|_| api.minor <= 20) {
                return Err(Status::untyped(&why));
            }
            let unknown = validate::unknown_fields(&target.kind, &body);
            if let Some(path) = unknown.first() {
                return Err(Status::untyped(&format!("{path}: field not declared in schema")));
            }
            if target.kind.has("status") && target.subresource.is_none() {
                crate::sim::store::resource::object_mut(&mut body).remove("status");
            }
        }
        Ok(Patch { kind, body, force: request.flag("force") })
    }

    /// Whether it is a server-side apply.
    pub fn is_apply(&self) -> bool {
        self.kind == Type::Apply
    }

    /// What was sent.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Whether the patch itself says to which state it belongs.
    pub fn names_version(&self) -> bool {
        match self.kind {
            Type::Json => self.body.to_string().contains("/metadata/resourceVersion"),
            _ => !self.body["metadata"]["resourceVersion"].is_null(),
        }
    }

    /// The object that a server-side apply creates.
    pub fn first(&self, target: &Target) -> Result<Value, Status> {
        if !self.body["metadata"]["resourceVersion"].is_null() || !self.body["metadata"]["uid"].is_null() {
            return Err(Status::modified(&target.kind.qualified(), target.name()));
        }
        Ok(self.body.clone())
    }

    /// The patched object, of any type but server-side apply.
    pub fn change(&self, before: &Value, node: Node, target: &Target) -> Result<Value, Status> {
        let mut after = serve(&target.kind, &target.version, before);
        match self.kind {
            Type::Json => json_patch(&mut after, &self.body, target)?,
            Type::Merge => json_patch::merge(&mut after, &self.body),
            Type::Strategic | Type::Apply => strategic::patch(&mut after, &self.body, node),
        }
        names::drop_nulls(&mut after);
        Ok(after)
    }

    /// A patched part of an object, such as its scale. Parts have no lists, so the strategic type is like the merge type.
    pub fn change_part(&self, part: &Value, target: &Target) -> Result<Value, Status> {
        let mut after = part.clone();
        match self.kind {
            Type::Json => json_patch(&mut after, &self.body, target)?,
            Type::Merge | Type::Strategic | Type::Apply => json_patch::merge(&mut after, &self.body),
        }
        Ok(after)
    }

    /// The object after a server-side apply.
    pub fn apply(&self, live: &Value, node: Node, writer: &Writer) -> Result<Value, Status> {
        managed::apply(live, &self.body, node, writer, self.force)
    }
}

fn accepted(target: &Target) -> String {
    let mut types = vec!["application/json-patch+json", "application/merge-patch+json"];
    if !target.kind.custom {
        types.push("application/strategic-merge-patch+json");
    }
    types.push("application/apply-patch+yaml");
    format!("the body of the request was in an unknown format - accepted media types include: {}", types.join(", "))
}

fn check_apply(request: &Request, body: &Value) -> Result<(), Status> {
    if request.param("fieldManager").is_none() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(Status::invalid("meta.k8s.io", "PatchOptions", "", vec![cause]));
    }
    if body["metadata"]["managedFields"].as_array().is_some_and(|list| !list.is_empty()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    if body["apiVersion"].is_null() || body["kind"].is_null() {
        return Err(Status::bad_request("apiVersion and kind must be set in an apply patch"));
    }
    Ok(())
}

fn json_patch(object: &mut Value, body: &Value, target: &Target) -> Result<(), Status> {
    let operations: json_patch::Patch = serde_json::from_value(body.clone())
        .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
    json_patch::patch(object, &operations).map_err(|error| {
        let mut status = Status::invalid(&target.kind.group, &target.kind.kind, target.name(), Vec::new());
        status.message = format!("the server rejected our request due to an error in our request: {error}");
        status
    })
}
