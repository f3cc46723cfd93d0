//! API services: whether the server behind each is there.

use super::object::set_condition;
use super::world::World;
use crate::sim::aggregation::{api_services, availability};
use serde_json::json;

/// Reports on every API service.
pub fn sync(world: &World) {
    for one in world.all(&api_services()) {
        let (available, reason, message) = availability(&world.store, &one);
        let value = if available { "True" } else { "False" };
        let mut status = one["status"].clone();
        let condition = json!({"type": "Available", "status": value, "reason": reason, "message": message});
        set_condition(&mut status, condition, &world.store.now());
        world.set_status(&api_services(), &one, status);
    }
}
