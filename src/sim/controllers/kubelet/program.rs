//! What the program in a running container does: it goes on, or it ends after some time.

use super::at::At;
use super::{container, image};
use crate::sim::controllers::longhorn::{self, Course};
use crate::sim::controllers::object::text;
use serde_json::Value;
use std::time::Duration;

/// How long a container runs that has something to do and then ends.
const WORK: Duration = Duration::from_secs(1);
/// How long IRIS runs before it gives up.
const IRIS_FAILS: Duration = Duration::from_secs(3);

/// The program of a container. A pod that shall crash does so in its main containers.
pub fn of(at: &At, spec: &Value, status: &Value, init: bool) -> Course {
    let ready = true;
    let log = String::new();
    if let Some(fault) = container::crash(at, status).filter(|_| !init) {
        let time = if image::is_iris(text(spec, "/image")) { IRIS_FAILS } else { WORK };
        return Course { end: Some((time, fault.exit_code)), ready, log };
    }
    if let Some(course) = longhorn::course(at.world, at.node, at.pod, spec) {
        return course;
    }
    let works_once = init || text(at.pod, "/spec/restartPolicy") != "Always";
    Course { end: works_once.then_some((WORK, 0)), ready, log }
}
