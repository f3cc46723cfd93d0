//! Persistent volumes: claims are bound to volumes, volumes are made for claims and removed after them.

mod claim;
mod expand;
mod provision;

use super::object::{amount, annotation, is_deleting, items, name, namespace, selects, text, uid};
use super::world::World;
use claim::{SOURCE, claim_reference, once};
pub use claim::{claims, class, default_class, is_bound, reaches, volumes, waits_for_consumer};
use expand::expand;
pub use expand::{asks_for_more, set_condition, take_capacity};
use provision::provision;
pub use provision::{make, storage_provisioner};
use serde_json::{Value, json};

/// Brings every claim to a volume, and every volume to what its claim's state means for it.
pub fn sync(world: &World) {
    for claim in world.all(&claims()) {
        match text(&claim, "/spec/volumeName") {
            "" if is_deleting(&claim) => {}
            "" => find_volume(world, &claim),
            volume => hold(world, &claim, volume),
        }
    }
    for volume in world.all(&volumes()) {
        volume_phase(world, &volume);
    }
}

/// Looks for a volume that fits, or has one made.
fn find_volume(world: &World, claim: &Value) {
    if text(claim, "/status/phase") != "Pending" {
        world.change(&claims(), claim, |claim| claim["status"]["phase"] = json!("Pending"));
    }
    let class_name = text(claim, "/spec/storageClassName");
    let class = class(world, class_name);
    let selected = annotation(claim, "volume.kubernetes.io/selected-node");
    let delayed = class.as_ref().is_some_and(|class| waits_for_consumer(class)) && selected.is_none();
    let all = world.all(&volumes());
    let mut fitting: Vec<_> =
        all.iter().filter(|volume| fits(volume, claim) && (!delayed || is_reserved(volume, claim))).collect();
    fitting.sort_by_key(|volume| (!is_reserved(volume, claim), amount(&volume["spec"]["capacity"]["storage"])));
    if let Some(volume) = fitting.first() {
        let volume_name = name(volume).to_owned();
        world.change(&volumes(), volume, |volume| {
            volume["spec"]["claimRef"] = claim_reference(claim);
            volume["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] = json!("yes");
        });
        return world.change(&claims(), claim, |claim| claim["spec"]["volumeName"] = json!(volume_name));
    }
    match class {
        Some(_) if delayed => {
            let message = "waiting for first consumer to be created before binding";
            once(world, claim, "Normal", "WaitForFirstConsumer", message);
        }
        Some(class) => provision(world, claim, &class),
        None if class_name.is_empty() => {
            let message = "no persistent volumes available for this claim and no storage class is set";
            once(world, claim, "Normal", "FailedBinding", message);
        }
        None => {
            let message = format!("storageclass.storage.k8s.io \"{class_name}\" not found");
            once(world, claim, "Warning", "ProvisioningFailed", &message);
        }
    }
}

/// Whether a volume is meant for this claim by name.
fn is_reserved(volume: &Value, claim: &Value) -> bool {
    let reference = &volume["spec"]["claimRef"];
    let same_uid = text(reference, "/uid").is_empty() || text(reference, "/uid") == uid(claim);
    text(reference, "/name") == name(claim)
        && text(reference, "/namespace") == namespace(claim).unwrap_or("")
        && same_uid
}

/// Whether a volume is free, or reserved for this claim, and is what the claim asks for.
fn fits(volume: &Value, claim: &Value) -> bool {
    if is_deleting(volume) || !(volume["spec"]["claimRef"].is_null() || is_reserved(volume, claim)) {
        return false;
    }
    let modes = items(volume, "/spec/accessModes");
    let mode = |object: &Value| match text(object, "/spec/volumeMode") {
        "" => "Filesystem".to_owned(),
        mode => mode.to_owned(),
    };
    let selector = &claim["spec"]["selector"];
    text(volume, "/spec/storageClassName") == text(claim, "/spec/storageClassName")
        && items(claim, "/spec/accessModes").iter().all(|one| modes.contains(one))
        && mode(volume) == mode(claim)
        && amount(&volume["spec"]["capacity"]["storage"]) >= amount(&claim["spec"]["resources"]["requests"]["storage"])
        && (selector.is_null() || selects(selector, &volume["metadata"]["labels"]))
}

/// Completes and keeps the bond between a claim and the volume that it names.
fn hold(world: &World, claim: &Value, volume_name: &str) {
    let Some(volume) = world.store.get(&volumes(), None, volume_name) else {
        if is_bound(claim) {
            world.warning(
                SOURCE,
                claim,
                "ClaimLost",
                "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
            );
            world.change(&claims(), claim, |claim| claim["status"] = json!({"phase": "Lost"}));
        }
        return;
    };
    let free = volume["spec"]["claimRef"].is_null();
    if !free && !is_reserved(&volume, claim) {
        return;
    }
    if free || text(&volume["spec"]["claimRef"], "/uid") != uid(claim) {
        world.change(&volumes(), &volume, |volume| volume["spec"]["claimRef"] = claim_reference(claim));
    }
    if text(claim, "/status/phase") != "Bound" {
        world.change(&claims(), claim, |claim| {
            claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = json!("yes");
            claim["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] = json!("yes");
            claim["status"]["phase"] = json!("Bound");
            claim["status"]["accessModes"] = volume["spec"]["accessModes"].clone();
            claim["status"]["capacity"] = volume["spec"]["capacity"].clone();
        });
    }
    expand(world, claim, &volume);
}

/// The phase of a volume, and its end when its claim is gone and it shall not be kept.
fn volume_phase(world: &World, volume: &Value) {
    let reference = &volume["spec"]["claimRef"];
    let claim = world.store.get(&claims(), reference["namespace"].as_str(), text(reference, "/name"));
    let phase = match (text(reference, "/uid"), claim) {
        _ if reference.is_null() => "Available",
        ("", _) => "Available",
        (wanted, Some(claim)) if wanted == uid(&claim) => "Bound",
        _ => "Released",
    };
    let failed = text(volume, "/status/phase") == "Failed" && phase == "Released";
    if text(volume, "/status/phase") != phase && !failed {
        world.change(&volumes(), volume, |volume| volume["status"]["phase"] = json!(phase));
    }
    if phase == "Released" && text(volume, "/spec/persistentVolumeReclaimPolicy") == "Delete" && !is_deleting(volume) {
        provision::reclaim(world, volume);
    }
}
