//! The values that a real API server fills in when an object leaves them out.

mod cluster;
mod pods;
mod workloads;

pub use pods::admit as admit_pod;

use crate::sim::kinds::Kind;
use crate::sim::store::resource::object_mut;
use serde_json::{Value, json};

/// Fills in what is left out. Filling in twice changes nothing more.
pub fn fill(kind: &Kind, minor: u32, object: &mut Value) {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => pods::pod(object),
        ("", "services") => cluster::service(object, minor),
        ("", "namespaces") => cluster::namespace(object, minor),
        ("", "persistentvolumeclaims") => cluster::claim(object),
        ("", "persistentvolumes") => cluster::volume(object),
        ("", "secrets") => cluster::secret(object),
        ("", "nodes") => {
            object_mut(&mut object["spec"]);
        }
        ("apps" | "batch", _) => workloads::fill(&kind.plural, minor, object),
        ("", "replicationcontrollers") => workloads::fill("replicationcontrollers", minor, object),
        ("storage.k8s.io", _) => cluster::storage(&kind.plural, object),
        ("rbac.authorization.k8s.io", _) => cluster::rights(object),
        ("networking.k8s.io", "networkpolicies") => cluster::network_policy(object),
        ("apiextensions.k8s.io", _) => cluster::definition(object),
        _ => {}
    }
}

/// What the admission plug-ins and strategies of a real cluster add to a new object.
pub fn admit(kind: &Kind, object: &mut Value) {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => pods::admit(object),
        ("", "namespaces") => default(&mut object["spec"], "finalizers", json!(["kubernetes"])),
        ("", "persistentvolumeclaims") => protect(object, "kubernetes.io/pvc-protection"),
        ("", "persistentvolumes") => protect(object, "kubernetes.io/pv-protection"),
        ("batch", "jobs") => workloads::admit_job(object),
        _ => {}
    }
}

/// Sets a field that is not there.
fn default(object: &mut Value, field: &str, value: Value) {
    let map = object_mut(object);
    if map.get(field).is_none_or(Value::is_null) {
        map.insert(field.into(), value);
    }
}

/// Sets several fields that are not there.
fn defaults(object: &mut Value, fields: Value) {
    if let Value::Object(fields) = fields {
        for (field, value) in fields {
            default(object, &field, value);
        }
    }
}

/// The elements of a list.
fn each<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten().filter(|element| element.is_object())
}

/// Adds a finalizer that a new object must have.
fn protect(object: &mut Value, finalizer: &str) {
    let list = object_mut(&mut object["metadata"]).entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut().filter(|list| !list.iter().any(|one| one == finalizer)) {
        list.push(json!(finalizer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{kinds::Kinds, store::Store};

    fn filled(group: &str, version: &str, plural: &str, mut object: Value) -> Value {
        let kind = Kinds::new(Store::new(), 24).find(group, version, plural).unwrap();
        fill(&kind, 24, &mut object);
        let once = object.clone();
        fill(&kind, 24, &mut object);
        assert_eq!(once, object, "filling in twice must change nothing");
        object
    }

    #[test]
    fn stateful_sets_are_completed() {
        let template =
            json!({"spec": {"containers": [{"name": "a", "image": "a:1", "ports": [{"containerPort": 1}]}]}});
        let set = filled("apps", "v1", "statefulsets", json!({"spec": {"template": template}}));
        assert_eq!(set["spec"]["podManagementPolicy"], "OrderedReady");
        let container = &set["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["imagePullPolicy"], "IfNotPresent");
        assert_eq!(container["ports"][0]["protocol"], "TCP");
    }

    #[test]
    fn services_get_target_ports() {
        let service = filled("", "v1", "services", json!({"spec": {"ports": [{"port": 80}]}}));
        assert_eq!(service["spec"]["ports"][0]["targetPort"], 80);
        assert_eq!(service["spec"]["type"], "ClusterIP");
    }

    #[test]
    fn secrets_are_encoded() {
        let secret = filled("", "v1", "secrets", json!({"stringData": {"a": "b"}}));
        assert_eq!(secret["data"]["a"], "Yg==");
        assert!(secret.get("stringData").is_none());
    }
}
