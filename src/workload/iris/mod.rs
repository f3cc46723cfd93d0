//! The workload's objects: the plain manifests with the lab's values in them.

use super::cpf;
use super::volumes::ignores_fs_group;
use crate::lab::image::Image;
use crate::lab::{Lab, Resources, SessionAffinity};
use crate::model::object::{FIELD_MANAGER, LAB_LABEL, MANAGED_BY};
use crate::yaml;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, PersistentVolumeClaim, PodSpec, ResourceRequirements, Service, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// Annotation of the pods with the settings that IRIS only reads at its start: a change of one of them replaces the pods,
/// and no other change of the merge file does, because IRIS watches that file.
pub const NEEDS_RESTART: &str = "iris-lab/needs-restart";

const CONFIG_MAP: &str = include_str!("../../../manifests/iris/configmap.yaml");
const SERVICES: &str = include_str!("../../../manifests/iris/services.yaml");
const STATEFUL_SET: &str = include_str!("../../../manifests/iris/statefulset.yaml");
/// Seconds that a pod has for stopping, beyond the time that IRIS allows itself.
const GRACE: i64 = 30;
/// The claim of durable %SYS; the other one is for databases.
const MGR: &str = "dbv-mgr";

/// The objects of a lab's workload, without its namespace, in the order in which they are applied.
/// `provisioner` is the one of the storage class, where it is known; `hash` is the value of `PasswordHash`.
pub fn objects(lab: &Lab, provisioner: Option<&str>, hash: &str) -> Vec<Value> {
    let image = image(lab);
    let mut objects = vec![whole(&config_map(lab, &image, hash))];
    objects.extend(base::<Service>(SERVICES).into_iter().map(|base| whole(&service(base, lab))));
    let sets = base::<StatefulSet>(STATEFUL_SET).into_iter();
    objects.extend(sets.map(|base| settled(whole(&stateful_set(base, lab, &image, provisioner)))));
    objects
}

/// The claim templates as the API server gives them back. To server-side apply they are one value, not fields: before
/// Kubernetes 1.24 a template that lacks what the server fills in makes every apply a change.
fn settled(mut set: Value) -> Value {
    let templates = set.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut);
    for template in templates.into_iter().flatten() {
        template["metadata"]["creationTimestamp"] = Value::Null;
        template["spec"]["volumeMode"] = "Filesystem".into();
        template["status"]["phase"] = "Pending".into();
    }
    set
}

/// The lab's image. One that cannot be read gets no special treatment; a lab file with it is refused anyway.
fn image(lab: &Lab) -> Image {
    let own = Image { edition: crate::lab::image::Edition::Own, release: None };
    Image::parse(&lab.spec.iris.image).unwrap_or(own)
}

/// The objects of a manifest.
fn base<T: DeserializeOwned>(manifest: &str) -> Vec<T> {
    let documents = yaml::documents(manifest).expect("the manifests are part of the program, and tests read them all");
    let typed = documents.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
    typed.expect("the manifests are part of the program, and tests read them all")
}

fn whole(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("Kubernetes objects have string keys only, which JSON can always hold")
}

/// What makes an object ours.
fn ours(lab: &Lab) -> [(String, String); 2] {
    [(MANAGED_BY.into(), FIELD_MANAGER.into()), (LAB_LABEL.into(), lab.metadata.name.clone())]
}

fn mark(metadata: &mut ObjectMeta, lab: &Lab) {
    metadata.labels.get_or_insert_default().extend(ours(lab));
}

fn place(metadata: &mut ObjectMeta, lab: &Lab) {
    mark(metadata, lab);
    metadata.namespace = Some(lab.spec.iris.namespace.clone());
}

/// Selectors name the lab too, so that they never take in somebody else's pods with `app=iris`.
fn select(labels: &mut Option<BTreeMap<String, String>>, lab: &Lab) {
    labels.get_or_insert_default().insert(LAB_LABEL.into(), lab.metadata.name.clone());
}

fn config_map(lab: &Lab, image: &Image, hash: &str) -> ConfigMap {
    let mut map = base::<ConfigMap>(CONFIG_MAP).remove(0);
    place(&mut map.metadata, lab);
    map.data = Some(BTreeMap::from([(cpf::KEY.into(), cpf::render(lab, image, Some(hash)))]));
    map
}

fn service(mut service: Service, lab: &Lab) -> Service {
    place(&mut service.metadata, lab);
    if let Some(spec) = &mut service.spec {
        select(&mut spec.selector, lab);
        if spec.session_affinity.is_some() && lab.spec.iris.session_affinity == SessionAffinity::None {
            spec.session_affinity = Some("None".into());
        }
    }
    service
}

fn stateful_set(mut set: StatefulSet, lab: &Lab, image: &Image, provisioner: Option<&str>) -> StatefulSet {
    place(&mut set.metadata, lab);
    let Some(spec) = &mut set.spec else { return set };
    spec.replicas = i32::try_from(lab.spec.iris.replicas).ok();
    select(&mut spec.selector.match_labels, lab);
    let metadata = spec.template.metadata.get_or_insert_default();
    mark(metadata, lab);
    metadata.annotations.get_or_insert_default().insert(NEEDS_RESTART.into(), cpf::at_start(lab));
    if let Some(pod) = &mut spec.template.spec {
        pod_spec(pod, lab, image, provisioner);
    }
    for claim in spec.volume_claim_templates.iter_mut().flatten() {
        claim_template(claim, lab);
    }
    set
}

fn pod_spec(pod: &mut PodSpec, lab: &Lab, image: &Image, provisioner: Option<&str>) {
    pod.termination_grace_period_seconds = Some(i64::from(cpf::shutdown_timeout(lab)) + GRACE);
    pod.security_context.get_or_insert_default().fs_group = Some(image.fs_group());
    for constraint in pod.topology_spread_constraints.iter_mut().flatten() {
        select(&mut constraint.label_selector.get_or_insert_default().match_labels, lab);
    }
    if provisioner.and_then(ignores_fs_group).is_none() {
        pod.init_containers = None;
    }
    for container in pod.init_containers.iter_mut().flatten() {
        container.image = Some(lab.spec.iris.image.clone());
        own_group(container, image);
    }
    for container in &mut pod.containers {
        container.image = Some(lab.spec.iris.image.clone());
        container.resources = resources(&lab.spec.iris.resources);
        if image.checks_capabilities() {
            // Two arguments: iris-main does not take an option and its value as one.
            container.args = Some(vec!["--check-caps".into(), "false".into()]);
        }
        let zone = container.env.iter_mut().flatten().find(|variable| variable.name == "TZ");
        if let Some(zone) = zone {
            zone.value = Some(lab.spec.iris.time_zone.clone());
        }
    }
}

/// Old images run in another group; the user is the same in all of them.
fn own_group(container: &mut Container, image: &Image) {
    let group = image.fs_group().to_string();
    let args = container.args.get_or_insert_default();
    for at in 0..args.len() {
        if at > 0 && args[at - 1] == "-group" {
            args[at].clone_from(&group);
        } else if let Some((user, _)) = args[at].split_once(':') {
            args[at] = format!("{user}:{group}");
        }
    }
}

fn resources(given: &Resources) -> Option<ResourceRequirements> {
    let amounts = |cpu: &Option<String>, memory: &Option<String>| {
        let pairs = [("cpu", cpu), ("memory", memory)];
        let set = pairs.into_iter().filter_map(|(name, text)| Some((name.to_string(), Quantity(text.clone()?))));
        Some(set.collect::<BTreeMap<_, _>>()).filter(|amounts| !amounts.is_empty())
    };
    let requests = amounts(&given.cpu, &given.memory);
    let limits = amounts(&given.cpu_limit, &given.memory_limit);
    let set = requests.is_some() || limits.is_some();
    set.then(|| ResourceRequirements { requests, limits, ..Default::default() })
}

fn claim_template(claim: &mut PersistentVolumeClaim, lab: &Lab) {
    mark(&mut claim.metadata, lab);
    let storage = &lab.spec.iris.storage;
    let size = if claim.metadata.name.as_deref() == Some(MGR) { &storage.mgr } else { &storage.data };
    let spec = claim.spec.get_or_insert_default();
    spec.storage_class_name = lab.storage_class().map(Into::into);
    let requests = BTreeMap::from([("storage".to_string(), Quantity(size.clone()))]);
    spec.resources = Some(VolumeResourceRequirements { requests: Some(requests), limits: None });
}

#[cfg(test)]
mod tests;
