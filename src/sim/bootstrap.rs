//! What every cluster has before anybody asks for anything, besides its nodes.

use crate::sim::store::Store;
use crate::sim::store::resource::Resource;
use serde_json::{Value, json};

/// Makes the namespaces, the Service `kubernetes` and the priority classes of the system. A storage class and a pool of
/// addresses are not among them: the add-ons `storage` and `metallb` bring those, as on a real cluster.
pub fn fill(store: &Store, port: u16) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        namespace(store, name);
    }
    service(store, port);
    for (name, value) in [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)] {
        let class =
            json!({"metadata": {"name": name}, "value": value, "description": "Used for system critical pods."});
        make(store, ("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass"), class);
    }
}

fn namespace(store: &Store, name: &str) {
    let labels = json!({"kubernetes.io/metadata.name": name});
    let namespace = json!({
        "metadata": {"name": name, "labels": labels}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    });
    make(store, ("", "v1", "namespaces", "Namespace"), namespace);
}

/// The API server as the pods would see it.
fn service(store: &Store, port: u16) {
    let labels = json!({"component": "apiserver", "provider": "kubernetes"});
    let metadata = json!({"name": "kubernetes", "namespace": "default", "labels": labels});
    let ports = json!([{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 16443}]);
    let service = json!({
        "metadata": metadata, "status": {"loadBalancer": {}},
        "spec": {
            "clusterIP": "10.152.183.1", "clusterIPs": ["10.152.183.1"], "ports": ports, "sessionAffinity": "None",
            "type": "ClusterIP", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
        },
    });
    make(store, ("", "v1", "services", "Service"), service);
    let metadata = json!({
        "name": "kubernetes", "namespace": "default", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
    });
    let subsets = json!([{
        "addresses": [{"ip": "127.0.0.1"}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }]);
    make(store, ("", "v1", "endpoints", "Endpoints"), json!({"metadata": metadata, "subsets": subsets}));
}

fn make(store: &Store, (group, version, plural, kind): (&str, &str, &str, &str), mut object: Value) {
    object["apiVersion"] = if group.is_empty() { json!(version) } else { json!(format!("{group}/{version}")) };
    object["kind"] = json!(kind);
    // The store is new: nothing can be in the way.
    drop(store.create(&Resource::new(group, plural), object));
}
