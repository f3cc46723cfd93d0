//! The log of a container: all of it, its end, what came after a time, and what comes.

use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::{Body, Request, answer, stream_answer};
use crate::sim::api::write::current;
use crate::sim::controllers::object::{items, text};
use crate::sim::controllers::{container_log, log_begin};
use crate::sim::status::Status;
use crate::sim::store::{Resource, Store};
use bytes::Bytes;
use futures::stream;
use http::Response;
use serde_json::Value;
use std::io;
use tokio::sync::watch;

/// Which container of a pod is meant: the named one, or the only one.
pub fn container(request: &Request, target: &Target, pod: &Value) -> Result<String, Status> {
    let names = |field: &str| -> Vec<String> {
        items(pod, field).iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
    };
    let (containers, init) = (names("/spec/containers"), names("/spec/initContainers"));
    match request.param("container") {
        Some(name) if containers.iter().chain(&init).any(|one| one == name) => Ok(name.to_owned()),
        Some(name) => Err(Status::bad_request(format!("container {name} is not valid for pod {}", target.name()))),
        None if containers.len() == 1 => Ok(containers.concat()),
        None => {
            let list = containers.join(" ");
            let message =
                format!("a container name must be specified for pod {}, choose one of: [{list}]", target.name());
            Err(Status::bad_request(message))
        }
    }
}

/// Answers with the log.
pub fn log(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let pod = current(api, target)?;
    let container = container(request, target, &pod)?;
    let previous = request.flag("previous");
    if let Some(reason) = waiting(&pod, &container).filter(|_| !previous) {
        let message = format!("container \"{container}\" in pod \"{}\" is waiting to start: {reason}", target.name());
        return Err(Status::bad_request(message));
    }
    let all = lines(&pod, &container, previous);
    if previous && all.is_empty() {
        let message = format!("previous terminated container \"{container}\" in pod \"{}\" not found", target.name());
        return Err(Status::bad_request(message));
    }
    let since = request.param("sinceTime").unwrap_or_default();
    let late: Vec<&Line> = all.iter().filter(|line| line.time.as_str() >= since.trim_end_matches('Z')).collect();
    let tail = request.param("tailLines").and_then(|lines| lines.parse::<usize>().ok());
    let first = tail.map_or(0, |tail| late.len().saturating_sub(tail));
    let timestamps = request.flag("timestamps");
    let shown: String = late[first..].iter().map(|line| line.shown(timestamps)).collect();
    if !request.flag("follow") {
        return Ok(answer(200, "text/plain", shown));
    }
    let follow = Follow {
        store: api.store.clone(),
        changed: api.store.changed(),
        resource: target.kind.resource(),
        id: status(&pod, &container)["containerID"].clone(),
        pod,
        container,
        timestamps,
        sent: all.len(),
    };
    let beginning = stream::once(async move { Ok(Bytes::from(shown)) });
    Ok(stream_answer(futures::StreamExt::chain(beginning, stream::unfold(follow, next))))
}

/// A line and the time at which it was written, without its zone, which is UTC.
struct Line {
    time: String,
    text: String,
}

impl Line {
    fn shown(&self, timestamp: bool) -> String {
        if timestamp { format!("{}Z {}\n", self.time, self.text) } else { format!("{}\n", self.text) }
    }
}

/// All lines of a run. They are all as old as the run, a nanosecond apart.
fn lines(pod: &Value, container: &str, previous: bool) -> Vec<Line> {
    let begin = log_begin(pod, container, previous).unwrap_or_default().trim_end_matches('Z').to_owned();
    let log = container_log(pod, container, previous);
    let lines = log.lines().enumerate();
    lines.map(|(number, text)| Line { time: format!("{begin}.{number:09}"), text: text.into() }).collect()
}

/// A log that is read as it is written.
struct Follow {
    store: Store,
    changed: watch::Receiver<u64>,
    resource: Resource,
    pod: std::sync::Arc<Value>,
    container: String,
    /// The run that is followed.
    id: Value,
    timestamps: bool,
    sent: usize,
}

/// What is new; ends with the run.
async fn next(mut follow: Follow) -> Option<(io::Result<Bytes>, Follow)> {
    loop {
        follow.changed.borrow_and_update();
        let (namespace, name) = (follow.pod["metadata"]["namespace"].as_str(), text(&follow.pod, "/metadata/name"));
        let pod = follow.store.get(&follow.resource, namespace, name)?;
        if status(&pod, &follow.container)["containerID"] != follow.id {
            return None;
        }
        let lines = lines(&pod, &follow.container, false);
        if lines.len() > follow.sent {
            let text: String = lines[follow.sent..].iter().map(|line| line.shown(follow.timestamps)).collect();
            follow.sent = lines.len();
            return Some((Ok(text.into()), follow));
        }
        if status(&pod, &follow.container)["state"]["running"].is_null() {
            return None;
        }
        follow.changed.changed().await.ok()?;
    }
}

fn status<'a>(pod: &'a Value, container: &str) -> &'a Value {
    let of = |field| items(pod, field).iter();
    let mut all = of("/status/containerStatuses").chain(of("/status/initContainerStatuses"));
    all.find(|one| one["name"] == container).unwrap_or(&Value::Null)
}

/// Why a container that never ran does not run.
fn waiting(pod: &Value, container: &str) -> Option<String> {
    let status = status(pod, container);
    if status.is_null() {
        return Some("ContainerCreating".into());
    }
    let never_ran = status["lastState"]["terminated"].is_null();
    status["state"]["waiting"]["reason"].as_str().filter(|_| never_ran).map(|reason| match reason {
        "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image".into(),
        other => other.to_owned(),
    })
}
