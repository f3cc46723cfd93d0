//! The objects of the embedded cluster: revisions, events, finalizers and deletion, as etcd and the generic registry have them.

pub mod deletion;
pub mod resource;

use crate::sim::status::Status;
pub use crate::sim::store::deletion::{DeleteOptions, FOREGROUND, ORPHAN, Propagation};
use crate::sim::store::deletion::{check_preconditions, finalizers, grace_period, is_finished, propagate};
pub use crate::sim::store::resource::Resource;
use crate::sim::store::resource::text;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// How many events are kept for watches that start at an older revision.
const HISTORY: usize = 5_000;
/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It was created.
    Added,
    /// It was changed.
    Modified,
    /// It was removed.
    Deleted,
}

/// One change of the store.
#[derive(Clone, Debug)]
pub struct StoreEvent {
    /// What happened.
    pub kind: EventKind,
    /// To which kind of object.
    pub resource: Resource,
    /// The object after the change; of a removed object its last state.
    pub object: Arc<Value>,
    /// The object before the change.
    pub previous: Option<Arc<Value>>,
    /// The revision of the change; the object's resourceVersion.
    pub revision: u64,
}

type Key = (String, String);

struct Inner {
    objects: BTreeMap<Resource, BTreeMap<Key, Arc<Value>>>,
    events: VecDeque<StoreEvent>,
    /// The oldest revision from which a watch can still start.
    oldest: u64,
    revision: u64,
}

struct Shared {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

/// A cheap handle on the objects.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    dry_run: bool,
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

impl Store {
    /// An empty store.
    pub fn new() -> Self {
        let inner = Inner { objects: BTreeMap::new(), events: VecDeque::new(), oldest: 1, revision: 1 };
        Store { shared: Arc::new(Shared { inner: Mutex::new(inner), changed: watch::Sender::new(1) }), dry_run: false }
    }

    /// A handle that computes and checks every change, and makes none.
    #[must_use]
    pub fn dry_run(&self) -> Self {
        Store { shared: self.shared.clone(), dry_run: true }
    }

    /// One object.
    pub fn get(&self, resource: &Resource, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        self.lock().get(resource, &key(namespace, name))
    }

    /// All objects of a kind, of one namespace or of all, sorted by namespace and name.
    pub fn list(&self, resource: &Resource, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.snapshot(resource, namespace).0
    }

    /// Every kind of which there are objects.
    pub fn resources(&self) -> Vec<Resource> {
        let inner = self.lock();
        inner.objects.iter().filter(|(_, objects)| !objects.is_empty()).map(|(resource, _)| resource.clone()).collect()
    }

    /// Like `list`, with the revision at which this was the state.
    pub fn snapshot(&self, resource: &Resource, namespace: Option<&str>) -> (Vec<Arc<Value>>, u64) {
        let inner = self.lock();
        let in_namespace = |(key, _): &(&Key, &Arc<Value>)| namespace.is_none_or(|namespace| key.0 == namespace);
        let all = inner.objects.get(resource).into_iter().flatten();
        (all.filter(in_namespace).map(|(_, object)| object.clone()).collect(), inner.revision)
    }

    /// Stores a new object and fills in uid, creation time, resourceVersion and, for kinds that have one, the generation.
    pub fn create(&self, resource: &Resource, mut object: Value) -> Result<Arc<Value>, Status> {
        let mut inner = self.lock();
        let key = key(object["metadata"]["namespace"].as_str(), text(&object, "/metadata/name"));
        if inner.get(resource, &key).is_some() {
            return Err(Status::already_exists(resource, &key.1));
        }
        if !object["metadata"].is_object() {
            return Err(Status::bad_request("metadata: Required value"));
        }
        let metadata = &mut object["metadata"];
        if text(metadata, "/uid").is_empty() {
            metadata["uid"] = json!(new_uid());
        }
        metadata["creationTimestamp"] = json!(self.now());
        if let Some(metadata) = metadata.as_object_mut() {
            for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion"] {
                metadata.remove(field);
            }
            if has_generation(resource) {
                metadata.insert("generation".into(), json!(1));
            }
        }
        Ok(self.commit(&mut inner, EventKind::Added, resource, key, object))
    }

    /// Reads, changes and writes an object in one go. An unchanged object keeps its resourceVersion and nobody hears of it; a
    /// changed specification counts its generation up; a deleted object that loses its last finalizer is removed.
    pub fn update(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        change: impl FnOnce(&mut Value) -> Result<(), Status>,
    ) -> Result<Arc<Value>, Status> {
        let mut inner = self.lock();
        let key = key(namespace, name);
        let before = inner.get(resource, &key).ok_or_else(|| Status::not_found(resource, name))?;
        let mut after = Value::clone(&before);
        change(&mut after)?;
        keep_system_fields(&before, &mut after);
        if after == *before {
            return Ok(before);
        }
        if has_generation(resource) && desired_state(&before) != desired_state(&after) {
            after["metadata"]["generation"] = json!(generation(&before) + 1);
        }
        if is_finished(resource, &after) {
            return Ok(self.commit(&mut inner, EventKind::Deleted, resource, key, after));
        }
        Ok(self.commit(&mut inner, EventKind::Modified, resource, key, after))
    }

    /// Deletes an object, or marks it as deleted while finalizers, or a pod's grace period, remain. Returns its last state.
    pub fn delete(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Arc<Value>, Status> {
        let mut inner = self.lock();
        let key = key(namespace, name);
        let before = inner.get(resource, &key).ok_or_else(|| Status::not_found(resource, name))?;
        check_preconditions(resource, name, &before, options)?;
        let mut after = Value::clone(&before);
        propagate(&mut after, options.propagation);
        let grace = grace_period(resource, &before, options);
        if grace == 0 && finalizers(resource, &after) == 0 {
            return Ok(self.commit(&mut inner, EventKind::Deleted, resource, key, after));
        }
        let remaining = before.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64);
        if remaining.is_none_or(|remaining| grace < remaining) {
            after["metadata"]["deletionTimestamp"] = json!(timestamp(grace));
            after["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
            if remaining.is_none() && generation(&before) > 0 {
                after["metadata"]["generation"] = json!(generation(&before) + 1);
            }
        }
        if *resource == Resource::new("", "namespaces") {
            after["status"]["phase"] = json!("Terminating");
        }
        if after == *before {
            return Ok(before);
        }
        Ok(self.commit(&mut inner, EventKind::Modified, resource, key, after))
    }

    /// Removes a pod whose containers have ended, unless finalizers remain.
    pub fn remove(&self, resource: &Resource, namespace: Option<&str>, name: &str) {
        let mut inner = self.lock();
        let key = key(namespace, name);
        let Some(object) = inner.get(resource, &key) else { return };
        if finalizers(resource, &object) == 0 {
            self.commit(&mut inner, EventKind::Deleted, resource, key, Value::clone(&object));
        } else if object["metadata"]["deletionGracePeriodSeconds"] != json!(0) {
            let mut after = Value::clone(&object);
            after["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            self.commit(&mut inner, EventKind::Modified, resource, key, after);
        }
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.lock().revision
    }

    /// Every change after a revision, in order; 410 when the history does not reach back so far.
    pub fn events_since(&self, revision: u64) -> Result<Vec<StoreEvent>, Status> {
        let inner = self.lock();
        if revision < inner.oldest {
            let message = format!("too old resource version: {revision} ({})", inner.oldest);
            return Err(Status::expired(message));
        }
        let first = inner.events.partition_point(|event| event.revision <= revision);
        Ok(inner.events.range(first..).cloned().collect())
    }

    /// Tells of every change, by its revision.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// The time as Kubernetes writes it.
    pub fn now(&self) -> String {
        timestamp(0)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic of another holder leaves whole objects behind: each change is one insertion.
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(
        &self,
        inner: &mut Inner,
        kind: EventKind,
        resource: &Resource,
        key: Key,
        mut object: Value,
    ) -> Arc<Value> {
        let revision = inner.revision + 1;
        if self.dry_run {
            return Arc::new(object);
        }
        object["metadata"]["resourceVersion"] = json!(revision.to_string());
        let object = Arc::new(object);
        inner.revision = revision;
        let objects = inner.objects.entry(resource.clone()).or_default();
        let previous = match kind {
            EventKind::Deleted => objects.remove(&key),
            EventKind::Added | EventKind::Modified => objects.insert(key, object.clone()),
        };
        inner.events.push_back(StoreEvent {
            kind,
            resource: resource.clone(),
            object: object.clone(),
            previous,
            revision,
        });
        if inner.events.len() > HISTORY
            && let Some(forgotten) = inner.events.pop_front()
        {
            inner.oldest = forgotten.revision;
        }
        self.shared.changed.send_replace(revision);
        object
    }
}

impl Inner {
    fn get(&self, resource: &Resource, key: &Key) -> Option<Arc<Value>> {
        self.objects.get(resource).and_then(|objects| objects.get(key)).cloned()
    }
}

fn key(namespace: Option<&str>, name: &str) -> Key {
    (namespace.unwrap_or_default().into(), name.into())
}

fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0)
}

/// Whether the API server counts changes of the specification: kinds of the core group are older than that.
fn has_generation(resource: &Resource) -> bool {
    match resource.group.as_str() {
        "" => resource.plural == "replicationcontrollers",
        "rbac.authorization.k8s.io" | "storage.k8s.io" | "coordination.k8s.io" | "apiregistration.k8s.io" => false,
        "discovery.k8s.io" => true,
        _ => resource.plural != "controllerrevisions",
    }
}

/// What the user wants: everything but metadata and status.
fn desired_state(object: &Value) -> Vec<(&String, &Value)> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter(|(field, _)| !["metadata", "status", "apiVersion", "kind"].contains(&field.as_str())).collect()
}

/// Puts back what only the API server itself may change.
fn keep_system_fields(before: &Value, after: &mut Value) {
    if !after["metadata"].is_object() {
        after["metadata"] = before["metadata"].clone();
    }
    let fields = ["name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion"];
    let Some(metadata) = after["metadata"].as_object_mut() else { return };
    for field in fields.iter().chain(&["deletionTimestamp", "deletionGracePeriodSeconds", "generateName", "selfLink"]) {
        match before["metadata"].get(field) {
            Some(value) => metadata.insert((*field).into(), value.clone()),
            None => metadata.remove(*field),
        };
    }
}

fn timestamp(seconds_from_now: i64) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds_from_now);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A random UUID (version 4).
pub fn new_uid() -> String {
    let mut bytes = random_bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Random bytes from the operating system.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("every system that this program runs on has a source of randomness");
    bytes
}
