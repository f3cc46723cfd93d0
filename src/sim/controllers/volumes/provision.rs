//! The provisioners that the embedded cluster has: they make volumes for claims and remove released ones.

use super::claim::{SOURCE, claim_reference, claims, once, volumes, waits_for_consumer};
use crate::sim::controllers::object::{annotation, core, name, namespace, text, uid};
use crate::sim::controllers::world::{Source, World};
use crate::sim::faults::glob;
use serde_json::{Value, json};
use std::time::Duration;

/// Provisioners that work without anything installed.
const OURS: &[&str] = &["microk8s.io/hostpath", "iris-lab/sim"];
const ANNOTATIONS: [&str; 2] =
    ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
const TIME: Duration = Duration::from_secs(1);

/// Has a volume made for a claim.
pub fn provision(world: &World, claim: &Value, class: &Value) {
    let provisioner = text(class, "/provisioner");
    if ANNOTATIONS.iter().any(|key| annotation(claim, key) != Some(provisioner)) {
        world.change(&claims(), claim, |claim| {
            for key in ANNOTATIONS {
                claim["metadata"]["annotations"][key] = json!(provisioner);
            }
        });
    }
    if provisioner == "kubernetes.io/no-provisioner" {
        let message = "no volume plugin matched name: kubernetes.io/no-provisioner";
        return once(world, claim, "Warning", "ProvisioningFailed", message);
    }
    let waiting = format!(
        "waiting for a volume to be created, either by external provisioner \"{provisioner}\" or manually created by system administrator"
    );
    once(world, claim, "Normal", "ExternalProvisioning", &waiting);
    if OURS.contains(&provisioner) {
        make(
            world,
            claim,
            class,
            |volume| json!({"hostPath": {"path": format!("/var/lib/iris-lab/volumes/{volume}"), "type": "DirectoryOrCreate"}}),
        );
    }
}

/// The provisioner that a claim waits for, if it waits for one.
pub fn storage_provisioner(claim: &Value) -> Option<&str> {
    annotation(claim, ANNOTATIONS[1]).filter(|_| text(claim, "/spec/volumeName").is_empty())
}

/// Makes the volume of a claim, as every provisioner does it; `backend` is where the data of a volume of that name is.
pub fn make(world: &World, claim: &Value, class: &Value, backend: impl FnOnce(&str) -> Value) {
    let source = Source::new(text(class, "/provisioner"));
    if let Some(fault) = world.faults.unbound.iter().find(|fault| glob(&fault.claim, name(claim))) {
        let message = format!("failed to provision volume with StorageClass \"{}\": {}", name(class), fault.message);
        if world.once(format!("unbound/{}", uid(claim))) {
            world.warning(source, claim, "ProvisioningFailed", &message);
        }
        return;
    }
    let full_name = format!("{}/{}", namespace(claim).unwrap_or_default(), name(claim));
    let timer = world.timer(format!("provision/{}", uid(claim)), TIME);
    if timer.first {
        let message = format!("External provisioner is provisioning volume for claim \"{full_name}\"");
        world.normal(source, claim, "Provisioning", &message);
    }
    if !timer.over {
        return;
    }
    let volume = new_volume(world, claim, class, backend);
    let volume_name = name(&volume).to_owned();
    if world.create(&volumes(), volume).is_ok() {
        let message = format!("Successfully provisioned volume {volume_name}");
        world.normal(source, claim, "ProvisioningSucceeded", &message);
    }
    world.change(&claims(), claim, |claim| claim["spec"]["volumeName"] = json!(volume_name));
}

fn new_volume(world: &World, claim: &Value, class: &Value, backend: impl FnOnce(&str) -> Value) -> Value {
    let policy = match text(class, "/reclaimPolicy") {
        "" => "Delete",
        policy => policy,
    };
    let volume_name = format!("pvc-{}", uid(claim));
    let mut spec = json!({
        "accessModes": claim["spec"]["accessModes"],
        "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
        "claimRef": claim_reference(claim),
        "persistentVolumeReclaimPolicy": policy, "storageClassName": class["metadata"]["name"],
        "volumeMode": claim["spec"]["volumeMode"].as_str().unwrap_or("Filesystem"),
    });
    json_patch::merge(&mut spec, &backend(&volume_name));
    let node = annotation(claim, "volume.kubernetes.io/selected-node").filter(|_| waits_for_consumer(class));
    if let Some(node) = node.and_then(|node| world.store.get(&core("nodes"), None, node)) {
        let host = node["metadata"]["labels"]["kubernetes.io/hostname"].clone();
        let term = json!({"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [host]}]});
        spec["nodeAffinity"] = json!({"required": {"nodeSelectorTerms": [term]}});
    }
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {
            "name": volume_name, "finalizers": ["kubernetes.io/pv-protection"],
            "annotations": {"pv.kubernetes.io/provisioned-by": class["provisioner"]},
        },
        "spec": spec, "status": {"phase": "Bound"},
    })
}

/// Whether one of our provisioners made a volume.
pub fn is_ours(volume: &Value) -> bool {
    annotation(volume, "pv.kubernetes.io/provisioned-by").is_some_and(|provisioner| OURS.contains(&provisioner))
}

/// Removes a released volume that shall not be kept, if it was made by one of our provisioners.
pub fn reclaim(world: &World, volume: &Value) {
    match annotation(volume, "pv.kubernetes.io/provisioned-by") {
        Some(_) if is_ours(volume) => world.delete(&volumes(), volume),
        Some(_) => {}
        None if text(volume, "/status/phase") == "Failed" => {}
        None => {
            let message = format!(
                "error getting deleter volume plugin for volume \"{}\": no deletable volume plugin matched",
                name(volume)
            );
            world.warning(SOURCE, volume, "VolumeFailedDelete", &message);
            world.change(&volumes(), volume, |volume| {
                volume["status"]["phase"] = json!("Failed");
                volume["status"]["message"] = json!(message);
            });
        }
    }
}
