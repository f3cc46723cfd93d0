//! Longhorn: whether it can be used, and how well the lab's volumes are.

use super::{Cause, Finding, Scene, Subject};
use crate::model::LonghornFacts;
use crate::model::longhorn::chain;
use crate::model::object::{by_name, name, text};
use serde_json::Value;

/// Why a Longhorn on its way out is not usable.
const LEAVING: &str = "its namespace is being deleted";

pub(super) fn judge(scene: &Scene) -> Vec<Finding> {
    let Some(seen) = &scene.facts.longhorn else { return Vec::new() };
    let usable = why_broken(seen, &scene.facts.storage_classes).map(|why| broken(scene, &why));
    let volumes = by_name(&scene.facts.claims).into_iter().filter_map(|claim| volume(seen, claim));
    usable.into_iter().chain(volumes).collect()
}

/// The first thing that keeps it from being usable, in words.
pub fn why_broken(seen: &LonghornFacts, storage_classes: &[Value]) -> Option<String> {
    match seen.is_terminating() {
        true => Some(LEAVING.into()),
        false => chain::broken(seen, storage_classes).map(|(_, why)| why),
    }
}

fn broken(scene: &Scene, why: &str) -> Finding {
    let next = match why == LEAVING {
        true => format!("see what holds it with `iris-lab unstick --dry-run --name {}`", scene.identity.lab),
        false => "see `kubectl get pods -n longhorn-system`".into(),
    };
    let finding = Finding::new(Cause::LonghornBroken, Subject::Longhorn, format!("it is not usable: {why}"), next);
    let said = scene.facts.details.longhorn.iter();
    said.fold(finding, |finding, line| finding.seen("pods and events in longhorn-system", line))
}

/// What is wrong with the volume of a claim.
fn volume(seen: &LonghornFacts, claim: &Value) -> Option<Finding> {
    let volume = seen.resource("Volume", text(claim, "/spec/volumeName"))?;
    let own = name(volume);
    let about = || Subject::Claim(name(claim).into());
    let robustness = text(volume, "/status/robustness");
    let see = format!("see `kubectl describe volumes.longhorn.io {own} -n longhorn-system`");
    let finding = match robustness {
        "faulted" => Finding::new(Cause::VolumeFaulted, about(), "its volume has no copy left that works", see),
        "degraded" => degraded(seen, volume, about(), &see).but_works(),
        _ => return None,
    };
    Some(finding.seen(format!("status.robustness of Longhorn's volume {own}"), robustness))
}

/// A volume with fewer copies than it wants: it works.
fn degraded(seen: &LonghornFacts, volume: &Value, about: Subject, see: &str) -> Finding {
    let nodes = seen.resources.iter().filter(|resource| resource["kind"] == "Node").count();
    let (why, mend) = match volume["spec"]["numberOfReplicas"].as_u64() {
        Some(wanted) if wanted > nodes as u64 => (
            format!("it wants {wanted} copies on different nodes, and Longhorn has {nodes}"),
            format!(
                "add nodes, or want fewer: `kubectl patch volumes.longhorn.io {} -n longhorn-system --type merge -p \
                 '{{\"spec\":{{\"numberOfReplicas\":{nodes}}}}}'`",
                name(volume)
            ),
        ),
        _ => (
            "a copy is missing, or is being made again".into(),
            format!("it is made again by itself where a node has room; {see}"),
        ),
    };
    Finding::new(Cause::VolumeDegraded, about, format!("its volume is degraded: {why}"), mend)
}
