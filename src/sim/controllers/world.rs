//! What a controller sees and may use: the store, the faults, timers, events and a small memory.

use super::events::Events;
pub use super::events::Source;
use super::object::{name, namespace};
use super::timers::{Tick, Timers};
use crate::sim::admission::names::check_namespace;
use crate::sim::clock::Clock;
use crate::sim::faults::Faults;
use crate::sim::store::{DeleteOptions, Propagation, Resource, Store};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often something that fails is tried again at once when time takes no time.
const TRIES_AT_ONCE: i64 = 5;

/// The whole cluster as the controllers see it.
pub struct World {
    /// Every object.
    pub store: Store,
    /// What shall go wrong.
    pub faults: Faults,
    timers: RefCell<Timers>,
    events: RefCell<Events>,
    attempts: RefCell<HashMap<String, u32>>,
}

impl World {
    /// A world around a store.
    pub fn new(store: Store, clock: Clock, faults: Faults) -> Self {
        let timers = RefCell::new(Timers::new(clock));
        World { store, faults, timers, events: RefCell::default(), attempts: RefCell::default() }
    }

    /// The minor release of Kubernetes, as the nodes report it: 24 when there are none.
    pub fn minor(&self) -> u32 {
        let nodes = self.store.list(&Resource::new("", "nodes"), None);
        let version = nodes.first().and_then(|node| node.pointer("/status/nodeInfo/kubeletVersion")?.as_str());
        version.and_then(|version| version.split('.').nth(1)?.parse().ok()).unwrap_or(24)
    }

    /// Ends a round of all controllers. Returns when the next one is due at the latest.
    pub fn end_round(&self) -> Option<Instant> {
        self.timers.borrow_mut().next()
    }

    /// All objects of a kind.
    pub fn all(&self, resource: &Resource) -> Vec<Arc<Value>> {
        self.store.list(resource, None)
    }

    /// All objects of a kind in the namespace of another object.
    pub fn beside(&self, resource: &Resource, object: &Value) -> Vec<Arc<Value>> {
        self.store.list(resource, namespace(object))
    }

    /// Changes an object. That it is gone already is no error: the next round sees it.
    pub fn change(&self, resource: &Resource, object: &Value, change: impl FnOnce(&mut Value)) {
        let changed = self.store.update(resource, namespace(object), name(object), |found| {
            if found["metadata"]["uid"] == object["metadata"]["uid"] {
                change(found);
            }
            Ok(())
        });
        drop(changed);
    }

    /// Replaces an object's status.
    pub fn set_status(&self, resource: &Resource, object: &Value, status: Value) {
        if object["status"] != status {
            self.change(resource, object, |found| found["status"] = status);
        }
    }

    /// Creates an object, where its namespace takes new ones. Returns it, or what was wrong.
    pub fn create(&self, resource: &Resource, object: Value) -> Result<Arc<Value>, String> {
        if let Some(home) = namespace(&object) {
            check_namespace(&self.store, resource, home, &object).map_err(|status| status.message)?;
        }
        self.store.create(resource, object).map_err(|status| status.message)
    }

    /// Deletes an object in the background.
    pub fn delete(&self, resource: &Resource, object: &Value) {
        self.delete_with(resource, object, Some(Propagation::Background));
    }

    /// Deletes an object; without a propagation its own finalizers decide on its dependents.
    pub fn delete_with(&self, resource: &Resource, object: &Value, propagation: Option<Propagation>) {
        let uid = object["metadata"]["uid"].as_str().map(Into::into);
        let options = DeleteOptions { propagation, uid, ..DeleteOptions::default() };
        // That it is gone already is no error: the next round sees it.
        drop(self.store.delete(resource, namespace(object), name(object), &options));
    }

    /// Starts a timer unless it runs; see [`Timers::ask`].
    pub fn timer(&self, name: impl Into<String>, delay: Duration) -> Tick {
        self.timers.borrow_mut().ask(name.into(), delay)
    }

    /// Whether this is asked for the first time, for as long as it is asked for in every round.
    pub fn once(&self, name: impl Into<String>) -> bool {
        self.timer(name, Duration::ZERO).first
    }

    /// Whether a timer of this name runs.
    pub fn runs(&self, name: &str) -> bool {
        self.timers.borrow().runs(name)
    }

    /// Counts an attempt at something.
    pub fn attempt(&self, name: &str) {
        *self.attempts.borrow_mut().entry(name.to_owned()).or_default() += 1;
    }

    /// How many attempts at something there were.
    pub fn attempts(&self, name: &str) -> u32 {
        self.attempts.borrow().get(name).copied().unwrap_or(0)
    }

    /// Starts the timer of a limit or a repetition; see [`Timers::ask_limit`].
    pub fn limit(&self, name: impl Into<String>, delay: Duration) -> Tick {
        self.timers.borrow_mut().ask_limit(name.into(), delay)
    }

    /// The pause before another try, of which there were so many. When time takes no time, the first few happen at once, so that
    /// what comes of trying again can be seen, and then no more: the cluster comes to rest.
    pub fn pause(&self, name: impl Into<String>, delay: Duration, tries: i64) -> Tick {
        match tries < TRIES_AT_ONCE {
            true => self.timers.borrow_mut().ask_again(name.into(), delay),
            false => self.limit(name, delay),
        }
    }

    /// Reports that all is going its way.
    pub fn normal(&self, source: Source, about: &Value, reason: &str, message: &str) {
        self.events.borrow_mut().report(&self.store, source, about, ("Normal", reason, message));
    }

    /// Reports that something is wrong.
    pub fn warning(&self, source: Source, about: &Value, reason: &str, message: &str) {
        self.events.borrow_mut().report(&self.store, source, about, ("Warning", reason, message));
    }
}
