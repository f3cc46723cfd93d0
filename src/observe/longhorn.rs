//! Reads what is there of Longhorn: two rounds of requests, each side by side.

use crate::cluster::{Cluster, Selector};
use crate::error::Result;
use crate::model::longhorn::{DRIVER, GROUP, LonghornFacts, NAMESPACE, is_volume};
use crate::model::object::{FIELD_MANAGER, LAB_LABEL, MANAGED_BY};
use crate::model::{Facts, ObjectRef};
use futures::future::try_join_all;

/// What is seen of Longhorn, whoever installed it; none when nothing of it is there. Custom resources are read of those kinds
/// only whose definitions are there, for the others are not served.
pub async fn longhorn(cluster: &Cluster) -> Result<Option<LonghornFacts>> {
    let all = Selector::default();
    let namespace = ObjectRef::new("v1", "Namespace", None, NAMESPACE);
    let driver = ObjectRef::new("storage.k8s.io/v1", "CSIDriver", None, DRIVER);
    let (namespace, sets, deployments, mut definitions, driver, csi_nodes, mut volumes, mut attachments) = futures::try_join!(
        cluster.get(&namespace),
        cluster.list("apps/v1", "DaemonSet", Some(NAMESPACE), &all),
        cluster.list("apps/v1", "Deployment", Some(NAMESPACE), &all),
        cluster.list("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, &all),
        cluster.get(&driver),
        cluster.list("storage.k8s.io/v1", "CSINode", None, &all),
        cluster.list("v1", "PersistentVolume", None, &all),
        cluster.list("storage.k8s.io/v1", "VolumeAttachment", None, &all),
    )?;
    definitions.retain(|definition| definition["spec"]["group"] == GROUP);
    volumes.retain(is_volume);
    attachments.retain(|attachment| attachment["spec"]["attacher"] == DRIVER);
    let resources = try_join_all(definitions.iter().map(|definition| cluster.list_defined(definition))).await?.concat();
    let workloads = [sets, deployments].concat();
    let facts = LonghornFacts { namespace, workloads, resources, definitions, driver, csi_nodes, volumes, attachments };
    Ok(facts.is_there().then_some(facts))
}

/// The kinds of its manifest that [`longhorn`] does not read: apiVersion, kind, and whether its namespace has them.
const MANIFEST: &[(&str, &str, bool)] = &[
    ("v1", "ConfigMap", true),
    ("v1", "Service", true),
    ("v1", "ServiceAccount", true),
    ("rbac.authorization.k8s.io/v1", "Role", true),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", true),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", false),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", false),
    ("policy/v1beta1", "PodSecurityPolicy", false),
];

/// Adds to the facts of a lab what is there of Longhorn, and of its manifest where this lab applied it.
pub async fn of_lab(cluster: &Cluster, lab: &str, facts: &mut Facts) -> Result<()> {
    facts.longhorn = longhorn(cluster).await?;
    if facts.longhorn.as_ref().is_some_and(|seen| seen.is_of(lab)) {
        let ours = Selector::labels(format!("{MANAGED_BY}={FIELD_MANAGER},{LAB_LABEL}={lab}"));
        let lists = MANIFEST
            .iter()
            .map(|(version, kind, inside)| cluster.list(version, kind, inside.then_some(NAMESPACE), &ours));
        facts.objects.extend(try_join_all(lists).await?.into_iter().flatten());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::mock::{Answer, Asked, cluster};
    use serde_json::{Value, json};

    fn definition(group: &str, plural: &str) -> Value {
        json!({ "metadata": { "name": format!("{plural}.{group}") }, "spec": { "group": group, "scope": "Namespaced",
            "names": { "plural": plural, "kind": "Thing" },
            "versions": [{ "name": "v1beta1", "served": true, "storage": true }] } })
    }

    fn server(asked: &Asked) -> Answer {
        let of = |driver: &str| json!({ "spec": { "csi": { "driver": driver }, "attacher": driver } });
        let named = |name: &str| json!({ "metadata": { "name": name } });
        match asked.path.rsplit('/').next() {
            Some("longhorn-system" | "driver.longhorn.io") => Answer::ok(named("it")),
            Some("customresourcedefinitions") => Answer::list(
                vec![definition(GROUP, "nodes"), definition(GROUP, "volumes"), definition("other.io", "things")],
                "1",
            ),
            Some("persistentvolumes" | "volumeattachments") => Answer::list(vec![of(DRIVER), of("other")], "1"),
            Some("nodes") => Answer::list(vec![named("lab-1")], "1"),
            // Its definition is on its way out and not served any more.
            Some("volumes") => Answer::missing(),
            Some("things") => panic!("another group is nobody's business"),
            _ => Answer::list(vec![], "1"),
        }
    }

    #[tokio::test]
    async fn only_what_is_longhorns_is_read_and_a_definition_that_is_not_served_is_no_error() {
        let (cluster, log) = cluster(server);
        let facts = longhorn(&cluster).await.unwrap().unwrap();
        assert_eq!((facts.definitions.len(), facts.volumes.len(), facts.attachments.len()), (2, 1, 1));
        let resource = &facts.resources[0];
        assert_eq!((&resource["apiVersion"], &resource["kind"]), (&json!("longhorn.io/v1beta1"), &json!("Thing")));
        assert_eq!(log.lock().unwrap().len(), 10);
    }

    #[tokio::test]
    async fn nothing_of_it_is_none_and_what_may_not_be_read_is_an_error() {
        let (bare, _) = cluster(|asked| match asked.path.rsplit('/').next() {
            Some("longhorn-system" | "driver.longhorn.io") => Answer::missing(),
            _ => Answer::list(vec![], "1"),
        });
        assert!(longhorn(&bare).await.unwrap().is_none());
        let (closed, _) = cluster(|asked| match asked.path.rsplit('/').next() {
            Some("nodes") => Answer::error(403, "Forbidden", "bob cannot list"),
            _ => server(asked),
        });
        let failure = longhorn(&closed).await.unwrap_err();
        assert_eq!(failure.message, "not allowed to list nodes.longhorn.io");
    }
}
