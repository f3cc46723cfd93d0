//! Get, list and watch.

use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::{Body, Request, json_answer};
use crate::sim::api::selectors::Selector;
use crate::sim::api::view::View;
use crate::sim::api::watch::{self, Filter, Settings, parse_revision};
use crate::sim::status::Status;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// One object, or its status.
pub fn get(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let object = api.store.get(&target.kind.resource(), target.namespace.as_deref(), target.name());
    let object = object.ok_or_else(|| target.not_found())?;
    Ok(json_answer(200, &View::new(&target.kind, &target.version, request)?.one(&object)))
}

/// The objects that match, in pages when a limit is given.
pub fn list(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let view = View::new(&target.kind, &target.version, request)?;
    let selector = selector(request, target)?;
    let (objects, revision) = api.store.snapshot(&target.kind.resource(), target.namespace.as_deref());
    let mut matching: Vec<Arc<Value>> = objects.into_iter().filter(|object| selector.matches(object)).collect();
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    if let Some(token) = request.param("continue") {
        let (revision, last) = parse_continue(token)?;
        matching.retain(|object| position(object) > last);
        metadata["resourceVersion"] = json!(revision);
    }
    let limit = request.param("limit").and_then(|limit| limit.parse::<usize>().ok()).filter(|limit| *limit > 0);
    if let Some(limit) = limit.filter(|limit| matching.len() > *limit) {
        let remaining = matching.len() - limit;
        matching.truncate(limit);
        let last = matching.last().map(|object| position(object)).unwrap_or_default();
        metadata["continue"] = json!(URL_SAFE_NO_PAD.encode(json!([metadata["resourceVersion"], last]).to_string()));
        if selector.is_empty() {
            metadata["remainingItemCount"] = json!(remaining);
        }
    }
    Ok(json_answer(200, &view.list(matching.iter().map(|object| object.as_ref()), metadata)))
}

/// The changes of the objects that match.
pub fn watch(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    if request.flag("sendInitialEvents") {
        let why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        let cause = crate::sim::status::Cause::forbidden("sendInitialEvents", why);
        return Err(Status::invalid("meta.k8s.io", "ListOptions", "", vec![cause]));
    }
    let view = View::new(&target.kind, &target.version, request)?;
    let since = request.param("resourceVersion").filter(|text| *text != "0").map(parse_revision).transpose()?;
    let timeout = request.param("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let filter = Filter {
        resource: target.kind.resource(),
        namespace: target.namespace.clone(),
        selector: selector(request, target)?,
    };
    let settings = Settings { since, timeout, bookmarks: request.flag("allowWatchBookmarks") };
    Ok(watch::start(&api.store, filter, view, &settings, api.cut.clone()))
}

/// The selectors of a request; a name in the path is one too.
pub fn selector(request: &Request, target: &Target) -> Result<Selector, Status> {
    let by_name = target.name.as_ref().map(|name| format!("metadata.name={name}"));
    let fields = by_name.as_deref().or_else(|| request.param("fieldSelector"));
    Selector::parse(&target.kind, request.param("labelSelector"), fields)
}

type Position = (String, String);

fn position(object: &Value) -> Position {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

fn parse_continue(token: &str) -> Result<(String, Position), Status> {
    let bad = || Status::bad_request("continue key is not valid");
    let decoded = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
    serde_json::from_slice(&decoded).map_err(|_| bad())
}
