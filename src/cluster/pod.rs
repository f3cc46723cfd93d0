//! Why a pod is not Ready, read from its status and its events. Pure.

use crate::model::object::{condition, is_ready};
use serde_json::Value;

/// How a pod stands.
#[derive(Debug, PartialEq)]
pub(super) enum State {
    /// It is Ready on this node.
    Ready(String),
    /// It may become Ready; the text says what is in the way.
    Waiting(String),
    /// A container ended and is started again and again.
    Crashing(Crash),
    /// It cannot become Ready: why, and what to do.
    Doomed(String, &'static str),
}

/// A container that keeps ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crash {
    pub container: String,
    pub restarts: i64,
    /// How it ended, such as `exit code 1`.
    pub end: String,
}

const IMAGE_HINT: &str = "check the image's name and tag, or name another one with --image";

/// How a pod stands. `events` are those of its namespace.
pub(super) fn state(pod: &Value, events: &[&Value]) -> State {
    let status = &pod["status"];
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return State::Waiting("the old pod is being deleted".into());
    }
    if is_ready(pod) {
        return State::Ready(text(&pod["spec"]["nodeName"]).into());
    }
    if matches!(status["phase"].as_str(), Some("Failed" | "Succeeded")) {
        let reason = [text(&status["reason"]), text(&status["message"])].join(": ");
        return State::Waiting(format!("the pod has ended ({}), a new one follows", reason.trim_matches([':', ' '])));
    }
    match condition(pod, "PodScheduled") {
        Some(scheduled) if scheduled["status"] == "True" => containers(pod, events),
        Some(scheduled) => State::Waiting(unscheduled(pod, text(&scheduled["message"]), events)),
        None => State::Waiting(format!("waiting for the scheduler{}", claims(pod, events))),
    }
}

fn unscheduled(pod: &Value, message: &str, events: &[&Value]) -> String {
    let claims = if message.contains("PersistentVolumeClaim") { claims(pod, events) } else { String::new() };
    format!("not scheduled: {message}{claims}")
}

/// What was last said about each of the pod's claims.
fn claims(pod: &Value, events: &[&Value]) -> String {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let claims = volumes.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str());
    let of_claims = claims.filter_map(|claim| {
        let last = last(events, |event| {
            event["involvedObject"]["kind"] == "PersistentVolumeClaim" && event["involvedObject"]["name"] == claim
        })?;
        Some(format!("; claim {claim}: {}", text(&last["message"])))
    });
    of_claims.collect()
}

fn containers(pod: &Value, events: &[&Value]) -> State {
    let statuses = |key: &str| pod["status"][key].as_array().into_iter().flatten();
    let init = statuses("initContainerStatuses").filter(|status| status["state"]["terminated"]["exitCode"] != 0);
    let all = init.map(|status| (true, status)).chain(statuses("containerStatuses").map(|status| (false, status)));
    let mut waiting = None;
    for (init, status) in all {
        match container(pod, status, init, events) {
            // The containers after an init container only wait for it.
            Some(State::Waiting(text)) => waiting = waiting.or(Some(text)),
            Some(other) => return other,
            None => {}
        }
    }
    let text = waiting.or_else(|| trouble(pod, events)).unwrap_or_else(|| "its containers are being created".into());
    State::Waiting(text)
}

/// How one container stands; none when nothing is to be said about it.
fn container(pod: &Value, status: &Value, init: bool, events: &[&Value]) -> Option<State> {
    let name = text(&status["name"]);
    let state = &status["state"];
    if let Some(waiting) = state["waiting"].as_object() {
        let reason = waiting.get("reason").map(text).unwrap_or_default();
        return held(pod, status, reason, waiting.get("message").map(text).unwrap_or_default(), events);
    }
    if let Some(ended) = state["terminated"].as_object() {
        return match ended.get("exitCode").and_then(Value::as_i64) {
            Some(0) if init => None,
            _ => Some(crash(pod, status, &state["terminated"], events)),
        };
    }
    let unhealthy = last(events, |event| of(event, pod) && event["reason"] == "Unhealthy");
    let probe = unhealthy.map(|event| format!(": {}", one_line(text(&event["message"])))).unwrap_or_default();
    let again = match status["restartCount"].as_i64() {
        Some(count @ 1..) => format!(" (restart {count} after {})", end(&status["lastState"]["terminated"])),
        _ => String::new(),
    };
    let said = match (init, status["started"] == false, status["ready"] == false) {
        (true, ..) => format!("init container {name} runs{again}"),
        (_, true, _) => format!("the startup probe of {name} has not passed yet{again}{probe}"),
        (_, _, true) => format!("the readiness probe of {name} has not passed yet{again}{probe}"),
        _ => return None,
    };
    Some(State::Waiting(said))
}

/// A container that waits, for the reason that the kubelet names.
fn held(pod: &Value, status: &Value, reason: &str, message: &str, events: &[&Value]) -> Option<State> {
    let name = text(&status["name"]);
    let image = text(&status["image"]);
    Some(match reason {
        "InvalidImageName" => State::Doomed(format!("the image name {image} is not valid"), IMAGE_HINT),
        "ErrImageNeverPull" => State::Doomed(
            format!("the image {image} is not on the node, and the pod forbids to pull it"),
            "load the image into the nodes, or name another one with --image",
        ),
        "ErrImagePull" | "ImagePullBackOff" => pull(pod, image, reason, message, events),
        "CrashLoopBackOff" => crash(pod, status, &status["lastState"]["terminated"], events),
        "PodInitializing" | "" => return None,
        "ContainerCreating" => State::Waiting(trouble(pod, events)?),
        _ => State::Waiting(format!("container {name}: {reason}: {}", one_line(message))),
    })
}

fn crash(pod: &Value, status: &Value, ended: &Value, events: &[&Value]) -> State {
    // Ended by a signal: by the kubelet, if a probe failed.
    let killed = matches!(ended["exitCode"].as_i64(), Some(137 | 143));
    let probe = |event: &Value| of(event, pod) && event["reason"] == "Unhealthy";
    let failed = last(events, probe).filter(|event| killed && !text(&event["message"]).starts_with("Readiness"));
    let because = failed.map(|event| format!(", killed: {}", one_line(text(&event["message"])))).unwrap_or_default();
    State::Crashing(Crash {
        container: text(&status["name"]).into(),
        restarts: status["restartCount"].as_i64().unwrap_or_default(),
        end: end(ended) + &because,
    })
}

fn end(ended: &Value) -> String {
    let code = ended["exitCode"].as_i64().map(|code| format!("exit code {code}"));
    let code = code.unwrap_or_else(|| "an unknown end".into());
    match text(&ended["reason"]) {
        "" | "Error" | "Completed" => code,
        reason => format!("{code}, {reason}"),
    }
}

fn pull(pod: &Value, image: &str, reason: &str, message: &str, events: &[&Value]) -> State {
    let failed = |event: &Value| {
        of(event, pod) && event["reason"] == "Failed" && text(&event["message"]).starts_with("Failed to pull image")
    };
    let said = last(events, failed).map(|event| text(&event["message"])).unwrap_or_default();
    // The back-off's own message only says that there is a back-off.
    let cause = one_line(if reason == "ErrImagePull" || said.is_empty() { message } else { said });
    let cause = cause.strip_prefix(&format!("Failed to pull image \"{image}\": ")).unwrap_or(&cause);
    let times: i64 =
        events.iter().filter(|event| failed(event)).map(|event| event["count"].as_i64().unwrap_or(1)).sum();
    match times >= 2 && hopeless(cause) {
        true => State::Doomed(format!("the image {image} cannot be pulled: {cause}"), IMAGE_HINT),
        false => State::Waiting(format!("cannot pull the image {image} yet: {cause}")),
    }
}

/// Whether a registry said no, which another try does not change. Network trouble is no such answer.
fn hopeless(cause: &str) -> bool {
    let cause = cause.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    let network = ["timeout", "timed out", "deadline", "refused", "reset", "no such host", "unreachable", "eof", "tls"];
    let answers = ["not found", "notfound", "manifest unknown", "name unknown", "denied", "unauthorized", "forbidden"];
    !has(&network) && has(&answers)
}

/// The last word of the kubelet or the attach controller about a pod whose containers do not run yet.
fn trouble(pod: &Value, events: &[&Value]) -> Option<String> {
    let telling = |event: &Value| match text(&event["reason"]) {
        "Pulling" | "Pulled" | "Created" | "Started" => true,
        // A container that failed says so itself, and the scheduler has had its say.
        "Failed" | "FailedScheduling" => false,
        reason => reason.starts_with("Failed"),
    };
    let event = last(events, |event| of(event, pod) && telling(event))?;
    let message = one_line(text(&event["message"]));
    match text(&event["reason"]) {
        "Pulling" => Some(message.replacen("Pulling", "pulling", 1)),
        "Pulled" | "Created" | "Started" => None,
        reason => Some(format!("{reason}: {message}")),
    }
}

/// Whether an event is about this very pod.
pub(super) fn of(event: &Value, pod: &Value) -> bool {
    let about = &event["involvedObject"];
    about["kind"] == "Pod" && about["uid"] == pod["metadata"]["uid"]
}

/// The newest event that fits.
pub(super) fn last<'a>(events: &[&'a Value], fits: impl Fn(&Value) -> bool) -> Option<&'a Value> {
    events.iter().filter(|event| fits(event)).max_by_key(|event| time(event)).copied()
}

/// When an event happened last. Timestamps of one form sort as text.
pub fn time(event: &Value) -> &str {
    let times = [&event["lastTimestamp"], &event["eventTime"], &event["metadata"]["creationTimestamp"]];
    times.into_iter().find_map(Value::as_str).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
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
            State::Waiting(text) => text,
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
        assert_eq!(
            waiting(&pod, &[&claim]),
            format!("not scheduled: {message}; claim dbv: storageclass \"x\" not found")
        );
    }

    #[test]
    fn images_that_can_never_come_doom_the_pod_at_once() {
        for reason in ["InvalidImageName", "ErrImageNeverPull"] {
            let pod = pod(json!({ "waiting": { "reason": reason } }), json!({}));
            assert!(matches!(state(&pod, &[]), State::Doomed(why, _) if why.contains("iris:1")), "{reason}");
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
            assert_eq!(pulled(no, 1), State::Waiting(format!("cannot pull the image iris:1 yet: {no}")));
            assert!(matches!(pulled(no, 2), State::Doomed(why, _) if why.ends_with(no)));
        }
        for trouble in ["dial tcp: i/o timeout", "connection refused", "lookup registry: no such host, not found"] {
            assert!(matches!(pulled(trouble, 9), State::Waiting(_)), "{trouble}");
        }
    }

    #[test]
    fn a_container_that_ended_tells_how_and_how_often() {
        let ended = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
        let back_off = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        let crash =
            State::Crashing(Crash { container: "iris".into(), restarts: 2, end: "exit code 137, OOMKilled".into() });
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
}
