//! One pod on its node, and what its kubelet reports about it.

use crate::sim::controllers::object::{name, uid};
use crate::sim::controllers::world::{Source, World};
use serde_json::Value;

/// One pod on its node, as its kubelet sees it.
pub struct At<'a> {
    /// The cluster.
    pub world: &'a World,
    /// The node.
    pub node: &'a Value,
    /// The pod.
    pub pod: &'a Value,
}

impl<'a> At<'a> {
    /// Who reports.
    pub fn source(&self) -> Source<'a> {
        Source::kubelet(name(self.node))
    }

    /// The name of a timer of one container.
    pub fn key(&self, what: &str, container: &str) -> String {
        format!("{what}/{}/{container}", uid(self.pod))
    }

    /// Reports that something is wrong with the pod.
    pub fn warning(&self, reason: &str, message: &str) {
        self.world.warning(self.source(), self.pod, reason, message);
    }

    /// Reports a step of the pod.
    pub fn normal(&self, reason: &str, message: &str) {
        self.world.normal(self.source(), self.pod, reason, message);
    }
}
