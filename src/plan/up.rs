//! The plan of `up`: the cluster, its add-ons, the namespace, the IRIS objects, and a wait for each pod and the address.

use super::image;
use super::kept;
use crate::addon::{self, ADDRESS, PODS, RECORDED, Site};
use crate::error::{Failure, Result};
use crate::lab::{AddOnName, Lab};
use crate::model::object::{RECORD, is_ready, labelled};
use crate::model::{Action, Facts, ImageFacts, ObjectRef, Plan, Step, Verb, WaitFor};
use crate::provider::{CLUSTER, Provider, Wishes, word};
use crate::{workload, yaml};
use serde_json::{Value, json};
use std::time::Duration;

/// The record's key for the lab.
pub const RECORD_LAB: &str = "lab.yaml";
/// The record's key for the password's hash: the hash outlives the workload, as the volumes do.
pub const RECORD_HASH: &str = "passwordHash";

const APPLY_TIMEOUT: Duration = Duration::from_secs(60);
const READY_TIMEOUT: Duration = Duration::from_secs(15 * 60);
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(120);

/// Everything that `up` is planned from, besides the facts.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// Objects of an original manifest of Longhorn that take the place of ours.
    pub longhorn: Option<&'a [Value]>,
    /// Its provider.
    pub provider: &'a dyn Provider,
    /// What the user said about the cluster.
    pub wishes: Wishes<'a>,
    /// Hash of the password.
    pub password_hash: &'a str,
    /// What was seen of the image that the lab builds; none where it builds none.
    pub image: Option<&'a ImageFacts>,
}

impl<'a> Wanted<'a> {
    /// What is known of the cluster, for the add-ons; `nodes` are those that the provider will make.
    pub(super) fn site(&'a self, facts: &'a Facts, nodes: &'a [Value]) -> Site<'a> {
        Site {
            lab: self.lab,
            facts,
            nodes: if facts.reachable && !facts.nodes.is_empty() { &facts.nodes } else { nodes },
            kubernetes: match facts.reachable {
                true => facts.version.clone(),
                false => self.provider.kubernetes(self.lab, &self.wishes),
            },
            manifest: self.longhorn,
            is_ours: self.provider.makes_cluster(),
            kubelet_root: self.provider.kubelet_root(),
        }
    }
}

/// The plan. Steps that the facts already satisfy are marked so.
pub fn up(wanted: &Wanted, facts: &Facts) -> Result<Plan> {
    let lab = &kept::sizes(wanted.lab, facts);
    let wanted = &Wanted { lab, ..*wanted };
    let Wanted { provider, wishes, .. } = wanted;
    let nodes = provider.nodes(lab, wishes);
    let site = wanted.site(facts, &nodes);
    let mut steps = provider.steps(lab, facts, wishes)?;
    let cluster: Vec<String> = steps.iter().filter(|step| step.id == CLUSTER).map(|step| step.id.clone()).collect();
    let mut add_ons = Vec::new();
    for add_on in addon::installed(&site) {
        let own = provider.add_on(add_on.name(), lab, facts, wishes);
        add_ons.extend(own.unwrap_or_else(|| add_on.steps(&site))?);
    }
    let there: Vec<String> = add_ons.iter().map(|step: &Step| step.id.clone()).collect();
    let (mut first, rest) = workload_steps(wanted, facts, &site, &there)?;
    first.insert(0, namespace(lab, facts));
    first.append(&mut add_ons);
    // What needs nothing else needs the cluster.
    steps.extend(
        first.into_iter().chain(rest).map(
            |step| {
                if step.needs.is_empty() { step.after(cluster.clone()) } else { step }
            },
        ),
    );
    if let Some(seen) = wanted.image {
        image::weave(wanted, seen, &mut steps);
    }
    Ok(Plan {
        verb: Verb::Up,
        lab: lab.metadata.name.clone(),
        namespace: None,
        provider: word(provider.name()).into(),
        simulated: provider.is_simulated(),
        steps,
    })
}

/// Every object that `up` would apply, for `render`.
pub fn objects(wanted: &Wanted) -> Result<Vec<Value>> {
    let plan = up(wanted, &Facts::default())?;
    let objects = plan.steps.into_iter().filter_map(|step| match step.action {
        Action::Apply { objects } => Some(objects),
        _ => None,
    });
    Ok(objects.flatten().collect())
}

fn namespace(lab: &Lab, facts: &Facts) -> Step {
    let name = &lab.spec.iris.namespace;
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let mut step =
        apply("namespace", format!("Make the namespace {name}"), labelled(vec![object], &lab.metadata.name), facts);
    if step.satisfied.is_none() && facts.namespace.is_some() {
        step.satisfied = Some("it is there, and not ours: reset will leave it".into());
    }
    step
}

/// The steps that apply the lab's record and settings, and all that come after the add-ons, whose steps are `there`.
fn workload_steps(wanted: &Wanted, facts: &Facts, site: &Site, there: &[String]) -> Result<(Vec<Step>, Vec<Step>)> {
    let lab = wanted.lab;
    let brought = addon::installed(site).map(|add_on| add_on.storage_class()).collect::<Result<Vec<_>>>()?;
    let own = wanted.provider.storage_class().filter(|_| lab.has(AddOnName::Storage));
    let brought: Vec<Value> = own.into_iter().chain(brought.into_iter().flatten()).collect();
    let class = addon::class_for(lab, &facts.storage_classes).or_else(|| addon::class_for(lab, &brought));
    let provisioner = class.and_then(|class| class.get("provisioner")?.as_str());
    let mut settings = vec![record(lab, wanted.provider, wanted.password_hash)?];
    let (mut services, mut pods) = (Vec::new(), Vec::new());
    for object in workload::objects(lab, provisioner, wanted.password_hash) {
        match object["kind"].as_str() {
            Some("Service") => services.push(object),
            Some("StatefulSet") => pods.push(object),
            _ => settings.push(object),
        }
    }
    let given = |to: &str| {
        let steps = addon::installed(site).filter_map(|add_on| add_on.gives()).filter(|(_, asks)| *asks == to);
        // Where the provider's clusters have it from the beginning, there is no such step.
        steps.map(|(step, _)| step).filter(|step| there.contains(&step.to_string())).collect::<Vec<_>>()
    };
    let count = lab.spec.iris.replicas;
    let name = &lab.metadata.name;
    let settings = apply(RECORDED, "Apply the IRIS settings", labelled(settings, name), facts).after(["namespace"]);
    let mut steps = vec![
        apply("services", "Apply the IRIS services", services, facts).after(["namespace"]),
        apply(PODS, format!("Apply the StatefulSet with {}", count_of(count, "pod")), pods, facts)
            .after([RECORDED])
            .after(given(PODS)),
    ];
    let set_is_current = steps[1].satisfied.is_some();
    steps.extend((0..count).map(|index| pod_step(lab, index, facts, set_is_current)));
    if lab.has(AddOnName::Metallb) {
        steps.push(address_step(lab, facts).after(["services"]).after(given(ADDRESS)));
    }
    Ok((vec![settings], steps))
}

/// The ConfigMap that says what was applied, by which version.
pub(super) fn record(lab: &Lab, provider: &dyn Provider, password_hash: &str) -> Result<Value> {
    Ok(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": RECORD, "namespace": lab.spec.iris.namespace },
        "data": {
            RECORD_LAB: yaml::to_string(&serde_json::to_value(lab).map_err(|e| Failure::step("cannot write the lab").caused_by(e))?),
            "provider": word(provider.name()),
            "version": env!("CARGO_PKG_VERSION"),
            RECORD_HASH: password_hash,
        },
    }))
}

pub(super) fn pod_step(lab: &Lab, index: u32, facts: &Facts, set_is_current: bool) -> Step {
    let (namespace, name) = (lab.spec.iris.namespace.clone(), format!("{}-{index}", workload::STATEFUL_SET));
    let set = ObjectRef::new("apps/v1", "StatefulSet", Some(&namespace), workload::STATEFUL_SET);
    let revision = facts.find(&set).and_then(|set| set.pointer("/status/updateRevision")?.as_str());
    let pod = facts.pods.iter().find(|pod| pod["metadata"]["name"] == name.as_str());
    let ready = pod.filter(|pod| set_is_current && is_settled(pod, revision));
    let target = WaitFor::PodReady { namespace, name: name.clone(), stateful_set: workload::STATEFUL_SET.into() };
    Step::new(format!("{name}-ready"), format!("Wait until {name} is Ready"), READY_TIMEOUT, Action::Wait { target })
        .after([PODS])
        .satisfied_by(ready.map(|_| "it is Ready".into()))
}

/// Whether a pod is Ready, of the given revision, and stays.
fn is_settled(pod: &Value, revision: Option<&str>) -> bool {
    is_ready(pod)
        && pod.pointer("/metadata/labels/controller-revision-hash").and_then(Value::as_str) == revision
        && pod.pointer("/metadata/deletionTimestamp").is_none()
}

fn address_step(lab: &Lab, facts: &Facts) -> Step {
    let (namespace, name) = (lab.spec.iris.namespace.clone(), workload::EXTERNAL_SERVICE.to_string());
    let service = ObjectRef::new("v1", "Service", Some(&namespace), &name);
    let address = facts.find(&service).and_then(|service| service.pointer("/status/loadBalancer/ingress/0"));
    let address = address.and_then(|entry| entry["ip"].as_str().or(entry["hostname"].as_str()));
    let title = format!("Wait until the Service {name} has an address");
    Step::new(ADDRESS, title, ADDRESS_TIMEOUT, Action::Wait { target: WaitFor::Address { namespace, name } })
        .satisfied_by(address.map(|address| format!("it has {address}")))
}

pub(super) fn apply(id: &str, title: impl Into<String>, objects: Vec<Value>, facts: &Facts) -> Step {
    Step::apply(id, title, APPLY_TIMEOUT, objects, facts)
}

/// `1 pod`, `2 pods`.
pub(super) fn count_of(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
