//! Which address a kind has: a table for the built-in kinds, the server's discovery for the rest.

use super::{Cluster, request::Call};
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use serde_json::Value;

/// A kind and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub api_version: String,
    pub kind: String,
    pub plural: String,
    pub namespaced: bool,
    pub listable: bool,
}

/// The kinds that we know where to find, each once: apiVersion, kind, plural, namespaced.
const BUILT_IN: &[(&str, &str, &str, bool)] = &[
    ("v1", "ConfigMap", "configmaps", true),
    ("v1", "Event", "events", true),
    ("v1", "Namespace", "namespaces", false),
    ("v1", "Node", "nodes", false),
    ("v1", "PersistentVolume", "persistentvolumes", false),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", true),
    ("v1", "Pod", "pods", true),
    ("v1", "Secret", "secrets", true),
    ("v1", "Service", "services", true),
    ("v1", "ServiceAccount", "serviceaccounts", true),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
    ("apps/v1", "DaemonSet", "daemonsets", true),
    ("apps/v1", "Deployment", "deployments", true),
    ("apps/v1", "ReplicaSet", "replicasets", true),
    ("apps/v1", "StatefulSet", "statefulsets", true),
    ("batch/v1", "Job", "jobs", true),
    ("coordination.k8s.io/v1", "Lease", "leases", true),
    // Gone from 1.25 on, where Longhorn 1.2 does not run.
    ("policy/v1beta1", "PodSecurityPolicy", "podsecuritypolicies", false),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", true),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true),
    ("storage.k8s.io/v1", "CSIDriver", "csidrivers", false),
    ("storage.k8s.io/v1", "CSINode", "csinodes", false),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", false),
    ("storage.k8s.io/v1", "VolumeAttachment", "volumeattachments", false),
];

impl Resource {
    /// A built-in kind.
    pub(super) fn built_in(api_version: &str, kind: &str) -> Option<Resource> {
        let (api_version, kind, plural, namespaced) =
            BUILT_IN.iter().find(|(version, name, ..)| *version == api_version && *name == kind)?;
        Some(Resource {
            api_version: (*api_version).into(),
            kind: (*kind).into(),
            plural: (*plural).into(),
            namespaced: *namespaced,
            listable: true,
        })
    }

    /// The kind that a CustomResourceDefinition makes, in the version that is stored; none while it names none that is served.
    pub(super) fn defined(definition: &Value) -> Option<Resource> {
        let spec = &definition["spec"];
        let mut served = spec["versions"].as_array()?.iter().filter(|version| version["served"] == true);
        let version = served.clone().find(|version| version["storage"] == true).or_else(|| served.next())?;
        Some(Resource {
            api_version: format!("{}/{}", spec["group"].as_str()?, version["name"].as_str()?),
            kind: spec["names"]["kind"].as_str()?.into(),
            plural: spec["names"]["plural"].as_str()?.into(),
            namespaced: spec["scope"] == "Namespaced",
            listable: true,
        })
    }

    /// The name of the kind as kubectl takes it, such as `pods`, `volumes.longhorn.io`.
    pub(super) fn full_name(&self) -> String {
        match self.api_version.rsplit_once('/') {
            Some((group, _)) => format!("{}.{group}", self.plural),
            None => self.plural.clone(),
        }
    }

    /// The address of the objects of this kind, in one namespace or everywhere.
    pub(super) fn path(&self, namespace: Option<&str>) -> String {
        let root = root(&self.api_version);
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// The address of one object.
    pub(super) fn object(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{name}", self.path(namespace))
    }
}

/// The address of an API version.
pub(super) fn root(api_version: &str) -> String {
    match api_version.contains('/') {
        true => format!("/apis/{api_version}"),
        false => format!("/api/{api_version}"),
    }
}

/// The kinds in the server's answer about one API version, without subresources.
pub(super) fn kinds(api_version: &str, answer: &Value) -> Vec<Resource> {
    let resources = answer["resources"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    resources
        .filter(|resource| !resource["name"].as_str().is_some_and(|name| name.contains('/')))
        .map(|resource| Resource {
            api_version: api_version.to_string(),
            kind: text(&resource["kind"]),
            plural: text(&resource["name"]),
            namespaced: resource["namespaced"].as_bool().unwrap_or_default(),
            listable: resource["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|verb| verb == "list")),
        })
        .collect()
}

impl Cluster {
    /// Where an object's kind lives. A namespaced object must say its namespace.
    pub(super) async fn resource(&self, object: &ObjectRef) -> Result<Resource> {
        self.known(object).await?.ok_or_else(|| {
            Failure::step(format!("the cluster knows no kind {} in {}", object.kind, object.api_version))
                .cause(format!("needed for {object}"))
                .hint(format!("see what it knows: kubectl api-resources --api-group={}", object.group()))
        })
    }

    /// The same; none when the cluster does not know the kind, and so has no object of it.
    pub(super) async fn known(&self, object: &ObjectRef) -> Result<Option<Resource>> {
        let resource = match Resource::built_in(&object.api_version, &object.kind) {
            Some(resource) => resource,
            None => match self.discovered(object).await? {
                Some(resource) => resource,
                None => return Ok(None),
            },
        };
        if resource.namespaced && object.namespace.as_deref().is_none_or(str::is_empty) {
            return Err(Failure::step(format!("{object} names no namespace")));
        }
        Ok(Some(resource))
    }

    async fn discovered(&self, object: &ObjectRef) -> Result<Option<Resource>> {
        let known = |kinds: &[Resource]| kinds.iter().find(|resource| resource.kind == object.kind).cloned();
        if let Some(found) = self.remembered(&object.api_version).as_deref().and_then(known) {
            return Ok(Some(found));
        }
        let answer = self.find(&Call::get(root(&object.api_version))).await;
        let answer =
            answer.map_err(|error| self.failure(&format!("look up the kinds of {}", object.api_version), &error))?;
        let kinds = kinds(&object.api_version, &answer.unwrap_or_default());
        let found = known(&kinds);
        if let Ok(mut cache) = self.inner.kinds.lock() {
            cache.insert(object.api_version.clone(), kinds);
        }
        Ok(found)
    }

    fn remembered(&self, api_version: &str) -> Option<Vec<Resource>> {
        self.inner.kinds.lock().ok()?.get(api_version).cloned()
    }
}
