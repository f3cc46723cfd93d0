//! Logs of containers that never ran: a few lines that a user looks for, marked as simulated.

use super::at::At;
use super::{container, image};
use crate::sim::controllers::longhorn;
use crate::sim::controllers::object::{annotation, items, name, text};
use crate::sim::faults::glob;
use serde_json::Value;

/// Annotation with the last lines of a pod that shall crash.
pub const CRASH_LOG: &str = "sim.iris-lab/crash-log";

/// What the probe of a node prints: that of a machine that does not exist, and has all that Longhorn needs.
const NODE: &str = include_str!("node.yaml");

/// Annotation with what the containers of a pod of Longhorn have printed.
const PRINTED: &str = "sim.iris-lab/log";

/// Annotation with what the containers of a pod shall have printed.
const SAID: &str = "sim.iris-lab/said";

/// The lines to be noted at a pod, by their annotation, unless they are noted already.
pub fn notes(at: &At) -> Vec<(&'static str, String)> {
    let crash = container::crash(at, &Value::Null).map(|fault| fault.log.clone());
    let containers = items(at.pod, "/spec/initContainers").iter().chain(items(at.pod, "/spec/containers"));
    let printed = containers.filter_map(|spec| longhorn::course(at.world, at.node, at.pod, spec)).map(|one| one.log);
    let said = at.world.faults.print.iter().filter(|fault| glob(&fault.pod, name(at.pod)));
    let said: Vec<&str> = said.map(|fault| fault.log.as_str()).collect();
    let all =
        crash.map(|log| (CRASH_LOG, log)).into_iter().chain([(PRINTED, printed.collect()), (SAID, said.join("\n"))]);
    all.filter(|(key, log)| !log.is_empty() && annotation(at.pod, key) != Some(log)).collect()
}

/// The log of a container, or of its previous run.
pub fn container_log(pod: &Value, container: &str, previous: bool) -> String {
    let Some((status, state)) = shown(pod, container, previous) else { return String::new() };
    if state["running"].is_null() && state["terminated"].is_null() {
        return String::new();
    }
    let failed = state["terminated"]["exitCode"].as_i64().is_some_and(|code| code != 0);
    let mut lines = vec!["(simulated by iris-lab: no container runs here)".to_owned()];
    if items(pod, "/status/containerStatuses").contains(status) {
        lines.extend(beginning(status, state, failed));
        lines.extend(annotation(pod, SAID).into_iter().flat_map(str::lines).map(Into::into));
    }
    if container == "probe" && text(pod, "/metadata/labels/app") == "iris-lab-probe" {
        lines.extend(NODE.lines().map(Into::into));
    }
    let printed = annotation(pod, PRINTED);
    lines.extend(printed.into_iter().flat_map(str::lines).map(Into::into));
    if failed && printed.is_none() {
        lines.extend(annotation(pod, CRASH_LOG).unwrap_or("the process ended with an error").lines().map(Into::into));
    }
    lines.join("\n") + "\n"
}

/// When the run began of which [`container_log`] is the log; none when nothing has run yet.
pub fn log_begin<'a>(pod: &'a Value, container: &str, previous: bool) -> Option<&'a str> {
    let (_, state) = shown(pod, container, previous)?;
    ["running", "terminated"].iter().find_map(|how| state[how]["startedAt"].as_str())
}

/// What IRIS would have written into messages.log since the container was started.
pub fn messages(pod: &Value, container: &str) -> String {
    let lines = shown(pod, container, false).map(|(status, state)| message_lines(status, state)).unwrap_or_default();
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A container's status and, in it, the state of the run that is asked for.
fn shown<'a>(pod: &'a Value, container: &str, previous: bool) -> Option<(&'a Value, &'a Value)> {
    let find = |field: &str| items(pod, field).iter().find(|one| one["name"] == container);
    let status = find("/status/containerStatuses").or_else(|| find("/status/initContainerStatuses"))?;
    // Of a container that waits for its next start, the last run is what people see.
    let last = previous || status["state"]["waiting"].is_object();
    Some((status, if last { &status["lastState"] } else { &status["state"] }))
}

fn beginning(status: &Value, state: &Value, failed: bool) -> Vec<String> {
    let image = text(status, "/image");
    if !image::is_iris(image) {
        return vec![format!("started {image}")];
    }
    let mut lines = vec!["[INFO] Starting InterSystems IRIS instance IRIS...".to_owned()];
    if !failed {
        lines.extend(message_lines(status, state));
        lines.push("[INFO] ...started InterSystems IRIS instance IRIS".into());
    }
    lines
}

/// Lines of messages.log: time, process, severity from 0 to 3, and text.
fn message_lines(status: &Value, state: &Value) -> Vec<String> {
    let started = text(state, "/running/startedAt");
    let part = |range: std::ops::Range<usize>| started.get(range).unwrap_or("00");
    let stamp = format!("{}/{}/{}-{}:000", part(5..7), part(8..10), part(2..4), part(11..19));
    let crashed = status["lastState"]["terminated"]["exitCode"].as_i64().is_some_and(|code| code != 0);
    let mut lines = vec![(0, "Emulated by iris-lab: no IRIS runs here")];
    lines.extend(crashed.then_some((2, "The previous run ended without a shutdown (emulated)")));
    lines.push((1, "Warning: the journal has no alternate directory (emulated)"));
    lines.push((0, "Logons are enabled (emulated)"));
    lines.into_iter().map(|(severity, line)| format!("{stamp} (1) {severity} [Utility.Event] {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(state: Value, last: Value) -> Value {
        json!({
            "metadata": {"annotations": {CRASH_LOG: "ERROR #5032: Error=-13"}},
            "status": {"containerStatuses": [{"name": "iris", "image": "x/iris-community:1", "state": state, "lastState": last}]},
        })
    }

    #[test]
    fn a_running_iris_says_that_it_started() {
        let log = container_log(&pod(json!({"running": {}}), json!({})), "iris", false);
        assert!(log.contains("...started InterSystems IRIS instance IRIS") && !log.contains("5032"), "{log}");
        assert_eq!(log.matches("simulated").count(), 1);
    }

    #[test]
    fn an_init_container_of_the_same_image_starts_no_iris() {
        let mut pod = pod(json!({"running": {}}), json!({}));
        let ended = json!({"terminated": {"exitCode": 0}});
        pod["status"]["initContainerStatuses"] =
            json!([{"name": "own", "image": "x/iris-community:1", "state": ended}]);
        let log = container_log(&pod, "own", false);
        assert!(log.contains("simulated") && !log.contains("InterSystems IRIS"), "{log}");
    }

    #[test]
    fn a_crashed_one_says_why() {
        let waiting = pod(json!({"waiting": {}}), json!({"terminated": {"exitCode": 1}}));
        for previous in [false, true] {
            let log = container_log(&waiting, "iris", previous);
            assert!(log.contains("ERROR #5032") && !log.contains("...started"), "{log}");
        }
    }

    #[test]
    fn nothing_ran_nothing_is_said() {
        assert_eq!(container_log(&pod(json!({"waiting": {}}), json!({})), "iris", false), "");
        assert_eq!(container_log(&pod(json!({"running": {}}), json!({})), "iris", true), "");
        assert_eq!(container_log(&pod(json!({"running": {}}), json!({})), "other", false), "");
    }
}
