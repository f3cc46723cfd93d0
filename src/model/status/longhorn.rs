//! Longhorn as a part of a lab's state: whether it is usable, and how well the lab's volumes are.

use super::{Status, VolumeStatus};
use crate::model::LonghornFacts;
use crate::model::longhorn::chain;
use serde::Serialize;
use serde_json::Value;

/// Why a Longhorn on its way out is not usable.
const LEAVING: &str = "its namespace is being deleted";

/// Longhorn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LonghornStatus {
    /// Its version; empty when its manager is gone.
    pub version: String,
    /// Whether the lab installed it.
    pub ours: bool,
    /// Whether every link of its chain holds.
    pub usable: bool,
    /// The first link that does not, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

impl LonghornStatus {
    /// Reads it off the facts.
    pub(super) fn of(lab: &str, seen: &LonghornFacts, storage_classes: &[Value]) -> Self {
        let broken = match seen.is_terminating() {
            true => Some(LEAVING.into()),
            false => chain::broken(seen, storage_classes).map(|(_, why)| why),
        };
        LonghornStatus {
            version: seen.version().unwrap_or_default().into(),
            ours: seen.is_of(lab),
            usable: broken.is_none(),
            broken,
        }
    }

    /// For people.
    pub fn line(&self) -> String {
        let version = if self.version.is_empty() { "no manager" } else { &self.version };
        let ours = if self.ours { "" } else { ", not ours" };
        match &self.broken {
            None => format!("{version}{ours}, usable"),
            Some(why) => format!("{version}{ours}, not usable: {why}"),
        }
    }
}

/// How well a volume is.
pub(super) fn robustness(seen: Option<&LonghornFacts>, volume: &str) -> Option<String> {
    let live = seen?.resource("Volume", volume)?;
    live["status"]["robustness"].as_str().filter(|text| !text.is_empty()).map(Into::into)
}

/// What is wrong with Longhorn, and with volumes that have lost their last copy.
pub(super) fn problems(status: &Status) -> Vec<String> {
    let broken = status.longhorn.as_ref().and_then(|longhorn| longhorn.broken.as_ref());
    let broken = broken.map(|why| {
        let next = match why == LEAVING {
            true => format!("see what holds it with `iris-lab unstick --dry-run --name {}`", status.lab),
            false => "see `kubectl get pods -n longhorn-system`".into(),
        };
        format!("Longhorn is not usable: {why}; {next}")
    });
    let faulted = with(status, "faulted").map(|volume| {
        format!(
            "claim {} has no copy left that works; see `kubectl describe volumes.longhorn.io {} -n longhorn-system`",
            volume.claim, volume.volume
        )
    });
    broken.into_iter().chain(faulted).collect()
}

/// Volumes with fewer copies than they want: they work.
pub(super) fn notes(status: &Status, seen: Option<&LonghornFacts>) -> Vec<String> {
    let Some(seen) = seen else { return Vec::new() };
    let nodes = seen.resources.iter().filter(|resource| resource["kind"] == "Node").count();
    let degraded = with(status, "degraded").map(|volume| {
        let wanted = seen.resource("Volume", &volume.volume).and_then(|live| live["spec"]["numberOfReplicas"].as_u64());
        let why = match wanted {
            Some(wanted) if wanted > nodes as u64 => {
                format!("it wants {wanted} copies on different nodes, and Longhorn has {nodes}")
            }
            _ => "a copy is missing, or is being made again".into(),
        };
        format!("the volume of claim {} is degraded: {why}", volume.claim)
    });
    degraded.collect()
}

fn with<'a>(status: &'a Status, robustness: &'static str) -> impl Iterator<Item = &'a VolumeStatus> {
    status.volumes.iter().filter(move |volume| volume.robustness.as_deref() == Some(robustness))
}
