//! Ends a namespace by its `finalize` subresource, after a look of our own that nothing is left in it.

use super::Cluster;
use super::request::Call;
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use serde_json::Value;

/// The finalizer that Kubernetes puts into every namespace.
const KUBERNETES: &str = "kubernetes";

impl Cluster {
    /// Ends a namespace that is being deleted and has nothing in it. Returns whether there was something to do.
    pub async fn finalize(&self, namespace: &str) -> Result<bool> {
        let name = ObjectRef::new("v1", "Namespace", None, namespace);
        let refused =
            |why: String| Failure::step(format!("the namespace {namespace} is not ended by force")).cause(why);
        let Some(mut live) = self.get(&name).await? else { return Ok(false) };
        if live["metadata"]["deletionTimestamp"].is_null() {
            return Err(refused("it is not being deleted".into()));
        }
        let (left, _) = self.contents(namespace).await?;
        if !left.is_empty() {
            let some: Vec<String> = left.iter().take(5).map(|left| left.object.to_string()).collect();
            return Err(refused(format!("{} objects are left in it: {}", left.len(), some.join(", ")))
                .hint("free them first: the same command with --dry-run shows what holds them"));
        }
        if let Some(Value::Array(finalizers)) = live.pointer_mut("/spec/finalizers") {
            finalizers.retain(|one| one != KUBERNETES);
        }
        live["apiVersion"] = "v1".into();
        live["kind"] = "Namespace".into();
        match self.send(&Call::put(format!("/api/v1/namespaces/{namespace}/finalize"), live)).await {
            Err(error) if error.code() != Some(404) => {
                Err(self.failure(&format!("finalize the namespace {namespace}"), &error))
            }
            _ => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, Log, cluster};
    use super::*;
    use serde_json::json;

    fn server(asked: &Asked, deleting: bool, pods: Vec<Value>) -> Answer {
        let stamp = if deleting { json!("2026-01-01T00:00:00Z") } else { Value::Null };
        match asked.path.as_str() {
            "/apis" => Answer::ok(json!({ "groups": [] })),
            "/api/v1" => Answer::ok(json!({ "resources": [{ "name": "pods", "kind": "Pod", "namespaced": true,
                "verbs": ["list"] }, { "name": "nodes", "kind": "Node", "namespaced": false, "verbs": ["list"] }] })),
            "/api/v1/namespaces/x" => Answer::ok(json!({ "metadata": { "name": "x", "resourceVersion": "4",
                "deletionTimestamp": stamp }, "spec": { "finalizers": ["kubernetes", "other"] } })),
            "/api/v1/namespaces/x/pods" => Answer::list(pods, "1"),
            "/api/v1/namespaces/x/finalize" => Answer::ok(json!({})),
            _ => Answer::missing(),
        }
    }

    fn puts(log: &Log) -> Vec<Value> {
        log.lock().unwrap().iter().filter(|asked| asked.method == "PUT").map(|asked| asked.body.clone()).collect()
    }

    #[tokio::test]
    async fn an_empty_terminating_namespace_loses_kubernetes_own_finalizer() {
        let (cluster, log) = cluster(|asked| server(asked, true, vec![]));
        assert!(cluster.finalize("x").await.unwrap());
        assert_eq!(puts(&log)[0]["spec"]["finalizers"], json!(["other"]));
        assert_eq!(puts(&log)[0]["metadata"]["resourceVersion"], "4");
    }

    #[tokio::test]
    async fn nothing_is_forced_while_something_is_left_or_nobody_deleted_it() {
        let pod = json!({ "metadata": { "name": "p", "namespace": "x" } });
        let (full, log) = cluster(move |asked| server(asked, true, vec![pod.clone()]));
        let failure = full.finalize("x").await.unwrap_err();
        assert_eq!(failure.causes, ["1 objects are left in it: Pod x/p"]);
        assert!(puts(&log).is_empty());
        let (alive, log) = cluster(|asked| server(asked, false, vec![]));
        assert_eq!(alive.finalize("x").await.unwrap_err().causes, ["it is not being deleted"]);
        assert!(puts(&log).is_empty());
    }

    #[tokio::test]
    async fn a_namespace_that_is_gone_is_fine() {
        let (cluster, _) = cluster(|_| Answer::missing());
        assert!(!cluster.finalize("x").await.unwrap());
    }
}
