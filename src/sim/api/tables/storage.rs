//! Columns of volumes, claims and what makes them.

use super::{Table, age, items, join, name, or, texts};
use serde_json::{Value, json};

#[rustfmt::skip]
pub(super) fn table(group: &str, plural: &str) -> Option<Table> {
    Some(match (group, plural) {
        ("", "persistentvolumeclaims") => (&[("Name", 0), ("Status", 0), ("Volume", 0), ("Capacity", 0), ("Access Modes", 0), ("StorageClass", 0), ("Age", 0), ("VolumeMode", 1)], claim),
        ("", "persistentvolumes") => (&[("Name", 0), ("Capacity", 0), ("Access Modes", 0), ("Reclaim Policy", 0), ("Status", 0), ("Claim", 0), ("StorageClass", 0), ("Reason", 0), ("Age", 0), ("VolumeMode", 1)], volume),
        ("storage.k8s.io", "storageclasses") => (&[("Name", 0), ("Provisioner", 0), ("ReclaimPolicy", 0), ("VolumeBindingMode", 0), ("AllowVolumeExpansion", 0), ("Age", 0)], class),
        ("storage.k8s.io", "volumeattachments") => (&[("Name", 0), ("Attacher", 0), ("PV", 0), ("Node", 0), ("Attached", 0), ("Age", 0)], attachment),
        ("storage.k8s.io", "csidrivers") => (&[("Name", 0), ("AttachRequired", 0), ("PodInfoOnMount", 0), ("Modes", 0), ("Age", 0)], driver),
        ("storage.k8s.io", "csinodes") => (&[("Name", 0), ("Drivers", 0), ("Age", 0)], |o| vec![name(o), json!(items(o, "/spec/drivers").count()), age(o)]),
        _ => return None,
    })
}

fn access_modes(object: &Value, path: &str) -> Value {
    let short = |mode: &str| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    join(items(object, path).filter_map(Value::as_str).map(|mode| short(mode).to_owned()), "")
}

fn claim(claim: &Value) -> Vec<Value> {
    let deleted = !claim["metadata"]["deletionTimestamp"].is_null();
    let bound = !claim["spec"]["volumeName"].as_str().unwrap_or_default().is_empty();
    let (capacity, modes) = if bound {
        (or(claim, "/status/capacity/storage", "0"), access_modes(claim, "/status/accessModes"))
    } else {
        (json!(""), json!(""))
    };
    vec![
        name(claim),
        if deleted { json!("Terminating") } else { or(claim, "/status/phase", "") },
        or(claim, "/spec/volumeName", ""),
        capacity,
        modes,
        or(claim, "/spec/storageClassName", ""),
        age(claim),
        or(claim, "/spec/volumeMode", "<unset>"),
    ]
}

fn volume(volume: &Value) -> Vec<Value> {
    let deleted = !volume["metadata"]["deletionTimestamp"].is_null();
    let claim = &volume["spec"]["claimRef"];
    let claim = match (claim["namespace"].as_str(), claim["name"].as_str()) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        _ => String::new(),
    };
    vec![
        name(volume),
        or(volume, "/spec/capacity/storage", ""),
        access_modes(volume, "/spec/accessModes"),
        or(volume, "/spec/persistentVolumeReclaimPolicy", ""),
        if deleted { json!("Terminating") } else { or(volume, "/status/phase", "") },
        json!(claim),
        or(volume, "/spec/storageClassName", ""),
        or(volume, "/status/reason", ""),
        age(volume),
        or(volume, "/spec/volumeMode", "<unset>"),
    ]
}

fn class(class: &Value) -> Vec<Value> {
    let is_default = |key: &str| class["metadata"]["annotations"][key] == "true";
    let mark = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    let suffix = if mark.iter().any(|key| is_default(key)) { " (default)" } else { "" };
    vec![
        json!(format!("{}{suffix}", name(class).as_str().unwrap_or_default())),
        or(class, "/provisioner", ""),
        or(class, "/reclaimPolicy", "Delete"),
        or(class, "/volumeBindingMode", "Immediate"),
        or(class, "/allowVolumeExpansion", "false"),
        age(class),
    ]
}

fn attachment(attachment: &Value) -> Vec<Value> {
    vec![
        name(attachment),
        or(attachment, "/spec/attacher", ""),
        or(attachment, "/spec/source/persistentVolumeName", ""),
        or(attachment, "/spec/nodeName", ""),
        or(attachment, "/status/attached", "false"),
        age(attachment),
    ]
}

fn driver(driver: &Value) -> Vec<Value> {
    vec![
        name(driver),
        or(driver, "/spec/attachRequired", "true"),
        or(driver, "/spec/podInfoOnMount", "false"),
        texts(driver, "/spec/volumeLifecycleModes", "<unset>"),
        age(driver),
    ]
}
