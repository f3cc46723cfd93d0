//! Events as users see them with `kubectl describe`: the same message about the same object is counted, not written again.

use super::object::{core, int, name, namespace, uid};
use crate::sim::store::Store;
use serde_json::{Value, json};
use std::collections::HashMap;

/// After so many kinds of events the oldest knowledge is dropped; then a repeated event is written anew.
const REMEMBERED: usize = 4096;

/// Who reports an event.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The controller.
    pub component: &'a str,
    /// The node, when it is a kubelet.
    pub host: Option<&'a str>,
}

impl<'a> Source<'a> {
    /// A controller of the control plane.
    pub const fn new(component: &'a str) -> Self {
        Source { component, host: None }
    }

    /// The kubelet of a node.
    pub const fn kubelet(node: &'a str) -> Self {
        Source { component: "kubelet", host: Some(node) }
    }
}

/// Which event object counts which message.
#[derive(Default)]
pub struct Events {
    names: HashMap<String, String>,
    last: i128,
}

impl Events {
    /// Writes an event, or counts one up: `what` is its type, reason and message.
    pub fn report(&mut self, store: &Store, source: Source, about: &Value, what: (&str, &str, &str)) {
        let (kind, reason, message) = what;
        let key = format!("{}\0{}\0{reason}\0{message}", uid(about), source.component);
        let home = namespace(about).unwrap_or("default");
        let events = core("events");
        if let Some(known) = self.names.get(&key) {
            let counted = store.update(&events, Some(home), known, |event| {
                event["count"] = json!(int(event, "/count").unwrap_or(1) + 1);
                event["lastTimestamp"] = json!(store.now());
                Ok(())
            });
            if counted.is_ok() {
                return;
            }
        }
        // Named by their time, events are listed in their order.
        self.last = jiff::Timestamp::now().as_nanosecond().max(self.last + 1);
        let event_name = format!("{}.{:x}", name(about), self.last);
        let made = store.create(&events, new_event(store, source, about, (kind, reason, message), &event_name));
        if made.is_ok() {
            if self.names.len() >= REMEMBERED {
                self.names.clear();
            }
            self.names.insert(key, event_name);
        }
    }
}

fn new_event(store: &Store, source: Source, about: &Value, what: (&str, &str, &str), event_name: &str) -> Value {
    let now = store.now();
    let mut origin = json!({"component": source.component});
    if let Some(host) = source.host {
        origin["host"] = json!(host);
    }
    let mut involved = json!({"apiVersion": about["apiVersion"], "kind": about["kind"]});
    for field in ["namespace", "name", "uid", "resourceVersion"] {
        if let Some(value) = about["metadata"].get(field) {
            involved[field] = value.clone();
        }
    }
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": event_name, "namespace": namespace(about).unwrap_or("default")},
        "involvedObject": involved, "reason": what.1, "message": what.2, "type": what.0, "count": 1,
        "firstTimestamp": now, "lastTimestamp": now, "eventTime": null, "source": origin,
        "reportingComponent": "", "reportingInstance": "",
    })
}
