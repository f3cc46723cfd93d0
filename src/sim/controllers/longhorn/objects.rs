//! Making the objects of Longhorn: custom resources where their definitions are served, and others with the values that the API
//! server fills in.

use crate::model::longhorn::{API_VERSION, FINALIZER, GROUP, NAMESPACE};
use crate::sim::admission::defaults;
use crate::sim::controllers::object::{is_deleting, is_true};
use crate::sim::controllers::world::World;
use crate::sim::kinds::{Kinds, definitions};
use crate::sim::store::Resource;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use std::sync::Arc;

/// The kinds that carry the finalizer.
pub const WITH_FINALIZER: &[&str] = &[
    "volumes",
    "engines",
    "replicas",
    "engineimages",
    "nodes",
    "backingimages",
    "backingimagemanagers",
    "backingimagedatasources",
    "sharemanagers",
    "backupvolumes",
    "backups",
];

/// A kind of Longhorn's custom resources.
pub fn custom(plural: &str) -> Resource {
    Resource::new(GROUP, plural)
}

/// All objects of a kind of Longhorn's custom resources.
pub fn all(world: &World, plural: &str) -> Vec<Arc<Value>> {
    world.store.list(&custom(plural), Some(NAMESPACE))
}

/// One custom resource.
pub fn get(world: &World, plural: &str, name: &str) -> Option<Arc<Value>> {
    world.store.get(&custom(plural), Some(NAMESPACE), name)
}

/// Whether a kind is served; one whose definition is being deleted takes no new objects.
pub fn is_served(world: &World, plural: &str) -> bool {
    let definition = world.store.get(&definitions(), None, &format!("{plural}.{GROUP}"));
    definition.is_some_and(|one| is_true(&one, "Established") && !is_deleting(&one))
}

/// Makes a custom resource unless it is there or its kind is not served; `more` is everything but what every one has.
pub fn make(world: &World, plural: &str, kind: &str, name: &str, more: Value) {
    if get(world, plural, name).is_some() || !is_served(world, plural) {
        return;
    }
    let mut object =
        json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}});
    if WITH_FINALIZER.contains(&plural) {
        object["metadata"]["finalizers"] = json!([FINALIZER]);
    }
    json_patch::merge(&mut object, &more);
    // Where it may not be made, it is tried again in the next round.
    drop(world.create(&custom(plural), object));
}

/// Makes an object of a built-in kind unless it is there.
pub fn ensure(world: &World, resource: &Resource, mut object: Value) {
    let home = object["metadata"]["namespace"].as_str();
    let object_name = object["metadata"]["name"].as_str().unwrap_or_default();
    if world.store.get(resource, home, object_name).is_some() {
        return;
    }
    let kinds = Kinds::new(world.store.clone(), world.minor()).all();
    if let Some(kind) = kinds.iter().find(|kind| kind.resource() == *resource) {
        defaults::fill(kind, world.minor(), &mut object);
        defaults::admit(kind, &mut object);
    }
    drop(world.create(resource, object));
}

/// Eight digits of a name's checksum, as Longhorn's names end in.
pub fn checksum(text: &str) -> String {
    Sha512::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
