//! Which kinds the cluster serves. A kind of a dead API service is left out and named: nobody can say what there is of it.

use super::Cluster;
use super::discovery::{Resource, kinds, root};
use super::request::Call;
use crate::error::Result;
use crate::model::stuck::is_dead;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

/// Requests under way at the same time.
pub(super) const AT_ONCE: usize = 8;
const API_SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";
/// Kinds whose objects are records or mirrors of others and vanish with them, or are no objects at all.
const MIRRORS: &[&str] = &["ComponentStatus", "Endpoints", "EndpointSlice", "Event"];

/// What can be listed, and which versions of which groups cannot be asked.
pub(super) struct Listable {
    pub resources: Vec<Resource>,
    pub unseen: Vec<String>,
}

impl Cluster {
    /// Every kind that can be listed, in the version that the server prefers.
    pub(super) async fn listable(&self) -> Result<Listable> {
        let groups = async {
            let groups = self.send(&Call::get("/apis")).await;
            groups.map_err(|error| self.failure("list the API groups", &error))
        };
        let (groups, services) = futures::try_join!(groups, self.api_services())?;
        let of_services = |dead: bool| -> Vec<String> {
            let wanted = services.iter().filter(|service| !dead || is_dead(service));
            wanted.map(group_version).collect()
        };
        let (backed, dead) = (of_services(false), of_services(true));
        let versions = groups["groups"].as_array().into_iter().flatten();
        let versions = versions.filter_map(|group| group["preferredVersion"]["groupVersion"].as_str());
        let (mut unseen, versions): (Vec<&str>, Vec<&str>) =
            std::iter::once("v1").chain(versions).partition(|version| dead.iter().any(|dead| dead == version));
        let backed = &backed;
        let all = versions.iter().map(|version| async move {
            match self.kinds_of(version).await {
                // What a Service stands behind may have died since.
                Err(_) if backed.iter().any(|backed| backed == version) => Ok((*version, None)),
                answer => answer.map(|kinds| (*version, Some(kinds))),
            }
        });
        let all: Vec<(&str, Option<Vec<Resource>>)> =
            stream::iter(all.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
        unseen.extend(all.iter().filter(|(_, kinds)| kinds.is_none()).map(|(version, _)| *version));
        let wanted = |resource: &Resource| resource.listable && !MIRRORS.contains(&resource.kind.as_str());
        let resources = all.iter().flat_map(|(_, kinds)| kinds.iter().flatten()).filter(|kind| wanted(kind)).cloned();
        Ok(Listable { resources: resources.collect(), unseen: unseen.into_iter().map(Into::into).collect() })
    }

    /// The API services that a Service stands behind, whole. Who may not read them is not told of dead ones.
    pub(super) async fn api_services(&self) -> Result<Vec<Value>> {
        let mut answer = match self.send(&Call::get(API_SERVICES)).await {
            Err(error) if matches!(error.code(), Some(403 | 404)) => return Ok(Vec::new()),
            answer => answer.map_err(|error| self.failure("list apiservices.apiregistration.k8s.io", &error))?,
        };
        let Value::Array(mut items) = answer["items"].take() else { return Ok(Vec::new()) };
        items.retain(|item| item["spec"]["service"].is_object());
        for item in &mut items {
            item["apiVersion"] = "apiregistration.k8s.io/v1".into();
            item["kind"] = "APIService".into();
        }
        Ok(items)
    }

    /// The kind with this name, such as `replicas.longhorn.io` or `persistentvolumes`; none when it is not served (any more).
    pub(super) async fn served(&self, name: &str) -> Result<Option<Resource>> {
        let (plural, group) = name.split_once('.').unwrap_or((name, ""));
        let version = match group {
            "" => "v1".to_string(),
            group => {
                let answer = self.find(&Call::get(format!("/apis/{group}"))).await;
                let answer = answer.map_err(|error| self.failure(&format!("look up the group {group}"), &error))?;
                let preferred = answer.as_ref().and_then(|answer| answer["preferredVersion"]["groupVersion"].as_str());
                let Some(version) = preferred else { return Ok(None) };
                version.to_string()
            }
        };
        Ok(self.kinds_of(&version).await?.into_iter().find(|resource| resource.plural == plural))
    }

    /// The kinds of one version of a group; none when it is not served.
    async fn kinds_of(&self, version: &str) -> Result<Vec<Resource>> {
        let answer = self.find(&Call::get(root(version))).await;
        let answer = answer.map_err(|error| self.failure(&format!("look up the kinds of {version}"), &error))?;
        Ok(answer.map(|answer| kinds(version, &answer)).unwrap_or_default())
    }
}

/// `metrics.k8s.io/v1beta1`
fn group_version(api_service: &Value) -> String {
    let text = |key: &str| api_service["spec"][key].as_str().unwrap_or_default();
    format!("{}/{}", text("group"), text("version"))
}
