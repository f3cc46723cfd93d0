//! The volumes and attachments of a storage driver, and waiting until none is left.

use super::delete::say;
use super::holds::holder;
use super::{Cluster, Progress, Selector};
use crate::error::Result;
use crate::model::ObjectRef;
use serde_json::Value;

const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

impl Cluster {
    /// Returns when no volume and no attachment of the driver is left.
    pub(super) async fn volumes_gone(&self, driver: &str, progress: Progress<'_>) -> Result<String> {
        let all = Selector::default;
        let volumes = self.follow(self.resource_of("v1", "PersistentVolume")?, None, all());
        let attachments = self.follow(self.resource_of("storage.k8s.io/v1", "VolumeAttachment")?, None, all());
        let (mut volumes, mut attachments) = futures::try_join!(volumes, attachments)?;
        let mut said = String::new();
        loop {
            let left = volumes.items().chain(attachments.items()).filter(|object| is_of(object, driver));
            let left: Vec<String> = left.map(line).collect();
            if left.is_empty() {
                return Ok(format!("no volume of {driver} is left"));
            }
            say(&mut said, format!("not gone yet: {}", left.join("; ")), progress);
            tokio::select! {
                change = volumes.changed() => change?,
                change = attachments.changed() => change?,
            }
        }
    }

    /// What is left of them, a line each.
    pub(super) async fn why_volumes(&self, driver: &str) -> Result<Vec<String>> {
        Ok(self.volumes_of_driver(driver).await?.iter().map(line).collect())
    }

    /// Every volume and attachment of the driver, each with its kind.
    pub(super) async fn volumes_of_driver(&self, driver: &str) -> Result<Vec<Value>> {
        let all = Selector::default();
        let (volumes, attachments) = futures::try_join!(
            self.list("v1", "PersistentVolume", None, &all),
            self.list("storage.k8s.io/v1", "VolumeAttachment", None, &all),
        )?;
        Ok(volumes.into_iter().chain(attachments).filter(|object| is_of(object, driver)).collect())
    }
}

/// Whether a volume or an attachment belongs to the driver.
fn is_of(object: &Value, driver: &str) -> bool {
    object["spec"]["csi"]["driver"] == driver
        || object["spec"]["attacher"] == driver
        || object["metadata"]["annotations"][PROVISIONED_BY] == driver
}

/// `PersistentVolume pvc-1: its claim is not gone yet`
fn line(object: &Value) -> String {
    let held = match object["spec"]["attacher"].as_str() {
        Some(_) if object["metadata"]["deletionTimestamp"].is_null() => {
            format!("attached to {}", object["spec"]["nodeName"].as_str().unwrap_or_default())
        }
        _ => holder(object, &[]),
    };
    let error = object.pointer("/status/detachError/message").and_then(Value::as_str);
    let error = error.map(|error| format!(": {error}")).unwrap_or_default();
    let kind = if object["spec"]["attacher"].is_string() { "VolumeAttachment" } else { "PersistentVolume" };
    format!("{kind} {}: {held}{error}", ObjectRef::of(object).name)
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster, event};
    use crate::model::WaitFor;
    use serde_json::{Value, json};
    use std::sync::Mutex;

    fn volume(driver: &str) -> Value {
        json!({ "metadata": { "name": driver, "uid": driver }, "status": { "phase": "Released" },
            "spec": { "csi": { "driver": driver }, "persistentVolumeReclaimPolicy": "Delete" } })
    }

    fn attachment() -> Value {
        json!({ "metadata": { "name": "csi-1", "uid": "a" }, "spec": { "attacher": "d", "nodeName": "lab-1" },
            "status": { "detachError": { "message": "no route" } } })
    }

    #[tokio::test]
    async fn it_ends_when_the_last_volume_and_attachment_of_the_driver_are_gone() {
        let (cluster, _) = cluster(|asked| match (asked.path.rsplit('/').next(), asked.watches()) {
            (Some("persistentvolumes"), false) => Answer::list(vec![volume("d"), volume("other")], "1"),
            (Some("persistentvolumes"), true) => Answer::Open(event("DELETED", &volume("d"))),
            (_, false) => Answer::list(vec![attachment()], "1"),
            (_, true) => Answer::Open(event("DELETED", &attachment())),
        });
        let said = Mutex::new(Vec::new());
        let target = WaitFor::VolumesGone { driver: "d".into() };
        let end = cluster.wait(&target, &|line| said.lock().unwrap().push(line)).await.unwrap();
        assert_eq!(end, "no volume of d is left");
        let said = said.into_inner().unwrap();
        assert_eq!(
            said[0],
            "not gone yet: PersistentVolume d: its provisioner has not removed it yet; \
             VolumeAttachment csi-1: attached to lab-1: no route"
        );
    }
}
