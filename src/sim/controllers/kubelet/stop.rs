//! The end of a pod: its containers get time to stop, at most the grace period, and then the pod is removed.

use super::at::At;
use super::{container, image};
use crate::sim::controllers::object::{core, int, items, name, namespace, text, uid};
use std::time::Duration;

/// IRIS writes its buffers to disk.
const IRIS_STOPS: Duration = Duration::from_secs(2);
/// Most programs end at the first signal.
const STOPS: Duration = Duration::from_millis(200);

/// Stops a deleted pod, and removes it when its containers have stopped.
pub fn stop(at: &At) {
    let key = format!("stop/{}", uid(at.pod));
    let grace = int(at.pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(30);
    let containers = items(at.pod, "/spec/containers");
    let iris = containers.iter().any(|one| image::is_iris(text(one, "/image")));
    let time = if iris { IRIS_STOPS } else { STOPS }.min(Duration::from_secs(grace.unsigned_abs()));
    let runs = container::any_runs(at.pod);
    let timer = at.world.timer(key, if runs { time } else { Duration::ZERO });
    if timer.first && runs {
        for one in containers {
            at.normal("Killing", &format!("Stopping container {}", text(one, "/name")));
        }
    }
    if timer.over {
        at.world.store.remove(&core("pods"), namespace(at.pod), name(at.pod));
    }
}
