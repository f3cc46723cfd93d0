//! Defaults of all but pods and what makes them.

use super::{default, defaults, each};
use crate::sim::store::resource::object_mut;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(super) fn service(service: &mut Value, minor: u32) {
    let spec = &mut service["spec"];
    defaults(spec, json!({"type": "ClusterIP", "sessionAffinity": "None"}));
    if spec["type"] == "ExternalName" {
        return;
    }
    if spec["type"] != "ClusterIP" {
        default(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if minor >= 22 {
        default(spec, "internalTrafficPolicy", json!("Cluster"));
    }
    if minor >= 23 {
        defaults(spec, json!({"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}));
    }
    if minor >= 24 && spec["type"] == "LoadBalancer" {
        default(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    for port in each(spec, "ports") {
        default(port, "protocol", json!("TCP"));
        let number = port["port"].clone();
        default(port, "targetPort", number);
    }
    default(&mut service["status"], "loadBalancer", json!({}));
}

pub(super) fn namespace(namespace: &mut Value, minor: u32) {
    if minor >= 21 {
        let name = namespace["metadata"]["name"].clone();
        object_mut(&mut namespace["metadata"]["labels"]).insert("kubernetes.io/metadata.name".into(), name);
    }
    default(&mut namespace["status"], "phase", json!("Active"));
}

pub(super) fn claim(claim: &mut Value) {
    default(&mut claim["spec"], "volumeMode", json!("Filesystem"));
    default(&mut claim["status"], "phase", json!("Pending"));
}

pub(super) fn volume(volume: &mut Value) {
    defaults(&mut volume["spec"], json!({"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"}));
    if let Some(path) = volume["spec"].get_mut("hostPath").filter(|path| path.is_object()) {
        default(path, "type", json!(""));
    }
    default(&mut volume["status"], "phase", json!("Pending"));
}

/// Plain values may be written, but only encoded ones are kept.
pub(super) fn secret(secret: &mut Value) {
    default(secret, "type", json!("Opaque"));
    let plain = object_mut(secret).remove("stringData");
    if let Some(Value::Object(plain)) = plain {
        let data = object_mut(&mut secret["data"]);
        for (key, value) in plain {
            data.insert(key, json!(STANDARD.encode(value.as_str().unwrap_or_default())));
        }
    }
}

pub(super) fn storage(plural: &str, object: &mut Value) {
    match plural {
        "storageclasses" => defaults(object, json!({"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})),
        "csidrivers" => defaults(
            &mut object["spec"],
            json!({
                "attachRequired": true, "podInfoOnMount": false, "volumeLifecycleModes": ["Persistent"],
                "fsGroupPolicy": "ReadWriteOnceWithFSType", "storageCapacity": false,
            }),
        ),
        "volumeattachments" => default(&mut object["status"], "attached", json!(false)),
        _ => {}
    }
}

/// Subjects and roles name their group.
pub(super) fn rights(object: &mut Value) {
    let group = "rbac.authorization.k8s.io";
    for subject in each(object, "subjects") {
        if ["User", "Group"].iter().any(|kind| subject["kind"] == *kind) {
            default(subject, "apiGroup", json!(group));
        }
    }
    if object["roleRef"].is_object() {
        default(&mut object["roleRef"], "apiGroup", json!(group));
    }
}

pub(super) fn network_policy(policy: &mut Value) {
    let spec = &mut policy["spec"];
    let types = if spec["egress"].is_null() { json!(["Ingress"]) } else { json!(["Ingress", "Egress"]) };
    default(spec, "policyTypes", types);
}

pub(super) fn definition(definition: &mut Value) {
    let spec = &mut definition["spec"];
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    defaults(&mut spec["names"], json!({"singular": kind.to_lowercase(), "listKind": format!("{kind}List")}));
    default(spec, "conversion", json!({"strategy": "None"}));
}
