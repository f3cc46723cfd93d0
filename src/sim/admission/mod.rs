//! What happens to an object between its request and the store: defaults, allocations, validation.

pub mod defaults;
pub mod names;
pub mod services;
pub mod validate;
pub mod webhooks;

use crate::model::Quantity;
use crate::sim::api::context::{Api, Target};
use crate::sim::status::Status;
use crate::sim::store::resource::{Resource, object_mut};
use serde_json::{Value, json};

/// Fills a new object's gaps. What is filled in here belongs to the client.
pub fn complete(api: &Api, target: &Target, object: &mut Value) {
    let kind = &target.kind;
    let metadata = object_mut(&mut object["metadata"]);
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp", "selfLink"] {
        metadata.remove(field);
    }
    if kind.has("status") {
        object_mut(object).remove("status");
    }
    forget_unknown(target, object);
    defaults::fill(kind, api.minor, object);
}

/// A real API server drops the fields that it does not know.
fn forget_unknown(target: &Target, object: &mut Value) {
    if !target.kind.custom {
        validate::normalize_quantities(object);
        for path in validate::unknown_fields(&target.kind, object) {
            validate::remove_field(object, &path);
        }
    }
}

/// Checks a new object, and adds what belongs to no client: addresses, finalizers, accounts.
pub fn on_create(api: &Api, target: &Target, object: &mut Value) -> Result<(), Status> {
    let kind = &target.kind;
    validate::new_object(target, object)?;
    defaults::admit(kind, object);
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "services") => services::allocate(api, None, object)?,
        ("", "persistentvolumeclaims") => use_default_class(api, object),
        _ => {}
    }
    Ok(())
}

/// Fills a changed object's gaps.
pub fn complete_change(api: &Api, target: &Target, before: &Value, object: &mut Value) {
    if target.subresource.is_some() {
        return;
    }
    if target.kind.is("", "services") {
        services::keep(before, object);
    }
    forget_unknown(target, object);
    defaults::fill(&target.kind, api.minor, object);
}

/// Checks a changed object.
pub fn on_update(api: &Api, target: &Target, before: &Value, object: &mut Value) -> Result<(), Status> {
    if target.subresource.is_some() {
        return Ok(());
    }
    validate::changed_object(target, api.minor, before, object)?;
    if target.kind.is("", "services") {
        services::allocate(api, Some(before), object)?;
    }
    if target.kind.is("", "persistentvolumeclaims") {
        may_grow(api, target, before, object)?;
    }
    Ok(())
}

/// A claim may ask for more when its class allows it.
fn may_grow(api: &Api, target: &Target, before: &Value, claim: &Value) -> Result<(), Status> {
    let size = |claim: &Value| Quantity::of(&claim["spec"]["resources"]["requests"]["storage"]);
    if size(claim) <= size(before) {
        return Ok(());
    }
    let name = claim["spec"]["storageClassName"].as_str().unwrap_or_default();
    let class = api.store.get(&Resource::new("storage.k8s.io", "storageclasses"), None, name);
    if class.is_some_and(|class| class["allowVolumeExpansion"] == true) {
        return Ok(());
    }
    let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
    Err(Status::forbidden(&target.kind.qualified(), target.name(), why))
}

/// A claim without a class gets the default one.
fn use_default_class(api: &Api, claim: &mut Value) {
    if !claim["spec"]["storageClassName"].is_null() {
        return;
    }
    let classes = api.store.list(&Resource::new("storage.k8s.io", "storageclasses"), None);
    let is_default = |class: &&std::sync::Arc<Value>| {
        class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    };
    if let Some(class) = classes.iter().find(is_default) {
        claim["spec"]["storageClassName"] = json!(class["metadata"]["name"]);
    }
}
