//! The states in which people leave Longhorn, each made as they make it.

use super::{NAMESPACE, PLURALS, RESOURCES, list, name};
use crate::support::Lab;
use serde_json::{Value, json};

const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json-patch+json";

/// A state of Longhorn before `reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// As `up` left it.
    None,
    /// The manager's DaemonSet was deleted: nobody clears a finalizer.
    ManagerDeleted,
    /// `kubectl delete namespace longhorn-system`.
    NamespaceDeleted,
    /// `kubectl delete -f longhorn.yaml`.
    ManifestDeleted,
    /// `kubectl delete crd -l ...`.
    DefinitionsDeleted,
    /// The uninstall job was run by hand, deleted a part, and failed.
    JobFailed,
    /// The image of the manager, and so of the job, cannot be pulled any more.
    ImageGone,
    /// An API service in its namespace is dead: discovery fails.
    ApiServiceDead,
}

impl Breakage {
    /// Makes it so.
    pub fn make(self, lab: &Lab) {
        // The manager takes note of each of the four volumes, its engine and its copies.
        for plural in ["volumes", "engines"] {
            lab.reader().wait_for_count(&format!("{RESOURCES}/{plural}"), 4);
        }
        lab.reader().wait_for_count(&format!("{RESOURCES}/replicas"), copies(super::storage_nodes(lab).len()));
        match self {
            Breakage::None => {}
            Breakage::ManagerDeleted => manager_deleted(lab),
            Breakage::NamespaceDeleted => {
                lab.reader().delete(&format!("/api/v1/namespaces/{NAMESPACE}"));
                settled(lab);
            }
            Breakage::ManifestDeleted => manifest_deleted(lab),
            Breakage::DefinitionsDeleted => definitions_deleted(lab),
            Breakage::JobFailed => job_failed(lab),
            Breakage::ImageGone => image_gone(lab),
            Breakage::ApiServiceDead => api_service_dead(lab, "longhorn-dead", NAMESPACE),
        }
    }
}

fn manager_deleted(lab: &Lab) {
    lab.reader().delete(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/longhorn-manager"));
    pods_gone(lab, "longhorn-manager");
}

/// Waits until no pod with that label `app` is left.
fn pods_gone(lab: &Lab, app: &str) {
    let collection = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    for pod in list(lab, &format!("{collection}?labelSelector=app%3D{app}")) {
        lab.reader().wait_until_gone(&collection, name(&pod));
    }
}

/// Copies of the four volumes.
fn copies(nodes: usize) -> usize {
    4 * nodes.min(3)
}

/// Waits until the namespace controller has deleted all pods that it can: what is left is held by finalizers. That is the
/// volumes and their engines, the copies, the nodes and the engine image.
fn settled(lab: &Lab) {
    pods_gone(lab, "longhorn-manager");
    let nodes = super::storage_nodes(lab).len();
    let (left, wanted) = (held(lab), 4 + 4 + copies(nodes) + nodes + 1);
    assert!(left >= wanted, "only {left} objects of {wanted} are held");
}

/// Number of custom resources that are being deleted and carry the finalizer.
pub fn held(lab: &Lab) -> usize {
    let all = PLURALS.iter().flat_map(|plural| list(lab, &format!("{RESOURCES}/{plural}")));
    let finalizer = |object: &Value| object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty());
    all.filter(finalizer).count()
}

/// In the order of the file, without waiting: the namespace first, the manager's rights with it.
fn manifest_deleted(lab: &Lab) {
    let reader = lab.reader();
    for path in [
        "/api/v1/namespaces/longhorn-system",
        "/api/v1/namespaces/longhorn-system/serviceaccounts/longhorn-service-account",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/longhorn-role",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/longhorn-bind",
    ] {
        reader.delete(path);
    }
    definitions_deleted(lab);
    reader.delete("/apis/policy/v1beta1/podsecuritypolicies/longhorn-psp");
    settled(lab);
}

fn definitions_deleted(lab: &Lab) {
    for plural in PLURALS {
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.longhorn.io");
        lab.reader().delete(&path);
    }
}

/// As after the deadline of the job: half of the workloads and resources are gone, a failed Job lies about.
fn job_failed(lab: &Lab) {
    let reader = lab.reader();
    manager_deleted(lab);
    for sidecar in ["csi-attacher", "csi-provisioner"] {
        reader.delete(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{sidecar}"));
    }
    for plural in ["volumes", "engineimages"] {
        for object in list(lab, &format!("{RESOURCES}/{plural}")) {
            reader.delete(&format!("{RESOURCES}/{plural}/{}", name(&object)));
        }
    }
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "name": "longhorn-uninstall-service-account", "namespace": "default" } });
    reader.create("/api/v1/namespaces/default/serviceaccounts", &account);
    let pod = json!({ "restartPolicy": "Never", "serviceAccountName": "longhorn-uninstall-service-account",
        "containers": [{ "name": "longhorn-uninstall", "image": "longhornio/longhorn-manager:v1.2.6",
            "imagePullPolicy": "IfNotPresent", "command": ["longhorn-manager", "uninstall", "--force"] }] });
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": "longhorn-uninstall", "namespace": "default" },
        "spec": { "activeDeadlineSeconds": 1, "backoffLimit": 0, "template": { "spec": pod } } });
    reader.create("/apis/batch/v1/namespaces/default/jobs", &job);
}

/// The registry went away and the nodes cleaned up: the managers run on, and the same tag can be pulled nowhere.
fn image_gone(lab: &Lab) {
    let set = format!("/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/longhorn-manager");
    let image = json!([
        { "op": "replace", "path": "/spec/updateStrategy", "value": { "type": "OnDelete" } },
        { "op": "replace", "path": "/spec/template/spec/containers/0/image",
            "value": "gone.invalid/longhornio/longhorn-manager:v1.2.6" },
    ]);
    lab.reader().patch(&set, JSON, "kubectl", &image);
}

/// An API service whose backing service does not exist, in that namespace.
pub fn api_service_dead(lab: &Lab, service: &str, namespace: &str) {
    let object = json!({ "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": { "name": "v1beta1.dead.example.com" },
        "spec": { "group": "dead.example.com", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true, "service": { "name": service, "namespace": namespace } } });
    lab.reader().create("/apis/apiregistration.k8s.io/v1/apiservices", &object);
}

/// Takes every finalizer off an object.
pub fn let_go(lab: &Lab, path: &str) {
    lab.reader().patch(path, MERGE, "kubectl", &json!({ "metadata": { "finalizers": null } }));
}
