//! Garbage collection: objects whose owners are gone go too; owners that wait for their objects, or leave them, do so.

use super::object::{flag, has_finalizer, is_deleting, items, set_finalizer, text, uid};
use super::world::World;
use crate::sim::store::{FOREGROUND, ORPHAN, Propagation, Resource};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

type Known<'a> = HashMap<&'a str, &'a Arc<Value>>;

/// Follows every owner reference.
pub fn sync(world: &World) {
    let resources = world.store.resources().into_iter().filter(|one| one.plural != "events");
    let all: Vec<(Resource, Arc<Value>)> =
        resources.flat_map(|one| world.all(&one).into_iter().map(move |object| (one.clone(), object))).collect();
    let known: Known = all.iter().map(|(_, object)| (uid(object), object)).collect();
    let owned: Vec<&(Resource, Arc<Value>)> =
        all.iter().filter(|(_, object)| !items(object, "/metadata/ownerReferences").is_empty()).collect();
    for (resource, object) in &owned {
        follow(world, resource, object, &known);
    }
    for (resource, owner) in all.iter().filter(|(_, object)| is_deleting(object)) {
        if has_finalizer(owner, ORPHAN) {
            release(world, resource, owner, &owned);
        } else if has_finalizer(owner, FOREGROUND) && !owned.iter().any(|(_, object)| blocks(object, owner)) {
            world.change(resource, owner, |owner| set_finalizer(owner, FOREGROUND, false));
        }
    }
}

/// Deletes an object when none of its owners stays.
fn follow(world: &World, resource: &Resource, object: &Value, known: &Known) {
    let references = items(object, "/metadata/ownerReferences");
    let owner = |reference: &Value| known.get(text(reference, "/uid")).copied();
    let waits = |owner: &Arc<Value>| is_deleting(owner) && has_finalizer(owner, FOREGROUND);
    if references.iter().any(|one| owner(one).is_some_and(|owner| !waits(owner))) {
        let present: Vec<Value> = references.iter().filter(|one| owner(one).is_some()).cloned().collect();
        if present.len() < references.len() {
            world.change(resource, object, |object| object["metadata"]["ownerReferences"] = Value::Array(present));
        }
        return;
    }
    if is_deleting(object) {
        return;
    }
    let foreground = references.iter().any(|one| owner(one).is_some());
    let own_choice = has_finalizer(object, ORPHAN) || has_finalizer(object, FOREGROUND);
    let propagation = match (own_choice, foreground) {
        (true, _) => None,
        (false, true) => Some(Propagation::Foreground),
        (false, false) => Some(Propagation::Background),
    };
    world.delete_with(resource, object, propagation);
}

/// Takes an owner that leaves its objects behind out of their references.
fn release(world: &World, resource: &Resource, owner: &Value, owned: &[&(Resource, Arc<Value>)]) {
    for (kind, object) in owned.iter().filter(|(_, object)| is_owned_by(object, owner)) {
        world.change(kind, object, |object| {
            let all = items(object, "/metadata/ownerReferences").iter();
            let others: Vec<Value> = all.filter(|one| text(one, "/uid") != uid(owner)).cloned().collect();
            match (others.is_empty(), object["metadata"].as_object_mut()) {
                (true, Some(metadata)) => drop(metadata.remove("ownerReferences")),
                _ => object["metadata"]["ownerReferences"] = Value::Array(others),
            }
        });
    }
    world.change(resource, owner, |owner| set_finalizer(owner, ORPHAN, false));
}

fn is_owned_by(object: &Value, owner: &Value) -> bool {
    items(object, "/metadata/ownerReferences").iter().any(|one| text(one, "/uid") == uid(owner))
}

/// Whether an object keeps its owner from going.
fn blocks(object: &Value, owner: &Value) -> bool {
    let references = items(object, "/metadata/ownerReferences");
    references.iter().any(|one| text(one, "/uid") == uid(owner) && flag(one, "/blockOwnerDeletion"))
}
