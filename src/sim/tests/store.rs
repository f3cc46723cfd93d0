//! Tests of the store: what a client would notice.

use crate::sim::store::{DeleteOptions, EventKind, Propagation, Resource, Store};
use serde_json::{Value, json};

fn pods() -> Resource {
    Resource::new("", "pods")
}

fn sets() -> Resource {
    Resource::new("apps", "statefulsets")
}

fn object(namespace: &str, name: &str) -> Value {
    json!({"metadata": {"namespace": namespace, "name": name}, "spec": {"replicas": 1}})
}

#[test]
fn create_fills_in_what_the_server_owns() {
    let store = Store::new();
    let made = store.create(&sets(), object("a", "x")).unwrap();
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made["metadata"]["resourceVersion"], store.revision().to_string());
    assert_eq!(made["metadata"]["uid"].as_str().unwrap().len(), 36);
    let twice = store.create(&sets(), object("a", "x")).unwrap_err();
    assert_eq!((twice.code, twice.message.as_str()), (409, "statefulsets.apps \"x\" already exists"));
}

#[test]
fn lists_are_sorted_and_by_namespace() {
    let store = Store::new();
    for (namespace, name) in [("b", "1"), ("a", "2"), ("a", "1")] {
        store.create(&pods(), object(namespace, name)).unwrap();
    }
    let names = |namespace| -> Vec<String> {
        let name = |o: &Value| {
            format!("{}{}", o["metadata"]["namespace"].as_str().unwrap(), o["metadata"]["name"].as_str().unwrap())
        };
        store.list(&pods(), namespace).iter().map(|o| name(o)).collect()
    };
    assert_eq!(names(None), ["a1", "a2", "b1"]);
    assert_eq!(names(Some("a")), ["a1", "a2"]);
}

#[test]
fn an_update_that_changes_nothing_keeps_the_version() {
    let store = Store::new();
    let made = store.create(&sets(), object("a", "x")).unwrap();
    let same = store.update(&sets(), Some("a"), "x", |_| Ok(())).unwrap();
    assert_eq!(made, same);
    let changed = store
        .update(&sets(), Some("a"), "x", |o| {
            o["spec"]["replicas"] = json!(2);
            Ok(())
        })
        .unwrap();
    assert_eq!(changed["metadata"]["generation"], 2);
    let status = store
        .update(&sets(), Some("a"), "x", |o| {
            o["status"] = json!({"replicas": 2});
            Ok(())
        })
        .unwrap();
    assert_eq!(status["metadata"]["generation"], 2);
    assert_ne!(status["metadata"]["resourceVersion"], changed["metadata"]["resourceVersion"]);
}

#[test]
fn finalizers_hold_an_object_until_the_last_is_gone() {
    let store = Store::new();
    let mut with = object("a", "x");
    with["metadata"]["finalizers"] = json!(["example.com/hold"]);
    store.create(&sets(), with).unwrap();
    let marked = store.delete(&sets(), Some("a"), "x", &DeleteOptions::default()).unwrap();
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    store
        .update(&sets(), Some("a"), "x", |o| {
            o["metadata"]["finalizers"] = json!([]);
            Ok(())
        })
        .unwrap();
    assert!(store.get(&sets(), Some("a"), "x").is_none());
    assert_eq!(store.events_since(1).unwrap().last().unwrap().kind, EventKind::Deleted);
}

#[test]
fn pods_on_a_node_have_a_grace_period() {
    let store = Store::new();
    let mut pod = object("a", "x");
    pod["spec"] = json!({"nodeName": "lab-1", "terminationGracePeriodSeconds": 60});
    store.create(&pods(), pod).unwrap();
    let marked = store.delete(&pods(), Some("a"), "x", &DeleteOptions::default()).unwrap();
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 60);
    let again = store.delete(&pods(), Some("a"), "x", &DeleteOptions::default()).unwrap();
    assert_eq!(marked, again);
    let now = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
    store.delete(&pods(), Some("a"), "x", &now).unwrap();
    assert!(store.get(&pods(), Some("a"), "x").is_none());
}

#[test]
fn namespaces_end_when_their_own_finalizers_are_gone() {
    let store = Store::new();
    let namespaces = Resource::new("", "namespaces");
    store.create(&namespaces, json!({"metadata": {"name": "a"}, "spec": {"finalizers": ["kubernetes"]}})).unwrap();
    let marked = store.delete(&namespaces, None, "a", &DeleteOptions::default()).unwrap();
    assert_eq!(marked["status"]["phase"], "Terminating");
    store
        .update(&namespaces, None, "a", |o| {
            o["spec"]["finalizers"] = json!([]);
            Ok(())
        })
        .unwrap();
    assert!(store.get(&namespaces, None, "a").is_none());
}

#[test]
fn propagation_is_kept_as_a_finalizer() {
    let store = Store::new();
    store.create(&sets(), object("a", "x")).unwrap();
    let foreground = DeleteOptions { propagation: Some(Propagation::Foreground), ..Default::default() };
    let marked = store.delete(&sets(), Some("a"), "x", &foreground).unwrap();
    assert_eq!(marked["metadata"]["finalizers"], json!(["foregroundDeletion"]));
}

#[test]
fn a_deletion_checks_its_preconditions() {
    let store = Store::new();
    store.create(&sets(), object("a", "x")).unwrap();
    let other = DeleteOptions { uid: Some("other".into()), ..Default::default() };
    let refused = store.delete(&sets(), Some("a"), "x", &other).unwrap_err();
    assert_eq!((refused.code, refused.reason), (409, "Conflict"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let store = Store::new();
    let before = store.revision();
    store.dry_run().create(&sets(), object("a", "x")).unwrap();
    assert_eq!((store.revision(), store.list(&sets(), None).len()), (before, 0));
}

#[test]
fn history_that_is_too_old_is_expired() {
    let store = Store::new();
    for number in 0..5_010 {
        store.create(&pods(), object("a", &number.to_string())).unwrap();
    }
    assert_eq!(store.events_since(1).unwrap_err().code, 410);
    assert_eq!(store.events_since(store.revision() - 5).unwrap().len(), 5);
}
