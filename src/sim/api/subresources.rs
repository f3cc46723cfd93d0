//! Parts of objects with their own verbs: scale, eviction, binding, token; those of running containers are in `log` and `streams`.

use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::{Body, Request, json_answer};
use crate::sim::api::selectors::Selector;
use crate::sim::api::write::{Recording, change, current, store_for};
use crate::sim::api::{log, streams};
use crate::sim::patch::Patch;
use crate::sim::status::Status;
use crate::sim::store::deletion::DeleteOptions;
use crate::sim::store::random_bytes;
use crate::sim::store::resource::{Resource, object_mut};
use http::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Answers a request for a part of an object.
pub fn answer(api: &Api, request: &Request, target: &Target, verb: &str, part: &str) -> Result<Response<Body>, Status> {
    match (part, verb) {
        ("scale", "get") => Ok(json_answer(200, &scale_of(target, &*current(api, target)?))),
        ("scale", "update" | "patch") => scale(api, request, target),
        ("log", "get") => log::log(api, request, target),
        ("eviction", "create") => evict(api, request, target),
        ("binding", "create") => bind(api, request, target),
        ("exec", "get" | "create") => streams::exec(api, request, target),
        ("portforward", "get" | "create") => streams::port_forward(api, request, target),
        ("attach", _) => {
            current(api, target)?;
            Err(Status::bad_request("this cluster is simulated: no container runs, so attach is not possible"))
        }
        ("token", "create") => token(api, request, target),
        _ => Err(Status::method_not_allowed()),
    }
}

/// Where a kind keeps its number of replicas, as pointers: wanted, present, selector.
fn scale_paths(target: &Target) -> [String; 3] {
    let definition = target.kind.version(&target.version).and_then(|version| version.definition.clone());
    let scale = definition.map(|version| version["subresources"]["scale"].clone()).unwrap_or_default();
    let path =
        |field: &str, otherwise: &str| scale[field].as_str().map_or(otherwise.into(), |path| path.replace('.', "/"));
    [
        path("specReplicasPath", "/spec/replicas"),
        path("statusReplicasPath", "/status/replicas"),
        path("labelSelectorPath", "/spec/selector"),
    ]
}

fn scale_of(target: &Target, object: &Value) -> Value {
    let [wanted, present, selector] = scale_paths(target);
    let number = |path: &str| object.pointer(path).cloned().unwrap_or(json!(0));
    let metadata = &object["metadata"];
    let labels = object.pointer(&selector).map(|selector| match selector {
        Value::String(text) => text.clone(),
        other => {
            let pairs = other.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
            pairs
                .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join(",")
        }
    });
    let mut status = json!({"replicas": number(&present)});
    if let Some(labels) = labels {
        status["selector"] = json!(labels);
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": {"replicas": number(&wanted)}, "status": status,
    })
}

fn scale(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let before = current(api, target)?;
    let shown = scale_of(target, &before);
    let asked = match request.method.as_str() {
        "PUT" => request.object()?,
        _ => Patch::parse(api, request, target)?.change_part(&shown, target)?,
    };
    let replicas = asked["spec"]["replicas"].as_i64().unwrap_or(0);
    if replicas < 0 {
        let cause =
            crate::sim::status::Cause::invalid("spec.replicas", &json!(replicas), "must be greater than or equal to 0");
        return Err(Status::invalid("autoscaling", "Scale", target.name(), vec![cause]));
    }
    let mut wanted = Value::clone(&before);
    set(&mut wanted, &scale_paths(target)[0], json!(replicas));
    if let Some(version) = asked["metadata"]["resourceVersion"].as_str() {
        wanted["metadata"]["resourceVersion"] = json!(version);
    }
    let after = change(api, request, target, &before, wanted, &Recording::Update)?;
    Ok(json_answer(200, &scale_of(target, &after)))
}

fn set(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for field in pointer.split('/').skip(1) {
        at = object_mut(at).entry(field).or_insert(Value::Null);
    }
    *at = value;
}

/// Deletes a pod unless a disruption budget forbids it.
fn evict(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let pod = current(api, target)?;
    let eviction = request.object()?;
    let store = store_for(api, request)?;
    let ended = ["Succeeded", "Failed"].contains(&pod["status"]["phase"].as_str().unwrap_or_default());
    let pending = pod["status"]["phase"] == "Pending" || !pod["metadata"]["deletionTimestamp"].is_null();
    if !ended && !pending {
        disrupt(&store, &pod)?;
    }
    let grace = eviction["deleteOptions"]["gracePeriodSeconds"].as_i64();
    let options = DeleteOptions { grace_period_seconds: grace, ..Default::default() };
    store.delete(&target.kind.resource(), target.namespace.as_deref(), target.name(), &options)?;
    Ok(json_answer(
        201,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

/// Uses up one of the disruptions that the pod's budget allows.
fn disrupt(store: &crate::sim::store::Store, pod: &Value) -> Result<(), Status> {
    let budgets = Resource::new("policy", "poddisruptionbudgets");
    let namespace = pod["metadata"]["namespace"].as_str();
    let covering: Vec<Arc<Value>> =
        store.list(&budgets, namespace).into_iter().filter(|budget| covers(budget, pod)).collect();
    let name = |budget: &Value| budget["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    match covering.as_slice() {
        [] => Ok(()),
        [budget] => store
            .update(&budgets, namespace, &name(budget), |budget| {
                let allowed = budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0);
                if allowed < 1 {
                    return Err(refused(budget));
                }
                budget["status"]["disruptionsAllowed"] = json!(allowed - 1);
                Ok(())
            })
            .map(drop),
        _ => Err(Status::internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        )),
    }
}

fn refused(budget: &Value) -> Status {
    let name = budget["metadata"]["name"].as_str().unwrap_or_default();
    let status = &budget["status"];
    let number = |field: &str| status[field].as_i64().unwrap_or(0);
    let mut refused = Status::too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", 0);
    let message = format!(
        "The disruption budget {name} needs {} healthy pods and has {} currently",
        number("desiredHealthy"),
        number("currentHealthy")
    );
    refused.details = Some(json!({"causes": [{"reason": "DisruptionBudget", "message": message}]}));
    refused
}

fn covers(budget: &Value, pod: &Value) -> bool {
    Selector::of_labels(&budget["spec"]["selector"]).is_some_and(|selector| selector.matches(pod))
}

fn bind(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let binding = request.object()?;
    let node = binding["target"]["name"].as_str().unwrap_or_default().to_owned();
    let store = store_for(api, request)?;
    let now = store.now();
    store.update(&target.kind.resource(), target.namespace.as_deref(), target.name(), |pod| {
        if let Some(node) = pod["spec"]["nodeName"].as_str().filter(|node| !node.is_empty()) {
            let why = format!("pod {} is already assigned to node \"{node}\"", target.name());
            return Err(Status::conflict(&Resource::new("", "pods/binding"), target.name(), &why));
        }
        pod["spec"]["nodeName"] = json!(node);
        let scheduled =
            json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
        let conditions = object_mut(&mut pod["status"]).entry("conditions").or_insert_with(|| json!([]));
        if let Some(conditions) = conditions.as_array_mut() {
            conditions.retain(|one| one["type"] != "PodScheduled");
            conditions.push(scheduled);
        }
        Ok(())
    })?;
    Ok(json_answer(
        201,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

/// A token that nothing accepts: service accounts do not log in here.
fn token(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    current(api, target)?;
    let mut asked = request.object()?;
    let token: String = random_bytes::<24>().iter().map(|byte| format!("{byte:02x}")).collect();
    asked["status"] = json!({"token": token, "expirationTimestamp": api.store.now()});
    asked["metadata"]["name"] = json!(target.name());
    asked["metadata"]["namespace"] = json!(target.namespace);
    Ok(json_answer(201, &asked))
}
