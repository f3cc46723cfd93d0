//! Tells when anything changed that a status shows.

use super::Cluster;
use super::Selector;
use super::watch::Follow;
use crate::error::Result;
use crate::model::ObjectRef;
use futures::FutureExt;
use futures::future::{select_all, try_join_all};

/// Kinds that a status shows, and whether they live in the lab's namespace.
const SHOWN: [(&str, &str, bool); 5] = [
    ("v1", "Pod", true),
    ("v1", "Service", true),
    ("v1", "PersistentVolumeClaim", true),
    ("apps/v1", "StatefulSet", true),
    ("v1", "Node", false),
];

/// A live view of what a status shows.
pub struct Changes(Vec<Follow>);

impl Cluster {
    /// Begins to follow what a status shows.
    pub async fn changes(&self, namespace: &str) -> Result<Changes> {
        let follows = SHOWN.iter().map(|(version, kind, namespaced)| async move {
            let namespace = namespaced.then_some(namespace);
            let resource = self.resource(&ObjectRef::new(version, kind, namespace, "")).await?;
            self.follow(resource, namespace, Selector::default()).await
        });
        try_join_all(follows).await.map(Changes)
    }
}

impl Changes {
    /// Returns after the next change.
    pub async fn next(&mut self) -> Result<()> {
        select_all(self.0.iter_mut().map(|follow| follow.changed().boxed_local())).await.0
    }
}
