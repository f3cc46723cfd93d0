//! Lets go of pods that have ended and stay only because nobody can unmount their volumes any more.

use super::delete::say;
use super::request::Call;
use super::{Cluster, Progress, Selector};
use crate::error::Result;
use crate::model::ObjectRef;
use serde_json::{Value, json};
use std::collections::HashSet;

impl Cluster {
    /// Removes each pod that the selector picks as soon as it is being deleted and all its containers have ended, without waiting
    /// for its kubelet, and returns when none is left. A pod that still runs is left to its kubelet. Returns how many it removed.
    pub async fn reap(&self, namespace: &str, selector: Selector, progress: Progress<'_>) -> Result<usize> {
        let resource = self.resource_of("v1", "Pod")?;
        let mut pods = self.follow(resource.clone(), Some(namespace), selector).await?;
        let (mut reaped, mut tried, mut said) = (0, HashSet::new(), String::new());
        loop {
            for pod in pods.items().filter(|pod| has_ended(pod)) {
                let uid = &pod["metadata"]["uid"];
                if !tried.insert(uid.to_string()) {
                    continue;
                }
                let name = ObjectRef::of(pod).name;
                let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
                    "preconditions": { "uid": uid } });
                match self.send(&Call::delete(resource.object(Some(namespace), &name), options)).await {
                    Ok(_) => reaped += 1,
                    // It went by itself, or it is another one by now.
                    Err(error) if matches!(error.code(), Some(404 | 409)) => {}
                    Err(error) => return Err(self.failure(&format!("remove the pod {name}"), &error)),
                }
            }
            let left: Vec<String> = pods.items().map(|pod| ObjectRef::of(pod).name).collect();
            if left.is_empty() {
                return Ok(reaped);
            }
            say(&mut said, format!("waiting for the end of {}", left.join(", ")), progress);
            pods.changed().await?;
        }
    }
}

/// Whether a pod is being deleted and none of its containers runs.
fn has_ended(pod: &Value) -> bool {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let ended =
        statuses.is_some_and(|all| !all.is_empty() && all.iter().all(|one| one["state"]["terminated"].is_object()));
    ended && pod["metadata"]["deletionTimestamp"].is_string()
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster, event, quiet};
    use super::*;

    const PODS: &str = "/api/v1/namespaces/lab/pods";

    fn pod(name: &str, deleting: bool, state: &str) -> Value {
        let stamp = if deleting { json!("2026-01-01T00:00:00Z") } else { Value::Null };
        json!({ "metadata": { "name": name, "namespace": "lab", "uid": name, "deletionTimestamp": stamp },
            "status": { "containerStatuses": [{ "state": { state: {} } }] } })
    }

    #[tokio::test]
    async fn only_what_is_deleted_and_has_ended_is_let_go() {
        let (cluster, log) = cluster(|asked| {
            let events = ["held", "runs", "stays"].map(|name| event("DELETED", &pod(name, true, "terminated")));
            match (asked.method.as_str(), asked.watches()) {
                ("DELETE", _) => Answer::ok(json!({})),
                (_, true) => Answer::Open(events.concat()),
                _ => Answer::list(
                    vec![
                        pod("held", true, "terminated"),
                        pod("runs", true, "running"),
                        pod("stays", false, "terminated"),
                    ],
                    "1",
                ),
            }
        });
        assert_eq!(cluster.reap("lab", Selector::default(), &quiet).await.unwrap(), 1);
        let log = log.lock().unwrap();
        let deletes: Vec<_> = log.iter().filter(|asked| asked.method == "DELETE").collect();
        assert_eq!(deletes.len(), 1);
        assert_eq!(deletes[0].path, format!("{PODS}/held"));
        assert_eq!(deletes[0].body["gracePeriodSeconds"], 0);
        assert_eq!(deletes[0].body["preconditions"]["uid"], "held");
    }
}
