//! Takes the pods out of a namespace that is about to end.
//!
//! Kubernetes' namespace controller looks again at a namespace with stopping pods only after half of their grace period, and the
//! pods of a dead node never stop by themselves. A namespace without pods ends at its next look.

use super::delete::say;
use super::request::Call;
use super::{Cluster, Progress, Selector};
use crate::error::Result;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Kinds that would make pods again.
const OWNERS: &[&str] = &["daemonsets", "deployments", "replicasets", "statefulsets"];
/// How long the kubelets have to stop them.
const PATIENCE: Duration = Duration::from_secs(5);

impl Cluster {
    /// Stops everything that runs in a namespace: its kubelets get a moment for it, then the pods are let go. Only for pods that
    /// have nothing to save any more. Returns how many pods there were.
    pub async fn evacuate(&self, namespace: &str, progress: Progress<'_>) -> Result<usize> {
        let background = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background" });
        for kind in OWNERS {
            self.delete_all(format!("/apis/apps/v1/namespaces/{namespace}/{kind}"), &background).await?;
        }
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let count = self.list("v1", "Pod", Some(namespace), &Selector::default()).await?.len();
        let within =
            |seconds: u64| json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": seconds });
        self.delete_all(pods.clone(), &within(1)).await?;
        if timeout(PATIENCE, self.no_pods(namespace, progress)).await.is_err() {
            self.delete_all(pods, &within(0)).await?;
            self.no_pods(namespace, progress).await?;
        }
        Ok(count)
    }

    async fn delete_all(&self, path: String, options: &Value) -> Result<()> {
        match self.send(&Call::delete(&path, options.clone())).await {
            Err(error) if error.code() != Some(404) => Err(self.failure(&format!("delete {path}"), &error)),
            _ => Ok(()),
        }
    }

    async fn no_pods(&self, namespace: &str, progress: Progress<'_>) -> Result<()> {
        let mut pods = self.follow(self.resource_of("v1", "Pod")?, Some(namespace), Selector::default()).await?;
        let mut said = String::new();
        loop {
            match pods.items().count() {
                0 => return Ok(()),
                1 => say(&mut said, "1 pod stops".into(), progress),
                count => say(&mut said, format!("{count} pods stop"), progress),
            }
            pods.changed().await?;
        }
    }
}
