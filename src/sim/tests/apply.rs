//! Server-side apply: ownership, conflicts, and what a second apply changes.

use super::*;
use kube::api::{Patch, PatchParams, PostParams};

async fn applied(api: &Api<DynamicObject>, manager: &str, name: &str, value: &Value) -> kube::Result<DynamicObject> {
    api.patch(name, &PatchParams::apply(manager), &Patch::Apply(value)).await
}

fn map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
}

fn managers(object: &DynamicObject) -> Vec<String> {
    let entries = object.metadata.managed_fields.iter().flatten();
    entries.map(|entry| format!("{} {}", entry.manager.as_ref().unwrap(), entry.operation.as_ref().unwrap())).collect()
}

#[tokio::test]
async fn applying_again_changes_nothing() {
    let cluster = cluster().await;
    let first = applied(&cluster.sets(), "lab", "data", &set(0)).await.unwrap();
    let settled = kube::runtime::wait::await_condition(cluster.sets(), "data", |set: Option<&DynamicObject>| {
        set.is_some_and(|set| set.data["status"]["observedGeneration"] == 1)
    });
    let settled = settled.await.unwrap().unwrap();
    let second = applied(&cluster.sets(), "lab", "data", &set(0)).await.unwrap();
    assert_eq!(second.metadata.resource_version, settled.metadata.resource_version);
    assert_eq!(second.metadata.generation, first.metadata.generation);
    assert_eq!(managers(&second), ["lab Apply"]);
}

#[tokio::test]
async fn every_kind_of_object_can_be_applied_twice() {
    let cluster = cluster().await;
    let kinds = [
        (
            "",
            "v1",
            "Service",
            "services",
            json!({"spec": {"type": "LoadBalancer", "selector": {"a": "b"}, "ports": [{"port": 80}]}}),
        ),
        ("", "v1", "Secret", "secrets", json!({"stringData": {"a": "b"}})),
        ("", "v1", "ServiceAccount", "serviceaccounts", json!({})),
        (
            "",
            "v1",
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}}),
        ),
        (
            "rbac.authorization.k8s.io",
            "v1",
            "RoleBinding",
            "rolebindings",
            json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]}),
        ),
        (
            "policy",
            "v1",
            "PodDisruptionBudget",
            "poddisruptionbudgets",
            json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}),
        ),
    ];
    for (group, version, kind, plural, mut value) in kinds {
        let api = cluster.api(group, version, kind, plural);
        value["apiVersion"] = json!(if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") });
        value["kind"] = json!(kind);
        value["metadata"] = json!({"name": "a"});
        let first = applied(&api, "lab", "a", &value).await.unwrap();
        let second = applied(&api, "lab", "a", &value).await.unwrap();
        let spec = |object: &DynamicObject| object.data["spec"].clone();
        assert_eq!((spec(&first), managers(&first)), (spec(&second), managers(&second)), "{kind}");
        assert_eq!(first.metadata.generation, second.metadata.generation, "{kind}");
    }
}

#[tokio::test]
async fn fields_of_others_are_a_conflict() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    applied(&maps, "one", "a", &map(&json!({"x": "1", "y": "1"}))).await.unwrap();
    let shared = applied(&maps, "two", "a", &map(&json!({"x": "1"}))).await.unwrap();
    assert_eq!(managers(&shared), ["one Apply", "two Apply"]);
    let (code, message) = refusal(applied(&maps, "two", "a", &map(&json!({"x": "2"}))).await);
    assert_eq!((code, message.as_str()), (409, "Apply failed with 1 conflict: conflict with \"one\": .data.x"));

    let forced = PatchParams::apply("two").force();
    let forced = maps.patch("a", &forced, &Patch::Apply(&map(&json!({"x": "2"})))).await.unwrap();
    assert_eq!(forced.data["data"], json!({"x": "2", "y": "1"}));
}

#[tokio::test]
async fn fields_that_are_no_longer_applied_go() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    applied(&maps, "one", "a", &map(&json!({"x": "1", "y": "1"}))).await.unwrap();
    applied(&maps, "two", "a", &map(&json!({"y": "1"}))).await.unwrap();
    let after = applied(&maps, "one", "a", &map(&json!({}))).await.unwrap();
    assert_eq!(after.data["data"], json!({"y": "1"}), "the other one still owns y");
}

#[tokio::test]
async fn an_update_takes_the_fields_that_it_changes() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    applied(&maps, "one", "a", &map(&json!({"x": "1", "y": "1"}))).await.unwrap();
    let mut changed = maps.get("a").await.unwrap();
    changed.data["data"]["x"] = json!("2");
    let editor = PostParams { field_manager: Some("editor".into()), ..Default::default() };
    maps.replace("a", &editor, &changed).await.unwrap();
    let (_, message) = refusal(applied(&maps, "one", "a", &map(&json!({"x": "1", "y": "1"}))).await);
    assert_eq!(message, "Apply failed with 1 conflict: conflict with \"editor\" using v1: .data.x");
}

#[tokio::test]
async fn elements_of_lists_are_owned_by_their_keys() {
    let cluster = cluster().await;
    let mut value = set(0);
    applied(&cluster.sets(), "lab", "data", &value).await.unwrap();
    value["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "OTHER", "value": "1"}]);
    let after = applied(&cluster.sets(), "lab", "data", &value).await.unwrap();
    let container = &after.data["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["env"], json!([{"name": "OTHER", "value": "1"}]));
    assert_eq!(container["imagePullPolicy"], "IfNotPresent", "what was filled in stays");
}

#[tokio::test]
async fn old_releases_need_every_key_of_a_list() {
    let old = with(Options { nodes: 1, kubernetes: "1.20.2".into(), ..Options::default() }).await;
    let mut service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}});
    let services = old.api("", "v1", "Service", "services");
    let (_, message) = refusal(applied(&services, "lab", "a", &service).await);
    assert_eq!(
        message,
        "failed to create typed patch object: .spec.ports: element 0: associative list with keys has an element that omits key \
         field \"protocol\" (and doesn't have default value)"
    );
    service["spec"]["ports"][0]["protocol"] = json!("TCP");
    applied(&services, "lab", "a", &service).await.unwrap();
}
