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
    /// Who gives addresses to Services of type LoadBalancer, for people; none where nobody was seen, or looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<String>,
    /// Ranges of addresses that a load balancer of the cluster gives out of; none while nobody looked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lb_ranges: Option<Vec<String>>,
    /// Warnings among the events of the lab's namespace, newest first.
    pub warnings: Vec<Value>,
    /// Longhorn; none when nothing of it is there, or the lab has nothing to do with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longhorn: Option<LonghornFacts>,
    /// What only an explanation looks at.
    #[serde(skip_serializing_if = "Details::is_empty")]
    pub details: Details,
}

/// What is looked at to explain what is wrong, beyond what a status needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// Logs of the lab's containers, the ends of long ones.
    pub logs: Vec<Log>,
    /// The addresses that Services of the whole cluster have; none while nobody looked for them.
    pub addresses: Option<Vec<String>>,
    /// What is in the way of Longhorn, in words; nothing while it is usable.
    pub longhorn: Vec<String>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}

impl Details {
    fn is_empty(&self) -> bool {
        *self == Details::default()
    }
}

/// The log of a container, or of its run before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// Whether it is of the run before this one.
    pub previous: bool,
    /// What was printed.
    pub text: String,
}

impl Log {
    /// For people: `log of data-0/iris`.
    pub fn source(&self) -> String {
        let run = if self.previous { ", the run before" } else { "" };
        format!("log of {}/{}{run}", self.pod, self.container)
    }
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
