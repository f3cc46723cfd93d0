//! Which channel of the snap a lab gets.

use crate::lab::{AddOnName, Lab};

/// The newest that Longhorn 1.2 runs on.
const WITH_LONGHORN: &str = "1.24/stable";
/// Without it. Without any channel, the store gives whatever is newest.
const WITHOUT: &str = "1.34/stable";

/// The channel that the lab names, that of its version of Kubernetes, or the one that its add-ons need.
pub fn of(lab: &Lab) -> String {
    if let Some(channel) = &lab.spec.microk8s.channel {
        return channel.clone();
    }
    match &lab.spec.kubernetes {
        Some(version) => {
            // A channel has the minor versions alone, and follows their patches.
            let parts: Vec<&str> = version.trim_start_matches('v').split('.').take(2).collect();
            format!("{}/stable", parts.join("."))
        }
        None if lab.has(AddOnName::Longhorn) => WITH_LONGHORN.into(),
        None => WITHOUT.into(),
    }
}

/// The track of a channel: `1.24` of `1.24/stable`.
pub fn track(channel: &str) -> &str {
    channel.split('/').next().unwrap_or(channel)
}
