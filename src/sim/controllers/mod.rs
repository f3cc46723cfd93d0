//! The controllers of the embedded cluster. Each looks at the whole world and changes what is not as it should be; all of them
//! run again after every change, and when the next timer ends. One file and one line in [`CONTROLLERS`] is a controller.

mod api_services;
mod attachments;
mod bootstrap;
mod crds;
mod daemonset;
mod deployment;
mod disruption;
mod endpoints;
mod events;
mod garbage;
mod job;
mod kubelet;
mod load_balancer;
mod longhorn;
mod namespaces;
mod nodes;
pub mod object;
mod pods;
mod protection;
mod replicaset;
mod revisions;
mod scheduler;
mod statefulset;
mod timers;
mod volumes;
mod world;

#[cfg(test)]
mod tests;

use crate::sim::clock::Clock;
use crate::sim::faults::Faults;
use crate::sim::store::Store;
pub use bootstrap::bootstrap;
pub use kubelet::{container_log, is_iris, log_begin, messages};
use world::World;

type Controller = fn(&World);

/// Every controller, in the order of one round.
const CONTROLLERS: &[Controller] = &[
    namespaces::sync,
    crds::sync,
    garbage::sync,
    deployment::sync,
    replicaset::sync,
    statefulset::sync,
    daemonset::sync,
    job::sync,
    volumes::sync,
    protection::sync,
    attachments::sync,
    longhorn::sync,
    nodes::sync,
    scheduler::sync,
    kubelet::sync,
    endpoints::sync,
    load_balancer::sync,
    disruption::sync,
    api_services::sync,
];

/// Kinds whose changes concern no controller.
const NOISE: &[(&str, &str)] = &[("", "events"), ("coordination.k8s.io", "leases")];

/// Runs every controller for as long as the store exists.
pub async fn run(store: Store, clock: Clock, faults: Faults) {
    let mut changed = store.changed();
    let world = World::new(store, clock, faults);
    loop {
        changed.borrow_and_update();
        let seen = world.store.revision();
        let next = round(&world);
        // Requests are answered between two rounds.
        tokio::task::yield_now().await;
        if !wait(&world.store, &mut changed, seen, next).await {
            return;
        }
    }
}

/// Lets every controller look once. Returns when they want to look again at the latest.
fn round(world: &World) -> Option<tokio::time::Instant> {
    for sync in CONTROLLERS {
        sync(world);
    }
    world.end_round()
}

/// Waits for a change that concerns controllers, or until a timer ends. False when there is no store any more.
async fn wait(
    store: &Store,
    changed: &mut tokio::sync::watch::Receiver<u64>,
    mut seen: u64,
    next: Option<tokio::time::Instant>,
) -> bool {
    let timer = async {
        match next {
            Some(next) => tokio::time::sleep_until(next).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(timer);
    loop {
        let now = store.revision();
        if now > seen && concerns_controllers(store, seen) {
            return true;
        }
        seen = now;
        tokio::select! {
            () = &mut timer => return true,
            result = changed.changed() => if result.is_err() { return false },
        }
    }
}

fn concerns_controllers(store: &Store, revision: u64) -> bool {
    let noise = |group: &str, plural: &str| NOISE.contains(&(group, plural));
    // After a gap in the history anything may have changed.
    let Ok(events) = store.events_since(revision) else { return true };
    events.iter().any(|event| !noise(&event.resource.group, &event.resource.plural))
}
