//! The finalizer of Longhorn's custom resources: a manager clears it from what is being deleted when nothing depends on it.

use super::objects::{WITH_FINALIZER, all, custom};
use super::volumes::parts;
use crate::model::longhorn::FINALIZER;
use crate::sim::controllers::object::{has_finalizer, is_deleting, set_finalizer};
use crate::sim::controllers::world::World;
use serde_json::Value;

/// Lets go of everything that is being deleted.
pub fn release(world: &World) {
    for plural in WITH_FINALIZER {
        for object in all(world, plural) {
            if is_deleting(&object) && has_finalizer(&object, FINALIZER) && !is_needed(world, plural, &object) {
                world.change(&custom(plural), &object, |object| set_finalizer(object, FINALIZER, false));
            }
        }
    }
}

/// A volume stays until its engine and its copies are gone.
fn is_needed(world: &World, plural: &str, object: &Value) -> bool {
    plural == "volumes" && ["engines", "replicas"].iter().any(|part| !parts(world, part, object).is_empty())
}
