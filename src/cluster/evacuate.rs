//! Takes the pods out of a namespace before the namespace itself is deleted.
//!
//! Kubernetes' namespace controller looks at a namespace in which pods take their time to stop only again after half of their grace
//! period. A namespace without pods ends at its first look.

use super::delete::say;
use super::request::Call;
use super::{Cluster, Progress, Selector};
use crate::error::Result;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// Kinds that would make pods again.
const OWNERS: &[&str] = &["daemonsets", "deployments", "replicasets", "statefulsets"];
/// How long it waits for pods: those of a dead node never stop, and the namespace takes them along.
const PATIENCE: Duration = Duration::from_secs(20);

impl Cluster {
    /// Deletes what is going to be deleted with the namespace anyway, pods first, and waits a while until no pod is left. What may
    /// not or cannot be deleted here is left to the namespace's own end.
    pub(super) async fn evacuate(&self, namespace: &str, progress: Progress<'_>) -> Result<()> {
        let owners = OWNERS.iter().map(|kind| format!("/apis/apps/v1/namespaces/{namespace}/{kind}"));
        for path in owners.chain([format!("/api/v1/namespaces/{namespace}/pods")]) {
            let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background" });
            if self.send(&Call::delete(path, options)).await.is_err() {
                return Ok(());
            }
        }
        // As above: that some are left is no failure.
        let _ = timeout(PATIENCE, self.no_pods(namespace, progress)).await;
        Ok(())
    }

    async fn no_pods(&self, namespace: &str, progress: Progress<'_>) -> Result<()> {
        let mut pods = self.follow(self.resource_of("v1", "Pod")?, Some(namespace), Selector::default()).await?;
        let mut said = String::new();
        loop {
            match pods.items().count() {
                0 => return Ok(()),
                1 => say(&mut said, format!("1 pod of {namespace} stops"), progress),
                count => say(&mut said, format!("{count} pods of {namespace} stop"), progress),
            }
            pods.changed().await?;
        }
    }
}
