//! Why a pod is not Ready, read from its status and its events. Pure.

use super::object::{condition, is_ready};
use serde_json::Value;

/// How a pod stands.
#[derive(Debug, PartialEq)]
pub enum State {
    /// It is Ready on this node.
    Ready(String),
    /// It may become Ready; the text says what is in the way.
    Waiting(Why, String),
    /// A container ended and is started again and again.
    Crashing(Crash),
    /// It cannot become Ready: why, and what to do.
    Doomed(Why, String, &'static str),
}

/// What kind of thing is in a pod's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The pod is being deleted.
    Leaving,
    /// The pod as a whole has ended, and its controller makes another.
    Ended,
    /// No node takes it (yet).
    Unscheduled,
    /// An image's name is not valid.
    ImageName,
    /// An image is not on the node, and may not be pulled.
    ImageNotLoaded,
    /// The registry has no such image, or does not give it.
    ImageRefused,
    /// The registry does not answer, or the pull failed in another way.
    ImagePull,
    /// What the kubelet or the attach controller has to do before containers run: volumes, networks.
    Prepare,
    /// A container cannot be made as it is written down.
    Config,
    /// A probe has not passed.
    Probe,
    /// It takes its time.
    Starting,
}

/// A container that keeps ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Its name.
    pub container: String,
    /// How often it was started again.
    pub restarts: i64,
    /// How it ended, such as `exit code 1`.
    pub end: String,
    /// Whether the kernel ended it, because it used more memory than it may.
    pub out_of_memory: bool,
}

const IMAGE_HINT: &str = "check the image's name and tag, or name another one with --image";

/// How a pod stands. `events` are those of its namespace.
pub fn state(pod: &Value, events: &[&Value]) -> State {
    let status = &pod["status"];
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return State::Waiting(Why::Leaving, "the old pod is being deleted".into());
    }
    if is_ready(pod) {
        return State::Ready(text(&pod["spec"]["nodeName"]).into());
    }
    if matches!(status["phase"].as_str(), Some("Failed" | "Succeeded")) {
        let reason = [text(&status["reason"]), text(&status["message"])].join(": ");
        let reason = reason.trim_matches([':', ' ']);
        return State::Waiting(Why::Ended, format!("the pod has ended ({reason}), a new one follows"));
    }
    match condition(pod, "PodScheduled") {
        Some(scheduled) if scheduled["status"] == "True" => containers(pod, events),
        Some(scheduled) => State::Waiting(Why::Unscheduled, unscheduled(pod, text(&scheduled["message"]), events)),
        None => State::Waiting(Why::Starting, format!("waiting for the scheduler{}", claims(pod, events))),
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
            Some(State::Waiting(why, text)) => waiting = waiting.or(Some((why, text))),
            Some(other) => return other,
            None => {}
        }
    }
    let created = || (Why::Starting, "its containers are being created".into());
    let (why, text) = waiting.or_else(|| trouble(pod, events)).unwrap_or_else(created);
    State::Waiting(why, text)
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
            _ => Some(State::Crashing(crash(pod, status, &state["terminated"], events))),
        };
    }
    let unhealthy = last(events, |event| of(event, pod) && event["reason"] == "Unhealthy");
    let probe = unhealthy.map(|event| format!(": {}", one_line(text(&event["message"])))).unwrap_or_default();
    let again = match status["restartCount"].as_i64() {
        Some(count @ 1..) => format!(" (restart {count} after {})", end(&status["lastState"]["terminated"])),
        _ => String::new(),
    };
    Some(match (init, status["started"] == false, status["ready"] == false) {
        (true, ..) => State::Waiting(Why::Starting, format!("init container {name} runs{again}")),
        (_, true, _) => {
            State::Waiting(Why::Probe, format!("the startup probe of {name} has not passed yet{again}{probe}"))
        }
        (_, _, true) => {
            State::Waiting(Why::Probe, format!("the readiness probe of {name} has not passed yet{again}{probe}"))
        }
        _ => return None,
    })
}

/// A container that waits, for the reason that the kubelet names.
fn held(pod: &Value, status: &Value, reason: &str, message: &str, events: &[&Value]) -> Option<State> {
    let name = text(&status["name"]);
    let image = text(&status["image"]);
    Some(match reason {
        "InvalidImageName" => State::Doomed(Why::ImageName, format!("the image name {image} is not valid"), IMAGE_HINT),
        "ErrImageNeverPull" => State::Doomed(
            Why::ImageNotLoaded,
            format!("the image {image} is not on the node, and the pod forbids to pull it"),
            "load the image into the nodes, or name another one with --image",
        ),
        "ErrImagePull" | "ImagePullBackOff" => pull(pod, image, reason, message, events),
        "CrashLoopBackOff" => State::Crashing(crash(pod, status, &status["lastState"]["terminated"], events)),
        "PodInitializing" | "" => return None,
        "ContainerCreating" => {
            let (why, text) = trouble(pod, events)?;
            State::Waiting(why, text)
        }
        _ => State::Waiting(Why::Config, format!("container {name}: {reason}: {}", one_line(message))),
    })
}

/// How a container ended before, of a pod that runs again and is not ready (yet).
pub fn crashed_before(pod: &Value, events: &[&Value]) -> Option<Crash> {
    let mut statuses = pod["status"]["containerStatuses"].as_array()?.iter().filter(|status| status["ready"] == false);
    let before = statuses.find(|status| status["lastState"]["terminated"]["exitCode"].as_i64().unwrap_or(0) != 0)?;
    Some(crash(pod, before, &before["lastState"]["terminated"], events))
}

fn crash(pod: &Value, status: &Value, ended: &Value, events: &[&Value]) -> Crash {
    // Ended by a signal: by the kubelet, if a probe failed.
    let killed = matches!(ended["exitCode"].as_i64(), Some(137 | 143));
    let probe = |event: &Value| of(event, pod) && event["reason"] == "Unhealthy";
    let failed = last(events, probe).filter(|event| killed && !text(&event["message"]).starts_with("Readiness"));
    let because = failed.map(|event| format!(", killed: {}", one_line(text(&event["message"])))).unwrap_or_default();
    Crash {
        container: text(&status["name"]).into(),
        restarts: status["restartCount"].as_i64().unwrap_or_default(),
        end: end(ended) + &because,
        out_of_memory: ended["reason"] == "OOMKilled",
    }
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
    match (hopeless(cause), times >= 2) {
        (true, true) => {
            State::Doomed(Why::ImageRefused, format!("the image {image} cannot be pulled: {cause}"), IMAGE_HINT)
        }
        (true, false) => State::Waiting(Why::ImageRefused, format!("cannot pull the image {image} yet: {cause}")),
        (false, _) => State::Waiting(Why::ImagePull, format!("cannot pull the image {image} yet: {cause}")),
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
fn trouble(pod: &Value, events: &[&Value]) -> Option<(Why, String)> {
    let telling = |event: &Value| match text(&event["reason"]) {
        "Pulling" | "Pulled" | "Created" | "Started" => true,
        // A container that failed says so itself, and the scheduler has had its say.
        "Failed" | "FailedScheduling" => false,
        reason => reason.starts_with("Failed"),
    };
    let event = last(events, |event| of(event, pod) && telling(event))?;
    let message = one_line(text(&event["message"]));
    match text(&event["reason"]) {
        "Pulling" => Some((Why::Starting, message.replacen("Pulling", "pulling", 1))),
        "Pulled" | "Created" | "Started" => None,
        reason => Some((Why::Prepare, format!("{reason}: {message}"))),
    }
}

/// Whether an event is about this very pod.
pub fn of(event: &Value, pod: &Value) -> bool {
    let about = &event["involvedObject"];
    about["kind"] == "Pod" && about["uid"] == pod["metadata"]["uid"]
}

/// The newest event that fits.
pub fn last<'a>(events: &[&'a Value], fits: impl Fn(&Value) -> bool) -> Option<&'a Value> {
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
mod tests;
