//! Pods on a node that nobody hears of: they stay Terminating for ever, and with them their volumes. Where the setting allows it,
//! a manager deletes them by force, so that they start again elsewhere.

use super::settings;
use super::volumes;
use crate::sim::controllers::attachments::attachments;
use crate::sim::controllers::object::{core, flag, int, is_deleting, is_true, items, name, namespace, text, uid};
use crate::sim::controllers::pods::claims;
use crate::sim::controllers::world::World;
use crate::sim::store::DeleteOptions;
use serde_json::Value;
use std::time::Duration;

/// Frees the pods that the setting names, and what holds their volumes.
pub fn free(world: &World) {
    let kinds: &[&str] = match settings::value(world, "node-down-pod-deletion-policy").as_str() {
        "delete-statefulset-pod" => &["StatefulSet"],
        "delete-deployment-pod" => &["ReplicaSet"],
        "delete-both-statefulset-and-deployment-pod" => &["StatefulSet", "ReplicaSet"],
        _ => return,
    };
    let ours = volumes::claims(world);
    for pod in world.all(&core("pods")) {
        let mut owners = items(&pod, "/metadata/ownerReferences").iter().filter(|one| flag(one, "/controller"));
        let wanted = owners.any(|one| kinds.contains(&text(one, "/kind")));
        if !wanted || !is_deleting(&pod) || !is_lost(world, &pod) {
            continue;
        }
        let home = namespace(&pod).unwrap_or_default();
        let mine = |claim: &String| ours.iter().find(|(space, name, _)| space == home && name == claim);
        let held: Vec<_> = claims(&pod).filter_map(|claim| mine(&claim).map(|(_, _, volume)| volume.clone())).collect();
        let grace = int(&pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(0).unsigned_abs();
        if !held.is_empty() && world.timer(format!("longhorn/lost/{}", uid(&pod)), Duration::from_secs(grace)).over {
            let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
            // That it is gone already is no error: the next round sees it.
            drop(world.store.delete(&core("pods"), namespace(&pod), name(&pod), &options));
            held.iter().for_each(|volume| detach(world, volume, text(&pod, "/spec/nodeName")));
        }
    }
}

fn is_lost(world: &World, pod: &Value) -> bool {
    let node = world.store.get(&core("nodes"), None, text(pod, "/spec/nodeName"));
    node.is_some_and(|node| !is_true(&node, "Ready"))
}

fn detach(world: &World, volume: &Value, node: &str) {
    for one in world.all(&attachments()) {
        let here = text(&one, "/spec/nodeName") == node;
        if here && text(&one, "/spec/source/persistentVolumeName") == name(volume) {
            world.delete(&attachments(), &one);
        }
    }
}
