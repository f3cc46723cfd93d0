//! Claims that have no volume.

use super::scene::event_of;
use super::{Cause, Finding, Scene, Subject};
use crate::model::object::{by_name, is_default_class, is_leaving, name, text};
use serde_json::Value;

/// What the scheduler writes down when it has chosen a node for the claim's pod.
const SELECTED_NODE: &str = "/metadata/annotations/volume.kubernetes.io~1selected-node";
/// The provisioner of classes whose volumes are made by hand.
const NONE: &str = "kubernetes.io/no-provisioner";

pub(super) fn judge(scene: &Scene) -> Vec<Finding> {
    by_name(&scene.facts.claims).into_iter().filter_map(|claim| of_claim(scene, claim)).collect()
}

fn of_claim(scene: &Scene, claim: &Value) -> Option<Finding> {
    let own = name(claim);
    let new = |cause, what: &str, mend: String| Finding::new(cause, Subject::Claim(own.into()), what, mend);
    let see = scene.describe("pvc", own);
    if is_leaving(claim) {
        return Some(new(Cause::ClaimTerminating, "it is being deleted", see));
    }
    match text(claim, "/status/phase") {
        "Bound" => None,
        "Lost" => Some(new(Cause::ClaimLost, "it has lost its volume", see)),
        _ => Some(unbound(scene, claim)),
    }
}

fn unbound(scene: &Scene, claim: &Value) -> Finding {
    let own = name(claim);
    let new = |cause, what: String, mend: String| Finding::new(cause, Subject::Claim(own.into()), what, mend);
    let wanted = text(claim, "/spec/storageClassName");
    let mut classes = scene.facts.storage_classes.iter();
    let warning = scene.warning("PersistentVolumeClaim", own, |event| !text(event, "/message").is_empty());
    let said = |finding: Finding| match warning {
        Some(event) => finding.seen(event_of(event), text(event, "/message")),
        None => finding,
    };
    if wanted.is_empty() {
        if classes.any(is_default_class) {
            return said(new(Cause::NoProvisioner, "it is not bound yet".into(), scene.describe("pvc", own)));
        }
        let what = "it is not bound: it names no storage class and the cluster has no default one";
        let mend = format!("name one with {}", with_class(scene));
        return said(new(Cause::ClaimWithoutClass, what.into(), mend));
    }
    let Some(class) = classes.find(|class| name(class) == wanted) else {
        let what = format!("it is not bound: storage class {wanted} does not exist");
        let mend = format!("see `kubectl get storageclass` for those that do, and take one with {}", with_class(scene));
        let source = format!("spec.storageClassName of claim {own}");
        return said(new(Cause::ClassMissing, what, mend).seen(source, wanted));
    };
    let provisioner = text(class, "/provisioner");
    if let Some(event) = warning {
        let what = format!("it is not bound: {provisioner} makes no volume");
        let finding = new(Cause::ProvisioningFailed, what, scene.describe("pvc", own));
        return finding.seen(event_of(event), text(event, "/message"));
    }
    if provisioner == NONE {
        let what =
            format!("it is not bound: class {wanted} makes no volumes itself, and none that was made by hand fits");
        return new(Cause::NoProvisioner, what, format!("make one, or take another class with {}", with_class(scene)));
    }
    if text(class, "/volumeBindingMode") == "WaitForFirstConsumer" && text(claim, SELECTED_NODE).is_empty() {
        let what = format!("class {wanted} makes a volume when the claim's pod has a node, and it has none yet");
        return new(Cause::ClaimWaitsForPod, what, scene.describe("pvc", own)).but_works();
    }
    let what = format!("it is not bound yet: {provisioner} has made no volume, and may not run");
    new(Cause::NoProvisioner, what, scene.describe("pvc", own))
}

/// Claims keep the class that they were made with: another one needs new claims.
fn with_class(scene: &Scene) -> String {
    format!("{} and {}", scene.iris_lab("down --delete-data"), scene.up_with("--storage-class", "CLASS"))
}
