//! Everything by which Longhorn is still seen in a cluster when its pods are gone: what removing it goes after, and what must not
//! be left at the end. Source: the manifests of v1.2.0 to v1.2.6, and what their manager, driver deployer and uninstall job make.

use super::{CLASS, DRIVER, GROUP, KINDS, NAMESPACE};
use crate::model::object::ObjectRef;
use crate::model::plan::Trace;

/// Kinds that 1.3 and later added, all of them children: a cluster may hold objects of a newer Longhorn.
const LATER_KINDS: &[&str] =
    &["volumeattachments", "snapshots", "orphans", "supportbundles", "systemrestores", "systembackups"];
/// Its cluster-wide objects beside the definitions: apiVersion, kind, name.
const CLUSTER_WIDE: &[(&str, &str, &str)] = &[
    ("storage.k8s.io/v1", "StorageClass", CLASS),
    ("storage.k8s.io/v1", "CSIDriver", DRIVER),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "longhorn-bind"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "longhorn-role"),
    ("policy/v1beta1", "PodSecurityPolicy", "longhorn-psp"),
];
/// The objects of its uninstall job: apiVersion, kind, namespace, name.
const UNINSTALL: &[(&str, &str, Option<&str>, &str)] = &[
    ("batch/v1", "Job", Some("default"), "longhorn-uninstall"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", None, "longhorn-uninstall-bind"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", None, "longhorn-uninstall-role"),
    ("v1", "ServiceAccount", Some("default"), "longhorn-uninstall-service-account"),
    ("policy/v1beta1", "PodSecurityPolicy", None, "longhorn-uninstall-psp"),
];

/// Every kind of its custom resources, children before parents: `replicas.longhorn.io`.
pub fn kinds() -> Vec<String> {
    let names = LATER_KINDS.iter().copied().chain(KINDS.iter().map(|(plural, _)| *plural));
    names.map(|plural| format!("{plural}.{GROUP}")).collect()
}

/// Its cluster-wide objects beside the definitions.
pub fn cluster_wide() -> Vec<ObjectRef> {
    CLUSTER_WIDE.iter().map(|(version, kind, name)| ObjectRef::new(version, kind, None, name)).collect()
}

/// The objects of its uninstall job, the Job first.
pub fn uninstall() -> Vec<ObjectRef> {
    UNINSTALL.iter().map(|(version, kind, home, name)| ObjectRef::new(version, kind, *home, name)).collect()
}

/// Everything beside its namespace and definitions.
pub fn beside() -> Vec<ObjectRef> {
    [cluster_wide(), uninstall()].concat()
}

/// Its namespace.
pub fn namespace() -> ObjectRef {
    ObjectRef::new("v1", "Namespace", None, NAMESPACE)
}

/// Whether an object is a part of Longhorn, and goes with it.
pub fn is_part(object: &ObjectRef) -> bool {
    let same = |part: &ObjectRef| (&part.kind, &part.name) == (&object.kind, &object.name);
    object.namespace.as_deref() == Some(NAMESPACE)
        || same(&namespace())
        || (object.kind == "CustomResourceDefinition" && object.name.ends_with(&format!(".{GROUP}")))
        || beside().iter().any(same)
}

/// What must not be left when it is removed.
pub fn all() -> Vec<Trace> {
    let objects = std::iter::once(namespace()).chain(beside());
    let mut traces: Vec<Trace> = objects.map(Trace::Object).collect();
    traces.extend([Trace::Group { group: GROUP.into() }, Trace::Driver { driver: DRIVER.into() }]);
    traces
}
