//! Reads a namespace with everything that may keep it from ending.

use super::kinds::{AT_ONCE, Listable};
use super::request::Call;
use super::{Cluster, Selector};
use crate::error::Result;
use crate::model::{Left, ObjectRef, Stuck};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

const ADMISSION: &str = "admissionregistration.k8s.io";

impl Cluster {
    /// A namespace and what is around it; none when there is no namespace of that name.
    pub async fn stuck(&self, namespace: &str) -> Result<Option<Stuck>> {
        let name = ObjectRef::new("v1", "Namespace", None, namespace);
        let Some(live) = self.get(&name).await? else { return Ok(None) };
        let ((left, unseen), api_services, validating, mutating) = futures::try_join!(
            self.contents(namespace),
            self.api_services(),
            self.webhooks("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
            self.webhooks("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
        )?;
        let webhooks = [validating, mutating].concat();
        Ok(Some(Stuck { namespace: live, left, unseen, api_services, webhooks }))
    }

    /// What keeps the namespaces among these objects, in lines.
    pub async fn why_stuck(&self, objects: &[ObjectRef]) -> Vec<String> {
        let mut lines = Vec::new();
        for namespace in objects.iter().filter(|object| object.kind == "Namespace") {
            match self.stuck(&namespace.name).await {
                Ok(stuck) => lines.extend(stuck.iter().flat_map(Stuck::explain)),
                Err(failure) => lines.push(failure.to_string()),
            }
        }
        lines
    }

    /// Everything in a namespace, and what could not be listed.
    pub(super) async fn contents(&self, namespace: &str) -> Result<(Vec<Left>, Vec<String>)> {
        let Listable { resources, unseen } = self.listable().await?;
        let resources: Vec<_> = resources.into_iter().filter(|resource| resource.namespaced).collect();
        let lists = resources.iter().map(|resource| async move {
            let objects = self.metadata(resource, Some(namespace), &Selector::default()).await?;
            let left = |object: &Value| Left {
                resource: resource.full_name(),
                object: ObjectRef::of(object),
                finalizers: names(&object["metadata"]["finalizers"]),
                deleting: object["metadata"]["deletionTimestamp"].is_string(),
            };
            Ok::<_, crate::error::Failure>(objects.iter().map(left).collect::<Vec<Left>>())
        });
        let lists: Vec<Vec<Left>> = stream::iter(lists.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
        Ok((lists.concat(), unseen))
    }

    /// Webhook configurations of one kind, whole; none for who may not read them.
    async fn webhooks(&self, kind: &str, plural: &str) -> Result<Vec<Value>> {
        let mut answer = match self.send(&Call::get(format!("/apis/{ADMISSION}/v1/{plural}"))).await {
            Err(error) if matches!(error.code(), Some(403 | 404)) => return Ok(Vec::new()),
            answer => answer.map_err(|error| self.failure(&format!("list {plural}.{ADMISSION}"), &error))?,
        };
        let Value::Array(mut items) = answer["items"].take() else { return Ok(Vec::new()) };
        for item in &mut items {
            item["apiVersion"] = format!("{ADMISSION}/v1").into();
            item["kind"] = kind.into();
        }
        Ok(items)
    }
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
}
