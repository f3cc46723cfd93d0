//! What a Deployment's status says about its pods and its progress.

use super::{Rollout, count};
use crate::sim::controllers::object::{apps, int, name, set_condition, uid};
use serde_json::{Value, json};
use std::time::Duration;

impl Rollout<'_> {
    /// Writes the status.
    pub fn report(&self) {
        let all = || self.old.iter().chain(&self.new);
        let sum = |path: &str| -> i64 { all().map(|set| count(set, path)).sum() };
        let updated = self.new.as_ref().map_or(0, |set| count(set, "/status/replicas"));
        let (total, available) = (sum("/status/replicas"), sum("/status/availableReplicas"));
        let mut status = json!({
            "conditions": self.deployment["status"]["conditions"], "observedGeneration": self.deployment["metadata"]["generation"],
        });
        for (field, number) in [
            ("replicas", total),
            ("updatedReplicas", updated),
            ("readyReplicas", sum("/status/readyReplicas")),
            ("availableReplicas", available),
            ("unavailableReplicas", (self.replicas.max(total) - available).max(0)),
        ] {
            if number > 0 {
                status[field] = json!(number);
            }
        }
        let now = self.world.store.now();
        self.set_available(&mut status, available, &now);
        let complete = updated == self.replicas && total == self.replicas && available >= self.replicas;
        self.set_progress(&mut status, complete, &now);
        self.world.set_status(&apps("deployments"), self.deployment, status);
    }

    fn set_available(&self, status: &mut Value, available: i64, now: &str) {
        let (_, unavailable) = self.surge();
        let (value, reason, message) = match available >= self.replicas - unavailable {
            true => ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            false => ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
        };
        set_dated(status, json!({"type": "Available", "status": value, "reason": reason, "message": message}), now);
    }

    fn set_progress(&self, status: &mut Value, complete: bool, now: &str) {
        let Some(set) = &self.new else { return };
        let set_name = name(set);
        let seconds = int(self.deployment, "/spec/progressDeadlineSeconds").unwrap_or(600).max(0).unsigned_abs();
        let timer = format!("progress/{}/{}", uid(set), status["availableReplicas"]);
        let (value, reason, message) = match complete {
            true => {
                ("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{set_name}\" has successfully progressed."))
            }
            false if self.world.limit(timer, Duration::from_secs(seconds)).over => {
                ("False", "ProgressDeadlineExceeded", format!("ReplicaSet \"{set_name}\" has timed out progressing."))
            }
            false => ("True", "ReplicaSetUpdated", format!("ReplicaSet \"{set_name}\" is progressing.")),
        };
        set_dated(status, json!({"type": "Progressing", "status": value, "reason": reason, "message": message}), now);
    }
}

/// Sets a condition that has a time of its last update too.
fn set_dated(status: &mut Value, mut condition: Value, now: &str) {
    let known = status["conditions"].as_array().into_iter().flatten().find(|one| one["type"] == condition["type"]);
    let same =
        known.is_some_and(|one| ["status", "reason", "message"].iter().all(|field| one[field] == condition[field]));
    if !same {
        condition["lastUpdateTime"] = json!(now);
        set_condition(status, condition, now);
    }
}
