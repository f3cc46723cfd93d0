//! One right that a plan needs in the cluster.

use serde::Serialize;
use std::fmt;

/// A verb on a resource, in a namespace or cluster-wide.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Access {
    /// `create`.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// `statefulsets`.
    pub resource: String,
    /// Namespace; none for cluster-wide.
    pub namespace: Option<String>,
}

impl fmt::Display for Access {
    /// `create statefulsets.apps in the namespace iris-lab`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in the namespace {namespace}"),
            None => f.write_str(" in the whole cluster"),
        }
    }
}
