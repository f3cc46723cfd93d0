//! Deployments: a ReplicaSet for each template, and the step from the old one to the new one.

mod status;

use super::object::{apps, controller_reference, core, int, is_deleting, name, text};
use super::pods::{adopt, has_controller};
use super::revisions;
use super::world::{Source, World};
use serde_json::{Value, json};
use std::sync::Arc;

const SOURCE: Source = Source::new("deployment-controller");
const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH: &str = "pod-template-hash";

/// One Deployment with its ReplicaSets.
struct Rollout<'a> {
    world: &'a World,
    deployment: &'a Value,
    /// The set of the template as it is now.
    new: Option<Arc<Value>>,
    old: Vec<Arc<Value>>,
    replicas: i64,
}

/// Brings every Deployment towards its specification.
pub fn sync(world: &World) {
    for deployment in world.all(&apps("deployments")) {
        if !is_deleting(&deployment) {
            let rollout = Rollout::load(world, &deployment);
            rollout.step();
            Rollout::load(world, &deployment).report();
        }
    }
}

fn owned_sets(world: &World, deployment: &Value) -> Vec<Arc<Value>> {
    let sets = apps("replicasets");
    let mut owned = Vec::new();
    for set in world.beside(&sets, deployment) {
        if super::object::is_controlled_by(&set, deployment) {
            owned.push(set);
        } else if !has_controller(&set)
            && super::object::selects(&deployment["spec"]["selector"], &set["metadata"]["labels"])
        {
            world.change(&sets, &set, |set| adopt(set, deployment));
        }
    }
    owned.sort_by_key(|set| revision(set));
    owned
}

fn revision(object: &Value) -> i64 {
    super::object::annotation(object, REVISION).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A template without the label that tells the sets apart.
fn plain(template: &Value) -> Value {
    let mut plain = template.clone();
    if let Some(labels) = plain["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    plain
}

/// A number or a percentage of the replicas.
fn share(value: &Value, replicas: i64, default: &str, up: bool) -> i64 {
    let text = value.as_str().unwrap_or(default);
    match (value.as_i64(), text.trim_end_matches('%').parse::<i64>()) {
        (Some(number), _) => number,
        (None, Ok(percent)) if up => (replicas * percent + 99) / 100,
        (None, Ok(percent)) => replicas * percent / 100,
        (None, Err(_)) => 0,
    }
}

fn count(set: &Value, path: &str) -> i64 {
    int(set, path).unwrap_or(0)
}

impl<'a> Rollout<'a> {
    fn load(world: &'a World, deployment: &'a Value) -> Self {
        let template = plain(&deployment["spec"]["template"]);
        let (new, old): (Vec<_>, Vec<_>) =
            owned_sets(world, deployment).into_iter().partition(|set| plain(&set["spec"]["template"]) == template);
        let mut new = new.into_iter();
        Rollout {
            world,
            deployment,
            new: new.next(),
            old: old.into_iter().chain(new).collect(),
            replicas: int(deployment, "/spec/replicas").unwrap_or(1),
        }
    }

    fn step(&self) {
        if self.deployment["spec"]["paused"] == true {
            if let Some(set) = &self.new {
                self.scale(set, self.replicas);
            }
            return;
        }
        let recreate = text(self.deployment, "/spec/strategy/type") == "Recreate";
        let Some(new) = &self.new else {
            if recreate && !self.old_is_gone() {
                return self.old.iter().for_each(|set| self.scale(set, 0));
            }
            return self.make();
        };
        self.mark(new);
        if recreate {
            self.old.iter().for_each(|set| self.scale(set, 0));
            if self.old_is_gone() {
                self.scale(new, self.replicas);
            }
        } else {
            self.roll(new);
        }
        self.clean_up();
    }

    /// Whether no pod of an older template is left.
    fn old_is_gone(&self) -> bool {
        let pods = self.world.beside(&core("pods"), self.deployment);
        let of_old = |pod: &Arc<Value>| self.old.iter().any(|set| super::object::is_controlled_by(pod, set));
        !pods.iter().any(|pod| of_old(pod) && !super::pods::is_finished(pod))
    }

    fn surge(&self) -> (i64, i64) {
        let rolling = &self.deployment["spec"]["strategy"]["rollingUpdate"];
        let surge = share(&rolling["maxSurge"], self.replicas, "25%", true);
        let unavailable = share(&rolling["maxUnavailable"], self.replicas, "25%", false);
        if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
    }

    /// New pods within the surge, then as few old ones as the new ones can stand in for.
    fn roll(&self, new: &Value) {
        let (surge, unavailable) = self.surge();
        let wanted = |set: &Value| int(set, "/spec/replicas").unwrap_or(0);
        let old_total: i64 = self.old.iter().map(|set| wanted(set)).sum();
        let new_wanted = match wanted(new) {
            now if now > self.replicas => self.replicas,
            now => (now + (self.replicas + surge - old_total - now).max(0)).min(self.replicas),
        };
        self.scale(new, new_wanted);
        let all = || self.old.iter().map(AsRef::as_ref).chain([new]);
        let available: i64 = all().map(|set| count(set, "/status/availableReplicas")).sum();
        let mut spare = available - (self.replicas - unavailable);
        for set in &self.old {
            let (has, works) = (wanted(set), count(set, "/status/availableReplicas"));
            // What does not work is missed by nobody.
            let broken = (has - works).max(0);
            let less = broken + spare.clamp(0, has - broken);
            spare -= less - broken;
            self.scale(set, has - less);
        }
    }

    fn make(&self) {
        let template = &self.deployment["spec"]["template"];
        let hash = revisions::hash(&plain(template));
        let mut template = template.clone();
        template["metadata"]["labels"][HASH] = json!(hash);
        let mut selector = self.deployment["spec"]["selector"].clone();
        selector["matchLabels"][HASH] = json!(hash);
        let (surge, _) = self.surge();
        let old_total: i64 = self.old.iter().map(|set| count(set, "/spec/replicas")).sum();
        let recreate = text(self.deployment, "/spec/strategy/type") == "Recreate";
        let replicas = match recreate {
            true => self.replicas,
            false => (self.replicas + surge - old_total).clamp(0, self.replicas),
        };
        let set_name = format!("{}-{hash}", name(self.deployment));
        let mut set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": set_name, "namespace": self.deployment["metadata"]["namespace"],
                "labels": template["metadata"]["labels"], "ownerReferences": [controller_reference(self.deployment)],
                "annotations": {
                    REVISION: self.next_revision(),
                    "deployment.kubernetes.io/desired-replicas": self.replicas.to_string(),
                    "deployment.kubernetes.io/max-replicas": (self.replicas + surge).to_string(),
                },
            },
            "spec": {"replicas": replicas, "selector": selector, "template": template},
            "status": {"replicas": 0},
        });
        if let Some(seconds) = int(self.deployment, "/spec/minReadySeconds") {
            set["spec"]["minReadySeconds"] = json!(seconds);
        }
        if let Ok(set) = self.world.create(&apps("replicasets"), set) {
            self.mark(&set);
            let message = format!("Scaled up replica set {set_name} to {replicas}");
            self.world.normal(SOURCE, self.deployment, "ScalingReplicaSet", &message);
        }
    }

    fn next_revision(&self) -> String {
        (self.old.iter().map(|set| revision(set)).max().unwrap_or(0) + 1).to_string()
    }

    /// The newest set has the highest revision, and the Deployment the same.
    fn mark(&self, new: &Value) {
        let newest = self.old.iter().map(|set| revision(set)).max().unwrap_or(0);
        let number = if revision(new) > newest { revision(new) } else { newest + 1 };
        let mark = |object: &mut Value| object["metadata"]["annotations"][REVISION] = json!(number.to_string());
        if revision(new) != number {
            self.world.change(&apps("replicasets"), new, mark);
        }
        if revision(self.deployment) != number {
            self.world.change(&apps("deployments"), self.deployment, mark);
        }
    }

    fn scale(&self, set: &Value, replicas: i64) {
        let before = int(set, "/spec/replicas").unwrap_or(0);
        if before == replicas {
            return;
        }
        self.world.change(&apps("replicasets"), set, |set| {
            set["spec"]["replicas"] = json!(replicas);
            set["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] =
                json!(self.replicas.to_string());
        });
        let direction = if replicas > before { "up" } else { "down" };
        let message = format!("Scaled {direction} replica set {} to {replicas}", name(set));
        self.world.normal(SOURCE, self.deployment, "ScalingReplicaSet", &message);
    }

    /// Deletes empty old sets beyond the history limit.
    fn clean_up(&self) {
        let limit =
            int(self.deployment, "/spec/revisionHistoryLimit").and_then(|n| usize::try_from(n).ok()).unwrap_or(10);
        let empty = |set: &&Arc<Value>| count(set, "/spec/replicas") == 0 && count(set, "/status/replicas") == 0;
        let surplus = self.old.len().saturating_sub(limit);
        for set in self.old.iter().take(surplus).filter(empty) {
            self.world.delete(&apps("replicasets"), set);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        for (value, up, number) in [
            (json!("25%"), true, 1),
            (json!("25%"), false, 0),
            (json!(2), true, 2),
            (Value::Null, true, 1),
            (json!("100%"), false, 3),
        ] {
            assert_eq!(share(&value, 3, "25%", up), number, "{value}");
        }
    }
}
