//! Tests of the embedded cluster as a whole: the real client against a running server.

mod apply;
mod extensions;
mod faults;
mod objects;
mod patches;
mod store;
mod watches;

use super::{Options, Sim, start};
use kube::api::DynamicObject;
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, Config};
use serde_json::{Value, json};

/// A running cluster and a client of it.
struct Cluster {
    sim: Sim,
    client: Client,
}

async fn cluster() -> Cluster {
    with(Options { nodes: 2, kubernetes: "1.24.17".into(), ..Options::default() }).await
}

async fn with(options: Options) -> Cluster {
    let sim = start(options).await.unwrap();
    let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "iris-lab/sim",
        "metadata": {"name": "standard", "annotations": annotations}, "volumeBindingMode": "Immediate",
    });
    sim.store.create(&crate::sim::store::Resource::new("storage.k8s.io", "storageclasses"), class).unwrap();
    let client = client(&sim).await;
    Cluster { sim, client }
}

async fn client(sim: &Sim) -> Client {
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&sim.kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
    // By default the client repeats a request that was answered with 429 for minutes.
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

impl Cluster {
    /// Objects of a kind in the namespace `default`.
    fn api(&self, group: &str, version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk(group, version, kind);
        Api::default_namespaced_with(self.client.clone(), &ApiResource::from_gvk_with_plural(&kind, plural))
    }

    fn config_maps(&self) -> Api<DynamicObject> {
        self.api("", "v1", "ConfigMap", "configmaps")
    }

    fn sets(&self) -> Api<DynamicObject> {
        self.api("apps", "v1", "StatefulSet", "statefulsets")
    }
}

fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

fn config_map(name: &str, data: &Value) -> DynamicObject {
    object(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"app": "x"}}, "data": data}),
    )
}

fn set(replicas: u32) -> Value {
    let container = json!({"name": "iris", "image": "iris:1", "ports": [{"containerPort": 52773}], "env": [{"name": "TZ", "value": "UTC"}]});
    let template = json!({"metadata": {"labels": {"app": "iris"}}, "spec": {"containers": [container]}});
    let claim = json!({
        "metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "data"},
        "spec": {
            "serviceName": "iris", "replicas": replicas, "selector": {"matchLabels": {"app": "iris"}}, "template": template,
            "volumeClaimTemplates": [claim],
        },
    })
}

/// The Status of a refused request.
fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String) {
    match result.unwrap_err() {
        kube::Error::Api(status) => (status.code, status.message),
        other => panic!("{other}"),
    }
}
