//! What becomes of the containers of Longhorn: whether they end, with which code, whether they are ready and what they print.

use super::daemon::can_start;
use super::parts::{Task, has_rights, task};
use super::uninstall;
use crate::model::longhorn::NAMESPACE;
use crate::sim::controllers::object::{core, items, name, text};
use crate::sim::controllers::world::World;
use serde_json::Value;
use std::time::Duration;

/// From the reason of an end to the end itself.
const ENDS: Duration = Duration::from_secs(1);
/// What an uninstaller still does when everything is deleted.
const TIDIES: Duration = Duration::from_secs(3);

/// What a container does from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// After which time it ends, and with which exit code; none when it goes on.
    pub end: Option<(Duration, i64)>,
    /// Whether it answers.
    pub ready: bool,
    /// What it has printed.
    pub log: String,
}

impl Course {
    /// It does its work.
    fn works(ready: bool, log: &str) -> Self {
        Course { end: None, ready, log: log.into() }
    }

    /// It ends with an error.
    fn fails(log: String) -> Self {
        Course { end: Some((ENDS, 1)), ready: false, log }
    }
}

/// What a container of Longhorn does on its node; none for containers of others.
pub fn course(world: &World, node: &Value, pod: &Value, spec: &Value) -> Option<Course> {
    if text(spec, "/image").contains("longhorn-instance-manager") {
        return Some(Course::works(true, "level=info msg=\"Instance Manager listening to 0.0.0.0:8500\"\n"));
    }
    Some(match task(spec)? {
        Task::Daemon => daemon(world, node, pod),
        Task::Await => wait(world),
        Task::DeployDriver => Course::works(true, ""),
        Task::Uninstall => uninstaller(world, pod),
    })
}

fn daemon(world: &World, node: &Value, pod: &Value) -> Course {
    if world.faults.has_no_iscsi(name(node)) {
        let why = "Failed environment check, please make sure you have iscsiadm/open-iscsi installed on the host";
        let fatal = "Error starting manager: Environment check failed: failed to execute: nsenter [--mount=/host/proc/1/ns/mnt --net=/host/proc/1/ns/net iscsiadm --version], output , stderr, nsenter: failed to execute iscsiadm: No such file or directory, error exit status 127";
        return Course::fails(format!("level=error msg=\"{why}\"\nlevel=fatal msg=\"{fatal}\"\n"));
    }
    let starts = has_rights(world, pod) && can_start(world);
    match starts {
        true => Course::works(true, "level=info msg=\"Listening on 0.0.0.0:9500\"\n"),
        false => Course::works(false, "level=info msg=\"Start Longhorn manager: waiting for caches to sync\"\n"),
    }
}

/// Until the Service of the managers has a backend.
fn wait(world: &World) -> Course {
    let backend = world.store.get(&core("endpoints"), Some(NAMESPACE), "longhorn-backend");
    let answers = backend.is_some_and(|one| items(&one, "/subsets").iter().any(|one| one["addresses"].is_array()));
    match answers {
        true => Course { end: Some((ENDS, 0)), ready: false, log: String::new() },
        false => Course::works(false, "waiting\n"),
    }
}

fn uninstaller(world: &World, pod: &Value) -> Course {
    if let Some(why) = uninstall::refusal(world, pod) {
        return Course::fails(format!("level=fatal msg=\"Error initiating uninstall: {why}\"\n"));
    }
    if uninstall::fails(world) {
        let why = "failed to wait for caches to sync: etcdserver: request timed out";
        return Course::fails(format!(
            "level=info msg=\"Deleted DaemonSet longhorn-manager\"\nlevel=fatal msg=\"{why}\"\n"
        ));
    }
    let stage = uninstall::stage(world);
    match stage == uninstall::Stage::Done {
        true => {
            Course { end: Some((TIDIES, 0)), ready: false, log: "level=info msg=\"Uninstallation completed\"\n".into() }
        }
        false => Course::works(true, "level=info msg=Uninstalling...\n"),
    }
}
