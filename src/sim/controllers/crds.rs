//! Custom resource definitions: accepted at once; deleted when their objects are gone.

use super::object::{has_finalizer, is_deleting, is_true, items, set_condition, set_finalizer, text};
use super::world::World;
use crate::sim::store::Resource;
use serde_json::{Value, json};

const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// The resource of definitions.
fn definitions() -> Resource {
    Resource::new("apiextensions.k8s.io", "customresourcedefinitions")
}

/// Establishes new definitions and cleans up after deleted ones.
pub fn sync(world: &World) {
    for one in world.all(&definitions()) {
        if is_deleting(&one) {
            clean_up(world, &one);
        } else {
            establish(world, &one);
        }
    }
}

fn establish(world: &World, one: &Value) {
    // Definitions are large: those that need nothing are not even copied.
    let stored = items(one, "/spec/versions").iter().find(|version| version["storage"] == true);
    let is_stored = stored.is_none_or(|version| items(one, "/status/storedVersions").contains(&version["name"]));
    if is_stored && is_true(one, "Established") && one["status"]["acceptedNames"] == one["spec"]["names"] {
        return;
    }
    let now = world.store.now();
    world.change(&definitions(), one, |one| {
        if !has_finalizer(one, FINALIZER) {
            set_finalizer(one, FINALIZER, true);
        }
        let versions = items(one, "/spec/versions");
        let stored = versions.iter().find(|version| version["storage"] == true).map(|version| version["name"].clone());
        let names = one["spec"]["names"].clone();
        let status = &mut one["status"];
        status["acceptedNames"] = names;
        let mut all = items(status, "/storedVersions").to_vec();
        all.extend(stored.filter(|stored| !items(status, "/storedVersions").contains(stored)));
        status["storedVersions"] = Value::Array(all);
        for (kind, reason, message) in [
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ] {
            set_condition(status, json!({"type": kind, "status": "True", "reason": reason, "message": message}), &now);
        }
    });
}

fn clean_up(world: &World, one: &Value) {
    let resource = Resource::new(text(one, "/spec/group"), text(one, "/spec/names/plural"));
    for instance in world.all(&resource).iter().filter(|instance| !is_deleting(instance)) {
        world.delete(&resource, instance);
    }
    if world.all(&resource).is_empty() {
        return world.change(&definitions(), one, |one| set_finalizer(one, FINALIZER, false));
    }
    let now = world.store.now();
    world.change(&definitions(), one, |one| {
        let condition = json!({
            "type": "Terminating", "status": "True", "reason": "InstanceDeletionInProgress",
            "message": "CustomResource deletion is in progress",
        });
        set_condition(&mut one["status"], condition, &now);
    });
}
