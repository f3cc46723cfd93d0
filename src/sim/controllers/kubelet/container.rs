//! The life of one container: waiting, running, ended, and started again with a growing back-off.

use super::at::At;
use super::{config, image, probe, program};
use crate::sim::controllers::object::{int, items, name, namespace, text, uid};
use crate::sim::faults::{Crash, glob};
use crate::sim::store::random_bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// From the created to the started container.
const START: Duration = Duration::from_millis(500);

/// The status of a container so far; that of a container that has not been started when there is none yet.
pub fn find(status: &Value, field: &str, spec: &Value, initializing: bool) -> Value {
    let known = status[field].as_array().into_iter().flatten().find(|one| one["name"] == spec["name"]);
    let reason = if initializing { "PodInitializing" } else { "ContainerCreating" };
    known.cloned().unwrap_or_else(|| {
        json!({
            "name": spec["name"], "image": spec["image"], "imageID": "", "ready": false, "started": false, "restartCount": 0,
            "lastState": {}, "state": {"waiting": {"reason": reason}},
        })
    })
}

/// Takes a container as far as it comes now.
pub fn advance(at: &At, spec: &Value, mut status: Value, init: bool) -> Value {
    if status["state"]["running"].is_object() {
        run(at, spec, &mut status, init);
    } else if status["state"]["terminated"].is_object() {
        ended(at, spec, &mut status, init);
    } else {
        start(at, spec, &mut status);
    }
    status
}

fn start(at: &At, spec: &Value, status: &mut Value) {
    let container = text(spec, "/name");
    if status["state"]["waiting"]["reason"] == "CrashLoopBackOff" && !pause_is_over(at, container, status) {
        return;
    }
    match image::ensure(at, spec, &status["state"]) {
        Ok(()) => {}
        Err(None) => return,
        Err(Some((reason, message))) => return wait(status, &reason, &message),
    }
    if let Some(missing) = config::missing_environment(at, spec) {
        if at.world.once(at.key("config", container)) {
            at.warning("Failed", &format!("Error: {missing}"));
        }
        return wait(status, "CreateContainerConfigError", &missing);
    }
    if !at.world.timer(at.key("start", container), START).over {
        return;
    }
    if status["lastState"]["terminated"].is_object() {
        status["restartCount"] = json!(restarts(status) + 1);
    }
    at.normal("Created", &format!("Created container {container}"));
    at.normal("Started", &format!("Started container {container}"));
    let image = text(spec, "/image");
    let full = image::full_name(image).unwrap_or_else(|| image.to_owned());
    let repository =
        full.split('@').next().and_then(|path| path.rsplit_once(':')).map_or(full.as_str(), |(path, _)| path);
    status["imageID"] = json!(format!("{repository}@sha256:{}", digest(&full)));
    status["image"] = json!(full);
    status["containerID"] = json!(format!("containerd://{}", hex(&random_bytes::<32>())));
    status["state"] = json!({"running": {"startedAt": at.world.store.now()}});
}

fn wait(status: &mut Value, reason: &str, message: &str) {
    status["state"] = json!({"waiting": {"reason": reason, "message": message}});
}

fn restarts(status: &Value) -> i64 {
    int(status, "/restartCount").unwrap_or(0)
}

/// The fault that ends this container the next time, if any.
pub fn crash<'a>(at: &At<'a>, status: &Value) -> Option<&'a Crash> {
    let faults = &at.world.faults.crash;
    let applies =
        |fault: &&Crash| glob(&fault.pod, name(at.pod)) && (fault.times == 0 || restarts(status) < fault.times);
    faults.iter().find(applies)
}

fn run(at: &At, spec: &Value, status: &mut Value, init: bool) {
    let container = text(spec, "/name");
    let program = program::of(at, spec, status, init);
    if let Some((time, exit_code)) = program.end {
        let key = format!("{}/{}", at.key("run", container), restarts(status));
        if at.world.timer(key, time).over {
            return end(at, status, exit_code, init);
        }
    }
    // What has answered once is still there.
    if init || !(program.ready || status["ready"] == true) {
        status["started"] = json!(true);
        return;
    }
    let probed = probe::probe(at, spec, status);
    status["started"] = json!(probed.started);
    status["ready"] = json!(probed.ready);
}

fn end(at: &At, status: &mut Value, exit_code: i64, init: bool) {
    let fault = crash(at, status).filter(|_| !init).map_or("Error", |fault| &fault.reason);
    let reason = if exit_code == 0 { "Completed" } else { fault };
    // An init container that has done its work is called ready, any other that has ended is not.
    status["ready"] = json!(init && exit_code == 0);
    status["started"] = json!(false);
    status["state"] = json!({"terminated": {
        "containerID": status["containerID"], "exitCode": exit_code, "reason": reason,
        "startedAt": status["state"]["running"]["startedAt"], "finishedAt": at.world.store.now(),
    }});
}

/// A container that has ended: it stays so, starts again at once, or waits for its next start.
fn ended(at: &At, spec: &Value, status: &mut Value, init: bool) {
    let failed = status["state"]["terminated"]["exitCode"] != 0;
    let again = match text(at.pod, "/spec/restartPolicy") {
        "Never" => false,
        "OnFailure" => failed,
        _ => failed || !init,
    };
    if !again {
        return;
    }
    status["lastState"] = status["state"].clone();
    if restarts(status) == 0 {
        return start_again(at, spec, status);
    }
    let pause = pause(status).as_secs();
    let full_name = format!("{}_{}({})", name(at.pod), namespace(at.pod).unwrap_or_default(), uid(at.pod));
    let message =
        format!("back-off {} restarting failed container={} pod={full_name}", span(pause), text(spec, "/name"));
    wait(status, "CrashLoopBackOff", &message);
    at.warning("BackOff", "Back-off restarting failed container");
}

fn start_again(at: &At, spec: &Value, status: &mut Value) {
    let terminated = status["state"].clone();
    start(at, spec, status);
    // Until it is started, people see how it ended.
    if status["state"]["running"].is_null() && status["state"]["waiting"].is_null() {
        status["state"] = terminated;
        status["lastState"] = json!({});
    }
}

/// 10, 20, 40 ... 300 seconds.
fn pause(status: &Value) -> Duration {
    let doublings = restarts(status).clamp(1, 6) - 1;
    Duration::from_secs((10 << doublings).min(300))
}

/// As Go prints durations: `20s`, `2m40s`, `5m0s`.
fn span(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}

fn pause_is_over(at: &At, container: &str, status: &Value) -> bool {
    let key = at.key("crash-pause", container);
    let endless = crash(at, status).is_none_or(|fault| fault.times == 0);
    match endless {
        true => at.world.pause(key, pause(status), restarts(status)).over,
        false => at.world.timer(key, pause(status)).over,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of an image: always the same one for the same name.
fn digest(image: &str) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(image.as_bytes()))
}

/// Whether any container of the pod runs.
pub fn any_runs(pod: &Value) -> bool {
    items(pod, "/status/containerStatuses").iter().any(|one| one["state"]["running"].is_object())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes() {
        let words: Vec<String> =
            [1, 2, 3, 4, 5, 6, 60].iter().map(|n| span(pause(&json!({"restartCount": n})).as_secs())).collect();
        assert_eq!(words, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
    }
}
