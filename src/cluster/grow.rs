//! Volumes that grow: asks for more by their claims, and waits until volume or file system has followed.

use super::delete::say;
use super::request::{Call, MERGE};
use super::watch::Follow;
use super::{Cluster, Progress, Selector};
use crate::error::{Failure, Result};
use crate::model::object::{FIELD_MANAGER, condition};
use crate::model::pod;
use crate::model::{ObjectRef, Quantity};
use futures::future::try_join_all;
use serde_json::{Value, json};

/// What a volume's driver, or a kubelet, says of a volume that it cannot grow.
const FAILED: [&str; 2] = ["VolumeResizeFailed", "FileSystemResizeFailed"];

impl Cluster {
    /// Asks for that size by each claim, and returns when each volume has it. Where its file system follows only when a pod mounts it,
    /// that is enough. Tells whether any of them asked for less before.
    pub async fn grow(&self, claims: &[ObjectRef], size: &str, progress: Progress<'_>) -> Result<bool> {
        let asked = try_join_all(claims.iter().map(|claim| self.ask_for(claim, size))).await?;
        self.grown(claims, size, true, progress).await?;
        Ok(asked.contains(&true))
    }

    /// Returns when each claim says that its volume, and the file system on it, has the size.
    pub async fn has_grown(&self, claims: &[ObjectRef], size: &str, progress: Progress<'_>) -> Result<()> {
        self.grown(claims, size, false, progress).await
    }

    async fn ask_for(&self, claim: &ObjectRef, size: &str) -> Result<bool> {
        let live = self.get(claim).await?.ok_or_else(|| gone(claim))?;
        if live.pointer("/spec/resources/requests/storage").and_then(Quantity::of) >= Quantity::parse(size) {
            return Ok(false);
        }
        let path = self.resource(claim).await?.object(claim.namespace.as_deref(), &claim.name);
        let patch = json!({ "spec": { "resources": { "requests": { "storage": size } } } });
        let call = Call::patch(format!("{path}?fieldManager={FIELD_MANAGER}"), MERGE, patch);
        self.send(&call).await.map_err(|error| self.failure(&format!("grow {claim}"), &error))?;
        Ok(true)
    }

    async fn grown(&self, claims: &[ObjectRef], size: &str, later: bool, progress: Progress<'_>) -> Result<()> {
        let Some(namespace) = claims.first().and_then(|claim| claim.namespace.as_deref()) else { return Ok(()) };
        let resource = self.resource_of("v1", "PersistentVolumeClaim")?;
        let mut all = self.follow(resource, Some(namespace), Selector::default()).await?;
        let mut events: Option<Follow> = None;
        let mut said = String::new();
        loop {
            let live = |claim: &ObjectRef| all.items().find(|item| item["metadata"]["name"] == claim.name.as_str());
            let mut waiting = Vec::new();
            for claim in claims {
                let live = live(claim).ok_or_else(|| gone(claim))?;
                if !has(live, size, later) {
                    waiting.push(live);
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            let Some(events) = &mut events else {
                let resource = self.resource_of("v1", "Event")?;
                events = Some(self.follow(resource, Some(namespace), Selector::default()).await?);
                continue;
            };
            let seen: Vec<&Value> = events.items().collect();
            let lines: Vec<String> = waiting.iter().map(|claim| line(claim, &seen)).collect();
            say(&mut said, lines.join("; "), progress);
            tokio::select! {
                change = all.changed() => change?,
                change = events.changed() => change?,
            }
        }
    }
}

/// Whether a claim's volume has the size, or, where that is enough, waits for a pod only.
fn has(claim: &Value, size: &str, later: bool) -> bool {
    let capacity = claim.pointer("/status/capacity/storage").and_then(Quantity::of);
    let follows = condition(claim, "FileSystemResizePending").is_some_and(|pending| pending["status"] == "True");
    capacity >= Quantity::parse(size) || (later && follows)
}

/// How far a claim is, with what its driver said last.
fn line(claim: &Value, events: &[&Value]) -> String {
    let name = claim["metadata"]["name"].as_str().unwrap_or_default();
    let size = claim.pointer("/status/capacity/storage").and_then(Value::as_str).unwrap_or("no size yet");
    let failed = pod::last(events, |event| {
        event["involvedObject"]["uid"] == claim["metadata"]["uid"]
            && event["reason"].as_str().is_some_and(|reason| FAILED.contains(&reason))
    });
    match failed.and_then(|event| event["message"].as_str()) {
        Some(message) => format!("{name} has {size}: {}", message.trim()),
        None if condition(claim, "FileSystemResizePending").is_some() => {
            format!("{name} has {size}: its file system grows when a pod mounts it")
        }
        None => format!("{name} has {size}: its driver grows it"),
    }
}

fn gone(claim: &ObjectRef) -> Failure {
    Failure::step(format!("{claim} is gone")).cause("somebody else deleted it").hint("look with `iris-lab status`")
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, cluster, event};
    use super::*;
    use std::sync::Mutex;

    fn claim(size: &str, has: &str, condition: Option<&str>) -> Value {
        let conditions: Vec<Value> = condition.iter().map(|kind| json!({ "type": kind, "status": "True" })).collect();
        json!({ "metadata": { "name": "dbv-data-0", "namespace": "lab", "uid": "u" },
            "spec": { "resources": { "requests": { "storage": size } } },
            "status": { "capacity": { "storage": has }, "conditions": conditions } })
    }

    fn name() -> ObjectRef {
        ObjectRef::new("v1", "PersistentVolumeClaim", Some("lab"), "dbv-data-0")
    }

    /// A cluster in which the claim is so at first, and so after its first event.
    fn server(first: Value, then: Value) -> impl Fn(&Asked) -> Answer + Send + Sync + 'static {
        move |asked| match (asked.path.rsplit('/').next(), asked.watches()) {
            (Some("events"), false) => Answer::list(
                vec![
                    json!({ "metadata": { "name": "e" }, "reason": "VolumeResizeFailed", "message": "volume is attached",
                    "involvedObject": { "kind": "PersistentVolumeClaim", "name": "dbv-data-0", "uid": "u" } }),
                ],
                "1",
            ),
            (Some("events"), true) => Answer::Open(String::new()),
            (Some("dbv-data-0"), _) => Answer::ok(first.clone()),
            (_, false) => Answer::list(vec![first.clone()], "1"),
            (_, true) => Answer::Open(event("MODIFIED", &then)),
        }
    }

    #[tokio::test]
    async fn the_claim_asks_for_more_and_its_volume_is_waited_for() {
        let (first, then) = (claim("5Gi", "5Gi", None), claim("10Gi", "5Gi", Some("FileSystemResizePending")));
        let (cluster, log) = cluster(server(first, then));
        let said = Mutex::new(Vec::new());
        assert!(cluster.grow(&[name()], "10Gi", &|line| said.lock().unwrap().push(line)).await.unwrap());
        let log = log.lock().unwrap();
        let patch = log.iter().find(|asked| asked.method == "PATCH").unwrap();
        assert_eq!(patch.body, json!({ "spec": { "resources": { "requests": { "storage": "10Gi" } } } }));
        assert_eq!(*said.lock().unwrap(), ["dbv-data-0 has 5Gi: volume is attached"]);
    }

    #[tokio::test]
    async fn a_claim_that_asked_before_is_only_waited_for_until_a_pod_has_all_of_it() {
        let (first, then) = (claim("10Gi", "5Gi", Some("FileSystemResizePending")), claim("10Gi", "10Gi", None));
        let (cluster, log) = cluster(server(first, then));
        assert!(!cluster.grow(&[name()], "10240Mi", &|_| {}).await.unwrap());
        cluster.has_grown(&[name()], "10Gi", &|_| {}).await.unwrap();
        assert!(log.lock().unwrap().iter().all(|asked| asked.method == "GET"));
    }

    #[tokio::test]
    async fn what_the_server_refuses_is_told() {
        let refusal = "persistentvolumeclaims \"dbv-data-0\" is forbidden: the storageclass must support resize";
        let (cluster, _) = cluster(move |asked| match asked.method.as_str() {
            "PATCH" => Answer::error(403, "Forbidden", refusal),
            _ => Answer::ok(claim("5Gi", "5Gi", None)),
        });
        let failure = cluster.grow(&[name()], "10Gi", &|_| {}).await.unwrap_err().to_string();
        assert!(failure.contains("must support resize"), "{failure}");
    }
}
