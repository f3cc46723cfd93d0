//! Watches: initial state, changes, selectors, and their ends.

use super::*;
use futures::{StreamExt, TryStreamExt};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};

fn shown(event: &WatchEvent<DynamicObject>) -> String {
    match event {
        WatchEvent::Added(object) => format!("ADDED {}", object.metadata.name.clone().unwrap()),
        WatchEvent::Modified(object) => format!("MODIFIED {}", object.metadata.name.clone().unwrap()),
        WatchEvent::Deleted(object) => format!("DELETED {}", object.metadata.name.clone().unwrap()),
        WatchEvent::Bookmark(_) => "BOOKMARK".into(),
        WatchEvent::Error(status) => format!("ERROR {}", status.code),
    }
}

#[tokio::test]
async fn objects_that_cease_to_match_are_deleted_for_the_watch() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    maps.create(&PostParams::default(), &config_map("a", &json!({}))).await.unwrap();
    let watch = maps.watch(&WatchParams::default().labels("app=x"), "0").await.unwrap();
    let patch = |labels: Value| Patch::Merge(json!({"metadata": {"labels": labels}}));
    for labels in [json!({"other": "1"}), json!({"app": "y"}), json!({"app": "x"})] {
        maps.patch("a", &PatchParams::default(), &patch(labels)).await.unwrap();
    }
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    let seen: Vec<String> = watch.map_ok(|event| shown(&event)).take(5).try_collect().await.unwrap();
    assert_eq!(seen, ["ADDED a", "MODIFIED a", "DELETED a", "ADDED a", "DELETED a"]);
}

#[tokio::test]
async fn a_watch_from_long_ago_is_expired() {
    let cluster = cluster().await;
    let maps = cluster.config_maps();
    for number in 0..5_100 {
        let name = format!("a{number}");
        cluster
            .sim
            .store
            .create(
                &crate::sim::store::Resource::new("", "configmaps"),
                json!({"metadata": {"name": name, "namespace": "x"}}),
            )
            .unwrap();
    }
    let mut watch = std::pin::pin!(maps.watch(&WatchParams::default(), "1").await.unwrap());
    assert_eq!(shown(&watch.next().await.unwrap().unwrap()), "ERROR 410");
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_over() {
    let cluster = cluster().await;
    let watch = cluster.config_maps().watch(&WatchParams::default().timeout(1), "0").await.unwrap();
    let seen: Vec<String> = watch.map_ok(|event| shown(&event)).try_collect().await.unwrap();
    assert_eq!(seen, ["ADDED kube-root-ca.crt"]);
}
