//! Finds every object that carries our labels, of every kind that the cluster knows.

use super::discovery::Resource;
use super::kinds::{AT_ONCE, Listable};
use super::request::Call;
use super::{Cluster, Selector, lock};
use crate::error::Result;
use crate::model::ObjectRef;
use crate::model::object::{FIELD_MANAGER, LAB_LABEL, MANAGED_BY};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;
use std::collections::BTreeMap;

/// Only the metadata of objects.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
/// What carries our labels, and what could not be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelled {
    /// The objects.
    pub objects: Vec<ObjectRef>,
    /// Versions of API groups whose server is dead. Nothing of ours is ever of a kind of theirs.
    pub unseen: Vec<String>,
}

impl Cluster {
    /// Every object with the label of this lab, or of any lab of ours. What belongs to another object goes with that one and
    /// is not named, except claims. A kind that cannot be read is an error, unless the server behind it is dead.
    pub async fn labelled(&self, lab: Option<&str>) -> Result<Labelled> {
        let mut labels = format!("{MANAGED_BY}={FIELD_MANAGER}");
        if let Some(lab) = lab {
            labels += &format!(",{LAB_LABEL}={lab}");
        }
        let selector = Selector::labels(labels);
        let Listable { resources, unseen } = self.listable().await?;
        let lists: Vec<_> = resources.iter().map(|resource| self.metadata(resource, None, &selector)).collect();
        let lists: Vec<Vec<Value>> = stream::iter(lists).buffered(AT_ONCE).try_collect().await?;
        // The same object may be served by several groups: its uid is one.
        let mut found = BTreeMap::new();
        for object in lists.into_iter().flatten().filter(stands_alone) {
            found.entry(object["metadata"]["uid"].as_str().unwrap_or_default().to_string()).or_insert(object);
        }
        let mut names: Vec<ObjectRef> = found.values().map(ObjectRef::of).collect();
        names.retain(|name| *name != lock::lease());
        names.sort();
        Ok(Labelled { objects: names, unseen })
    }

    /// The objects of a kind, with their metadata alone.
    pub(super) async fn metadata(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Vec<Value>> {
        let path = format!("{}?{}", resource.path(namespace), selector.query());
        let path = path.trim_end_matches(['&', '?']);
        let answer = match self.send(&Call::get(path).accept(METADATA)).await {
            // The kind went away since the kinds were read, or is served for other verbs only.
            Err(error) if matches!(error.code(), Some(404 | 405)) => return Ok(Vec::new()),
            answer => answer,
        };
        let mut answer = answer.map_err(|error| self.failure(&super::read::listing(resource, namespace), &error))?;
        let Value::Array(mut items) = answer["items"].take() else { return Ok(Vec::new()) };
        for item in &mut items {
            item["apiVersion"] = resource.api_version.clone().into();
            item["kind"] = resource.kind.clone().into();
        }
        Ok(items)
    }
}

fn stands_alone(object: &Value) -> bool {
    object["kind"] == "PersistentVolumeClaim"
        || object["metadata"]["ownerReferences"].as_array().is_none_or(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, cluster};
    use super::*;
    use serde_json::json;

    fn kinds_of(version: &str, names: &[(&str, &str)]) -> Answer {
        let all = names.iter().map(
            |(plural, kind)| json!({ "name": plural, "kind": kind, "namespaced": true, "verbs": ["list", "get"] }),
        );
        Answer::ok(json!({ "groupVersion": version, "resources": all.collect::<Vec<_>>() }))
    }

    fn object(name: &str, uid: &str, owned: bool) -> Value {
        let owners = if owned { json!([{ "uid": "o" }]) } else { json!([]) };
        json!({ "metadata": { "name": name, "namespace": "lab", "uid": uid, "ownerReferences": owners } })
    }

    fn server(asked: &Asked) -> Answer {
        match asked.path.as_str() {
            "/apis" => Answer::ok(json!({ "groups": [{ "preferredVersion": { "groupVersion": "net/v1" } },
                { "preferredVersion": { "groupVersion": "old/v1" } }] })),
            "/api/v1" => kinds_of(
                "v1",
                &[
                    ("pods", "Pod"),
                    ("persistentvolumeclaims", "PersistentVolumeClaim"),
                    ("endpoints", "Endpoints"),
                    ("pods/log", "Pod"),
                ],
            ),
            "/apis/net/v1" => kinds_of("net/v1", &[("ingresses", "Ingress")]),
            "/apis/old/v1" => kinds_of("old/v1", &[("ingresses", "Ingress")]),
            "/api/v1/pods" => Answer::list(vec![object("data-0", "1", true)], "5"),
            "/api/v1/persistentvolumeclaims" => Answer::list(vec![object("dbv", "2", true)], "5"),
            "/apis/apiregistration.k8s.io/v1/apiservices" => Answer::list(vec![], "5"),
            path if path.ends_with("ingresses") => Answer::list(vec![object("web", "3", false)], "5"),
            path => Answer::error(500, "InternalError", path),
        }
    }

    fn names(found: &Labelled) -> Vec<String> {
        found.objects.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn names_each_object_once_and_leaves_out_what_goes_with_its_owner() {
        let (cluster, log) = cluster(server);
        let found: Vec<String> = names(&cluster.labelled(Some("x")).await.unwrap());
        assert_eq!(found, ["Ingress lab/web", "PersistentVolumeClaim lab/dbv"]);
        let labels = "labelSelector=app.kubernetes.io%2Fmanaged-by%3Diris-lab%2Ciris-lab%2Flab%3Dx";
        assert!(log.lock().unwrap().iter().any(|asked| asked.query == labels));
    }

    #[tokio::test]
    async fn a_group_that_cannot_be_read_is_an_error_that_names_it() {
        let (cluster, _) = cluster(|asked| match asked.path.as_str() {
            "/apis/net/v1" => Answer::error(503, "ServiceUnavailable", "the server is currently unable"),
            _ => server(asked),
        });
        let failure = cluster.labelled(None).await.unwrap_err();
        assert_eq!(failure.message, "cannot look up the kinds of net/v1: the API server keeps failing");
    }

    #[tokio::test]
    async fn a_group_whose_server_is_dead_is_left_out_and_named() {
        let (cluster, log) = cluster(|asked| match asked.path.as_str() {
            "/apis/net/v1" => Answer::error(503, "ServiceUnavailable", "the server is currently unable"),
            "/apis/apiregistration.k8s.io/v1/apiservices" => Answer::list(
                vec![json!({ "spec": { "group": "net", "version": "v1", "service": { "namespace": "gone" } },
                    "status": { "conditions": [{ "type": "Available", "status": "False" }] } })],
                "5",
            ),
            _ => server(asked),
        });
        let found = cluster.labelled(Some("x")).await.unwrap();
        assert_eq!(names(&found), ["Ingress lab/web", "PersistentVolumeClaim lab/dbv"]);
        assert_eq!(found.unseen, ["net/v1"]);
        assert!(!log.lock().unwrap().iter().any(|asked| asked.path == "/apis/net/v1"), "a dead server is not asked");
    }
}
