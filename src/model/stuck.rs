//! A namespace that is to end, with what keeps it: read-only data, and what can be said of it.

use super::longhorn;
use super::object::{ObjectRef, condition};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Names that Longhorn 1.3 and later give to their webhook configurations.
const LONGHORN_WEBHOOKS: &[&str] = &["longhorn-webhook-validator", "longhorn-webhook-mutator"];
/// Conditions of a namespace that say why it is not gone.
const TELLING: &[&str] = &[
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
];

/// A namespace and what is seen around it. Objects are kept whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stuck {
    /// The namespace.
    pub namespace: Value,
    /// Every object in it, of every kind that could be listed.
    pub left: Vec<Left>,
    /// What could not be listed, such as `metrics.k8s.io/v1beta1`.
    pub unseen: Vec<String>,
    /// API services that a Service in the cluster stands behind.
    pub api_services: Vec<Value>,
    /// Webhook configurations.
    pub webhooks: Vec<Value>,
}

/// An object in the namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// Its kind's name in addresses, with the group: `replicas.longhorn.io`, `pods`.
    pub resource: String,
    /// The object.
    pub object: ObjectRef,
    /// Its finalizers.
    pub finalizers: Vec<String>,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// The objects of one kind in the namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Its name in addresses, with the group.
    pub resource: String,
    /// How many there are.
    pub count: usize,
    /// Every finalizer that one of them carries.
    pub finalizers: Vec<String>,
}

impl Stuck {
    /// Name of the namespace.
    pub fn name(&self) -> &str {
        self.namespace["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// Whether it is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.namespace["metadata"]["deletionTimestamp"].is_string()
    }

    /// Whether it is Longhorn's own. Another namespace with objects of Longhorn's kinds in it is somebody else's: what Longhorn
    /// runs elsewhere, and whose volumes it has, is not to end with it.
    pub fn is_longhorn(&self) -> bool {
        self.name() == longhorn::NAMESPACE
    }

    /// What is in it, one line a kind.
    pub fn held(&self) -> Vec<Held> {
        let mut kinds: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
        for left in &self.left {
            let kind = kinds.entry(&left.resource).or_default();
            kind.0 += 1;
            kind.1.extend(left.finalizers.iter().map(String::as_str));
        }
        let line = |(resource, (count, finalizers)): (&str, (usize, BTreeSet<&str>))| Held {
            resource: resource.into(),
            count,
            finalizers: finalizers.into_iter().map(Into::into).collect(),
        };
        kinds.into_iter().map(line).collect()
    }

    /// What its conditions say, each in a line.
    pub fn conditions(&self) -> Vec<String> {
        let bad = TELLING.iter().filter_map(|kind| condition(&self.namespace, kind));
        let bad = bad.filter(|condition| condition["status"] == "True");
        bad.filter_map(|condition| condition["message"].as_str()).map(Into::into).collect()
    }

    /// Why it is not gone, in lines; what others have to mend comes with the command.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for held in self.held() {
            let finalizers = match held.finalizers.as_slice() {
                [] => "no finalizer".to_string(),
                [one] => format!("finalizer {one}"),
                more => format!("finalizers {}", more.join(", ")),
            };
            lines.push(format!("it holds {} {} ({finalizers})", held.count, held.resource));
        }
        if lines.is_empty() {
            lines.extend(self.conditions().into_iter().map(|message| format!("it says: {message}")));
        }
        let needs = |object: &ObjectRef| format!("{object} needs it and fails without it");
        lines.extend(self.own_api_services().iter().chain(&self.own_webhooks()).map(needs));
        lines.extend(self.foreign().into_iter().map(|(cause, hint)| format!("{cause}: {hint}")));
        if !self.unseen.is_empty() {
            lines.push(format!("nobody can say what there is of {}: their server is dead", self.unseen.join(", ")));
        }
        lines
    }

    /// API services behind which a Service of this namespace stands: they die with it.
    pub fn own_api_services(&self) -> Vec<ObjectRef> {
        let own = self.api_services.iter().filter(|one| one["spec"]["service"]["namespace"] == *self.name());
        own.map(ObjectRef::of).collect()
    }

    /// Webhook configurations that call nothing but Services of this namespace: they fail without it.
    pub fn own_webhooks(&self) -> Vec<ObjectRef> {
        self.webhooks.iter().filter(|one| self.owns(one)).map(ObjectRef::of).collect()
    }

    fn owns(&self, configuration: &Value) -> bool {
        let named = configuration["metadata"]["name"].as_str().is_some_and(|name| LONGHORN_WEBHOOKS.contains(&name));
        let hooks = configuration["webhooks"].as_array().map_or(&[][..], Vec::as_slice);
        let here = |hook: &Value| hook["clientConfig"]["service"]["namespace"] == *self.name();
        (named && self.is_longhorn()) || (!hooks.is_empty() && hooks.iter().all(here))
    }

    /// What somebody else has to mend before it can end: the cause, and the command.
    pub fn foreign(&self) -> Vec<(String, String)> {
        let dead = self.api_services.iter().filter(|one| is_dead(one));
        let dead = dead.filter(|one| one["spec"]["service"]["namespace"] != *self.name()).map(|one| {
            let name = one["metadata"]["name"].as_str().unwrap_or_default();
            let text = |key: &str| one["spec"]["service"][key].as_str().unwrap_or_default().to_string();
            let cause = format!(
                "the API service {name} is dead: nothing answers behind the Service {}/{}, and no namespace can end",
                text("namespace"),
                text("name")
            );
            (cause, format!("bring that Service back, or remove it with `kubectl delete apiservice {name}`"))
        });
        let said = self.conditions().join("\n");
        let failing = self.webhooks.iter().filter(|one| !self.owns(one)).filter_map(|one| {
            let hooks = one["webhooks"].as_array()?;
            let hook = hooks.iter().filter_map(|hook| hook["name"].as_str());
            let hook = hook.into_iter().find(|hook| said.contains(&format!("failed calling webhook \"{hook}\"")))?;
            let object = ObjectRef::of(one);
            let cause = format!("the webhook {hook} of {object} fails, and objects cannot be changed without it");
            let kind = object.kind.to_lowercase();
            Some((cause, format!("bring its Service back, or remove it with `kubectl delete {kind} {}`", object.name)))
        });
        dead.chain(failing).collect()
    }
}

/// Whether nothing answers behind an API service.
pub fn is_dead(api_service: &Value) -> bool {
    api_service["spec"]["service"].is_object()
        && condition(api_service, "Available").is_some_and(|available| available["status"] != "True")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn api_service(name: &str, namespace: &str, available: &str) -> Value {
        json!({ "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": { "name": name },
            "spec": { "service": { "namespace": namespace, "name": "server" } },
            "status": { "conditions": [{ "type": "Available", "status": available }] } })
    }

    fn webhook(name: &str, namespaces: &[&str]) -> Value {
        let hooks = namespaces.iter().map(
            |namespace| json!({ "name": format!("{name}.io"), "clientConfig": { "service": { "namespace": namespace } } }),
        );
        json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": { "name": name }, "webhooks": hooks.collect::<Vec<_>>() })
    }

    fn stuck() -> Stuck {
        let message = "failed calling webhook \"other.io\": service not found";
        let condition = json!({ "type": "NamespaceDeletionContentFailure", "status": "True", "message": message });
        Stuck {
            namespace: json!({ "metadata": { "name": "longhorn-system" }, "status": { "conditions": [condition] } }),
            api_services: vec![
                api_service("own", "longhorn-system", "False"),
                api_service("dead", "monitoring", "False"),
                api_service("well", "monitoring", "True"),
            ],
            webhooks: vec![
                webhook("own", &["longhorn-system"]),
                webhook("longhorn-webhook-mutator", &["elsewhere"]),
                webhook("mixed", &["longhorn-system", "elsewhere"]),
                webhook("other", &["elsewhere"]),
            ],
            ..Stuck::default()
        }
    }

    fn names(objects: &[ObjectRef]) -> Vec<&str> {
        objects.iter().map(|object| object.name.as_str()).collect()
    }

    #[test]
    fn what_dies_with_the_namespace_is_told_from_what_is_somebody_elses() {
        let stuck = stuck();
        assert_eq!(names(&stuck.own_api_services()), ["own"]);
        assert_eq!(names(&stuck.own_webhooks()), ["own", "longhorn-webhook-mutator"]);
    }

    #[test]
    fn the_trouble_of_others_comes_with_the_command_that_mends_it() {
        let foreign = stuck().foreign();
        assert_eq!(foreign.len(), 2);
        assert!(foreign[0].1.ends_with("`kubectl delete apiservice dead`"), "{foreign:?}");
        assert!(
            foreign[1].0.starts_with("the webhook other.io of ValidatingWebhookConfiguration other"),
            "{foreign:?}"
        );
    }

    #[test]
    fn what_is_in_it_is_counted_by_kind() {
        let left = |resource: &str, finalizer: &str| Left {
            resource: resource.into(),
            object: ObjectRef::new("longhorn.io/v1beta1", "Node", Some("longhorn-system"), "a"),
            finalizers: vec![finalizer.into()],
            deleting: true,
        };
        let left = vec![left("nodes.longhorn.io", "b"), left("nodes.longhorn.io", "a"), left("pods", "c")];
        let held = Stuck { left, ..stuck() }.held();
        assert_eq!((held[0].count, held[0].finalizers.join(" ")), (2, "a b".into()));
        assert_eq!(held[1].resource, "pods");
    }
}
