//! What others add to a cluster: API groups of other servers, webhooks, custom kinds, and how they hold up what is deleted.

use super::*;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);

impl Cluster {
    fn global(&self, group: &str, version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk(group, version, kind);
        Api::all_with(self.client.clone(), &ApiResource::from_gvk_with_plural(&kind, plural))
    }

    fn namespaces(&self) -> Api<DynamicObject> {
        self.global("", "v1", "Namespace", "namespaces")
    }

    /// Creates a namespace and deletes it, with one config map in it.
    async fn delete_namespace(&self, name: &str) {
        let namespace = object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        self.namespaces().create(&PostParams::default(), &namespace).await.unwrap();
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "ConfigMap"));
        let maps: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), name, &kind);
        maps.create(&PostParams::default(), &config_map("m", &json!({}))).await.unwrap();
        self.namespaces().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Waits until a namespace says that a condition is true, and returns its words.
    async fn words(&self, namespace: &str, condition: &str) -> String {
        let find = |object: &DynamicObject| {
            let all = object.data["status"]["conditions"].as_array()?;
            let found = all.iter().find(|one| one["type"] == condition && one["status"] == "True")?;
            found["message"].as_str().map(str::to_owned)
        };
        let has = |object: Option<&DynamicObject>| object.and_then(find).is_some();
        let found = tokio::time::timeout(WAIT, await_condition(self.namespaces(), namespace, has)).await;
        find(&found.unwrap().unwrap().unwrap()).unwrap()
    }

    async fn is_gone(&self, namespace: &str) {
        let gone = |object: Option<&DynamicObject>| object.is_none();
        tokio::time::timeout(WAIT, await_condition(self.namespaces(), namespace, gone)).await.unwrap().unwrap();
    }
}

fn api_service() -> DynamicObject {
    let service = json!({"name": "metrics-server", "namespace": "kube-system"});
    object(json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100, "service": service},
    }))
}

#[tokio::test]
async fn a_dead_api_service_fails_discovery_and_holds_namespaces() {
    let cluster = cluster().await;
    let services = cluster.global("apiregistration.k8s.io", "v1", "APIService", "apiservices");
    services.create(&PostParams::default(), &api_service()).await.unwrap();
    let groups = cluster.client.list_api_groups().await.unwrap();
    assert!(groups.groups.iter().any(|group| group.name == "metrics.k8s.io"));
    let (code, _) = refusal(cluster.client.list_api_group_resources("metrics.k8s.io/v1beta1").await);
    assert_eq!(code, 503);
    cluster.delete_namespace("stuck").await;
    assert_eq!(
        cluster.words("stuck", "NamespaceDeletionDiscoveryFailure").await,
        "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: \
         metrics.k8s.io/v1beta1: the server is currently unable to handle the request"
    );
    let found = services.get("v1beta1.metrics.k8s.io").await.unwrap();
    assert_eq!(found.data["status"]["conditions"][0]["reason"], "ServiceNotFound");
    services.delete("v1beta1.metrics.k8s.io", &DeleteParams::default()).await.unwrap();
    cluster.is_gone("stuck").await;
}

fn webhook(policy: &str) -> DynamicObject {
    let service = json!({"name": "gone", "namespace": "default", "path": "/check", "port": 9443});
    let rule = json!({
        "operations": ["CREATE", "DELETE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
    });
    object(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "hook"},
        "webhooks": [{
            "name": "check.example.com", "clientConfig": {"service": service}, "rules": [rule], "failurePolicy": policy,
            "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 5,
        }],
    }))
}

#[tokio::test]
async fn a_webhook_without_a_service_refuses_what_it_judges() {
    let cluster = cluster().await;
    let group = "admissionregistration.k8s.io";
    let hooks = cluster.global(group, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations");
    let maps = cluster.config_maps();
    maps.create(&PostParams::default(), &config_map("before", &json!({}))).await.unwrap();
    cluster.delete_namespace("early").await;
    cluster.is_gone("early").await;
    hooks.create(&PostParams::default(), &webhook("Fail")).await.unwrap();
    let (code, message) = refusal(maps.create(&PostParams::default(), &config_map("m", &json!({}))).await);
    let wanted = "Internal error occurred: failed calling webhook \"check.example.com\": failed to call webhook: \
                  Post \"https://gone.default.svc:9443/check?timeout=5s\": service \"gone\" not found";
    assert_eq!((code, message.as_str()), (500, wanted));
    assert_eq!(refusal(maps.delete("before", &DeleteParams::default()).await).0, 500);
    // What it does not judge goes on.
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    maps.patch("before", &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    // It can be changed, and then it holds nothing up.
    hooks.delete("hook", &DeleteParams::default()).await.unwrap();
    hooks.create(&PostParams::default(), &webhook("Ignore")).await.unwrap();
    maps.delete("before", &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_webhook_that_judges_deletions_holds_namespaces() {
    let cluster = cluster().await;
    let group = "admissionregistration.k8s.io";
    let hooks = cluster.global(group, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations");
    let mut hook = webhook("Fail");
    hook.data["webhooks"][0]["rules"][0]["operations"] = json!(["DELETE"]);
    hooks.create(&PostParams::default(), &hook).await.unwrap();
    cluster.delete_namespace("stuck").await;
    let words = cluster.words("stuck", "NamespaceDeletionContentFailure").await;
    assert!(
        words.starts_with(
            "Failed to delete all resource types, 1 remaining: Internal error occurred: failed calling webhook"
        ),
        "{words}"
    );
    hooks.delete("hook", &DeleteParams::default()).await.unwrap();
    cluster.is_gone("stuck").await;
}

#[tokio::test]
async fn a_definition_on_its_way_out_takes_no_new_objects() {
    let cluster = cluster().await;
    let definitions =
        cluster.global("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = object(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    }));
    definitions.create(&PostParams::default(), &definition).await.unwrap();
    let served =
        |object: Option<&DynamicObject>| object.is_some_and(|one| !one.data["status"]["conditions"][1].is_null());
    tokio::time::timeout(WAIT, await_condition(definitions.clone(), "widgets.example.com", served))
        .await
        .unwrap()
        .unwrap();
    let widgets = cluster.api("example.com", "v1", "Widget", "widgets");
    let widget = |name: &str| {
        object(
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name, "finalizers": ["example.com/keep"]}}),
        )
    };
    widgets.create(&PostParams::default(), &widget("w")).await.unwrap();
    definitions.delete("widgets.example.com", &DeleteParams::default()).await.unwrap();
    let (code, message) = refusal(widgets.create(&PostParams::default(), &widget("v")).await);
    assert_eq!((code, message.as_str()), (405, "create not allowed while custom resource definition is terminating"));
    let free = json!({"metadata": {"finalizers": null}});
    widgets.patch("w", &PatchParams::default(), &Patch::Merge(free)).await.unwrap();
    let gone = |object: Option<&DynamicObject>| object.is_none();
    tokio::time::timeout(WAIT, await_condition(definitions, "widgets.example.com", gone)).await.unwrap().unwrap();
}
