//! Reads objects: one by its name, or all that a selector picks.

use super::{Cluster, discovery::Resource, request::Call};
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use serde_json::Value;

/// Which objects of a kind: by labels or by fields, as in `kubectl get -l ... --field-selector ...`; empty means all.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// Label selector, such as `app=iris`.
    pub labels: String,
    /// Field selector, such as `metadata.name=data-0`.
    pub fields: String,
}

impl Selector {
    /// By labels.
    pub fn labels(text: impl Into<String>) -> Self {
        Selector { labels: text.into(), fields: String::new() }
    }

    /// By fields.
    pub fn fields(text: impl Into<String>) -> Self {
        Selector { labels: String::new(), fields: text.into() }
    }

    /// As parts of an address, each followed by `&`.
    pub(super) fn query(&self) -> String {
        let part = |key: &str, text: &str| match text {
            "" => String::new(),
            text => format!("{key}={}&", escape(text)),
        };
        part("labelSelector", &self.labels) + &part("fieldSelector", &self.fields)
    }
}

/// Escapes what has a meaning in an address.
pub(super) fn escape(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let bytes = text.bytes();
    bytes.map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

impl Cluster {
    /// One object, or none when the server says that there is none.
    pub async fn get(&self, object: &ObjectRef) -> Result<Option<Value>> {
        let resource = self.resource(object).await?;
        let call = Call::get(resource.object(object.namespace.as_deref(), &object.name));
        self.find(&call).await.map_err(|error| self.failure(&format!("read {object}"), &error))
    }

    /// All objects of a built-in kind that the selector picks, in one namespace or everywhere. Each carries its kind.
    pub async fn list(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Vec<Value>> {
        let resource = self.resource_of(api_version, kind)?;
        Ok(self.list_all(&resource, namespace, selector).await?.1)
    }

    /// All objects, in every namespace, of the kind that a CustomResourceDefinition makes; none when it is not served (yet or
    /// any more). Each carries its kind.
    pub async fn list_defined(&self, definition: &Value) -> Result<Vec<Value>> {
        let Some(resource) = Resource::defined(definition) else { return Ok(Vec::new()) };
        let answer = self.find(&Call::get(resource.path(None))).await;
        match answer.map_err(|error| self.failure(&listing(&resource, None), &error))? {
            Some(answer) => Ok(items(answer, &resource, None)?.1),
            None => Ok(Vec::new()),
        }
    }

    /// A built-in kind, which our own code names.
    pub(super) fn resource_of(&self, api_version: &str, kind: &str) -> Result<Resource> {
        Resource::built_in(api_version, kind)
            .ok_or_else(|| Failure::step(format!("{kind} in {api_version} is no built-in kind")))
    }

    /// The list with the resourceVersion to watch from.
    pub(super) async fn list_all(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<(String, Vec<Value>)> {
        let list = self.list_served(resource, namespace, selector).await?;
        list.ok_or_else(|| {
            Failure::step(format!("cannot {}", listing(resource, namespace))).cause("the cluster serves no such kind")
        })
    }

    /// The same; none when the kind is not served (any more).
    pub(super) async fn list_served(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Option<(String, Vec<Value>)>> {
        let query = selector.query();
        let path = match query.trim_end_matches('&') {
            "" => resource.path(namespace),
            query => format!("{}?{query}", resource.path(namespace)),
        };
        let answer = self.find(&Call::get(path)).await;
        let answer = answer.map_err(|error| self.failure(&listing(resource, namespace), &error))?;
        answer.map(|answer| items(answer, resource, namespace)).transpose()
    }
}

/// The resourceVersion and the objects of a list, each with its kind.
fn items(mut answer: Value, resource: &Resource, namespace: Option<&str>) -> Result<(String, Vec<Value>)> {
    let version = answer["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_string();
    let Some(Value::Array(mut items)) = answer.get_mut("items").map(Value::take) else {
        return Err(Failure::step(format!("cannot {}", listing(resource, namespace)))
            .cause("the API server's answer holds no items"));
    };
    for item in &mut items {
        item["apiVersion"] = resource.api_version.clone().into();
        item["kind"] = resource.kind.clone().into();
    }
    Ok((version, items))
}

/// The words for listing a kind.
pub(super) fn listing(resource: &Resource, namespace: Option<&str>) -> String {
    let kind = resource.full_name();
    match namespace.filter(|_| resource.namespaced) {
        Some(namespace) => format!("list {kind} in namespace {namespace}"),
        None => format!("list {kind}"),
    }
}
