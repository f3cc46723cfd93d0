//! The resizer: grows volumes of Longhorn whose claims ask for more, which this release does only while they are detached.

use super::objects::{custom, get};
use crate::model::longhorn::DRIVER;
use crate::sim::controllers::object::{amount, text, uid};
use crate::sim::controllers::volumes::{self as kube, asks_for_more, set_condition, take_capacity};
use crate::sim::controllers::world::{Source, World};
use serde_json::{Value, json};
use std::time::Duration;

const SOURCE: Source = Source::new("external-resizer driver.longhorn.io");
/// Longhorn attaches a volume to a node to grow it and the file system on it, and detaches it again.
const TIME: Duration = Duration::from_secs(8);

/// Grows what asks for it.
pub fn sync(world: &World) {
    for claim in world.all(&kube::claims()).iter().filter(|claim| asks_for_more(world, claim)) {
        let volume = world.store.get(&kube::volumes(), None, text(claim, "/spec/volumeName"));
        if let Some(volume) = volume.filter(|volume| volume["spec"]["csi"]["driver"] == DRIVER) {
            grow(world, claim, &volume);
        }
    }
}

fn grow(world: &World, claim: &Value, volume: &Value) {
    let handle = text(volume, "/spec/csi/volumeHandle");
    let Some(own) = get(world, "volumes", handle) else { return };
    set_condition(world, claim, "Resizing", "");
    let state = text(&own, "/status/state");
    if state != "detached" {
        if world.once(format!("longhorn/no-grow/{}/{state}", uid(claim))) {
            let message = format!(
                "resize volume \"{handle}\" by resizer \"{DRIVER}\" failed: rpc error: code = FailedPrecondition desc = \
                 Invalid volume state {state} for expansion"
            );
            world.warning(SOURCE, claim, "VolumeResizeFailed", &message);
        }
        return;
    }
    if !world.timer(format!("longhorn/grow/{}", uid(claim)), TIME).over {
        return;
    }
    let wanted = claim["spec"]["resources"]["requests"]["storage"].clone();
    let bytes = (amount(&wanted) / 1_000_000_000).to_string();
    world.change(&custom("volumes"), &own, |own| own["spec"]["size"] = json!(bytes));
    world.change(&kube::volumes(), volume, |volume| volume["spec"]["capacity"]["storage"] = wanted);
    // The driver says that no node has anything left to do.
    take_capacity(world, claim);
    world.normal(SOURCE, claim, "VolumeResizeSuccessful", "Resize volume succeeded");
}
