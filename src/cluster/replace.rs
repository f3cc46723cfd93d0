//! Gives a StatefulSet other claim templates. Kubernetes does not change these: the object goes and comes back, its pods stay.

use super::request::Call;
use super::{Applied, Cluster};
use crate::error::Result;
use crate::model::{ObjectRef, differs};
use serde_json::{Value, json};

impl Cluster {
    /// Makes a StatefulSet what it should be. One whose claim templates are others is deleted first, without its pods, which the new
    /// one takes over.
    pub async fn replace(&self, object: &Value) -> Result<Applied> {
        let name = ObjectRef::of(object);
        let Some(live) = self.get(&name).await? else { return self.apply(object).await };
        let templates = |set: &Value| set["spec"]["volumeClaimTemplates"].clone();
        if !differs(&templates(&live), &templates(object)) {
            return self.apply(object).await;
        }
        let resource = self.resource(&name).await?;
        let path = resource.object(name.namespace.as_deref(), &name.name);
        let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan",
            "preconditions": { "uid": live["metadata"]["uid"] } });
        match self.send(&Call::delete(&path, options)).await {
            // Conflict: it is another object by now, which is looked at below.
            Err(error) if !matches!(error.code(), Some(404 | 409)) => {
                return Err(self.failure(&format!("replace {name}"), &error));
            }
            _ => {}
        }
        // An object on its way out is waited for there.
        self.apply(object).await?;
        Ok(Applied::Configured)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster, event};
    use super::*;

    fn set(size: &str, deleted: bool) -> Value {
        let mut set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": { "name": "data", "namespace": "lab", "uid": "s" }, "spec": { "replicas": 2,
            "volumeClaimTemplates": [{ "spec": { "resources": { "requests": { "storage": size } } } }] } });
        if deleted {
            set["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        }
        set
    }

    #[tokio::test]
    async fn the_pods_stay_while_the_set_goes_and_comes_back() {
        let (cluster, log) =
            cluster(|asked| match (asked.method.as_str(), asked.path.ends_with("/data"), asked.watches()) {
                ("GET", true, _) => Answer::ok(set("5Gi", asked.before > 0)),
                ("GET", false, false) => Answer::list(vec![set("5Gi", true)], "1"),
                ("GET", false, true) => Answer::Open(event("DELETED", &set("5Gi", true))),
                ("PATCH", ..) => Answer::ok(set("10Gi", false)),
                _ => Answer::ok(json!({})),
            });
        assert_eq!(cluster.replace(&set("10Gi", false)).await.unwrap(), Applied::Configured);
        let log = log.lock().unwrap();
        let deleted = log.iter().find(|asked| asked.method == "DELETE").unwrap();
        assert_eq!(deleted.body["propagationPolicy"], "Orphan");
        let order: Vec<&str> =
            log.iter().map(|asked| asked.method.as_str()).filter(|method| *method != "GET").collect();
        assert_eq!(order, ["DELETE", "PATCH"]);
    }

    #[tokio::test]
    async fn with_the_same_templates_it_is_only_applied() {
        let (cluster, log) = cluster(|asked| match asked.method.as_str() {
            "GET" => Answer::ok({
                let mut live = set("10240Mi", false);
                live["spec"]["replicas"] = 0.into();
                live
            }),
            _ => Answer::ok(set("10Gi", false)),
        });
        cluster.replace(&set("10Gi", false)).await.unwrap();
        assert!(log.lock().unwrap().iter().all(|asked| asked.method != "DELETE"));
    }
}
