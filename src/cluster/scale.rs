//! Takes the pods of a StatefulSet away and brings them back, and waits until a lab is whole again.

use super::delete::say;
use super::request::{Call, MERGE};
use super::{Cluster, Progress, Selector};
use crate::error::Result;
use crate::model::ObjectRef;
use crate::model::object::{FIELD_MANAGER, LAB_LABEL, MANAGED_BY};
use futures::future::{FutureExt, LocalBoxFuture, try_join_all};
use serde_json::{Value, json};

impl Cluster {
    /// Sets the number of pods of a StatefulSet that is there. With none, it returns when they are gone and no node has a volume of
    /// their namespace attached: what is stopped then leaves nothing behind that waits for it.
    pub async fn scale(&self, set: &ObjectRef, live: &Value, replicas: u32, progress: Progress<'_>) -> Result<bool> {
        let changes = live["spec"]["replicas"].as_u64() != Some(u64::from(replicas));
        if changes {
            let path = self.resource(set).await?.object(set.namespace.as_deref(), &set.name);
            let patch = json!({ "spec": { "replicas": replicas } });
            let call = Call::patch(format!("{path}?fieldManager={FIELD_MANAGER}"), MERGE, patch);
            self.send(&call).await.map_err(|error| self.failure(&format!("scale {set}"), &error))?;
        }
        if replicas == 0 {
            self.pods_of(set, live, progress).await?;
            self.detached(set.namespace.as_deref().unwrap_or_default(), progress).await?;
        }
        Ok(changes)
    }

    /// Waits until no volume that a claim of this namespace has is attached to a node.
    async fn detached(&self, namespace: &str, progress: Progress<'_>) -> Result<()> {
        let volumes = self.list("v1", "PersistentVolume", None, &Selector::default()).await?;
        let ours = volumes.iter().filter(|volume| volume["spec"]["claimRef"]["namespace"] == namespace);
        let ours: Vec<&Value> = ours.map(|volume| &volume["metadata"]["name"]).collect();
        let resource = self.resource_of("storage.k8s.io/v1", "VolumeAttachment")?;
        let mut attachments = self.follow(resource, None, Selector::default()).await?;
        let mut said = String::new();
        loop {
            let volume = |one: &Value| one["spec"]["source"]["persistentVolumeName"].clone();
            let Some(left) = attachments.items().map(volume).find(|volume| ours.contains(&volume)) else {
                return Ok(());
            };
            say(&mut said, format!("volume {} is still attached", left.as_str().unwrap_or_default()), progress);
            attachments.changed().await?;
        }
    }

    /// Waits until whatever there is of a lab is whole: its pods Ready, its Services with addresses.
    pub(super) async fn lab_ready(&self, namespace: &str, lab: &str, progress: Progress<'_>) -> Result<String> {
        let ours = Selector::labels(format!("{MANAGED_BY}={FIELD_MANAGER},{LAB_LABEL}={lab}"));
        let (sets, services) = futures::try_join!(
            self.list("apps/v1", "StatefulSet", Some(namespace), &ours),
            self.list("v1", "Service", Some(namespace), &ours),
        )?;
        let mut waits: Vec<LocalBoxFuture<'_, Result<String>>> = Vec::new();
        for set in &sets {
            let name = ObjectRef::of(set).name;
            let count = set["spec"]["replicas"].as_u64().unwrap_or(1);
            waits.extend((0..count).map(|index| {
                let (pod, set) = (format!("{name}-{index}"), name.clone());
                async move { self.pod_ready(namespace, &pod, &set, progress).await }.boxed_local()
            }));
        }
        for service in services.iter().filter(|service| service["spec"]["type"] == "LoadBalancer") {
            let name = ObjectRef::of(service).name;
            waits.push(async move { self.address(namespace, &name, progress).await }.boxed_local());
        }
        let lines = try_join_all(waits).await?;
        Ok(if lines.is_empty() { "it is down: it has no pods".into() } else { lines.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, cluster};
    use super::*;

    fn set() -> (ObjectRef, Value) {
        let name = ObjectRef::new("apps/v1", "StatefulSet", Some("lab"), "data");
        (name, json!({ "metadata": { "uid": "s" }, "spec": { "replicas": 2 } }))
    }

    /// A cluster in which one volume of the lab and one of somebody else are attached until the first watch.
    fn server(asked: &Asked) -> Answer {
        let volume = |name: &str, namespace: &str| json!({ "metadata": { "name": name }, "spec": { "claimRef": { "namespace": namespace } } });
        let attached = |name: &str| json!({ "metadata": { "name": format!("at-{name}") }, "spec": { "source": { "persistentVolumeName": name } } });
        match asked.path.rsplit('/').next() {
            _ if asked.method == "PATCH" => Answer::ok(json!({})),
            Some("persistentvolumes") => Answer::list(vec![volume("ours", "lab"), volume("theirs", "other")], "1"),
            Some("volumeattachments") => Answer::list(vec![attached("theirs")], "1"),
            _ => Answer::list(vec![], "1"),
        }
    }

    #[tokio::test]
    async fn pods_go_and_only_volumes_of_the_lab_count() {
        let (cluster, log) = cluster(server);
        let (name, live) = set();
        assert!(cluster.scale(&name, &live, 0, &|_| {}).await.unwrap());
        let log = log.lock().unwrap();
        let patch = log.iter().find(|asked| asked.method == "PATCH").unwrap();
        assert_eq!(patch.body, json!({ "spec": { "replicas": 0 } }));
    }

    #[tokio::test]
    async fn what_is_as_wished_is_left_alone() {
        let (cluster, log) = cluster(server);
        let (name, live) = set();
        assert!(!cluster.scale(&name, &live, 2, &|_| {}).await.unwrap());
        assert!(log.lock().unwrap().iter().all(|asked| asked.method == "GET"));
    }

    #[tokio::test]
    async fn a_lab_without_pods_is_whole() {
        let (cluster, _) = cluster(server);
        assert_eq!(cluster.lab_ready("lab", "two-pod", &|_| {}).await.unwrap(), "it is down: it has no pods");
    }
}
