//! The canary: a claim on Longhorn and a pod on one node that writes to it as IRIS does, reads it back, and goes again. Only this
//! proves that a volume can be attached: every pod of Longhorn may be green while none can.

use super::site::{foreign, storage_nodes};
use super::steps::step_of;
use crate::addon::{RECORDED, Site};
use crate::error::Result;
use crate::model::longhorn::{CANARY_KEY, CLASS, HOST_NAME};
use crate::model::object::{CANARY_LABEL, RECORD, labelled};
use crate::model::{Action, Link, LonghornFacts, NodeName, ObjectRef, Step};
use serde_json::{Value, json};
use std::time::Duration;

/// Longhorn gives up an attachment after 90 seconds and tries again; then the volume and its pod are removed.
const TIMEOUT: Duration = Duration::from_secs(7 * 60);
/// User and group of IRIS.
const IRIS: u64 = 51773;
/// Writes the pod's uid, which is new every time, through to the disk and compares what is read back.
const SCRIPT: &str = "printf %s \"$TOKEN\" > /canary/token && sync && test \"$(cat /canary/token)\" = \"$TOKEN\" && echo read back $TOKEN";

/// One step for each node that takes pods and holds volumes; none when the lab does without.
pub fn steps(site: &Site, objects: &[Value]) -> Result<Vec<Step>> {
    if !site.lab.spec.longhorn.canary {
        return Ok(Vec::new());
    }
    let image = match foreign(site) {
        Some(seen) => manager_image(&seen.workloads),
        None => manager_image(objects),
    };
    let open = storage_nodes(site).into_iter().filter(|node| node["spec"]["unschedulable"] != true);
    Ok(open.enumerate().map(|(index, node)| step(site, node, index + 1, image.unwrap_or_default())).collect())
}

fn step(site: &Site, node: &Value, number: usize, image: &str) -> Step {
    let known = node["metadata"]["name"].as_str();
    let of_node = known.map_or(NodeName::Number(number), |name| NodeName::Known(name.into()));
    let name = &known.map_or_else(|| number.to_string(), Into::into);
    let record = ObjectRef::new("v1", "ConfigMap", Some(&site.lab.spec.iris.namespace), RECORD);
    let proof = site.facts.find(&record).and_then(|record| record["data"][format!("{CANARY_KEY}{name}")].as_str());
    let proven = proof.is_some() && proof == site.facts.longhorn.as_ref().and_then(|seen| node_uid(seen, name));
    let title = format!("Prove that a volume works on {of_node}");
    let action = Action::Canary { node: of_node, objects: objects(site, node, name, image), record };
    let links = [Link::Nodes, Link::EngineImage, Link::InstanceManagers, Link::Registered, Link::Class];
    Step::new(format!("longhorn-canary-{name}"), title, TIMEOUT, action)
        .after(links.map(step_of))
        .after([RECORDED])
        .satisfied_by(proven.then(|| "it was proven before".into()))
}

/// The claim and the pod. Those for a node without a name get it by the label [`HOST_NAME`] as soon as it has one.
fn objects(site: &Site, node: &Value, name: &str, image: &str) -> Vec<Value> {
    let host = node["metadata"]["labels"][HOST_NAME].as_str().unwrap_or(name);
    let meta = json!({ "name": format!("longhorn-canary-{name}"),
        "namespace": site.lab.spec.iris.namespace, "labels": { CANARY_LABEL: CLASS } });
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta,
        "spec": { "storageClassName": CLASS, "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "64Mi" } } },
    });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": meta,
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": false,
            "nodeSelector": { HOST_NAME: host },
            "securityContext": { "runAsUser": IRIS, "runAsGroup": IRIS, "fsGroup": IRIS, "runAsNonRoot": true },
            "containers": [{
                "name": "canary", "image": image, "imagePullPolicy": "IfNotPresent",
                "command": ["sh", "-c", SCRIPT],
                "env": [{ "name": "TOKEN", "valueFrom": { "fieldRef": { "fieldPath": "metadata.uid" } } }],
                "volumeMounts": [{ "name": "canary", "mountPath": "/canary" }],
            }],
            "volumes": [{ "name": "canary", "persistentVolumeClaim": { "claimName": meta["name"] } }],
        },
    });
    labelled(vec![claim, pod], &site.lab.metadata.name)
}

/// Uid of the object that Longhorn keeps for a node.
fn node_uid<'a>(seen: &'a LonghornFacts, name: &str) -> Option<&'a str> {
    seen.resource("Node", name)?.pointer("/metadata/uid")?.as_str()
}

/// The image that every node has, because Longhorn's manager runs there.
fn manager_image(objects: &[Value]) -> Option<&str> {
    let manager = objects.iter().find(|o| o["kind"] == "DaemonSet" && o["metadata"]["name"] == "longhorn-manager")?;
    manager.pointer("/spec/template/spec/containers/0/image")?.as_str()
}
