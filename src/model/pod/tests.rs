//! How a pod stands, by the states and events that a kubelet reports.

use super::*;
use serde_json::json;

fn pod(state: Value, extra: Value) -> Value {
    let mut status = json!({ "name": "iris", "image": "iris:1", "ready": false, "started": true, "state": state });
    for (key, value) in extra.as_object().into_iter().flatten() {
        status[key] = value.clone();
    }
    json!({ "metadata": { "name": "data-0", "uid": "u" }, "spec": { "nodeName": "lab-1" }, "status": {
        "conditions": [{ "type": "PodScheduled", "status": "True" }], "containerStatuses": [status] } })
}

fn event(reason: &str, message: &str, count: i64) -> Value {
    json!({ "involvedObject": { "kind": "Pod", "uid": "u" }, "reason": reason, "message": message, "count": count,
        "type": if reason == "Pulling" { "Normal" } else { "Warning" }, "lastTimestamp": "2026-01-01T00:00:00Z" })
}

fn waiting(pod: &Value, events: &[&Value]) -> String {
    match state(pod, events) {
        State::Waiting(_, text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pod_that_cannot_be_scheduled_says_why_with_the_event_of_its_claim() {
    let mut pod = pod(json!({}), json!({}));
    let message = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
    pod["status"]["conditions"] = json!([{ "type": "PodScheduled", "status": "False", "message": message }]);
    pod["spec"]["volumes"] = json!([{ "persistentVolumeClaim": { "claimName": "dbv" } }]);
    let claim = json!({ "involvedObject": { "kind": "PersistentVolumeClaim", "name": "dbv" },
        "message": "storageclass \"x\" not found" });
    assert_eq!(waiting(&pod, &[&claim]), format!("not scheduled: {message}; claim dbv: storageclass \"x\" not found"));
}

#[test]
fn images_that_can_never_come_doom_the_pod_at_once() {
    for reason in ["InvalidImageName", "ErrImageNeverPull"] {
        let pod = pod(json!({ "waiting": { "reason": reason } }), json!({}));
        assert!(matches!(state(&pod, &[]), State::Doomed(_, why, _) if why.contains("iris:1")), "{reason}");
    }
}

#[test]
fn a_registry_that_says_no_dooms_the_pod_at_the_second_pull_but_network_trouble_never_does() {
    let pulled = |message: &str, count: i64| {
        let failed = event("Failed", &format!("Failed to pull image \"iris:1\": {message}"), count);
        let pod = pod(json!({ "waiting": { "reason": "ImagePullBackOff", "message": "Back-off" } }), json!({}));
        state(&pod, &[&failed])
    };
    for no in ["rpc error: code = NotFound desc = iris:1: not found", "pull access denied", "manifest unknown"] {
        assert_eq!(pulled(no, 1), State::Waiting(Why::ImageRefused, format!("cannot pull the image iris:1 yet: {no}")));
        assert!(matches!(pulled(no, 2), State::Doomed(_, why, _) if why.ends_with(no)));
    }
    for trouble in ["dial tcp: i/o timeout", "connection refused", "lookup registry: no such host, not found"] {
        assert!(matches!(pulled(trouble, 9), State::Waiting(Why::ImagePull, _)), "{trouble}");
    }
}

#[test]
fn a_container_that_ended_tells_how_and_how_often() {
    let ended = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    let back_off = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    let crash = State::Crashing(Crash {
        container: "iris".into(),
        restarts: 2,
        end: "exit code 137, OOMKilled".into(),
        out_of_memory: true,
    });
    assert_eq!(state(&pod(back_off, json!({ "restartCount": 2, "lastState": ended.clone() })), &[]), crash);
    assert_eq!(state(&pod(ended, json!({ "restartCount": 2 })), &[]), crash);
    let killed = pod(json!({ "terminated": { "exitCode": 137 } }), json!({}));
    let probe = event("Unhealthy", "Startup probe failed: down", 9);
    let said = "exit code 137, killed: Startup probe failed: down";
    assert!(matches!(state(&killed, &[&probe]), State::Crashing(crash) if crash.end == said));
}

#[test]
fn probes_say_what_they_found() {
    let unhealthy = event("Unhealthy", "Readiness probe failed:\n status is  down", 1);
    let running = pod(json!({ "running": {} }), json!({}));
    let said = "the readiness probe of iris has not passed yet: Readiness probe failed: status is down";
    assert_eq!(waiting(&running, &[&unhealthy]), said);
    let starting = pod(
        json!({ "running": {} }),
        json!({ "started": false, "restartCount": 1,
        "lastState": { "terminated": { "exitCode": 1 } } }),
    );
    let said = "the startup probe of iris has not passed yet (restart 1 after exit code 1)";
    assert_eq!(waiting(&starting, &[]), said);
}

#[test]
fn what_holds_up_the_containers_is_named() {
    let creating = pod(json!({ "waiting": { "reason": "ContainerCreating" } }), json!({}));
    assert_eq!(waiting(&creating, &[]), "its containers are being created");
    let pulling = event("Pulling", "Pulling image \"iris:1\"", 1);
    assert_eq!(waiting(&creating, &[&pulling]), "pulling image \"iris:1\"");
    let mount = event("FailedMount", "configmap \"cpf\" not found", 1);
    assert_eq!(waiting(&creating, &[&mount]), "FailedMount: configmap \"cpf\" not found");
    let other = json!({ "involvedObject": { "kind": "Pod", "uid": "another" }, "reason": "FailedMount" });
    assert_eq!(waiting(&creating, &[&other]), "its containers are being created");
}

#[test]
fn an_init_container_comes_before_the_others() {
    let mut pod = pod(json!({ "waiting": { "reason": "PodInitializing" } }), json!({}));
    pod["status"]["initContainerStatuses"] = json!([{ "name": "own", "state": { "running": {} } }]);
    assert_eq!(waiting(&pod, &[]), "init container own runs");
    pod["status"]["initContainerStatuses"][0]["state"] = json!({ "terminated": { "exitCode": 1 } });
    assert!(matches!(state(&pod, &[]), State::Crashing(crash) if crash.container == "own"));
}

#[test]
fn a_ready_pod_on_its_way_out_is_not_ready() {
    let mut pod = pod(json!({ "running": {} }), json!({}));
    pod["status"]["conditions"] = json!([{ "type": "Ready", "status": "True" }]);
    assert_eq!(state(&pod, &[]), State::Ready("lab-1".into()));
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(waiting(&pod, &[]), "the old pod is being deleted");
}
