//! Patches of the other types.

use super::*;
use kube::api::{Patch, PatchParams, PostParams};

async fn patched(cluster: &Cluster, patch: &Patch<Value>) -> Value {
    let sets = cluster.sets();
    sets.patch("data", &PatchParams::default(), patch).await.unwrap().data
}

#[tokio::test]
async fn strategic_patches_merge_lists_by_key() {
    let cluster = cluster().await;
    cluster.sets().create(&PostParams::default(), &object(set(0))).await.unwrap();
    let env = json!([{"name": "B", "value": "2"}, {"name": "TZ", "$patch": "delete"}]);
    let container = json!({"name": "iris", "image": "iris:2", "env": env});
    let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    let after = patched(&cluster, &Patch::Strategic(patch)).await;
    let container = &after["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "iris:2");
    assert_eq!(container["env"], json!([{"name": "B", "value": "2"}]));
    assert_eq!(container["ports"][0]["containerPort"], 52773);
}

#[tokio::test]
async fn merge_patches_replace_lists() {
    let cluster = cluster().await;
    cluster.sets().create(&PostParams::default(), &object(set(0))).await.unwrap();
    let containers = json!([{"name": "other", "image": "x:1"}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers, "hostname": null}}}});
    let after = patched(&cluster, &Patch::Merge(patch)).await;
    assert_eq!(after["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 1);
    assert_eq!(after["spec"]["template"]["spec"]["containers"][0]["name"], "other");
}

#[tokio::test]
async fn json_patches_test_first() {
    let cluster = cluster().await;
    cluster.config_maps().create(&PostParams::default(), &config_map("a", &json!({"k": "1"}))).await.unwrap();
    let maps = cluster.config_maps();
    let patch = |wanted: &str| -> Patch<Value> {
        let operations = json!([
            {"op": "test", "path": "/data/k", "value": wanted}, {"op": "replace", "path": "/data/k", "value": "2"},
        ]);
        Patch::Json(serde_json::from_value(operations).unwrap())
    };
    assert_eq!(refusal(maps.patch("a", &PatchParams::default(), &patch("9")).await).0, 422);
    let after = maps.patch("a", &PatchParams::default(), &patch("1")).await.unwrap();
    assert_eq!(after.data["data"]["k"], "2");
}

#[tokio::test]
async fn what_cannot_change_is_refused() {
    let cluster = cluster().await;
    cluster.sets().create(&PostParams::default(), &object(set(0))).await.unwrap();
    let patch = Patch::Merge(json!({"spec": {"serviceName": "other"}}));
    let (code, message) = refusal(cluster.sets().patch("data", &PatchParams::default(), &patch).await);
    assert_eq!(code, 422);
    assert!(
        message.starts_with("StatefulSet.apps \"data\" is invalid: spec: Forbidden: updates to statefulset spec"),
        "{message}"
    );
}

#[tokio::test]
async fn a_claim_grows_only_where_its_class_allows_it_and_never_shrinks() {
    let cluster = cluster().await;
    let claims = cluster.api("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}, "storageClassName": "standard"}});
    claims.create(&PostParams::default(), &object(claim)).await.unwrap();
    let bound = |claim: Option<&DynamicObject>| claim.is_some_and(|claim| claim.data["status"]["phase"] == "Bound");
    kube::runtime::wait::await_condition(claims.clone(), "c", bound).await.unwrap();
    let size = |size: &str| Patch::Merge(json!({"spec": {"resources": {"requests": {"storage": size}}}}));
    let (code, message) = refusal(claims.patch("c", &PatchParams::default(), &size("4Gi")).await);
    assert_eq!(code, 403);
    assert_eq!(
        message,
        "persistentvolumeclaims \"c\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that \
         provisions the pvc must support resize"
    );
    let (code, message) = refusal(claims.patch("c", &PatchParams::default(), &size("1Gi")).await);
    assert_eq!(code, 422);
    assert!(
        message.ends_with("spec.resources.requests.storage: Forbidden: field can not be less than previous value"),
        "{message}"
    );
}
