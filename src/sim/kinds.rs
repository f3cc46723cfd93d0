//! The kinds that are served: one table of the built-in ones, and those that CustomResourceDefinitions add.

use crate::sim::store::Store;
use crate::sim::store::resource::Resource;
use serde_json::Value;
use std::sync::Arc;

/// One kind with all its served versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: String,
    /// Served versions, the preferred one first.
    pub versions: Vec<Version>,
    /// `pods`.
    pub plural: String,
    /// `pod`.
    pub singular: String,
    /// `Pod`.
    pub kind: String,
    /// `po`.
    pub short_names: Vec<String>,
    /// `all`.
    pub categories: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether a CustomResourceDefinition made it.
    pub custom: bool,
    /// Subresources: `status`, `scale`, `log`.
    pub subresources: Vec<String>,
}

/// One served version of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// `v1`.
    pub name: String,
    /// The minor release that no longer serves it.
    pub removed_in: Option<u32>,
    /// What a CustomResourceDefinition says about it (schema, columns, subresources).
    pub definition: Option<Arc<Value>>,
}

impl Kind {
    /// Where its objects are stored. Events have one store under two groups.
    pub fn resource(&self) -> Resource {
        let group = if self.group == "events.k8s.io" { "" } else { &self.group };
        Resource::new(group, &self.plural)
    }

    /// Its name in error messages: `statefulsets.apps`.
    pub fn qualified(&self) -> Resource {
        Resource::new(&self.group, &self.plural)
    }

    /// `apps/v1`.
    pub fn api_version(&self, version: &str) -> String {
        if self.group.is_empty() { version.into() } else { format!("{}/{version}", self.group) }
    }

    /// A version, when it is served.
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// What a client hears that uses a version that will not be served any more.
    pub fn warning(&self, version: &str) -> Option<String> {
        let removed_in = self.version(version)?.removed_in?;
        let (used, kind) = (self.api_version(version), &self.kind);
        let newest = &self.versions.first()?.name;
        let instead =
            if newest == version { String::new() } else { format!("; use {} {kind}", self.api_version(newest)) };
        Some(format!("{used} {kind} is deprecated, unavailable in v1.{removed_in}+{instead}"))
    }

    /// Whether the status is written apart from the rest.
    pub fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|one| one == subresource)
    }

    /// Whether only requests are answered and nothing is stored.
    pub fn is_review(&self) -> bool {
        self.kind.ends_with("Review")
    }

    /// Whether this is the built-in kind of that group and plural name.
    pub fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }
}

const NS: bool = true;
const CLUSTER: bool = false;

/// Group, versions (with the minor releases that serve them, as `name:from-to`), plural name, kind, short names, scope,
/// subresources, categories.
type Line = (&'static str, &'static str, &'static str, &'static str, &'static str, bool, &'static str, &'static str);

#[rustfmt::skip]
const BUILT_IN: &[Line] = &[
    ("", "v1", "configmaps", "ConfigMap", "cm", NS, "", ""),
    ("", "v1", "endpoints", "Endpoints", "ep", NS, "", ""),
    ("", "v1", "events", "Event", "ev", NS, "", ""),
    ("", "v1", "limitranges", "LimitRange", "limits", NS, "", ""),
    ("", "v1", "namespaces", "Namespace", "ns", CLUSTER, "finalize status", ""),
    ("", "v1", "nodes", "Node", "no", CLUSTER, "status", ""),
    ("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc", NS, "status", ""),
    ("", "v1", "persistentvolumes", "PersistentVolume", "pv", CLUSTER, "status", ""),
    ("", "v1", "pods", "Pod", "po", NS, "attach binding eviction exec log portforward status", "all"),
    ("", "v1", "replicationcontrollers", "ReplicationController", "rc", NS, "scale status", "all"),
    ("", "v1", "resourcequotas", "ResourceQuota", "quota", NS, "status", ""),
    ("", "v1", "secrets", "Secret", "", NS, "", ""),
    ("", "v1", "serviceaccounts", "ServiceAccount", "sa", NS, "token", ""),
    ("", "v1", "services", "Service", "svc", NS, "status", "all"),
    ("apiregistration.k8s.io", "v1 v1beta1:-21", "apiservices", "APIService", "", CLUSTER, "status", "api-extensions"),
    ("apps", "v1", "controllerrevisions", "ControllerRevision", "", NS, "", ""),
    ("apps", "v1", "daemonsets", "DaemonSet", "ds", NS, "status", "all"),
    ("apps", "v1", "deployments", "Deployment", "deploy", NS, "scale status", "all"),
    ("apps", "v1", "replicasets", "ReplicaSet", "rs", NS, "scale status", "all"),
    ("apps", "v1", "statefulsets", "StatefulSet", "sts", NS, "scale status", "all"),
    ("events.k8s.io", "v1 v1beta1:-24", "events", "Event", "ev", NS, "", ""),
    ("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", "", CLUSTER, "", ""),
    ("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", "", NS, "", ""),
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", "", CLUSTER, "", ""),
    ("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", "", CLUSTER, "", ""),
    ("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", "", CLUSTER, "", ""),
    ("batch", "v1", "jobs", "Job", "", NS, "status", "all"),
    ("batch", "v1:21- v1beta1:-24", "cronjobs", "CronJob", "cj", NS, "status", "all"),
    ("networking.k8s.io", "v1", "ingressclasses", "IngressClass", "", CLUSTER, "", ""),
    ("networking.k8s.io", "v1", "ingresses", "Ingress", "ing", NS, "status", ""),
    ("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol", NS, "", ""),
    ("policy", "v1:21- v1beta1:-24", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", NS, "status", ""),
    ("policy", "v1beta1:-24", "podsecuritypolicies", "PodSecurityPolicy", "psp", CLUSTER, "", ""),
    ("rbac.authorization.k8s.io", "v1 v1beta1:-21", "clusterrolebindings", "ClusterRoleBinding", "", CLUSTER, "", ""),
    ("rbac.authorization.k8s.io", "v1 v1beta1:-21", "clusterroles", "ClusterRole", "", CLUSTER, "", ""),
    ("rbac.authorization.k8s.io", "v1 v1beta1:-21", "rolebindings", "RoleBinding", "", NS, "", ""),
    ("rbac.authorization.k8s.io", "v1 v1beta1:-21", "roles", "Role", "", NS, "", ""),
    ("storage.k8s.io", "v1 v1beta1:-21", "csidrivers", "CSIDriver", "", CLUSTER, "", ""),
    ("storage.k8s.io", "v1 v1beta1:-21", "csinodes", "CSINode", "", CLUSTER, "", ""),
    ("storage.k8s.io", "v1 v1beta1:-21", "storageclasses", "StorageClass", "sc", CLUSTER, "", ""),
    ("storage.k8s.io", "v1 v1beta1:-21", "volumeattachments", "VolumeAttachment", "", CLUSTER, "status", ""),
    ("admissionregistration.k8s.io", "v1 v1beta1:-21", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "", CLUSTER, "", "api-extensions"),
    ("admissionregistration.k8s.io", "v1 v1beta1:-21", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "", CLUSTER, "", "api-extensions"),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd crds", CLUSTER, "status", "api-extensions"),
    ("scheduling.k8s.io", "v1 v1beta1:-21", "priorityclasses", "PriorityClass", "pc", CLUSTER, "", ""),
    ("coordination.k8s.io", "v1 v1beta1:-21", "leases", "Lease", "", NS, "", ""),
    ("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", "", CLUSTER, "", ""),
    ("discovery.k8s.io", "v1:21- v1beta1:-24", "endpointslices", "EndpointSlice", "", NS, "", ""),
];

/// The served kinds of one cluster.
pub struct Kinds {
    built_in: Vec<Arc<Kind>>,
    store: Store,
}

impl Kinds {
    /// The kinds of a Kubernetes 1.`minor`, and those that are defined in the store.
    pub fn new(store: Store, minor: u32) -> Self {
        let kinds = BUILT_IN.iter().filter_map(|line| built_in(line, minor)).map(Arc::new);
        Kinds { built_in: kinds.collect(), store }
    }

    /// All kinds, the custom ones last.
    pub fn all(&self) -> Vec<Arc<Kind>> {
        let custom = self.store.list(&definitions(), None);
        self.built_in
            .iter()
            .cloned()
            .chain(custom.iter().filter_map(|definition| from_definition(definition)))
            .collect()
    }

    /// The kind that is served at a path.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        let built_in = self.built_in.iter().find(|kind| kind.is(group, plural)).cloned();
        let kind = built_in.or_else(|| {
            let definition = self.store.get(&definitions(), None, &format!("{plural}.{group}"))?;
            from_definition(&definition)
        })?;
        kind.version(version).is_some().then_some(kind)
    }
}

/// Where CustomResourceDefinitions are stored.
pub fn definitions() -> Resource {
    Resource::new("apiextensions.k8s.io", "customresourcedefinitions")
}

fn built_in(line: &Line, minor: u32) -> Option<Kind> {
    let (group, versions, plural, kind, short_names, namespaced, subresources, categories) = *line;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    let versions: Vec<Version> = versions.split(' ').filter_map(|version| served(version, minor)).collect();
    let kind = Kind {
        group: group.into(),
        versions,
        plural: plural.into(),
        singular: kind.to_lowercase(),
        kind: kind.into(),
        short_names: words(short_names),
        categories: words(categories),
        namespaced,
        custom: false,
        subresources: words(subresources),
    };
    (!kind.versions.is_empty()).then_some(kind)
}

/// Reads `v1`, `v1:21-` or `v1beta1:-24`: none when this release does not serve it.
fn served(text: &str, minor: u32) -> Option<Version> {
    let (name, range) = text.split_once(':').unwrap_or((text, "-"));
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    let from = from.parse().unwrap_or(0);
    let to = to.parse().unwrap_or(u32::MAX);
    let removed_in = to.checked_add(1);
    (from..=to).contains(&minor).then(|| Version { name: name.into(), removed_in, definition: None })
}

/// The kind that an established definition makes.
fn from_definition(definition: &Value) -> Option<Arc<Kind>> {
    let conditions = definition.pointer("/status/conditions")?.as_array()?;
    if !conditions.iter().any(|one| one["type"] == "Established" && one["status"] == "True") {
        return None;
    }
    let spec = &definition["spec"];
    let names = &spec["names"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<String>>();
    let served = spec["versions"].as_array()?.iter().filter(|version| version["served"] == true);
    let mut versions: Vec<Version> = served
        .map(|version| Version {
            name: text(&version["name"]),
            removed_in: None,
            definition: Some(Arc::new(version.clone())),
        })
        .collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version_order(&version.name)));
    let offers = |name: &str| {
        let has = |version: &Version| version.definition.as_ref().is_some_and(|d| !d["subresources"][name].is_null());
        versions.iter().any(has)
    };
    let subresources = ["scale", "status"].into_iter().filter(|name| offers(name)).map(str::to_owned).collect();
    Some(Arc::new(Kind {
        group: text(&spec["group"]),
        plural: text(&names["plural"]),
        singular: text(&names["singular"]),
        kind: text(&names["kind"]),
        short_names: list(&names["shortNames"]),
        categories: list(&names["categories"]),
        namespaced: spec["scope"] != "Cluster",
        custom: true,
        subresources,
        versions,
    }))
}

/// Orders `v1` over `v2beta1` over `v1beta2` over `v1alpha1` over everything else.
pub fn version_order(name: &str) -> (u8, u32, u32) {
    let number = |text: &str| text.parse::<u32>().ok();
    let parse = || {
        let rest = name.strip_prefix('v')?;
        let (major, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let major = number(major)?;
        if rest.is_empty() {
            return Some((3, major, 0));
        }
        let beta = rest.strip_prefix("beta").and_then(number).map(|minor| (2, major, minor));
        beta.or_else(|| rest.strip_prefix("alpha").and_then(number).map(|minor| (1, major, minor)))
    };
    parse().unwrap_or((0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn releases_decide_the_versions() {
        let served =
            |minor, version| Kinds::new(Store::new(), minor).find("policy", version, "poddisruptionbudgets").is_some();
        assert!(served(20, "v1beta1") && !served(20, "v1"));
        assert!(served(24, "v1beta1") && served(24, "v1"));
        assert!(!served(29, "v1beta1") && served(29, "v1"));
    }

    #[test]
    fn established_definitions_are_served() {
        let store = Store::new();
        let kinds = Kinds::new(store.clone(), 24);
        let mut definition = json!({
            "metadata": {"name": "things.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
                "versions": [{"name": "v1beta1", "served": true}, {"name": "v1", "served": true, "subresources": {"status": {}}}]},
        });
        store.create(&definitions(), definition.clone()).unwrap();
        assert!(kinds.find("example.com", "v1", "things").is_none());
        definition["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
        store
            .update(&definitions(), None, "things.example.com", |o| {
                *o = definition;
                Ok(())
            })
            .unwrap();
        let kind = kinds.find("example.com", "v1", "things").unwrap();
        assert_eq!(kind.versions[0].name, "v1");
        assert!(kind.has("status") && !kind.has("scale"));
    }
}
