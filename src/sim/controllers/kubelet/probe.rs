//! Probes: when a running container counts as started and as ready.

use super::at::At;
use super::image;
use crate::sim::controllers::object::{int, name, text};
use crate::sim::faults::glob;
use serde_json::Value;
use std::time::Duration;

/// How long IRIS takes until it answers.
const IRIS_STARTS: u64 = 6;

/// What the probes of a container say.
pub struct Probed {
    /// The startup probe has succeeded.
    pub started: bool,
    /// The readiness probe succeeds.
    pub ready: bool,
}

/// Probes a running container. What has succeeded once stays so, unless a fault says otherwise.
pub fn probe(at: &At, spec: &Value, status: &Value) -> Probed {
    let container = text(spec, "/name");
    let work = if image::is_iris(text(spec, "/image")) { IRIS_STARTS } else { 0 };
    let over = |what: &str, delay: u64| {
        let key = format!("{}/{}", at.key(what, container), status["restartCount"]);
        at.world.timer(key, Duration::from_secs(delay)).over
    };
    let startup = &spec["startupProbe"];
    let started = startup.is_null() || status["started"] == true || over("started", delay(startup, work));
    if !started {
        return Probed { started, ready: false };
    }
    if let Some(fault) = at.world.faults.unready.iter().find(|fault| glob(&fault.pod, name(at.pod))) {
        let message = if fault.message.is_empty() { "Readiness probe failed: " } else { &fault.message };
        if at.world.once(at.key("unready", container)) {
            at.warning("Unhealthy", message);
        }
        return Probed { started, ready: false };
    }
    let readiness = &spec["readinessProbe"];
    let left = if startup.is_null() { work } else { 0 };
    let ready = readiness.is_null() || status["ready"] == true || over("ready", delay(readiness, left));
    Probed { started, ready }
}

/// Seconds until a probe succeeds: it is asked after its initial delay and then in its period, and the work takes its time.
fn delay(probe: &Value, work: u64) -> u64 {
    let seconds =
        |path: &str, default: u64| int(probe, path).and_then(|one| u64::try_from(one).ok()).unwrap_or(default);
    let first = seconds("/initialDelaySeconds", 0);
    let period = seconds("/periodSeconds", 10).max(1);
    first + work.saturating_sub(first).div_ceil(period) * period
}

#[cfg(test)]
mod tests {
    use super::delay;
    use serde_json::json;

    #[test]
    fn probes_are_asked_in_their_period() {
        for (initial, period, work, seconds) in
            [(0, 2, 6, 6), (0, 5, 6, 10), (5, 10, 6, 15), (10, 5, 6, 10), (0, 1, 0, 0)]
        {
            let probe = json!({"initialDelaySeconds": initial, "periodSeconds": period});
            assert_eq!(delay(&probe, work), seconds, "{probe}");
        }
    }
}
