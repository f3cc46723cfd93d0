//! What is there before anybody asks for anything: the nodes, as their kubelets would have registered them, and their leases.

use super::object::core;
use crate::sim::store::{Resource, Store, new_uid};
use serde_json::{Value, json};

/// How the nodes are called: `lab-1`, `lab-2`, ...
fn node_name(number: u32) -> String {
    format!("lab-{number}")
}

/// Registers the nodes. Those that exist are left alone.
pub fn bootstrap(store: &Store, nodes: u32, version: &str) {
    for number in 1..=nodes {
        let name = node_name(number);
        // It exists already when the store was kept: then it stays as it is.
        let Ok(node) = store.create(&core("nodes"), node(store, number, version)) else { continue };
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": name, "namespace": "kube-node-lease", "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]},
            ]},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": lease_time(store)},
        });
        drop(store.create(&Resource::new("coordination.k8s.io", "leases"), lease));
    }
}

/// The time as leases have it: with microseconds.
pub fn lease_time(store: &Store) -> String {
    store.now().replace('Z', ".000000Z")
}

/// The address of a node.
fn address(number: u32) -> String {
    format!("10.0.{}.{}", number / 250, number % 250 + 10)
}

fn node(store: &Store, number: u32, version: &str) -> Value {
    let name = node_name(number);
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "labels": {
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": format!("zone-{number}"),
            },
        },
        "spec": {"podCIDR": format!("10.1.{number}.0/24"), "podCIDRs": [format!("10.1.{number}.0/24")]},
        "status": status(store, number, version),
    })
}

fn status(store: &Store, number: u32, version: &str) -> Value {
    let resources = json!({
        "cpu": "2", "ephemeral-storage": "64Gi", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "memory": "8Gi", "pods": "110",
    });
    json!({
        "addresses": [
            {"type": "InternalIP", "address": address(number)}, {"type": "Hostname", "address": node_name(number)},
        ],
        "allocatable": resources, "capacity": resources,
        "conditions": conditions(&store.now()),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": [],
        "nodeInfo": {
            "architecture": "amd64", "bootID": new_uid(), "containerRuntimeVersion": "containerd://1.6.36",
            "kernelVersion": "6.1.0-simulated", "kubeProxyVersion": version, "kubeletVersion": version,
            "machineID": new_uid().replace('-', ""), "operatingSystem": "linux", "osImage": "Simulated by iris-lab",
            "systemUUID": new_uid(),
        },
    })
}

/// The conditions of a node whose kubelet works.
pub fn conditions(now: &str) -> Value {
    let one = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
               "lastHeartbeatTime": now, "lastTransitionTime": now})
    };
    json!([
        one("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        one("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        one("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        one("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ])
}
