//! Tests of waiting for a pod: when it holds, when it is hopeless, and what is said meanwhile.

use super::mock::{Answer, Asked, cluster, event, quiet};
use crate::error::Kind;
use crate::model::WaitFor;
use serde_json::{Value, json};
use std::sync::Mutex;

fn target() -> WaitFor {
    WaitFor::PodReady { namespace: "lab".into(), name: "data-0".into(), stateful_set: "data".into() }
}

fn set(observed: i64) -> Value {
    json!({ "metadata": { "name": "data", "namespace": "lab", "generation": 2, "resourceVersion": "1" },
        "spec": { "replicas": 1 }, "status": { "observedGeneration": observed, "updateRevision": "new" } })
}

fn pod(revision: &str, ready: &str, status: Value) -> Value {
    json!({ "metadata": { "name": "data-0", "namespace": "lab", "uid": "u", "resourceVersion": "2",
            "labels": { "controller-revision-hash": revision } }, "spec": { "nodeName": "lab-1" },
        "status": { "conditions": [{ "type": "PodScheduled", "status": "True" }, { "type": "Ready", "status": ready }],
            "containerStatuses": [status] } })
}

fn crashed(restarts: i64) -> Value {
    json!({ "name": "iris", "restartCount": restarts, "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        "lastState": { "terminated": { "exitCode": 1 } } })
}

/// Lists of one StatefulSet, one pod and no events; the watches stay silent.
fn quiet_lists(asked: &Asked, set: Value, pod: Value) -> Answer {
    match (asked.watches(), asked.path.rsplit('/').next()) {
        (true, _) => Answer::Open(String::new()),
        (_, Some("statefulsets")) => Answer::list(vec![set], "1"),
        (_, Some("pods")) => Answer::list(vec![pod], "1"),
        _ => Answer::list(vec![], "1"),
    }
}

#[tokio::test]
async fn a_ready_pod_of_the_newest_revision_is_seen_with_two_requests() {
    let (cluster, log) = cluster(|asked| quiet_lists(asked, set(2), pod("new", "True", json!({}))));
    assert_eq!(cluster.wait(&target(), &quiet).await.unwrap(), "data-0 is Ready on lab-1");
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_pod_of_the_old_revision_is_not_ready_however_well_it_is() {
    let said = Mutex::new(Vec::new());
    let (cluster, _) = cluster(|asked| match (asked.watches(), asked.path.rsplit('/').next()) {
        (true, Some("statefulsets")) => Answer::Open(event("MODIFIED", &set(2))),
        // What the pod becomes is told only after the watch broke once.
        (true, Some("pods")) if asked.before == 0 => Answer::Cut(event("DELETED", &pod("old", "True", json!({})))),
        (true, Some("pods")) => Answer::Open(event("ADDED", &pod("new", "True", json!({})))),
        _ => quiet_lists(asked, set(1), pod("old", "True", json!({}))),
    });
    let line = cluster.wait(&target(), &|line| said.lock().unwrap().push(line)).await.unwrap();
    assert_eq!(line, "data-0 is Ready on lab-1");
    assert_eq!(said.lock().unwrap()[0], "data-0: waiting for the StatefulSet's controller");
}

#[tokio::test]
async fn a_known_fatal_line_ends_the_wait_at_the_second_restart_with_its_meaning() {
    let (cluster, _) = cluster(|asked| match asked.path.ends_with("/log") {
        true => Answer::Now(200, json!("ERROR #5032: Cannot create directory, Error=-13")),
        false => quiet_lists(asked, set(2), pod("new", "False", crashed(2))),
    });
    let failure = cluster.wait(&target(), &quiet).await.unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (Kind::Step, "data-0 cannot become Ready"));
    assert_eq!(failure.causes[0], "container iris ended with exit code 1 (restart 2)");
    assert!(failure.causes[1].starts_with("IRIS may not write to its volume"), "{failure}");
    assert!(failure.causes[2].contains("#5032"), "{failure}");
    assert!(failure.hints[0].contains("--storage-class"));
}

#[tokio::test]
async fn an_unknown_crash_is_given_a_third_try() {
    for (restarts, fails) in [(2, false), (3, true)] {
        let (cluster, _) = cluster(move |asked| match (asked.path.ends_with("/log"), asked.watches()) {
            (true, _) => Answer::Now(200, json!("bye")),
            (_, true) if asked.path.ends_with("/pods") => {
                Answer::Open(event("MODIFIED", &pod("new", "True", json!({}))))
            }
            _ => quiet_lists(asked, set(2), pod("new", "False", crashed(restarts))),
        });
        let end = cluster.wait(&target(), &quiet).await;
        assert_eq!(end.is_err(), fails, "{restarts}");
        if let Err(failure) = end {
            assert!(failure.hints[0].starts_with("see the whole log: kubectl logs -n lab data-0"), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_stateful_set_deleted_under_us_ends_the_wait() {
    let (cluster, _) = cluster(|asked| match (asked.watches(), asked.path.as_str()) {
        (true, path) if path.ends_with("statefulsets") => Answer::Open(event("DELETED", &set(2))),
        (_, "/api/v1/namespaces/lab") => {
            Answer::ok(json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } }))
        }
        _ => quiet_lists(asked, set(2), pod("new", "False", json!({}))),
    });
    let failure = cluster.wait(&target(), &quiet).await.unwrap_err();
    assert_eq!(failure.message, "StatefulSet lab/data is gone or being deleted");
    assert_eq!(failure.causes, ["its namespace lab is being deleted"]);
}

#[tokio::test]
async fn the_causes_at_the_deadline_hold_the_reason_the_events_and_the_log() {
    let (cluster, _) = cluster(|asked| match asked.path.rsplit('/').next() {
        Some("log") => Answer::Now(200, json!("bye")),
        Some("data-0") => Answer::ok(pod("new", "False", crashed(1))),
        _ => Answer::list(
            vec![json!({ "type": "Warning", "reason": "BackOff", "message": "Back-off restarting",
                "involvedObject": { "kind": "Pod", "uid": "u" } })],
            "1",
        ),
    });
    let why = cluster.why(&target()).await.unwrap();
    assert_eq!(why[0], "data-0: container iris ended with exit code 1");
    assert_eq!(why[1], "the end of its log:\n\"bye\"");
    assert_eq!(why[2], "event BackOff: Back-off restarting");
}

#[tokio::test]
async fn an_address_is_waited_for_and_named() {
    let target = WaitFor::Address { namespace: "lab".into(), name: "iris-ext".into() };
    let service = |ingress: Value| {
        json!({ "metadata": { "name": "iris-ext", "namespace": "lab" }, "spec": { "type": "LoadBalancer" },
            "status": { "loadBalancer": { "ingress": ingress } } })
    };
    let (cluster, _) = cluster(move |asked| match asked.watches() {
        false => Answer::list(vec![service(json!([]))], "1"),
        true => Answer::Open(event("MODIFIED", &service(json!([{ "ip": "10.0.0.9" }])))),
    });
    assert_eq!(cluster.wait(&target, &quiet).await.unwrap(), "iris-ext has the address 10.0.0.9");
}
