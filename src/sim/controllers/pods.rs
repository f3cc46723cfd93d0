//! What all workload controllers share: making a pod from a template, claiming pods, and judging how far a pod is.

use super::object::{
    apps, controller_reference, core, flag, int, is_controlled_by, is_deleting, is_true, items, name, namespace,
    selects, text,
};
use super::revisions::encode;
use super::world::World;
use crate::sim::admission::defaults::admit_pod;
use crate::sim::store::random_bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A random suffix for a generated name.
pub fn suffix() -> String {
    encode(&random_bytes::<5>())
}

/// A pod of a controller, as the API server would have admitted it. Labels are added to those of the template.
pub fn from_template(owner: &Value, template: &Value, pod_name: &str, labels: &[(&str, &str)]) -> Value {
    let mut metadata = json!({
        "name": pod_name, "namespace": owner["metadata"]["namespace"], "ownerReferences": [controller_reference(owner)],
        "labels": template["metadata"]["labels"].as_object().cloned().unwrap_or_default(),
    });
    for (key, value) in labels {
        metadata["labels"][*key] = json!(value);
    }
    for field in ["annotations", "finalizers"] {
        if !template["metadata"][field].is_null() {
            metadata[field] = template["metadata"][field].clone();
        }
    }
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]});
    admit(&mut pod);
    pod
}

/// Fills in what the API server fills in for every new pod.
fn admit(pod: &mut Value) {
    let class = qos_class(pod);
    if let Some(spec) = pod["spec"].as_object_mut() {
        let defaults = json!({
            "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30, "securityContext": {},
            "schedulerName": "default-scheduler", "enableServiceLinks": true,
        });
        for (field, value) in defaults.as_object().into_iter().flatten() {
            spec.entry(field.clone()).or_insert_with(|| value.clone());
        }
    }
    admit_pod(pod);
    pod["status"] = json!({"phase": "Pending", "qosClass": class});
}

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub fn qos_class(pod: &Value) -> &'static str {
    let containers = || items(pod, "/spec/initContainers").iter().chain(items(pod, "/spec/containers"));
    let has = |one: &Value, field: &str, key: &str| !one["resources"][field][key].is_null();
    let any = |one: &Value| ["cpu", "memory"].iter().any(|key| has(one, "limits", key) || has(one, "requests", key));
    let full = |one: &Value| {
        ["cpu", "memory"].iter().all(|key| {
            let resources = &one["resources"];
            has(one, "limits", key)
                && (!has(one, "requests", key) || resources["requests"][key] == resources["limits"][key])
        })
    };
    match () {
        () if !containers().any(any) => "BestEffort",
        () if containers().all(full) => "Guaranteed",
        () => "Burstable",
    }
}

/// The pods of a controller. Pods without a controller that its selector selects become its own.
pub fn claim(world: &World, owner: &Value) -> Vec<Arc<Value>> {
    let pods = core("pods");
    let mut owned = Vec::new();
    for pod in world.beside(&pods, owner) {
        if is_controlled_by(&pod, owner) {
            owned.push(pod);
        } else if !has_controller(&pod)
            && !is_deleting(&pod)
            && selects(&owner["spec"]["selector"], &pod["metadata"]["labels"])
        {
            world.change(&pods, &pod, |pod| adopt(pod, owner));
        }
    }
    owned
}

/// Whether any controller owns the object.
pub fn has_controller(object: &Value) -> bool {
    items(object, "/metadata/ownerReferences").iter().any(|one| flag(one, "/controller"))
}

/// Makes an owner the controller of an object.
pub fn adopt(object: &mut Value, owner: &Value) {
    let mut references = items(object, "/metadata/ownerReferences").to_vec();
    references.push(controller_reference(owner));
    object["metadata"]["ownerReferences"] = Value::Array(references);
}

/// Whether the pod's containers have all ended for good.
pub fn is_finished(pod: &Value) -> bool {
    ["Succeeded", "Failed"].contains(&text(pod, "/status/phase"))
}

/// Whether the pod runs or will run.
pub fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !is_deleting(pod)
}

/// Whether the pod serves.
pub fn is_ready(pod: &Value) -> bool {
    is_true(pod, "Ready")
}

/// Whether the pod has been ready for the time that its controller asks for.
pub fn is_available(world: &World, pod: &Value, owner: &Value) -> bool {
    let seconds = int(owner, "/spec/minReadySeconds").unwrap_or(0);
    if seconds <= 0 || !is_ready(pod) {
        return is_ready(pod);
    }
    let since = text(super::object::condition(pod, "Ready").unwrap_or(&Value::Null), "/lastTransitionTime");
    let timer = format!("available/{}/{since}", super::object::uid(pod));
    world.timer(timer, Duration::from_secs(seconds.unsigned_abs())).over
}

/// Names of the claims that a pod mounts.
pub fn claims(pod: &Value) -> impl Iterator<Item = String> + '_ {
    items(pod, "/spec/volumes").iter().filter_map(|volume| {
        let claim = text(volume, "/persistentVolumeClaim/claimName");
        match claim.is_empty() {
            false => Some(claim.to_owned()),
            true if volume["ephemeral"].is_object() => Some(format!("{}-{}", name(pod), text(volume, "/name"))),
            true => None,
        }
    })
}

/// The resource of a kind of workload, for those that own pods.
pub fn owner_of(world: &World, pod: &Value) -> Option<Arc<Value>> {
    let reference = items(pod, "/metadata/ownerReferences").iter().find(|one| flag(one, "/controller"))?;
    let resource = match text(reference, "/kind") {
        "StatefulSet" => apps("statefulsets"),
        "ReplicaSet" => apps("replicasets"),
        "Deployment" => apps("deployments"),
        _ => return None,
    };
    world.store.get(&resource, namespace(pod), text(reference, "/name"))
}
