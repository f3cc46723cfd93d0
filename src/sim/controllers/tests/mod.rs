//! Tests of the controllers together: objects in, and what a user would see in the end.

mod failures;
mod life;
mod longhorn;
mod storage;
mod workloads;

use super::object::{core, name};
use super::world::World;
use super::{bootstrap, round};
use crate::sim::clock::Clock;
use crate::sim::faults::Faults;
use crate::sim::store::{DeleteOptions, Resource, Store};
use serde_json::{Value, json};
use std::sync::Arc;

/// A cluster with three nodes in which time takes no time.
fn cluster(faults: &str) -> World {
    let store = Store::new();
    bootstrap(&store, 3, "v1.24.17");
    let world = World::new(store, Clock::instant(), Faults::parse(faults, "test").unwrap());
    for home in ["default", "x"] {
        make(&world, json!({"kind": "Namespace", "metadata": {"name": home}, "spec": {"finalizers": ["kubernetes"]}}));
    }
    settle(&world);
    world
}

/// Lets the controllers work until nothing changes any more.
fn settle(world: &World) {
    for _ in 0..100 {
        let before = world.store.revision();
        round(world);
        if world.store.revision() == before {
            return;
        }
    }
    panic!("the controllers do not come to rest");
}

fn resource(kind: &str) -> Resource {
    let group = match kind {
        "StatefulSet" | "Deployment" | "DaemonSet" | "ReplicaSet" | "ControllerRevision" => "apps",
        "Job" => "batch",
        "StorageClass" => "storage.k8s.io",
        "PodDisruptionBudget" => "policy",
        "EndpointSlice" => "discovery.k8s.io",
        "CustomResourceDefinition" => "apiextensions.k8s.io",
        "Widget" => "example.com",
        _ => "",
    };
    let plural = match kind {
        "StorageClass" => "storageclasses".into(),
        "Endpoints" => "endpoints".into(),
        _ => format!("{}s", kind.to_lowercase()),
    };
    Resource::new(group, &plural)
}

/// Creates an object; those of namespaces go to `x`.
fn make(world: &World, mut object: Value) -> Arc<Value> {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let global = ["Namespace", "Node", "StorageClass", "PersistentVolume", "CustomResourceDefinition"];
    if !global.contains(&kind.as_str()) && object["metadata"]["namespace"].is_null() {
        object["metadata"]["namespace"] = json!("x");
    }
    let resource = resource(&kind);
    object["apiVersion"] = match resource.group.as_str() {
        "" => json!("v1"),
        group => json!(format!("{group}/v1")),
    };
    world.store.create(&resource, object).unwrap()
}

fn get(world: &World, kind: &str, name: &str) -> Arc<Value> {
    find(world, kind, name).unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn find(world: &World, kind: &str, name: &str) -> Option<Arc<Value>> {
    let resource = resource(kind);
    world.store.get(&resource, Some("x"), name).or_else(|| world.store.get(&resource, None, name))
}

fn all(world: &World, kind: &str) -> Vec<Arc<Value>> {
    world.all(&resource(kind))
}

fn change(world: &World, kind: &str, object: &str, merge: Value) {
    let found = get(world, kind, object);
    world.change(&resource(kind), &found, |object| json_patch::merge(object, &merge));
}

fn delete(world: &World, kind: &str, name: &str) {
    let found = get(world, kind, name);
    let options = DeleteOptions::default();
    world.store.delete(&resource(kind), found["metadata"]["namespace"].as_str(), name, &options).unwrap();
}

/// Reason and message of the events about an object.
fn events(world: &World, about: &str) -> Vec<String> {
    let mut all = world.all(&core("events"));
    all.sort_by_key(|event| event["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap());
    let of = all.iter().filter(|event| event["involvedObject"]["name"] == about);
    of.map(|event| format!("{}: {}", event["reason"].as_str().unwrap(), event["message"].as_str().unwrap())).collect()
}

fn names(objects: &[Arc<Value>]) -> Vec<&str> {
    objects.iter().map(|one| name(one)).collect()
}

fn class(mode: &str) -> Value {
    json!({
        "kind": "StorageClass", "provisioner": "iris-lab/sim", "volumeBindingMode": mode, "allowVolumeExpansion": true,
        "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    })
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "iris"}}, "spec": {"containers": [{"name": "iris", "image": image}]}})
}

fn stateful_set(policy: &str, replicas: u32) -> Value {
    json!({
        "kind": "StatefulSet", "metadata": {"name": "data"},
        "spec": {
            "replicas": replicas, "serviceName": "iris", "podManagementPolicy": policy,
            "selector": {"matchLabels": {"app": "iris"}}, "template": template("x/iris-community:1"),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "volumeClaimTemplates": [{
                "metadata": {"name": "dbv"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }],
        },
    })
}

fn pod(name: &str, spec: Value) -> Value {
    let mut pod = json!({"kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": {
        "restartPolicy": "Always", "containers": [{"name": "c", "image": "busybox:1"}],
    }});
    json_patch::merge(&mut pod["spec"], &spec);
    pod
}
