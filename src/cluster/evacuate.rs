//! Takes the pods out of a namespace that is about to end.
//!
//! Kubernetes' namespace controller looks again at a namespace with stopping pods only after half of their grace period, and the
//! pods of a dead node never stop by themselves. A namespace without pods ends at its next look.

use super::delete::say;
use super::request::Call;
use super::{Cluster, Progress, Selector};
use crate::error::Result;
use crate::model::object::is_leaving;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Kinds that would make pods again.
const OWNERS: &[&str] = &["daemonsets", "deployments", "replicasets", "statefulsets"];
/// How long the kubelets have to stop them.
const PATIENCE: Duration = Duration::from_secs(5);

impl Cluster {
    /// Stops everything that runs in a namespace: its kubelets get a moment for it, then the pods are let go. Only for pods that
    /// have nothing to save any more. What a controller makes while it is being stopped itself is stopped, too. Returns how many pods
    /// there were.
    pub async fn evacuate(&self, namespace: &str, progress: Progress<'_>) -> Result<usize> {
        self.stop(namespace, 1).await?;
        let mut pods = self.follow(self.resource_of("v1", "Pod")?, Some(namespace), Selector::default()).await?;
        let (mut stopped, mut said) = (HashSet::new(), String::new());
        let mut patience = Some(Instant::now() + PATIENCE);
        loop {
            let here: HashSet<String> = pods.items().map(uid).collect();
            let later = pods.items().any(|pod| !stopped.contains(&uid(pod)) && !is_leaving(pod));
            stopped.extend(here.iter().cloned());
            if later {
                self.stop(namespace, 1).await?;
                patience = Some(Instant::now() + PATIENCE);
            }
            match here.len() {
                0 => return Ok(stopped.len()),
                1 => say(&mut said, "1 pod stops".into(), progress),
                count => say(&mut said, format!("{count} pods stop"), progress),
            }
            match patience {
                None => pods.changed().await?,
                Some(end) => match timeout_at(end, pods.changed()).await {
                    Ok(changed) => changed?,
                    Err(_) => {
                        self.stop(namespace, 0).await?;
                        patience = None;
                    }
                },
            }
        }
    }

    /// Deletes what would make pods again, and then all pods, which have these seconds to stop.
    async fn stop(&self, namespace: &str, seconds: u64) -> Result<()> {
        let background = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background" });
        for kind in OWNERS {
            self.delete_all(format!("/apis/apps/v1/namespaces/{namespace}/{kind}"), &background).await?;
        }
        let within = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": seconds });
        self.delete_all(format!("/api/v1/namespaces/{namespace}/pods"), &within).await
    }

    async fn delete_all(&self, path: String, options: &Value) -> Result<()> {
        match self.send(&Call::delete(&path, options.clone())).await {
            Err(error) if error.code() != Some(404) => Err(self.failure(&format!("delete {path}"), &error)),
            _ => Ok(()),
        }
    }
}

fn uid(pod: &Value) -> String {
    pod["metadata"]["uid"].as_str().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster, event, quiet};
    use super::*;

    const PODS: &str = "/api/v1/namespaces/ls/pods";

    fn pod(name: &str, leaving: bool) -> Value {
        let stamp = if leaving { json!("2026-01-01T00:00:00Z") } else { Value::Null };
        json!({ "metadata": { "name": name, "namespace": "ls", "uid": name, "deletionTimestamp": stamp } })
    }

    /// What a manager makes in the second that it has to stop would run on for ever: nobody has deleted it.
    #[tokio::test]
    async fn what_is_made_while_others_stop_is_stopped_too() {
        let (cluster, log) = cluster(|asked| match (asked.method.as_str(), asked.path.as_str(), asked.watches()) {
            ("DELETE", ..) => Answer::ok(json!({})),
            (_, PODS, false) => Answer::list(vec![pod("manager", true)], "1"),
            (_, PODS, true) if asked.before == 0 => {
                Answer::Cut(event("ADDED", &pod("late", false)) + &event("DELETED", &pod("manager", true)))
            }
            (_, PODS, true) => Answer::Open(event("DELETED", &pod("late", true))),
            _ => Answer::missing(),
        });
        assert_eq!(cluster.evacuate("ls", &quiet).await.unwrap(), 2);
        let log = log.lock().unwrap();
        let deleted = |path: &str| log.iter().filter(|asked| asked.is("DELETE", path)).count();
        assert_eq!(deleted(PODS), 2);
        assert_eq!(deleted("/apis/apps/v1/namespaces/ls/daemonsets"), 2, "it may have made an owner of pods, too");
    }
}
