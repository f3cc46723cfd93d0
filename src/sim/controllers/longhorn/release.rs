//! The finalizer of Longhorn's custom resources: a manager clears it from what is being deleted when nothing depends on it.

use super::objects::{WITH_FINALIZER, all, custom, get};
use super::volumes::parts;
use crate::model::longhorn::FINALIZER;
use crate::sim::controllers::object::{has_finalizer, is_deleting, set_finalizer, text};
use crate::sim::controllers::world::World;
use serde_json::Value;

/// Lets go of everything that is being deleted.
pub fn release(world: &World) {
    forget_backups(world);
    for plural in WITH_FINALIZER {
        for object in all(world, plural) {
            if is_deleting(&object) && has_finalizer(&object, FINALIZER) && !is_needed(world, plural, &object) {
                world.change(&custom(plural), &object, |object| set_finalizer(object, FINALIZER, false));
            }
        }
    }
}

/// Without a backup target there are no backups to show. Those that lie in a target stay there.
fn forget_backups(world: &World) {
    let target = get(world, "settings", "backup-target");
    if target.is_none_or(|target| !text(&target, "/value").is_empty()) {
        return;
    }
    for plural in ["backups", "backupvolumes"] {
        for object in all(world, plural).iter().filter(|object| !is_deleting(object)) {
            world.delete(&custom(plural), object);
        }
    }
}

/// A volume stays until its engine and its copies are gone.
fn is_needed(world: &World, plural: &str, object: &Value) -> bool {
    plural == "volumes" && ["engines", "replicas"].iter().any(|part| !parts(world, part, object).is_empty())
}
