//! Reads all that there is, kind by kind: to be given to somebody who cannot look at the cluster.

use super::Cluster;
use super::discovery::Resource;
use super::kinds::AT_ONCE;
use super::read::Selector;
use crate::error::Result;
use futures::stream::{self, StreamExt};
use serde_json::Value;

/// Kinds without a namespace that say what a lab stands on: apiVersion and kind.
const GROUND: &[(&str, &str)] = &[
    ("v1", "Namespace"),
    ("v1", "Node"),
    ("v1", "PersistentVolume"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("storage.k8s.io/v1", "VolumeAttachment"),
    ("storage.k8s.io/v1", "CSIDriver"),
    ("storage.k8s.io/v1", "CSINode"),
];

/// The objects of one kind, or why they cannot be read.
pub struct Dumped {
    /// Such as `pods`, `volumes.longhorn.io`.
    pub kind: String,
    /// All of them.
    pub objects: Result<Vec<Value>>,
}

impl Cluster {
    /// All objects of a namespace, events included. Kinds of which there are none are left out.
    pub async fn dump(&self, namespace: &str) -> Result<Vec<Dumped>> {
        let mut resources = self.listable().await?.resources;
        resources.retain(|resource| resource.namespaced);
        resources.push(self.resource_of("v1", "Event")?);
        Ok(self.dump_kinds(resources, Some(namespace)).await)
    }

    /// What a lab stands on: nodes, volumes, storage classes and drivers of the whole cluster.
    pub async fn dump_ground(&self) -> Result<Vec<Dumped>> {
        let resources = GROUND.iter().map(|(version, kind)| self.resource_of(version, kind)).collect::<Result<_>>()?;
        Ok(self.dump_kinds(resources, None).await)
    }

    async fn dump_kinds(&self, resources: Vec<Resource>, namespace: Option<&str>) -> Vec<Dumped> {
        let reads = resources.into_iter().map(|resource| async move {
            let answer = self.list_served(&resource, namespace, &Selector::default()).await;
            let objects = answer.map(|answer| answer.map(|(_, items)| items).unwrap_or_default());
            Dumped { kind: resource.full_name(), objects }
        });
        let mut all: Vec<Dumped> = stream::iter(reads.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
        all.retain(|dumped| !dumped.objects.as_ref().is_ok_and(Vec::is_empty));
        all
    }
}
