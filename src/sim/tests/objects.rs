//! Create, read, update, delete and what they refuse.

use super::*;
use kube::api::{DeleteParams, ListParams, PostParams};

#[tokio::test]
async fn discovery_names_what_is_served() {
    let cluster = cluster().await;
    assert_eq!(cluster.client.apiserver_version().await.unwrap().git_version, "v1.24.17");
    let discovery = kube::Discovery::new(cluster.client.clone()).run().await.unwrap();
    let kind = GroupVersionKind::gvk("apps", "v1", "StatefulSet");
    assert_eq!(discovery.resolve_gvk(&kind).unwrap().0.plural, "statefulsets");
    assert!(!discovery.has_group("example.com"));
}

#[tokio::test]
async fn without_the_token_nobody_gets_in() {
    let cluster = cluster().await;
    let mut kubeconfig = kube::config::Kubeconfig::from_yaml(&cluster.sim.kubeconfig).unwrap();
    kubeconfig.auth_infos[0].auth_info.as_mut().unwrap().token = None;
    let config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
    let stranger = Client::try_from(config).unwrap();
    let maps: Api<k8s_openapi::api::core::v1::ConfigMap> = Api::all(stranger);
    assert_eq!(refusal(maps.list(&ListParams::default()).await).0, 401);
}

#[tokio::test]
async fn objects_come_and_go() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    let made = maps.create(&PostParams::default(), &config_map("a", &json!({"k": "1"}))).await.unwrap();
    assert_eq!(maps.get("a").await.unwrap().metadata.uid, made.metadata.uid);
    let twice = maps.create(&PostParams::default(), &config_map("a", &json!({}))).await;
    assert_eq!(refusal(twice), (409, "configmaps \"a\" already exists".into()));
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    assert_eq!(refusal(maps.get("a").await), (404, "configmaps \"a\" not found".into()));
}

#[tokio::test]
async fn an_update_of_an_old_state_is_a_conflict() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    let old = maps.create(&PostParams::default(), &config_map("a", &json!({"k": "1"}))).await.unwrap();
    let mut new = old.clone();
    new.data["data"]["k"] = json!("2");
    maps.replace("a", &PostParams::default(), &new).await.unwrap();
    let (code, message) = refusal(maps.replace("a", &PostParams::default(), &old).await);
    assert_eq!(code, 409);
    assert!(message.contains("please apply your changes to the latest version"), "{message}");
}

#[tokio::test]
async fn lists_select_and_page() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    for name in ["a", "b", "c"] {
        maps.create(&PostParams::default(), &config_map(name, &json!({}))).await.unwrap();
    }
    let one = maps.list(&ListParams::default().labels("app in (x)").fields("metadata.name=b")).await.unwrap();
    assert_eq!(one.items.len(), 1);
    let first = maps.list(&ListParams::default().labels("app=x").limit(2)).await.unwrap();
    let token = first.metadata.continue_.unwrap();
    let rest = maps.list(&ListParams::default().labels("app=x").limit(2).continue_token(&token)).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len()), (2, 1));
}

#[tokio::test]
async fn a_namespace_must_exist() {
    let cluster = cluster().await;
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "ConfigMap"), "configmaps");
    let maps: Api<DynamicObject> = Api::namespaced_with(cluster.client.clone(), "nosuch", &resource);
    let refused = maps.create(&PostParams::default(), &config_map("a", &json!({}))).await;
    assert_eq!(refusal(refused), (404, "namespaces \"nosuch\" not found".into()));
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    let dry = PostParams { dry_run: true, ..Default::default() };
    maps.create(&dry, &config_map("a", &json!({}))).await.unwrap();
    assert!(maps.get_opt("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_stateful_set_gets_its_pods_and_claims() {
    let cluster = cluster().await;
    cluster.sets().create(&PostParams::default(), &object(set(2))).await.unwrap();
    let done = kube::runtime::wait::await_condition(cluster.sets(), "data", |set: Option<&DynamicObject>| {
        set.is_some_and(|set| set.data["status"]["readyReplicas"] == 2)
    });
    done.await.unwrap();
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::default_namespaced(cluster.client.clone());
    assert_eq!(pods.list(&ListParams::default()).await.unwrap().items.len(), 2);
    assert!(pods.logs("data-0", &Default::default()).await.unwrap().contains("simulated"));
}

#[tokio::test]
async fn the_scale_of_a_set_can_be_changed_alone() {
    let cluster = cluster().await;
    cluster.sets().create(&PostParams::default(), &object(set(1))).await.unwrap();
    let sets: Api<k8s_openapi::api::apps::v1::StatefulSet> = Api::default_namespaced(cluster.client.clone());
    let patch = kube::api::Patch::Merge(json!({"spec": {"replicas": 3}}));
    let scale = sets.patch_scale("data", &Default::default(), &patch).await.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(3));
    assert_eq!(sets.get("data").await.unwrap().spec.unwrap().replicas, Some(3));
}

#[tokio::test]
async fn evictions_respect_the_budget() {
    let cluster = cluster().await;
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "iris"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "iris"}}},
    });
    let budgets = cluster.api("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
    budgets.create(&PostParams::default(), &object(budget)).await.unwrap();
    cluster.sets().create(&PostParams::default(), &object(set(1))).await.unwrap();
    let healthy = kube::runtime::wait::await_condition(budgets, "iris", |budget: Option<&DynamicObject>| {
        budget.is_some_and(|budget| budget.data["status"]["currentHealthy"] == 1)
    });
    healthy.await.unwrap();
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::default_namespaced(cluster.client.clone());
    let refused = pods.evict("data-0", &Default::default()).await;
    let expected = "Cannot evict pod as it would violate the pod's disruption budget.";
    assert_eq!(refusal(refused), (429, expected.into()));
}

#[tokio::test]
async fn a_definition_is_served_until_it_is_deleted() {
    let cluster = cluster().await;
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema, "subresources": {"status": {}}}],
        },
    });
    let definitions: Api<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition> =
        Api::all(cluster.client.clone());
    definitions.create(&PostParams::default(), &serde_json::from_value(definition).unwrap()).await.unwrap();
    let established = kube::runtime::conditions::is_crd_established();
    kube::runtime::wait::await_condition(definitions.clone(), "things.example.com", established).await.unwrap();

    let things = cluster.api("example.com", "v1", "Thing", "things");
    let thing = json!({
        "apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": 1}, "status": {"x": 1},
    });
    let made = things.create(&PostParams::default(), &object(thing)).await.unwrap();
    assert!(made.data["status"].is_null(), "the status is written apart");
    definitions.delete("things.example.com", &DeleteParams::default()).await.unwrap();
    let absent = |definition: Option<
        &k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    >| definition.is_none();
    kube::runtime::wait::await_condition(definitions, "things.example.com", absent).await.unwrap();
    assert_eq!(refusal(things.list(&ListParams::default()).await).0, 404);
}

#[tokio::test]
async fn unknown_fields_are_dropped_but_cannot_be_applied() {
    let cluster = cluster().await;
    let mut value = set(0);
    value["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": 1}});
    value["spec"]["replicaz"] = json!(3);
    let made = cluster.sets().create(&PostParams::default(), &object(value.clone())).await.unwrap();
    assert!(made.data["spec"].get("replicaz").is_none());
    assert_eq!(made.data["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"], "1");
    let apply = kube::api::Patch::Apply(&value);
    let (code, message) =
        refusal(cluster.sets().patch("data", &kube::api::PatchParams::apply("lab").force(), &apply).await);
    assert_eq!(code, 500);
    assert_eq!(message, "failed to create typed patch object: .spec.replicaz: field not declared in schema");
}

#[tokio::test]
async fn old_versions_come_with_a_warning() {
    let cluster = cluster().await;
    let request =
        http::Request::get("/apis/policy/v1beta1/poddisruptionbudgets").body(kube::client::Body::empty()).unwrap();
    let answer = cluster.client.send(request).await.unwrap();
    let expected = "299 - \"policy/v1beta1 PodDisruptionBudget is deprecated, unavailable in v1.25+; use policy/v1 PodDisruptionBudget\"";
    assert_eq!(answer.headers()["warning"], expected);
}
