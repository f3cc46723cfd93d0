//! Create, update, patch and delete.

use super::read;
use crate::sim::admission;
use crate::sim::admission::{names, webhooks};
use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::{Body, Request, json_answer};
use crate::sim::api::identify::identify;
use crate::sim::api::view::{View, unserve};
use crate::sim::kinds::definitions;
use crate::sim::patch::Patch;
use crate::sim::patch::managed::{self, Writer};
use crate::sim::patch::schema::Node;
use crate::sim::status::Status;
use crate::sim::store::Store;
use crate::sim::store::deletion::{DeleteOptions, Propagation};
use http::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// How often a patch is tried again when the object changes under it.
const PATCH_RETRIES: usize = 5;

/// Creates an object.
pub fn create(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let view = View::new(&target.kind, &target.version, request)?;
    let mut object = request.object()?;
    identify(target, &mut object)?;
    let made = create_object(api, request, target, object, &Recording::Update)?;
    Ok(json_answer(201, &view.one(&made)))
}

/// Replaces an object.
pub fn update(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let view = View::new(&target.kind, &target.version, request)?;
    let mut wanted = request.object()?;
    identify(target, &mut wanted)?;
    let before = current(api, target)?;
    if target.kind.custom && wanted["metadata"]["resourceVersion"].as_str().unwrap_or_default().is_empty() {
        let cause = crate::sim::status::Cause::invalid(
            "metadata.resourceVersion",
            &json!(0),
            "must be specified for an update",
        );
        return Err(Status::invalid(&target.kind.group, &target.kind.kind, target.name(), vec![cause]));
    }
    let after = change(api, request, target, &before, wanted, &Recording::Update)?;
    Ok(json_answer(200, &view.one(&after)))
}

/// Changes an object by a patch of any type; server-side apply may create it.
pub fn patch(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let view = View::new(&target.kind, &target.version, request)?;
    let patch = Patch::parse(api, request, target)?;
    for attempt in 0.. {
        let before = match current(api, target) {
            Err(_) if patch.is_apply() && target.subresource.is_none() => {
                api.authorize("create", target)?;
                let made = create_object(api, request, target, patch.first(target)?, &Recording::Apply(&patch))?;
                return Ok(json_answer(201, &view.one(&made)));
            }
            before => before?,
        };
        let node = Node::root(&target.kind, &target.version);
        let wanted = match patch.is_apply() {
            true => Value::clone(&before),
            false => patch.change(&before, node, target)?,
        };
        match change(api, request, target, &before, wanted, &Recording::Apply(&patch)) {
            Err(status)
                if status.reason == "Conflict"
                    && attempt < PATCH_RETRIES
                    && !patch.names_version()
                    && !patch.is_apply() => {}
            after => {
                let after = after?;
                return Ok(json_answer(200, &view.one(&after)));
            }
        }
    }
    Err(Status::modified(&target.kind.qualified(), target.name()))
}

/// Deletes one object.
pub fn delete(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let mut options = delete_options(request)?;
    if target.kind.is("", "namespaces") && ["default", "kube-public", "kube-system"].contains(&target.name()) {
        return Err(Status::forbidden(&target.kind.qualified(), target.name(), "this namespace may not be deleted"));
    }
    if target.kind.is("batch", "jobs") && options.propagation.is_none() {
        // Older than the other kinds, jobs leave their pods behind unless they are told not to.
        options.propagation = Some(Propagation::Orphan);
    }
    let resource = target.kind.resource();
    let store = store_for(api, request)?;
    if let Ok(object) = current(api, target) {
        judge(api, target, "DELETE", &object)?;
    }
    let namespace = target.namespace.as_deref();
    let last = store.delete(&resource, namespace, target.name(), &options);
    let last = last.map_err(|status| if status.code == 404 { target.not_found() } else { status })?;
    let remains = api.store.get(&resource, namespace, target.name()).is_some() && request.param("dryRun").is_none();
    let returned = ["pods", "services", "persistentvolumes", "persistentvolumeclaims", "serviceaccounts"];
    if remains || (target.kind.group.is_empty() && returned.contains(&target.kind.plural.as_str())) {
        return Ok(json_answer(200, &View::new(&target.kind, &target.version, request)?.one(&last)));
    }
    let mut details = json!({"name": target.name(), "kind": target.kind.plural, "uid": last["metadata"]["uid"]});
    if !target.kind.group.is_empty() {
        details["group"] = json!(target.kind.group);
    }
    let done = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Ok(json_answer(200, &done))
}

/// Deletes all objects that match.
pub fn delete_collection(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    if target.kind.is("", "namespaces") {
        return Err(Status::method_not_allowed());
    }
    let view = View::new(&target.kind, &target.version, request)?;
    let options = delete_options(request)?;
    let selector = read::selector(request, target)?;
    let store = store_for(api, request)?;
    let resource = target.kind.resource();
    let mut deleted = Vec::new();
    for object in store.list(&resource, target.namespace.as_deref()).iter().filter(|object| selector.matches(object)) {
        let metadata = &object["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        judge(api, target, "DELETE", object)?;
        deleted.push(store.delete(&resource, metadata["namespace"].as_str(), name, &options)?);
    }
    let metadata = json!({"resourceVersion": api.store.revision().to_string()});
    Ok(json_answer(200, &view.list(deleted.iter().map(AsRef::as_ref), metadata)))
}

/// How the writer's fields are recorded.
pub enum Recording<'a> {
    /// By comparing before and after.
    Update,
    /// By the patch, when it is a server-side apply.
    Apply(&'a Patch),
}

/// The object as it is now.
pub fn current(api: &Api, target: &Target) -> Result<Arc<Value>, Status> {
    let found = api.store.get(&target.kind.resource(), target.namespace.as_deref(), target.name());
    found.ok_or_else(|| target.not_found())
}

/// The store, or one that changes nothing when the request is a dry run.
pub fn store_for(api: &Api, request: &Request) -> Result<Store, Status> {
    match request.param("dryRun") {
        None => Ok(api.store.clone()),
        Some("All") => Ok(api.store.dry_run()),
        Some(other) => {
            Err(Status::bad_request(format!("dryRun: Unsupported value: \"{other}\": supported values: \"All\"")))
        }
    }
}

fn create_object(
    api: &Api,
    request: &Request,
    target: &Target,
    mut object: Value,
    recording: &Recording,
) -> Result<Arc<Value>, Status> {
    let store = store_for(api, request)?;
    names::generate(&mut object);
    if let Some(namespace) = &target.namespace {
        names::check_namespace(&api.store, &target.kind.qualified(), namespace, &object)?;
    }
    if target.kind.custom && is_going(api, target) {
        return Err(Status::no_creation("create not allowed while custom resource definition is terminating"));
    }
    let writer = writer(api, request, target);
    let node = Node::root(&target.kind, &target.version);
    match recording {
        Recording::Apply(patch) => {
            object = patch.apply(&object, node, &writer)?;
            admission::complete(api, target, &mut object);
        }
        Recording::Update => {
            admission::complete(api, target, &mut object);
            managed::record(None, &mut object, node, &writer);
        }
    }
    admission::on_create(api, target, &mut object)?;
    judge(api, target, "CREATE", &object)?;
    unserve(&target.kind, &mut object);
    store.create(&target.kind.resource(), object)
}

/// Asks the webhooks about a write.
fn judge(api: &Api, target: &Target, operation: &str, object: &Value) -> Result<(), Status> {
    let (kind, version, subresource) = (&*target.kind, target.version.as_str(), target.subresource.as_deref());
    webhooks::check(&api.store, api.minor, &webhooks::Write { operation, kind, version, subresource, object })
}

/// Whether the definition of a custom kind is being deleted.
fn is_going(api: &Api, target: &Target) -> bool {
    let definition = api.store.get(&definitions(), None, &target.kind.qualified().to_string());
    definition.is_some_and(|one| !one["metadata"]["deletionTimestamp"].is_null())
}

/// Brings an object from its state before to the wanted state, as far as the target covers it.
pub fn change(
    api: &Api,
    request: &Request,
    target: &Target,
    before: &Arc<Value>,
    wanted: Value,
    recording: &Recording,
) -> Result<Arc<Value>, Status> {
    let store = store_for(api, request)?;
    check_version(target, before, &wanted)?;
    let node = Node::root(&target.kind, &target.version);
    let writer = writer(api, request, target);
    let mut after = match recording {
        Recording::Apply(patch) if patch.is_apply() => {
            check_version(target, before, patch.body())?;
            only_covered(target, before, patch.apply(before, node, &writer)?)
        }
        _ => only_covered(target, before, wanted),
    };
    unserve(&target.kind, &mut after);
    names::keep_system_fields(before, &mut after);
    admission::complete_change(api, target, before, &mut after);
    if !matches!(recording, Recording::Apply(patch) if patch.is_apply()) {
        managed::record(Some(before), &mut after, node, &writer);
    }
    admission::on_update(api, target, before, &mut after)?;
    judge(api, target, "UPDATE", &after)?;
    store.update(&target.kind.resource(), target.namespace.as_deref(), target.name(), |object| {
        if object["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"] {
            return Err(Status::modified(&target.kind.qualified(), target.name()));
        }
        *object = after;
        Ok(())
    })
}

fn writer(api: &Api, request: &Request, target: &Target) -> Writer {
    let subresource = target.subresource.clone().unwrap_or_default();
    Writer { manager: request.manager(), api_version: target.api_version(), subresource, time: api.store.now() }
}

/// What the target covers comes from the wanted object, all else stays as it was.
fn only_covered(target: &Target, before: &Value, wanted: Value) -> Value {
    let status_apart = target.kind.has("status");
    let part = match target.subresource.as_deref() {
        Some("status") => "status",
        Some("finalize") => "spec",
        _ => {
            let mut after = wanted;
            if status_apart {
                copy(before, &mut after, "status");
            }
            return after;
        }
    };
    let mut after = before.clone();
    copy(&wanted, &mut after, part);
    if let Some(managed) = wanted["metadata"].get("managedFields") {
        after["metadata"]["managedFields"] = managed.clone();
    }
    after
}

fn copy(from: &Value, to: &mut Value, field: &str) {
    let Some(to) = to.as_object_mut() else { return };
    match from.get(field) {
        Some(value) => to.insert(field.into(), value.clone()),
        None => to.remove(field),
    };
}

/// A resourceVersion or uid in the wanted object must be the current one.
fn check_version(target: &Target, before: &Value, wanted: &Value) -> Result<(), Status> {
    let given = |field: &str| wanted["metadata"][field].as_str().filter(|text| !text.is_empty());
    let qualified = target.kind.qualified();
    if given("uid").is_some_and(|uid| before["metadata"]["uid"] != uid) {
        let (wanted, found) =
            (given("uid").unwrap_or_default(), before["metadata"]["uid"].as_str().unwrap_or_default());
        let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}");
        return Err(Status::conflict(&qualified, target.name(), &why));
    }
    if given("resourceVersion").is_some_and(|version| before["metadata"]["resourceVersion"] != version) {
        return Err(Status::modified(&qualified, target.name()));
    }
    Ok(())
}

fn delete_options(request: &Request) -> Result<DeleteOptions, Status> {
    let body = if request.body.is_empty() { json!({}) } else { request.object()? };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let from_query = |name: &str| request.param(name).map(str::to_owned);
    let propagation = match text(&body["propagationPolicy"]).or_else(|| from_query("propagationPolicy")).as_deref() {
        Some("Foreground") => Some(Propagation::Foreground),
        Some("Orphan") => Some(Propagation::Orphan),
        Some("Background") => Some(Propagation::Background),
        Some(other) => {
            let values = "\"Foreground\", \"Background\", \"Orphan\", \"nil\"";
            let message = format!("propagationPolicy: Unsupported value: \"{other}\": supported values: {values}");
            return Err(Status::bad_request(message));
        }
        None => match body["orphanDependents"].as_bool() {
            Some(true) => Some(Propagation::Orphan),
            Some(false) => Some(Propagation::Background),
            None => None,
        },
    };
    let seconds = body["gracePeriodSeconds"].as_i64();
    Ok(DeleteOptions {
        grace_period_seconds: seconds.or_else(|| from_query("gracePeriodSeconds").and_then(|text| text.parse().ok())),
        propagation,
        uid: text(&body["preconditions"]["uid"]),
        resource_version: text(&body["preconditions"]["resourceVersion"]),
    })
}
