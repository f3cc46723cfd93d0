//! Protection of claims that a pod uses and of volumes that are bound: their finalizers stay for as long.

use super::object::{core, has_finalizer, is_deleting, name, namespace, set_finalizer, text};
use super::pods;
use super::volumes::{claims, volumes};
use super::world::World;
use std::collections::BTreeSet;

/// Finalizer of claims.
const CLAIM: &str = "kubernetes.io/pvc-protection";
/// Finalizer of volumes.
const VOLUME: &str = "kubernetes.io/pv-protection";

/// Adds the finalizers, and takes them away from deleted objects that nobody uses.
pub fn sync(world: &World) {
    let pods = world.all(&core("pods"));
    // A pod without a node cannot start any more when its claim is deleted, so it does not count.
    let scheduled = pods.iter().filter(|pod| !text(pod, "/spec/nodeName").is_empty());
    let used: BTreeSet<(String, String)> = scheduled
        .flat_map(|pod| pods::claims(pod).map(|claim| (namespace(pod).unwrap_or_default().to_owned(), claim)))
        .collect();
    for claim in world.all(&claims()) {
        let in_use = used.contains(&(namespace(&claim).unwrap_or_default().to_owned(), name(&claim).to_owned()));
        protect(world, &claims(), &claim, CLAIM, in_use);
    }
    for volume in world.all(&volumes()) {
        protect(world, &volumes(), &volume, VOLUME, text(&volume, "/status/phase") == "Bound");
    }
}

fn protect(
    world: &World,
    resource: &crate::sim::store::Resource,
    object: &serde_json::Value,
    finalizer: &str,
    in_use: bool,
) {
    let protected = has_finalizer(object, finalizer);
    if !protected && !is_deleting(object) {
        world.change(resource, object, |object| set_finalizer(object, finalizer, true));
    } else if protected && is_deleting(object) && !in_use {
        world.change(resource, object, |object| set_finalizer(object, finalizer, false));
    }
}
