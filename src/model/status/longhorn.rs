//! Longhorn as a part of a lab's state: whether it is usable, and how well the lab's volumes are.

use crate::model::LonghornFacts;
use crate::model::diagnosis::why_broken;
use serde::Serialize;
use serde_json::Value;

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
        let broken = why_broken(seen, storage_classes);
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
