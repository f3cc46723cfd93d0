//! Deletes objects and waits, by watch, until they and what depends on them are really gone.

use super::discovery::Resource;
use super::holds::{holder, users};
use super::request::Call;
use super::{Cluster, Progress, Selector, watch::Follow};
use crate::error::Result;
use crate::model::ObjectRef;
use futures::future::try_join_all;
use serde_json::{Value, json};

impl Cluster {
    /// Deletes objects, all at once, and returns when each is gone: the pods of a StatefulSet or Job and the volumes of a claim too,
    /// unless they are to be kept. What is not there is fine. Returns how many were there.
    pub async fn delete(&self, objects: &[ObjectRef], progress: Progress<'_>) -> Result<usize> {
        let done = try_join_all(objects.iter().map(|object| self.delete_one(object, progress))).await?;
        Ok(done.into_iter().filter(|was_there| *was_there).count())
    }

    async fn delete_one(&self, name: &ObjectRef, progress: Progress<'_>) -> Result<bool> {
        let Some(resource) = self.known(name).await? else { return Ok(false) };
        let path = resource.object(name.namespace.as_deref(), &name.name);
        let failed = |error| self.failure(&format!("delete {name}"), &error);
        let Some(live) = self.find(&Call::get(&path)).await.map_err(failed)? else { return Ok(false) };
        if live["metadata"]["deletionTimestamp"].is_null() {
            let uid = &live["metadata"]["uid"];
            let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1",
                "propagationPolicy": "Background", "preconditions": { "uid": uid } });
            match self.send(&Call::delete(&path, options)).await {
                // Conflict: it is another object by now, which nobody asked to delete.
                Err(error) if !matches!(error.code(), Some(404 | 409)) => return Err(failed(error)),
                _ => {}
            }
        }
        self.vanish(name, &resource, &live, progress).await?;
        match name.kind.as_str() {
            "StatefulSet" | "Job" => self.pods_of(name, &live, progress).await?,
            "PersistentVolumeClaim" => match live["spec"]["volumeName"].as_str() {
                Some(volume) if !volume.is_empty() => {
                    let uid = live["metadata"]["uid"].clone();
                    let selector = Selector::fields(format!("metadata.name={volume}"));
                    self.volumes_of(name, selector, |claim| claim["uid"] == uid, progress).await?;
                }
                _ => {}
            },
            "Namespace" => {
                self.volumes_of(name, Selector::default(), |claim| claim["namespace"] == *name.name, progress).await?;
            }
            _ => {}
        }
        Ok(true)
    }

    /// Waits until this very object is gone; one of the same name with another uid is not it.
    async fn vanish(&self, name: &ObjectRef, resource: &Resource, live: &Value, progress: Progress<'_>) -> Result<()> {
        let selector = Selector::fields(format!("metadata.name={}", name.name));
        let mut object = self.follow(resource.clone(), name.namespace.as_deref(), selector).await?;
        let mut said = String::new();
        while let Some(left) = object.only().filter(|left| left["metadata"]["uid"] == live["metadata"]["uid"]) {
            let pods = match name.kind.as_str() {
                "PersistentVolumeClaim" => {
                    let pods = self.list("v1", "Pod", name.namespace.as_deref(), &Selector::default()).await?;
                    users(&name.name, pods.iter())
                }
                _ => Vec::new(),
            };
            say(&mut said, format!("{name} is not gone yet: {}", holder(left, &pods)), progress);
            object.changed().await?;
        }
        Ok(())
    }

    /// Waits until the pods that a StatefulSet or Job owned are gone.
    pub(super) async fn pods_of(&self, name: &ObjectRef, set: &Value, progress: Progress<'_>) -> Result<()> {
        let labels = set["spec"]["selector"]["matchLabels"].as_object();
        let pairs = labels.into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
        let selector = Selector::labels(pairs.collect::<Vec<_>>().join(","));
        let resource = self.resource_of("v1", "Pod")?;
        let mut pods = self.follow(resource, name.namespace.as_deref(), selector).await?;
        let mut said = String::new();
        while let Some(line) = left(&pods, &set["metadata"]["uid"]) {
            say(&mut said, line, progress);
            pods.changed().await?;
        }
        Ok(())
    }

    /// Waits until the volumes of deleted claims are gone, where they go with their claims.
    async fn volumes_of(
        &self,
        name: &ObjectRef,
        selector: Selector,
        claimed: impl Fn(&Value) -> bool + Send,
        progress: Progress<'_>,
    ) -> Result<()> {
        let resource = self.resource_of("v1", "PersistentVolume")?;
        let mut volumes = self.follow(resource, None, selector).await?;
        let mut said = String::new();
        let goes = |volume: &&Value| {
            volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete" && claimed(&volume["spec"]["claimRef"])
        };
        loop {
            let Some(left) = volumes.items().find(&goes) else { return Ok(()) };
            let volume = ObjectRef::of(left).name;
            let line = format!("PersistentVolume {volume} of {name} is not gone yet: {}", holder(left, &[]));
            say(&mut said, line, progress);
            volumes.changed().await?;
        }
    }
}

/// The pods of an owner that are still there, in a line.
fn left(pods: &Follow, owner: &Value) -> Option<String> {
    let owned = |pod: &&Value| {
        let owners = pod["metadata"]["ownerReferences"].as_array();
        owners.is_some_and(|owners| owners.iter().any(|reference| &reference["uid"] == owner))
    };
    let texts = pods
        .items()
        .filter(owned)
        .map(|pod| format!("Pod {}: {}", pod["metadata"]["name"].as_str().unwrap_or_default(), holder(pod, &[])));
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| format!("not gone yet: {}", texts.join("; ")))
}

/// Says a line once.
pub(super) fn say(said: &mut String, line: String, progress: Progress<'_>) {
    if *said != line {
        progress(line.clone());
        *said = line;
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster, event};
    use super::*;
    use std::sync::Mutex;

    const CLAIM: &str = "/api/v1/namespaces/lab/persistentvolumeclaims/dbv";

    fn claim(uid: &str) -> Value {
        json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": { "volumeName": "pv" },
            "metadata": { "name": "dbv", "namespace": "lab", "uid": uid, "resourceVersion": "3",
                "finalizers": ["kubernetes.io/pvc-protection"] } })
    }

    fn volume(phase: &str) -> Value {
        json!({ "metadata": { "name": "pv", "uid": "v" }, "status": { "phase": phase },
            "spec": { "persistentVolumeReclaimPolicy": "Delete", "claimRef": { "uid": "u", "namespace": "lab" } } })
    }

    fn name() -> ObjectRef {
        ObjectRef::of(&claim("u"))
    }

    #[tokio::test]
    async fn what_is_not_there_is_no_trouble() {
        let (cluster, log) = cluster(|_| Answer::missing());
        assert_eq!(cluster.delete(&[name()], &|_| {}).await.unwrap(), 0);
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_claim_is_gone_when_its_volume_is_and_progress_says_what_holds_them() {
        let pod = json!({ "metadata": { "name": "data-0" }, "status": { "phase": "Running" },
            "spec": { "volumes": [{ "persistentVolumeClaim": { "claimName": "dbv" } }] } });
        let (cluster, _) = cluster(move |asked| match (asked.path.rsplit('/').next(), asked.watches()) {
            (Some("dbv"), _) if asked.is("DELETE", CLAIM) && asked.before == 0 => Answer::Lost,
            (Some("dbv"), _) => Answer::ok(claim("u")),
            (Some("pods"), _) => Answer::list(vec![pod.clone()], "3"),
            (Some("persistentvolumeclaims"), false) => Answer::list(vec![claim("u")], "3"),
            (Some("persistentvolumeclaims"), true) => Answer::Open(event("DELETED", &claim("u"))),
            (_, false) => Answer::list(vec![volume("Released")], "4"),
            (_, true) => Answer::Open(event("DELETED", &volume("Released"))),
        });
        let said = Mutex::new(Vec::new());
        let say = |line| said.lock().unwrap().push(line);
        assert_eq!(cluster.delete(&[name()], &say).await.unwrap(), 1);
        let lines = [
            "PersistentVolumeClaim lab/dbv is not gone yet: used by pod data-0",
            "PersistentVolume pv of PersistentVolumeClaim lab/dbv is not gone yet: its provisioner has not removed it yet",
        ];
        assert_eq!(*said.lock().unwrap(), lines);
    }

    #[tokio::test]
    async fn another_object_of_the_same_name_is_left_alone() {
        let (cluster, log) = cluster(|asked| match asked.method.as_str() {
            "DELETE" => Answer::error(409, "Conflict", "the UID in the precondition does not match"),
            _ if asked.path == CLAIM => Answer::ok(claim("u")),
            _ if asked.path.ends_with("persistentvolumes") => Answer::list(vec![], "4"),
            _ => Answer::list(vec![claim("another")], "3"),
        });
        assert_eq!(cluster.delete(&[name()], &|_| {}).await.unwrap(), 1);
        assert_eq!(log.lock().unwrap().iter().filter(|asked| asked.method == "DELETE").count(), 1);
    }

    #[tokio::test]
    async fn a_stateful_set_is_gone_when_its_pods_are() {
        let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "spec": { "selector": { "matchLabels":
            { "app": "iris" } } }, "metadata": { "name": "data", "namespace": "lab", "uid": "s" } });
        let pod = |owner: &str| {
            json!({ "kind": "Pod", "metadata": { "name": format!("of-{owner}"), "namespace": "lab", "uid": owner,
                "ownerReferences": [{ "uid": owner }] }, "spec": { "nodeName": "lab-1" } })
        };
        let reference = ObjectRef::of(&set);
        let (cluster, log) = cluster(move |asked| match (asked.path.rsplit('/').next(), asked.watches()) {
            (Some("pods"), false) => Answer::list(vec![pod("s"), pod("another")], "4"),
            (Some("pods"), true) => Answer::Open(event("DELETED", &pod("s"))),
            (Some("statefulsets"), _) => Answer::list(vec![], "3"),
            _ => Answer::ok(set.clone()),
        });
        cluster.delete(&[reference], &|_| {}).await.unwrap();
        let log = log.lock().unwrap();
        assert!(log.iter().any(|asked| asked.watches() && asked.query.contains("labelSelector=app%3Diris")), "{log:?}");
    }
}
