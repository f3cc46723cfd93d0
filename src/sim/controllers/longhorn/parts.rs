//! Which parts of Longhorn run: found by the image and the arguments of containers, wherever their image comes from.

use crate::model::longhorn::{GROUP, NAMESPACE};
use crate::sim::controllers::nodes::is_dead;
use crate::sim::controllers::object::{core, is_deleting, items, namespace, text};
use crate::sim::controllers::pods::is_ready;
use crate::sim::controllers::world::World;
use crate::sim::store::Resource;
use serde_json::Value;
use std::sync::Arc;

/// What a container of the manager's image has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The manager of a node.
    Daemon,
    /// The init container that waits until the manager answers.
    Await,
    /// The driver deployer.
    DeployDriver,
    /// The uninstaller.
    Uninstall,
}

/// The task of a container, if it is one of Longhorn's.
pub fn task(container: &Value) -> Option<Task> {
    let last = text(container, "/image").rsplit('/').next()?;
    if last.split([':', '@']).next() != Some("longhorn-manager") {
        return None;
    }
    let words = || items(container, "/command").iter().chain(items(container, "/args")).filter_map(Value::as_str);
    let says = |word: &str| words().any(|one| one == word);
    match () {
        () if says("daemon") => Some(Task::Daemon),
        () if says("deploy-driver") => Some(Task::DeployDriver),
        () if says("uninstall") => Some(Task::Uninstall),
        () if words().any(|one| one.contains("longhorn-backend")) => Some(Task::Await),
        () => None,
    }
}

/// The container of a pod that has a task.
pub fn container(pod: &Value, wanted: Task) -> Option<&Value> {
    items(pod, "/spec/containers").iter().find(|one| task(one) == Some(wanted))
}

/// The pods in which a task is at work. One on a node that nobody hears of does not count, and neither does one that ends.
pub fn at_work(world: &World, wanted: Task) -> Vec<Arc<Value>> {
    let runs = |pod: &Arc<Value>| {
        let Some(container) = container(pod, wanted) else { return false };
        let states = items(pod, "/status/containerStatuses");
        let running = |one: &Value| one["name"] == container["name"] && one["state"]["running"].is_object();
        !is_deleting(pod) && states.iter().any(running) && lives(world, pod)
    };
    world.all(&core("pods")).into_iter().filter(runs).collect()
}

/// Whether the node of a pod is heard of.
fn lives(world: &World, pod: &Value) -> bool {
    let node = world.store.get(&core("nodes"), None, text(pod, "/spec/nodeName"));
    node.is_some_and(|node| !is_dead(world, &node))
}

/// The managers that work: they run on nodes that pass their check, and may use their custom resources.
pub fn managers(world: &World) -> Vec<Arc<Value>> {
    let mut managers = at_work(world, Task::Daemon);
    managers.retain(|pod| has_rights(world, pod) && !world.faults.has_no_iscsi(text(pod, "/spec/nodeName")));
    managers
}

/// Whether a sidecar, or anything else with this label `app`, serves.
pub fn serves(world: &World, app: &str) -> bool {
    let pods = world.store.list(&core("pods"), Some(NAMESPACE));
    let serves = |pod: &Arc<Value>| {
        pod["metadata"]["labels"]["app"] == app && is_ready(pod) && !is_deleting(pod) && lives(world, pod)
    };
    pods.iter().any(|pod| serves(pod) && has_rights(world, pod))
}

/// Whether the service account of a pod is there and bound to a role for Longhorn's custom resources.
pub fn has_rights(world: &World, pod: &Value) -> bool {
    let (home, account) = (namespace(pod), text(pod, "/spec/serviceAccountName"));
    let rbac = |plural: &str| Resource::new("rbac.authorization.k8s.io", plural);
    let is_bound = |binding: &Arc<Value>| {
        let is_it = |one: &Value| {
            one["kind"] == "ServiceAccount"
                && text(one, "/name") == account
                && text(one, "/namespace") == home.unwrap_or("")
        };
        let role = world.store.get(&rbac("clusterroles"), None, text(binding, "/roleRef/name"));
        items(binding, "/subjects").iter().any(is_it) && role.is_some_and(|role| allows(&role))
    };
    world.store.get(&core("serviceaccounts"), home, account).is_some()
        && world.all(&rbac("clusterrolebindings")).iter().any(is_bound)
}

fn allows(role: &Value) -> bool {
    items(role, "/rules")
        .iter()
        .any(|rule| items(rule, "/apiGroups").iter().any(|group| group == GROUP || group == "*"))
}

/// The value of an argument: of `--engine-image X`, for example.
pub fn argument<'a>(pod: &'a Value, wanted: Task, flag: &str) -> Option<&'a str> {
    let container = container(pod, wanted)?;
    let mut words = items(container, "/command").iter().chain(items(container, "/args")).filter_map(Value::as_str);
    words.find(|word| *word == flag)?;
    words.next()
}

/// The value of an environment variable.
pub fn variable<'a>(container: &'a Value, variable: &str) -> Option<&'a str> {
    let found = items(container, "/env").iter().find(|one| one["name"] == variable)?;
    found["value"].as_str().filter(|value| !value.is_empty())
}

/// The last number of the release that a pod of the manager's image is of: 6 of `v1.2.6`.
pub fn patch_release(pod: &Value, wanted: Task) -> u32 {
    let image = container(pod, wanted).map_or("", |container| text(container, "/image"));
    let tag = image.split('@').next().and_then(|image| image.rsplit_once(':')).map_or("", |(_, tag)| tag);
    tag.rsplit('.').next().and_then(|number| number.parse().ok()).unwrap_or(6)
}

/// What tells apart the runs of a pod: its uid and how often it was started again.
pub fn run(pod: &Value) -> String {
    let restarts = items(pod, "/status/containerStatuses").iter().map(|one| one["restartCount"].to_string());
    format!("{}/{}", text(pod, "/metadata/uid"), restarts.collect::<Vec<_>>().join("-"))
}

/// The node that a pod runs on.
pub fn home(pod: &Value) -> &str {
    text(pod, "/spec/nodeName")
}

/// Which of several managers answers for an object of the whole cluster.
pub fn leader(managers: &[Arc<Value>]) -> &str {
    managers.iter().map(|pod| home(pod)).min().unwrap_or_default()
}
