//! The uninstaller of Longhorn 1.2: it deletes everything that Longhorn has made while it ran, in its order, and nothing that was
//! installed: settings, definitions, rights and the namespace stay. While a manager works, that one clears the finalizers.

use super::driver::{SIDECARS, drivers};
use super::objects::{all, custom, get};
use super::parts::{Task, at_work, container, has_rights, managers};
use crate::model::longhorn::{CLASS, DRIVER, FINALIZER, NAMESPACE};
use crate::sim::controllers::object::{apps, core, int, is_deleting, items, name, set_finalizer, uid};
use crate::sim::controllers::world::World;
use crate::sim::store::Resource;
use serde_json::{Value, json};
use std::time::Duration;

/// Before the first object is deleted.
const STARTS: Duration = Duration::from_secs(2);
/// How long a manager may take to clear a finalizer before it is cleared by force.
const GRACE: Duration = Duration::from_secs(90);
/// The kinds in the order in which they go. Those of backups are only waited for.
const ORDER: &[&str] = &[
    "volumes",
    "engines",
    "replicas",
    "backupvolumes",
    "backups",
    "backuptargets",
    "engineimages",
    "backingimages",
    "sharemanagers",
    "backingimagemanagers",
    "backingimagedatasources",
    "recurringjobs",
    "nodes",
    "instancemanagers",
];
const WAITED_FOR: &[&str] = &["backupvolumes", "backups"];

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Custom resources, with the help of a manager.
    Resources,
    /// The managers themselves.
    Manager,
    /// Deployer, sidecars, plugin and driver.
    Driver,
    /// What is left of the custom resources, by force.
    Rest,
    /// Storage class and lease.
    Class,
    /// Nothing.
    Done,
}

/// How far the work is, read off what is left.
pub fn stage(world: &World) -> Stage {
    let resources_left = ORDER.iter().any(|plural| !all(world, plural).is_empty());
    let manager = world.store.get(&apps("daemonsets"), Some(NAMESPACE), "longhorn-manager");
    let works =
        manager.as_ref().is_some_and(|set| int(set, "/status/numberReady").unwrap_or(0) > 0 && !is_deleting(set));
    match () {
        () if works && resources_left && !managers(world).is_empty() => Stage::Resources,
        () if manager.is_some() || has_pods(world, "longhorn-manager") => Stage::Manager,
        () if !driver_parts(world).is_empty() => Stage::Driver,
        () if resources_left => Stage::Rest,
        () if !last_parts(world).is_empty() => Stage::Class,
        () => Stage::Done,
    }
}

fn has_pods(world: &World, app: &str) -> bool {
    world.store.list(&core("pods"), Some(NAMESPACE)).iter().any(|pod| pod["metadata"]["labels"]["app"] == app)
}

type Part = (Resource, std::sync::Arc<Value>);

fn present(world: &World, wanted: Vec<(Resource, Option<&str>, &str)>) -> Vec<Part> {
    let find = |(resource, home, name): (Resource, Option<&str>, &str)| {
        let found = world.store.get(&resource, home, name)?;
        Some((resource, found))
    };
    wanted.into_iter().filter_map(find).collect()
}

fn driver_parts(world: &World) -> Vec<Part> {
    let home = Some(NAMESPACE);
    let mut wanted = vec![
        (apps("deployments"), home, "longhorn-driver-deployer"),
        (apps("daemonsets"), home, "longhorn-csi-plugin"),
        (core("services"), home, "longhorn-csi-plugin"),
        (drivers(), None, DRIVER),
    ];
    for (sidecar, _) in SIDECARS {
        wanted.extend([(apps("deployments"), home, sidecar), (core("services"), home, sidecar)]);
    }
    present(world, wanted)
}

fn last_parts(world: &World) -> Vec<Part> {
    let leases = Resource::new("coordination.k8s.io", "leases");
    let classes = Resource::new("storage.k8s.io", "storageclasses");
    present(world, vec![(classes, None, CLASS), (leases, Some(NAMESPACE), "longhorn-manager-upgrade-lock")])
}

/// Why an uninstaller does not begin.
pub fn refusal(world: &World, pod: &Value) -> Option<String> {
    let words = container(pod, Task::Uninstall)?;
    let forced = ["/command", "/args"].iter().any(|field| items(words, field).iter().any(|word| word == "--force"));
    let attached = all(world, "volumes").iter().any(|volume| volume["status"]["state"] == "attached");
    match () {
        () if !has_rights(world, pod) => Some(
            "User \\\"system:serviceaccount\\\" cannot list resource \\\"daemonsets\\\" in API group \\\"apps\\\": forbidden".into(),
        ),
        () if forced => None,
        () if managers(world).is_empty() && stage(world) != Stage::Done => {
            Some("manager not ready, set --force to continue".into())
        }
        () if attached => Some("volume(s) are in use, set --force to continue".into()),
        () => None,
    }
}

/// Whether faults stop the work where it is: when the managers are gone.
pub fn fails(world: &World) -> bool {
    world.faults.longhorn.uninstall_fails && stage(world) > Stage::Manager
}

/// Lets the uninstallers that run do their work.
pub fn sync(world: &World, manager: bool) {
    for pod in at_work(world, Task::Uninstall) {
        let begun = world.timer(format!("longhorn/uninstall/{}", uid(&pod)), STARTS).over;
        if begun && refusal(world, &pod).is_none() && !fails(world) {
            advance(world, manager);
        }
    }
}

fn advance(world: &World, manager: bool) {
    match stage(world) {
        Stage::Resources => resources(world, manager),
        Stage::Manager => {
            let sets = present(world, vec![(apps("daemonsets"), Some(NAMESPACE), "longhorn-manager")]);
            delete(world, &sets);
        }
        Stage::Driver => delete(world, &driver_parts(world)),
        Stage::Rest => resources(world, false),
        Stage::Class => delete(world, &last_parts(world)),
        Stage::Done => {}
    }
}

fn delete(world: &World, parts: &[Part]) {
    for (resource, part) in parts.iter().filter(|(_, part)| !is_deleting(part)) {
        world.delete(resource, part);
    }
}

/// Deletes the first kind of which there are objects, and waits for its end. Without a manager, finalizers are cleared.
fn resources(world: &World, manager: bool) {
    let Some(plural) = ORDER.iter().find(|plural| !all(world, plural).is_empty()) else { return };
    if WAITED_FOR.contains(plural) {
        return blank_target(world);
    }
    for object in all(world, plural) {
        if !is_deleting(&object) {
            world.delete(&custom(plural), &object);
        }
        let Some(object) = get(world, plural, name(&object)) else { continue };
        let late = || world.limit(format!("longhorn/force/{}", uid(&object)), GRACE).over;
        if !manager || late() {
            world.change(&custom(plural), &object, |object| set_finalizer(object, FINALIZER, false));
        }
    }
}

/// With its target gone, the manager forgets the backups; what lies in the target stays.
fn blank_target(world: &World) {
    if let Some(setting) = get(world, "settings", "backup-target") {
        world.change(&custom("settings"), &setting, |setting| setting["value"] = json!(""));
    }
}
