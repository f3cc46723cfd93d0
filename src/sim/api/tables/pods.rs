//! Columns of pods: the status is one word for all that may be the matter.

use super::{Table, age, count, items, name, or};
use serde_json::{Value, json};

pub(super) fn table(group: &str, plural: &str) -> Option<Table> {
    ((group, plural) == ("", "pods")).then_some((
        &[
            ("Name", 0),
            ("Ready", 0),
            ("Status", 0),
            ("Restarts", 0),
            ("Age", 0),
            ("IP", 1),
            ("Node", 1),
            ("Nominated Node", 1),
            ("Readiness Gates", 1),
        ],
        cells,
    ))
}

fn cells(pod: &Value) -> Vec<Value> {
    let total = items(pod, "/spec/containers").count();
    let ready = items(pod, "/status/containerStatuses")
        .filter(|status| status["ready"] == true && !status["state"]["running"].is_null())
        .count();
    let restarts = |path: &str| items(pod, path).map(|status| count(status, "/restartCount")).sum::<i64>();
    let init = initializing(pod);
    let restarts = restarts(if init.is_some() { "/status/initContainerStatuses" } else { "/status/containerStatuses" });
    vec![
        name(pod),
        json!(format!("{ready}/{total}")),
        json!(status(pod, init)),
        json!(restarts.to_string()),
        age(pod),
        or(pod, "/status/podIP", "<none>"),
        or(pod, "/spec/nodeName", "<none>"),
        or(pod, "/status/nominatedNodeName", "<none>"),
        json!("<none>"),
    ]
}

fn status(pod: &Value, init: Option<String>) -> String {
    let deleted = !pod["metadata"]["deletionTimestamp"].is_null();
    if deleted && pod["status"]["reason"] == "NodeLost" {
        return "Unknown".into();
    }
    if deleted {
        return "Terminating".into();
    }
    init.or_else(|| containers(pod)).unwrap_or_else(|| {
        let text = |field: &str| pod["status"][field].as_str().filter(|text| !text.is_empty());
        text("reason").or(text("phase")).unwrap_or("Pending").to_owned()
    })
}

/// `Init:0/2`, `Init:CrashLoopBackOff`: none once all init containers have ended well.
fn initializing(pod: &Value) -> Option<String> {
    let total = items(pod, "/spec/initContainers").count();
    for (index, status) in items(pod, "/status/initContainerStatuses").enumerate() {
        let (ended, waiting) = (&status["state"]["terminated"], &status["state"]["waiting"]);
        if ended.is_object() && count(ended, "/exitCode") == 0 {
            continue;
        }
        if ended.is_object() {
            return Some(format!("Init:{}", ended_as(ended)));
        }
        return match waiting["reason"].as_str() {
            Some(reason) if !reason.is_empty() && reason != "PodInitializing" => Some(format!("Init:{reason}")),
            _ => Some(format!("Init:{index}/{total}")),
        };
    }
    None
}

/// The reason of the first container that is not simply running.
fn containers(pod: &Value) -> Option<String> {
    let mut reason = None;
    let mut running = false;
    let statuses: Vec<&Value> = items(pod, "/status/containerStatuses").collect();
    for status in statuses.into_iter().rev() {
        let state = &status["state"];
        let waiting = state["waiting"]["reason"].as_str().filter(|reason| !reason.is_empty());
        if let Some(waiting) = waiting {
            reason = Some(waiting.to_owned());
        } else if state["terminated"].is_object() {
            reason = Some(ended_as(&state["terminated"]));
        } else if status["ready"] == true && state["running"].is_object() {
            running = true;
        }
    }
    match reason.as_deref() {
        // One container has ended and another one still runs.
        Some("Completed") if running => {
            let ready = items(pod, "/status/conditions").any(|one| one["type"] == "Ready" && one["status"] == "True");
            Some(if ready { "Running" } else { "NotReady" }.into())
        }
        _ => reason,
    }
}

fn ended_as(terminated: &Value) -> String {
    match (terminated["reason"].as_str().unwrap_or_default(), count(terminated, "/signal")) {
        ("", 0) => format!("ExitCode:{}", count(terminated, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pod: &Value) -> String {
        let cells = cells(pod);
        format!("{} {} {}", cells[1].as_str().unwrap(), cells[2].as_str().unwrap(), cells[3].as_str().unwrap())
    }

    #[test]
    fn one_word_tells_the_state() {
        let mut pod = json!({"spec": {"containers": [{}], "initContainers": [{}]}, "status": {"phase": "Pending"}});
        assert_eq!(shown(&pod), "0/1 Pending 0");
        pod["status"]["initContainerStatuses"] =
            json!([{"restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
        assert_eq!(shown(&pod), "0/1 Init:CrashLoopBackOff 2");
        pod["status"]["initContainerStatuses"] = json!([{"state": {"terminated": {"exitCode": 0}}}]);
        pod["status"]["containerStatuses"] =
            json!([{"restartCount": 1, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]);
        assert_eq!(shown(&pod), "0/1 ImagePullBackOff 1");
        pod["status"]["phase"] = json!("Running");
        pod["status"]["containerStatuses"] = json!([{"ready": true, "restartCount": 0, "state": {"running": {}}}]);
        assert_eq!(shown(&pod), "1/1 Running 0");
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(shown(&pod), "1/1 Terminating 0");
    }
}
