//! One pod as `kubectl get pods` shows it.

use crate::model::object::{is_leaving, is_ready, list, name, text};
use serde::Serialize;
use serde_json::Value;

/// One pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodStatus {
    /// Name.
    pub name: String,
    /// Whether it is ready and not being deleted.
    pub ready: bool,
    /// Ready containers of all, such as `1/1`.
    pub containers: String,
    /// As in kubectl's column STATUS.
    pub status: String,
    /// Restarts of its containers.
    pub restarts: u64,
    /// Its node; empty while it has none.
    pub node: String,
    /// Its address; empty while it has none.
    pub ip: String,
}

impl PodStatus {
    /// Reads a pod.
    pub fn of(pod: &Value) -> Self {
        let ready = list(pod, "/status/containerStatuses").filter(|status| status["ready"] == true).count();

        PodStatus {
            name: name(pod).into(),
            ready: is_ready(pod) && !is_leaving(pod),
            containers: format!("{ready}/{}", list(pod, "/spec/containers").count()),
            status: status_column(pod),
            restarts: restarts(pod),
            node: text(pod, "/spec/nodeName").into(),
            ip: text(pod, "/status/podIP").into(),
        }
    }
}

/// What `kubectl get pods` prints in its column STATUS.
pub fn status_column(pod: &Value) -> String {
    let phase = text(pod, "/status/phase");
    let over = phase == "Succeeded" || phase == "Failed";
    if is_leaving(pod) && !over {
        return if text(pod, "/status/reason") == "NodeLost" { "Unknown" } else { "Terminating" }.into();
    }
    if let Some(status) = initializing(pod) {
        return status;
    }
    let mut column = match text(pod, "/status/reason") {
        "" if phase.is_empty() => "Pending".to_string(),
        "" => phase.to_string(),
        reason => reason.to_string(),
    };
    // The first container that has something to say wins: kubectl goes through them from the last.
    for container in list(pod, "/status/containerStatuses").rev() {
        if let Some(reason) = stopped(container) {
            column = reason;
        }
    }
    let runs = list(pod, "/status/containerStatuses")
        .any(|status| status["ready"] == true && status.pointer("/state/running").is_some());
    if column == "Completed" && runs {
        let ready = is_ready(pod);
        return if ready { "Running" } else { "NotReady" }.into();
    }
    column
}

/// The column while init containers run.
fn initializing(pod: &Value) -> Option<String> {
    let total = list(pod, "/spec/initContainers").count();
    let statuses = list(pod, "/status/initContainerStatuses").enumerate();
    let (number, current) =
        statuses.into_iter().find(|(_, status)| status.pointer("/state/terminated/exitCode") != Some(&0.into()))?;
    Some(match stopped(current) {
        Some(reason) if reason != "PodInitializing" => format!("Init:{reason}"),
        _ => format!("Init:{number}/{total}"),
    })
}

/// Why a container does not run.
fn stopped(container: &Value) -> Option<String> {
    let waiting = text(container, "/state/waiting/reason");
    let ended = container.pointer("/state/terminated");
    match (waiting, ended) {
        ("", None) => None,
        ("", Some(ended)) => Some(match (text(ended, "/reason"), ended["signal"].as_u64()) {
            ("", Some(signal)) if signal != 0 => format!("Signal:{signal}"),
            ("", _) => format!("ExitCode:{}", ended["exitCode"]),
            (reason, _) => reason.into(),
        }),
        (reason, _) => Some(reason.into()),
    }
}

fn restarts(pod: &Value) -> u64 {
    let of = |path| list(pod, path).filter_map(|status| status["restartCount"].as_u64()).sum::<u64>();
    if initializing(pod).is_some() { of("/status/initContainerStatuses") } else { of("/status/containerStatuses") }
}
