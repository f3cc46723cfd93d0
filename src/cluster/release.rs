//! Takes one finalizer off objects that are already being deleted, and changes nothing else.

use super::delete::say;
use super::discovery::Resource;
use super::request::{Call, MERGE};
use super::watch::Follow;
use super::{Cluster, Progress, Selector};
use crate::error::Result;
use crate::model::ObjectRef;
use futures::FutureExt;
use futures::future::{select_all, try_join_all};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Which finalizer is taken off what.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// The namespace; none for kinds that belong to no namespace.
    pub namespace: Option<&'a str>,
    /// The finalizer.
    pub finalizer: &'a str,
    /// The kinds, children before parents: `replicas.longhorn.io`. Those that are not served are done.
    pub kinds: &'a [String],
    /// Outside of a namespace only these objects are touched.
    pub seen: &'a [ObjectRef],
}

/// A kind and its objects, live.
struct Kind {
    resource: Resource,
    objects: Follow,
}

impl Cluster {
    /// Takes the finalizer off every object that is being deleted, as soon as it is, and returns when none carries it any more:
    /// inside a namespace that is once the namespace itself is on its way out, because until then there may be more. Returns
    /// how many objects were freed.
    pub async fn release(&self, what: &Release<'_>, progress: Progress<'_>) -> Result<usize> {
        let served = try_join_all(what.kinds.iter().map(|kind| self.served(kind))).await?;
        let follow = |resource: Resource| async {
            let objects = self.follow(resource.clone(), what.namespace, Selector::default()).await?;
            Ok::<_, crate::error::Failure>(Kind { resource, objects })
        };
        let mut kinds = try_join_all(served.into_iter().flatten().map(follow)).await?;
        let mut home = match what.namespace {
            Some(name) => {
                let selector = Selector::fields(format!("metadata.name={name}"));
                Some(self.follow(self.resource_of("v1", "Namespace")?, None, selector).await?)
            }
            None => None,
        };
        let (mut freed, mut tried, mut said) = (0, HashSet::new(), String::new());
        loop {
            freed += self.pass(what, &kinds, &mut tried).await?;
            let left: Vec<String> = kinds.iter().flat_map(|kind| held(what, &kind.objects)).map(name).collect();
            let leaving = home.as_ref().and_then(Follow::only);
            let leaving = leaving.is_none_or(|home| home["metadata"]["deletionTimestamp"].is_string());
            match (left.is_empty(), leaving) {
                (true, true) => return Ok(freed),
                (true, false) => say(&mut said, "waiting for the deletion of the namespace".into(), progress),
                (false, _) => say(&mut said, format!("{} carry {} still", left.join(", "), what.finalizer), progress),
            }
            let changes = kinds.iter_mut().map(|kind| &mut kind.objects).chain(&mut home);
            select_all(changes.map(|follow| follow.changed().boxed())).await.0?;
        }
    }

    /// Once over all objects as they are seen now. What fails for one does not keep the others; it is told at the end.
    async fn pass(&self, what: &Release<'_>, kinds: &[Kind], tried: &mut HashSet<String>) -> Result<usize> {
        let (mut freed, mut failed) = (0, None);
        for kind in kinds {
            for object in held(what, &kind.objects) {
                let metadata = &object["metadata"];
                let version = format!("{} {}", metadata["uid"], metadata["resourceVersion"]);
                if metadata["deletionTimestamp"].is_null() || !tried.insert(version) {
                    continue;
                }
                match self.strip(&kind.resource, object, what.finalizer).await {
                    Ok(done) => freed += usize::from(done),
                    Err(failure) => failed = failed.or(Some(failure)),
                }
            }
        }
        failed.map_or(Ok(freed), Err)
    }

    /// Takes the finalizer off this very version of an object; false when it has changed meanwhile or is gone.
    async fn strip(&self, resource: &Resource, object: &Value, finalizer: &str) -> Result<bool> {
        let metadata = &object["metadata"];
        let rest: Vec<&Value> = finalizers(object).filter(|one| *one != finalizer).collect();
        let patch = json!({ "metadata": { "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
            "finalizers": rest } });
        let path = resource.object(metadata["namespace"].as_str(), metadata["name"].as_str().unwrap_or_default());
        match self.send(&Call::patch(path, MERGE, patch)).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.code(), Some(404 | 409)) => Ok(false),
            Err(error) => Err(self.failure(&format!("take the finalizer {finalizer} off {}", name(object)), &error)),
        }
    }
}

/// The objects that carry the finalizer.
fn held<'a>(what: &'a Release<'_>, objects: &'a Follow) -> impl Iterator<Item = &'a Value> {
    let wanted = |object: &&Value| {
        what.namespace.is_some() || what.seen.iter().any(|seen| object["metadata"]["name"] == *seen.name)
    };
    objects.items().filter(move |object| finalizers(object).any(|one| one == what.finalizer)).filter(wanted)
}

fn finalizers(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["finalizers"].as_array().into_iter().flatten()
}

/// `Node longhorn-system/lab-1`; a watch does not say the kind of built-in objects.
fn name(object: &Value) -> String {
    ObjectRef::of(object).to_string().trim_start().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, Log, cluster, event, quiet};
    use super::*;
    use std::sync::Mutex;

    const NODES: &str = "/apis/longhorn.io/v1beta1/namespaces/ls/nodes";

    fn node(name: &str, deleting: bool, finalizers: &[&str]) -> Value {
        let stamp = if deleting { json!("2026-01-01T00:00:00Z") } else { Value::Null };
        json!({ "apiVersion": "longhorn.io/v1beta1", "kind": "Node", "metadata": { "name": name, "namespace": "ls",
            "uid": name, "resourceVersion": "7", "deletionTimestamp": stamp, "finalizers": finalizers } })
    }

    fn namespace(deleting: bool) -> Value {
        let stamp = if deleting { json!("2026-01-01T00:00:00Z") } else { Value::Null };
        json!({ "metadata": { "name": "ls", "resourceVersion": "1", "deletionTimestamp": stamp } })
    }

    /// Discovery with the one kind `nodes`.
    fn discovery(asked: &Asked) -> Option<Answer> {
        Some(match asked.path.as_str() {
            "/apis/longhorn.io" => Answer::ok(json!({ "preferredVersion": { "groupVersion": "longhorn.io/v1beta1" } })),
            "/apis/longhorn.io/v1beta1" => Answer::ok(json!({ "resources": [{ "name": "nodes", "kind": "Node",
                "namespaced": true, "verbs": ["list"] }] })),
            _ => return None,
        })
    }

    fn kinds() -> Vec<String> {
        vec!["replicas.longhorn.io".into(), "nodes.longhorn.io".into()]
    }

    async fn release(cluster: &Cluster) -> Result<usize> {
        let kinds = kinds();
        let what = Release { namespace: Some("ls"), finalizer: "longhorn.io", kinds: &kinds, seen: &[] };
        cluster.release(&what, &quiet).await
    }

    fn patched(log: &Log) -> Vec<String> {
        let log = log.lock().unwrap();
        log.iter().filter(|asked| asked.method == "PATCH").map(|asked| asked.path.replace(NODES, "")).collect()
    }

    #[tokio::test]
    async fn only_what_is_being_deleted_loses_only_that_finalizer() {
        let (cluster, log) = cluster(|asked| {
            if let Some(answer) = discovery(asked) {
                return answer;
            }
            let objects = vec![node("a", true, &["x", "longhorn.io"]), node("b", false, &["longhorn.io"])];
            match (asked.method.as_str(), asked.path.as_str(), asked.watches()) {
                ("PATCH", ..) => Answer::ok(json!({})),
                (_, NODES, false) => Answer::list(objects, "7"),
                (_, NODES, true) => Answer::Open(
                    event("MODIFIED", &node("a", true, &["x"])) + &event("DELETED", &node("b", false, &[])),
                ),
                (_, _, false) => Answer::list(vec![namespace(true)], "1"),
                _ => Answer::Open(String::new()),
            }
        });
        assert_eq!(release(&cluster).await.unwrap(), 1);
        assert_eq!(patched(&log), ["/a"]);
        let log = log.lock().unwrap();
        let patch = &log.iter().find(|asked| asked.method == "PATCH").unwrap().body["metadata"];
        assert_eq!(*patch, json!({ "uid": "a", "resourceVersion": "7", "finalizers": ["x"] }));
    }

    #[tokio::test]
    async fn what_comes_to_be_deleted_later_is_freed_then_and_a_lost_race_is_run_again() {
        let (cluster, log) = cluster(|asked| {
            if let Some(answer) = discovery(asked) {
                return answer;
            }
            let mut newer = node("a", true, &["longhorn.io"]);
            newer["metadata"]["resourceVersion"] = "8".into();
            match (asked.method.as_str(), asked.path.as_str(), asked.watches(), asked.before) {
                ("PATCH", _, _, 0) => Answer::error(409, "Conflict", "the object has been modified"),
                ("PATCH", ..) => Answer::ok(json!({})),
                (_, NODES, false, _) => Answer::list(vec![node("a", false, &["longhorn.io"])], "6"),
                (_, NODES, true, 0) => Answer::Cut(event("MODIFIED", &node("a", true, &["longhorn.io"]))),
                (_, NODES, true, 1) => Answer::Cut(event("MODIFIED", &newer)),
                (_, NODES, true, _) => Answer::Open(event("DELETED", &newer)),
                (_, _, false, _) => Answer::list(vec![namespace(true)], "1"),
                _ => Answer::Open(String::new()),
            }
        });
        assert_eq!(release(&cluster).await.unwrap(), 1);
        assert_eq!(patched(&log), ["/a", "/a"]);
    }

    #[tokio::test]
    async fn it_is_over_when_the_definitions_go_but_not_before_the_namespace_does() {
        let (cluster, _) = cluster(|asked| {
            if let Some(answer) = discovery(asked) {
                return answer;
            }
            match (asked.path.as_str(), asked.watches()) {
                (NODES, false) => Answer::list(vec![node("a", false, &["longhorn.io"])], "6"),
                (NODES, true) => Answer::missing(),
                (_, false) => Answer::list(vec![namespace(false)], "1"),
                _ => Answer::Open(event("MODIFIED", &namespace(true))),
            }
        });
        assert_eq!(release(&cluster).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn kinds_without_a_definition_are_done() {
        let (cluster, _) = cluster(|asked| match asked.path.as_str() {
            "/api/v1/namespaces" => Answer::list(vec![], "1"),
            _ => Answer::missing(),
        });
        assert_eq!(release(&cluster).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn one_refusal_does_not_keep_the_others_and_outside_of_a_namespace_only_the_named_are_touched() {
        let volume = |name: &str| {
            json!({ "metadata": { "name": name, "uid": name, "resourceVersion": "1", "finalizers": ["f"],
                "deletionTimestamp": "2026-01-01T00:00:00Z" } })
        };
        let (cluster, log) = cluster(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
            (_, "/api/v1") => Answer::ok(json!({ "resources": [{ "name": "persistentvolumes",
                "kind": "PersistentVolume", "verbs": ["list"] }] })),
            ("PATCH", path) if path.ends_with("/a") => Answer::error(403, "Forbidden", "no"),
            ("PATCH", _) => Answer::ok(json!({})),
            _ => Answer::list(vec![volume("a"), volume("b"), volume("other")], "1"),
        });
        let seen = ["a", "b"].map(|name| ObjectRef::new("v1", "PersistentVolume", None, name));
        let kinds = ["persistentvolumes".to_string()];
        let what = Release { namespace: None, finalizer: "f", kinds: &kinds, seen: &seen };
        let said = Mutex::new(());
        let failure = cluster.release(&what, &|_| drop(said.lock())).await.unwrap_err();
        assert_eq!(failure.message, "not allowed to take the finalizer f off PersistentVolume a");
        let patched: Vec<String> =
            log.lock().unwrap().iter().filter(|a| a.method == "PATCH").map(|a| a.path.clone()).collect();
        assert_eq!(patched, ["/api/v1/persistentvolumes/a", "/api/v1/persistentvolumes/b"]);
    }
}
