//! Reads a cluster into facts, side by side and with few requests. A read that fails is an error, never an absence.

mod details;
mod load_balancer;
mod longhorn;
mod metallb;

pub use details::{details, logs};
pub use load_balancer::load_balancer;
pub use longhorn::{longhorn, of_lab};
pub use metallb::lb_ranges;

use crate::cluster::{Cluster, Selector};
use crate::error::Result;
use crate::model::facts::Details;
use crate::model::object::is_ready;
use crate::model::object::{CANARY_LABEL, FIELD_MANAGER, LAB_LABEL, MANAGED_BY};
use crate::model::pod::time;
use crate::model::{Facts, ObjectRef};
use serde_json::Value;
use std::cmp::Reverse;

/// What is seen of one lab: nine requests while all is well. Longhorn is another matter: see [`of_lab`].
pub async fn facts(cluster: &Cluster, lab: &str, namespace: &str) -> Result<Facts> {
    let ours = Selector::labels(format!("{MANAGED_BY}={FIELD_MANAGER},{LAB_LABEL}={lab}"));
    // What an interrupted run left of a canary is no part of the lab; its next run, or a reset, removes it.
    let own_parts = Selector::labels(format!("{},!{CANARY_LABEL}", ours.labels));
    let everything = Selector::default();
    let own = ObjectRef::new("v1", "Namespace", None, namespace);
    let here = Some(namespace);
    let (nodes, storage_classes, namespace, sets, services, configs, claims, pods) = futures::try_join!(
        cluster.list("v1", "Node", None, &everything),
        cluster.list("storage.k8s.io/v1", "StorageClass", None, &everything),
        cluster.get(&own),
        cluster.list("apps/v1", "StatefulSet", here, &ours),
        cluster.list("v1", "Service", here, &ours),
        cluster.list("v1", "ConfigMap", here, &ours),
        cluster.list("v1", "PersistentVolumeClaim", here, &own_parts),
        cluster.list("v1", "Pod", here, &own_parts),
    )?;
    let (volumes, warnings) = futures::try_join!(volumes(cluster, &claims), warnings(cluster, &pods, here))?;
    Ok(Facts {
        reachable: true,
        server: cluster.server().to_string(),
        version: cluster.version().to_string(),
        nodes,
        storage_classes,
        namespace,
        objects: [sets, services, configs].concat(),
        pods,
        claims,
        volumes,
        load_balancer: None,
        warnings,
        lb_ranges: None,
        longhorn: None,
        details: Details::default(),
    })
}

/// The volumes of the claims: one list, however many there are.
async fn volumes(cluster: &Cluster, claims: &[Value]) -> Result<Vec<Value>> {
    let names: Vec<&str> = claims.iter().filter_map(|claim| claim["spec"]["volumeName"].as_str()).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut volumes = cluster.list("v1", "PersistentVolume", None, &Selector::default()).await?;
    volumes.retain(|volume| volume["metadata"]["name"].as_str().is_some_and(|name| names.contains(&name)));
    Ok(volumes)
}

/// The warnings of the namespace, newest first, when some pod is not Ready.
async fn warnings(cluster: &Cluster, pods: &[Value], namespace: Option<&str>) -> Result<Vec<Value>> {
    if pods.iter().all(is_ready) {
        return Ok(Vec::new());
    }
    let mut events = cluster.list("v1", "Event", namespace, &Selector::fields("type=Warning")).await?;
    events.sort_by_key(|event| Reverse(time(event).to_string()));
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::mock::{Answer, Asked, cluster};
    use serde_json::json;

    fn pod(ready: &str) -> Value {
        json!({ "metadata": { "name": "data-0" }, "status": { "conditions": [{ "type": "Ready", "status": ready }] } })
    }

    fn server(asked: &Asked, ready: &str) -> Answer {
        let named = |name: &str| json!({ "metadata": { "name": name } });
        match asked.path.rsplit('/').next() {
            Some("lab") => Answer::ok(json!({ "kind": "Namespace", "metadata": { "name": "lab" } })),
            Some("statefulsets") => Answer::list(vec![named("data")], "1"),
            Some("pods") => Answer::list(vec![pod(ready)], "1"),
            Some("persistentvolumeclaims") => Answer::list(vec![json!({ "spec": { "volumeName": "pv-1" } })], "1"),
            Some("persistentvolumes") => Answer::list(vec![named("pv-1"), named("of-another")], "1"),
            Some("events") => Answer::list(
                ["1", "3", "2"].map(|time| json!({ "message": time, "lastTimestamp": time })).to_vec(),
                "1",
            ),
            _ => Answer::list(vec![], "1"),
        }
    }

    #[tokio::test]
    async fn a_healthy_lab_is_read_with_nine_requests() {
        let (cluster, log) = cluster(|asked| server(asked, "True"));
        let facts = facts(&cluster, "two-pod", "lab").await.unwrap();
        assert_eq!(log.lock().unwrap().len(), 9);
        assert!(facts.reachable && facts.namespace.is_some() && facts.warnings.is_empty());
        assert_eq!(facts.volumes.len(), 1);
        let mut set = ObjectRef::new("apps/v1", "StatefulSet", None, "data");
        assert!(facts.find(&set).is_some(), "list items know their kind");
        set.api_version = "v1".into();
        assert!(facts.find(&set).is_none());
    }

    #[tokio::test]
    async fn warnings_are_read_newest_first_when_a_pod_is_not_ready() {
        let (cluster, _) = cluster(|asked| server(asked, "False"));
        let facts = facts(&cluster, "two-pod", "lab").await.unwrap();
        let order: Vec<&str> = facts.warnings.iter().filter_map(|event| event["message"].as_str()).collect();
        assert_eq!(order, ["3", "2", "1"]);
    }

    #[tokio::test]
    async fn what_may_not_be_read_is_an_error_and_not_absent() {
        let (cluster, _) = cluster(|asked| match asked.path.as_str() {
            "/apis/storage.k8s.io/v1/storageclasses" => Answer::error(403, "Forbidden", "bob cannot list"),
            _ => server(asked, "True"),
        });
        let failure = facts(&cluster, "two-pod", "lab").await.unwrap_err();
        assert_eq!(failure.message, "not allowed to list storageclasses.storage.k8s.io");
    }
}
