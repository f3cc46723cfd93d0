//! A healthy lab of two pods as facts, and objects that are broken in some way: what the tests of judges and of the status share.

use crate::model::{Facts, LabIdentity};
use serde_json::{Value, json};

/// Who the lab is.
pub fn identity() -> LabIdentity {
    LabIdentity {
        lab: "two-pod".into(),
        namespace: "iris-lab".into(),
        provider: "existing".into(),
        replicas: 2,
        up: "iris-lab up".into(),
        ..LabIdentity::default()
    }
}

/// A node; `ready` is its condition.
pub fn node(name: &str, ready: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"node-role.kubernetes.io/worker": ""}},
        "status": {"conditions": [{"type": "Ready", "status": ready}], "nodeInfo": {"kubeletVersion": "v1.20.2"}},
    })
}

/// A pod that is ready on lab-1.
pub fn pod(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"nodeName": "lab-1", "containers": [{"name": "iris"}]},
        "status": {
            "phase": "Running", "podIP": "10.1.0.7",
            "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "iris", "image": "iris:1", "ready": true, "restartCount": 0, "state": {"running": {}}}],
        },
    })
}

/// A pod whose container is in this state.
pub fn broken(phase: &str, container: &Value) -> Value {
    let mut pod = pod("data-1");
    let mut status = json!({"name": "iris", "image": "iris:1", "ready": false, "restartCount": 3});
    status.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    pod["status"] = json!({
        "phase": phase,
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [status],
    });
    pod
}

/// The state of a container that waits.
pub fn waiting(reason: &str, message: &str) -> Value {
    json!({"state": {"waiting": {"reason": reason, "message": message}}})
}

/// A pod that no node takes.
pub fn unschedulable() -> Value {
    let mut pod = pod("data-1");
    pod["spec"]["nodeName"] = Value::Null;
    pod["status"] = json!({"phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient memory.",
    }]});
    pod
}

/// A claim that is bound.
pub fn claim(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"storageClassName": "fast", "volumeName": format!("pvc-{name}"), "resources": {"requests": {"storage": "5Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "5Gi"}},
    })
}

/// A storage class; `default` is `true` for the default one.
pub fn class(name: &str, default: &str) -> Value {
    json!({
        "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}},
        "provisioner": "example.com/disk",
    })
}

/// The LoadBalancer Service.
pub fn service(ingress: &Value) -> Value {
    json!({
        "kind": "Service", "metadata": {"name": "iris-ext"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 52773}]},
        "status": {"loadBalancer": {"ingress": ingress}},
    })
}

/// All of it, healthy.
pub fn facts() -> Facts {
    Facts {
        reachable: true,
        server: "https://127.0.0.1:6443".into(),
        version: "v1.20.2".into(),
        nodes: vec![node("lab-2", "True"), node("lab-1", "True")],
        storage_classes: vec![class("fast", "true"), class("slow", "false")],
        namespace: Some(json!({"metadata": {"name": "iris-lab"}})),
        objects: vec![
            json!({"kind": "StatefulSet", "metadata": {"name": "data"}}),
            json!({"kind": "Service", "metadata": {"name": "iris"}, "spec": {"clusterIP": "None"}}),
            service(&json!([{"ip": "10.0.0.240"}])),
        ],
        pods: vec![pod("data-0"), pod("data-1")],
        claims: ["dbv-data-data-0", "dbv-data-data-1"].map(claim).to_vec(),
        ..Facts::default()
    }
}

/// A warning about an object.
pub fn warning(kind: &str, object: &str, reason: &str, message: &str) -> Value {
    json!({"involvedObject": {"kind": kind, "name": object}, "reason": reason, "type": "Warning", "message": message})
}
