//! StatefulSets: pods with a fixed name and claims of their own, made and removed in order, updated from the last to the first.

use super::object::{apps, core, int, is_deleting, name, text};
use super::pods::{claim, from_template, is_available, is_finished, is_ready};
use super::revisions;
use super::volumes::default_class;
use super::world::{Source, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const SOURCE: Source = Source::new("statefulset-controller");

/// One StatefulSet with its pods by ordinal.
struct Set<'a> {
    world: &'a World,
    set: &'a Value,
    pods: BTreeMap<i64, Arc<Value>>,
    replicas: i64,
    /// One pod after the other; else all at once.
    ordered: bool,
    /// The revision of the template as it is now.
    update: String,
    /// The revision that all pods had last.
    current: String,
}

/// Brings every StatefulSet towards its specification.
pub fn sync(world: &World) {
    for set in world.all(&apps("statefulsets")) {
        if !is_deleting(&set) {
            Set::load(world, &set).sync();
        }
    }
}

impl<'a> Set<'a> {
    fn load(world: &'a World, set: &'a Value) -> Self {
        let update = revisions::current(world, set, "controller.kubernetes.io/hash");
        let current = match text(set, "/status/currentRevision") {
            "" => update.clone(),
            known => known.to_owned(),
        };
        Set {
            world,
            set,
            pods: pods_by_ordinal(world, set),
            replicas: int(set, "/spec/replicas").unwrap_or(1),
            ordered: text(set, "/spec/podManagementPolicy") != "Parallel",
            update,
            current,
        }
    }

    fn sync(mut self) {
        if self.make_missing() && self.remove_surplus() {
            self.roll();
        }
        self.pods = pods_by_ordinal(self.world, self.set);
        self.report();
        revisions::truncate(self.world, self.set, &[&self.update, &self.current]);
    }

    /// Makes the pods that are missing. True when the next stage may begin.
    fn make_missing(&self) -> bool {
        for ordinal in 0..self.replicas {
            match self.pods.get(&ordinal) {
                None => self.make(ordinal),
                Some(pod) if is_finished(pod) && !is_deleting(pod) => {
                    let message = format!("StatefulSet {} is recreating failed Pod {}", self.full_name(), name(pod));
                    self.world.warning(SOURCE, self.set, "RecreatingFailedPod", &message);
                    self.world.delete(&core("pods"), pod);
                }
                Some(pod) if is_ready(pod) && !is_deleting(pod) => continue,
                Some(_) => {}
            }
            if self.ordered {
                return false;
            }
        }
        true
    }

    /// Removes the pods beyond the replicas, the last one first. True when the next stage may begin.
    fn remove_surplus(&self) -> bool {
        for (_, pod) in self.pods.range(self.replicas..).rev() {
            if !is_deleting(pod) {
                self.remove(pod);
            }
            if self.ordered {
                return false;
            }
        }
        true
    }

    /// Replaces one pod of an older revision, the last one first, when all after it are ready.
    fn roll(&self) {
        if text(self.set, "/spec/updateStrategy/type") == "OnDelete" {
            return;
        }
        for ordinal in (self.partition()..self.replicas).rev() {
            let Some(pod) = self.pods.get(&ordinal) else { return };
            if revisions::of_pod(pod) != self.update && !is_deleting(pod) {
                return self.remove(pod);
            }
            if !is_ready(pod) || is_deleting(pod) {
                return;
            }
        }
    }

    fn partition(&self) -> i64 {
        int(self.set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0)
    }

    fn make(&self, ordinal: i64) {
        let pod_name = format!("{}-{ordinal}", name(self.set));
        for template in self.set["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
            if !self.make_claim(template, &pod_name) {
                return;
            }
        }
        let rolling = text(self.set, "/spec/updateStrategy/type") != "OnDelete";
        let revision = if rolling && ordinal < self.partition() { &self.current } else { &self.update };
        let mut template = revisions::template(self.world, self.set, revision);
        let spec = &mut template["spec"];
        spec["hostname"] = json!(pod_name);
        if !text(self.set, "/spec/serviceName").is_empty() {
            spec["subdomain"] = self.set["spec"]["serviceName"].clone();
        }
        mount_claims(spec, &self.set["spec"]["volumeClaimTemplates"], &pod_name);
        let labels = [
            ("controller-revision-hash", revision.as_str()),
            ("statefulset.kubernetes.io/pod-name", pod_name.as_str()),
        ];
        let mut pod = from_template(self.set, &template, &pod_name, &labels);
        pod["metadata"]["generateName"] = json!(format!("{}-", name(self.set)));
        let what = format!("create Pod {pod_name} in StatefulSet {}", name(self.set));
        match self.world.create(&core("pods"), pod) {
            Ok(_) => self.world.normal(SOURCE, self.set, "SuccessfulCreate", &format!("{what} successful")),
            Err(why) => self.world.warning(SOURCE, self.set, "FailedCreate", &format!("{what} failed error: {why}")),
        }
    }

    /// Makes a claim unless it exists. False when an old one has to go first.
    fn make_claim(&self, template: &Value, pod_name: &str) -> bool {
        let claim_name = format!("{}-{pod_name}", text(template, "/metadata/name"));
        let claims = core("persistentvolumeclaims");
        let home = self.set["metadata"]["namespace"].as_str();
        if let Some(known) = self.world.store.get(&claims, home, &claim_name) {
            return !is_deleting(&known);
        }
        let mut labels = template["metadata"]["labels"].as_object().cloned().unwrap_or_default();
        labels.extend(self.set["spec"]["selector"]["matchLabels"].as_object().cloned().unwrap_or_default());
        let mut metadata =
            json!({"name": claim_name, "namespace": self.set["metadata"]["namespace"], "labels": labels});
        metadata["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
        if template["metadata"]["annotations"].is_object() {
            metadata["annotations"] = template["metadata"]["annotations"].clone();
        }
        let mut spec = template["spec"].clone();
        if spec["storageClassName"].is_null()
            && let Some(class) = default_class(self.world)
        {
            spec["storageClassName"] = json!(name(&class));
        }
        if spec["volumeMode"].is_null() {
            spec["volumeMode"] = json!("Filesystem");
        }
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"},
        });
        if self.world.create(&claims, claim).is_ok() {
            let message = format!("create Claim {claim_name} Pod {pod_name} in StatefulSet {} success", name(self.set));
            self.world.normal(SOURCE, self.set, "SuccessfulCreate", &message);
        }
        true
    }

    fn remove(&self, pod: &Value) {
        self.world.delete(&core("pods"), pod);
        let message = format!("delete Pod {} in StatefulSet {} successful", name(pod), name(self.set));
        self.world.normal(SOURCE, self.set, "SuccessfulDelete", &message);
    }

    fn report(&mut self) {
        let alive = || self.pods.values().filter(|pod| !is_deleting(pod));
        let of = |revision: &str| alive().filter(|pod| revisions::of_pod(pod) == revision).count();
        let ready = self.pods.values().filter(|pod| is_ready(pod)).count();
        let available = self.pods.values().filter(|pod| is_available(self.world, pod, self.set)).count();
        let updated = of(&self.update);
        let wanted = usize::try_from(self.replicas).unwrap_or(0);
        if self.update != self.current && updated == wanted && ready == wanted && self.pods.len() == wanted {
            self.current.clone_from(&self.update);
        }
        let mut status = json!({
            "collisionCount": 0, "observedGeneration": self.set["metadata"]["generation"], "replicas": self.pods.len(),
            "currentRevision": self.current, "updateRevision": self.update, "availableReplicas": available,
        });
        for (field, number) in
            [("readyReplicas", ready), ("currentReplicas", of(&self.current)), ("updatedReplicas", updated)]
        {
            if number > 0 {
                status[field] = json!(number);
            }
        }
        self.world.set_status(&apps("statefulsets"), self.set, status);
    }

    fn full_name(&self) -> String {
        format!("{}/{}", text(self.set, "/metadata/namespace"), name(self.set))
    }
}

fn pods_by_ordinal(world: &World, set: &Value) -> BTreeMap<i64, Arc<Value>> {
    let prefix = format!("{}-", name(set));
    let ordinal = |pod: &Value| name(pod).strip_prefix(&prefix).and_then(|number| number.parse().ok());
    claim(world, set).into_iter().filter_map(|pod| Some((ordinal(&pod)?, pod))).collect()
}

/// Gives the pod a volume for each claim template, in place of a volume of the same name.
fn mount_claims(spec: &mut Value, templates: &Value, pod_name: &str) {
    let mut volumes = Vec::new();
    for template in templates.as_array().into_iter().flatten() {
        let volume = text(template, "/metadata/name");
        volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": format!("{volume}-{pod_name}")}}));
    }
    let replaced = |one: &Value| volumes.iter().any(|volume| volume["name"] == one["name"]);
    let others: Vec<Value> =
        spec["volumes"].as_array().into_iter().flatten().filter(|one| !replaced(one)).cloned().collect();
    volumes.extend(others);
    if !volumes.is_empty() {
        spec["volumes"] = Value::Array(volumes);
    }
}
