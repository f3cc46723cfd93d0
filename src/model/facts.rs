//! Observed state of a cluster, read-only. What could not be read is an error, never an absence.

use super::diff::differs;
use super::longhorn::LonghornFacts;
use super::object::ObjectRef;
use serde::Serialize;
use serde_json::Value;

/// What was seen of one cluster and of one lab on it. Objects are kept whole, as the API server gave them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Whether there is a cluster to look at (the embedded one may not run yet).
    pub reachable: bool,
    /// The API server's URL.
    pub server: String,
    /// The server's version, such as `v1.20.2`.
    pub version: String,
    /// Nodes.
    pub nodes: Vec<Value>,
    /// Storage classes.
    pub storage_classes: Vec<Value>,
    /// The lab's namespace, whoever made it.
    pub namespace: Option<Value>,
    /// Every object in the lab's namespace, or cluster-wide, that carries the lab's label, of the kinds that `up` makes.
    pub objects: Vec<Value>,
    /// Pods of the lab.
    pub pods: Vec<Value>,
    /// Claims of the lab.
    pub claims: Vec<Value>,
    /// Volumes bound to the lab's claims.
    pub volumes: Vec<Value>,
    /// Ranges of addresses that a load balancer of the cluster gives out of; none while nobody looked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lb_ranges: Option<Vec<String>>,
    /// Warnings among the events of the lab's namespace, newest first.
    pub warnings: Vec<Value>,
    /// Longhorn; none when nothing of it is there, or the lab has nothing to do with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longhorn: Option<LonghornFacts>,
}

impl Facts {
    /// Whether every one of these objects was seen as it should be.
    pub fn show(&self, objects: &[Value]) -> bool {
        objects.iter().all(|object| {
            self.find(&ObjectRef::of(object))
                .is_some_and(|live| live["metadata"]["deletionTimestamp"].is_null() && !differs(live, object))
        })
    }

    /// The object with this name, if it was seen.
    pub fn find(&self, wanted: &ObjectRef) -> Option<&Value> {
        let longhorn =
            self.longhorn.iter().flat_map(|seen| seen.workloads.iter().chain(&seen.definitions).chain(&seen.namespace));
        self.objects.iter().chain(&self.namespace).chain(longhorn).find(|object| {
            let seen = ObjectRef::of(object);
            seen.kind == wanted.kind
                && seen.name == wanted.name
                && seen.namespace == wanted.namespace
                && seen.group() == wanted.group()
        })
    }
}
