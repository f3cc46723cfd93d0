//! The scheduler: gives every pending pod the node that fits it best, or says why no node does.

mod fit;

use super::object::{annotation, core, is_deleting, items, name, namespace, set_condition, text, uid};
use super::pods::{claims, is_finished};
use super::volumes;
use super::world::{Source, World};
use crate::sim::faults::glob;
pub use fit::{matches_node, tolerates, tolerates_by};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const SOURCE: Source = Source::new("default-scheduler");
const SELECTED: &str = "volume.kubernetes.io/selected-node";

/// Finds nodes for all pods that have none.
pub fn sync(world: &World) {
    let nodes = world.all(&core("nodes"));
    let pods = world.all(&core("pods"));
    let waiting = |pod: &&Arc<Value>| {
        let ours = ["", "default-scheduler"].contains(&text(pod, "/spec/schedulerName"));
        text(pod, "/spec/nodeName").is_empty() && !is_deleting(pod) && !is_finished(pod) && ours
    };
    let mut pending: Vec<_> = pods.iter().filter(waiting).cloned().collect();
    pending.sort_by_key(|pod| text(pod, "/metadata/creationTimestamp").to_owned());
    for pod in pending {
        schedule(world, &pod, &nodes);
    }
}

fn schedule(world: &World, pod: &Value, nodes: &[Arc<Value>]) {
    if !items(pod, "/spec/schedulingGates").is_empty() {
        return;
    }
    if let Some(fault) = world.faults.unschedulable.iter().find(|fault| glob(&fault.pod, name(pod))) {
        let message = match fault.message.as_str() {
            "" => format!("0/{0} nodes are available: {0} Insufficient memory.", nodes.len()),
            message => message.to_owned(),
        };
        return give_up(world, pod, &message);
    }
    if nodes.is_empty() {
        return give_up(world, pod, "no nodes available to schedule pods");
    }
    let wanted = match Claims::of(world, pod) {
        Ok(wanted) => wanted,
        Err(why) => return give_up(world, pod, &format!("0/{0} nodes are available: {0} {why}.", nodes.len())),
    };
    let placed = fit::by_node(&assumed(world));
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut fitting = Vec::new();
    for node in nodes {
        match wanted.conflict(node).map_or_else(|| fit::misfit(pod, node, &placed, nodes), |why| vec![why]) {
            none if none.is_empty() => fitting.push(node),
            misfits => misfits.into_iter().for_each(|why| *reasons.entry(why).or_default() += 1),
        }
    }
    match fitting.into_iter().min_by_key(|node| fit::cost(pod, node, &placed)) {
        Some(node) => place(world, pod, node, &wanted),
        None => {
            let mut list: Vec<String> = reasons.iter().map(|(why, count)| format!("{count} {why}")).collect();
            list.sort();
            give_up(world, pod, &format!("0/{} nodes are available: {}.", nodes.len(), list.join(", ")));
        }
    }
}

/// All pods, with those on their node that were given one in this round, or whose volumes are being made for one.
fn assumed(world: &World) -> Vec<Arc<Value>> {
    let on_its_node = |pod: Arc<Value>| {
        if !text(&pod, "/spec/nodeName").is_empty() {
            return pod;
        }
        let selected = claims(&pod).into_iter().find_map(|claim| {
            let claim = world.store.get(&volumes::claims(), namespace(&pod), &claim)?;
            annotation(&claim, SELECTED).map(str::to_owned)
        });
        match selected {
            Some(node) => {
                let mut pod = Value::clone(&pod);
                pod["spec"]["nodeName"] = json!(node);
                Arc::new(pod)
            }
            None => pod,
        }
    };
    world.all(&core("pods")).into_iter().map(on_its_node).collect()
}

/// The claims of a pod: their volumes, and those that wait for its node.
struct Claims {
    volumes: Vec<Arc<Value>>,
    waiting: Vec<Arc<Value>>,
}

impl Claims {
    /// Or why the pod cannot be scheduled on any node.
    fn of(world: &World, pod: &Value) -> Result<Self, String> {
        let mut found = Claims { volumes: Vec::new(), waiting: Vec::new() };
        for claim_name in claims(pod) {
            let claim = world.store.get(&volumes::claims(), namespace(pod), &claim_name);
            let claim = claim.ok_or_else(|| format!("persistentvolumeclaim \"{claim_name}\" not found"))?;
            if is_deleting(&claim) {
                return Err(format!("persistentvolumeclaim \"{claim_name}\" is being deleted"));
            }
            if volumes::is_bound(&claim) {
                let volume = world.store.get(&volumes::volumes(), None, text(&claim, "/spec/volumeName"));
                found.volumes.extend(volume);
                continue;
            }
            let class = volumes::class(world, text(&claim, "/spec/storageClassName"));
            match class.is_some_and(|class| volumes::waits_for_consumer(&class)) {
                true => found.waiting.push(claim),
                false => return Err("pod has unbound immediate PersistentVolumeClaims".into()),
            }
        }
        Ok(found)
    }

    fn conflict(&self, node: &Value) -> Option<String> {
        let elsewhere = |claim: &Arc<Value>| annotation(claim, SELECTED).is_some_and(|selected| selected != name(node));
        let unreachable = self.volumes.iter().any(|volume| !volumes::reaches(volume, node));
        (unreachable || self.waiting.iter().any(elsewhere)).then(|| "node(s) had volume node affinity conflict".into())
    }
}

/// Gives the pod its node; when claims wait for it, tells them first and waits until they are bound.
fn place(world: &World, pod: &Value, node: &Value, wanted: &Claims) {
    for claim in &wanted.waiting {
        let node_name = name(node).to_owned();
        world.change(&volumes::claims(), claim, |claim| {
            claim["metadata"]["annotations"][SELECTED] = json!(node_name);
        });
    }
    if !wanted.waiting.is_empty() {
        return;
    }
    let now = world.store.now();
    world.change(&core("pods"), pod, |pod| {
        pod["spec"]["nodeName"] = json!(name(node));
        let scheduled = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null});
        set_condition(&mut pod["status"], scheduled, &now);
    });
    let message =
        format!("Successfully assigned {}/{} to {}", namespace(pod).unwrap_or_default(), name(pod), name(node));
    world.normal(SOURCE, pod, "Scheduled", &message);
}

fn give_up(world: &World, pod: &Value, message: &str) {
    let now = world.store.now();
    world.change(&core("pods"), pod, |pod| {
        let failed = json!({
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message, "lastProbeTime": null,
        });
        if text(pod, "/status/phase").is_empty() {
            pod["status"]["phase"] = json!("Pending");
        }
        set_condition(&mut pod["status"], failed, &now);
    });
    if world.once(format!("unschedulable/{}/{message}", uid(pod))) {
        world.warning(SOURCE, pod, "FailedScheduling", message);
    }
}
