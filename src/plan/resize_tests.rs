//! Plans of `resize` as a table: what is there and what is asked for in, steps or a refusal out.

use super::*;
use crate::error::Kind;
use crate::model::longhorn::DRIVER;
use crate::plan::{self, RECORD};
use crate::provider;
use serde_json::json;

const BOTH: [&str; 2] = workload::CLAIM_TEMPLATES;

fn claim(name: &str, size: &str, has: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name, "namespace": "iris-lab" },
        "spec": { "storageClassName": "fast", "resources": { "requests": { "storage": size } } },
        "status": { "phase": "Bound", "capacity": { "storage": has } } })
}

/// A lab that is up, with two volumes of this size in a class of this provisioner.
fn there(provisioner: &str, size: &str) -> Facts {
    let mut lab = Lab::default();
    (lab.spec.iris.storage.mgr, lab.spec.iris.storage.data) = (size.into(), size.into());
    let class = json!({ "metadata": { "name": "fast" }, "provisioner": provisioner, "allowVolumeExpansion": true });
    let set = workload::objects(&lab, None, "h,s").into_iter().find(|object| object["kind"] == "StatefulSet");
    let record = record(&lab, provider::named("sim").unwrap(), "h,s").unwrap();
    Facts {
        reachable: true,
        storage_classes: vec![class],
        objects: set.into_iter().chain(labelled(vec![record], "two-pod")).collect(),
        claims: BOTH.map(|template| claim(&format!("{template}-data-0"), size, size)).into(),
        ..Facts::default()
    }
}

fn with<T>(facts: &Facts, templates: &[&str], size: &str, use_it: impl FnOnce(&Resize) -> T) -> T {
    let provider = provider::named("sim").unwrap();
    use_it(&Resize { lab: &Lab::default(), provider, facts, password_hash: "h,s", templates, size })
}

fn steps(facts: &Facts, size: &str) -> Vec<String> {
    let plan = with(facts, &BOTH[1..], size, |resize| resize.plan().unwrap());
    let open = plan.steps.iter().filter(|step| step.satisfied.is_none());
    open.map(|step| step.id.clone()).collect()
}

fn refusal(facts: &Facts, size: &str) -> Failure {
    with(facts, &BOTH[1..], size, |resize| resize.refusal().unwrap())
}

#[test]
fn pods_stop_only_where_their_volumes_have_to_be_detached() {
    let online = ["grow", "settings", "iris", "data-0-ready", "data-1-ready", "size"];
    assert_eq!(steps(&there("disk.csi.example.com", "5Gi"), "10Gi"), online);
    assert_eq!(steps(&there(DRIVER, "5Gi"), "10Gi"), [&["stop"][..], &online].concat());
}

#[test]
fn only_the_named_volumes_grow_and_the_record_and_the_templates_follow() {
    let facts = there(DRIVER, "5Gi");
    let plan = with(&facts, &BOTH[1..], "10Gi", |resize| resize.plan().unwrap());
    let Action::Grow { claims, size } = &plan.steps[1].action else { panic!("{:?}", plan.steps[1]) };
    assert_eq!((claims.len(), claims[0].name.as_str(), size.as_str()), (1, "dbv-data-data-0", "10Gi"));
    let Action::Apply { objects } = &plan.steps[2].action else { panic!("{:?}", plan.steps[2]) };
    let lab = crate::lab::load(objects[0]["data"][plan::RECORD_LAB].as_str().unwrap(), RECORD).unwrap();
    let Action::Replace { object } = &plan.steps[3].action else { panic!("{:?}", plan.steps[3]) };
    let sizes: Vec<&str> =
        object["spec"]["volumeClaimTemplates"].as_array().unwrap().iter().filter_map(requested).collect();
    assert_eq!((lab.spec.iris.storage.mgr.as_str(), lab.spec.iris.storage.data.as_str()), ("5Gi", "10Gi"));
    assert_eq!(sizes, ["5Gi", "10Gi"]);
    assert!(!plan.goes_on(), "nothing is started after a step that failed");
}

#[test]
fn what_is_so_already_is_left_alone_and_what_was_interrupted_goes_on() {
    let mut facts = there(DRIVER, "5Gi");
    facts.pods = (0..2)
        .map(|n| {
            json!({ "metadata": { "name": format!("data-{n}") }, "status": { "conditions": [
        { "type": "Ready", "status": "True" }] } })
        })
        .collect();
    assert_eq!(steps(&facts, "5Gi"), [""; 0]);
    facts.claims[1] = claim("dbv-data-data-0", "10Gi", "5Gi");
    assert_eq!(steps(&facts, "10Gi")[..2], ["stop", "grow"], "asked for and not there yet");
    facts.claims[1] = claim("dbv-data-data-0", "10Gi", "10Gi");
    let left = ["settings", "iris", "data-0-ready", "data-1-ready", "size"];
    assert_eq!(steps(&facts, "10Gi"), left, "the volumes have grown, and nothing else has followed");
    facts.claims[1]["status"] = json!({ "phase": "Bound", "capacity": { "storage": "5Gi" },
        "conditions": [{ "type": "FileSystemResizePending", "status": "True" }] });
    assert_eq!(steps(&facts, "10Gi"), left, "the file system follows when a pod mounts it");
}

#[test]
fn a_lab_that_is_down_has_only_volumes() {
    let mut facts = there(DRIVER, "5Gi");
    facts.objects.retain(|object| object["kind"] != "StatefulSet");
    assert_eq!(steps(&facts, "10Gi"), ["grow", "settings"]);
}

#[test]
fn a_volume_does_not_become_smaller() {
    let failure = refusal(&there(DRIVER, "5Gi"), "1Gi");
    assert_eq!((failure.kind, failure.message.as_str()), (Kind::Usage, "a volume cannot become smaller"));
    assert_eq!(failure.causes, ["dbv-data-data-0 has 5Gi, and 1Gi is asked for"]);
    assert!(with(&there(DRIVER, "5Gi"), &BOTH, "5120Mi", |resize| resize.refusal().is_none()));
}

#[test]
fn what_cannot_grow_says_why_and_what_can_be_done() {
    let mut facts = there("microk8s.io/hostpath", "5Gi");
    facts.storage_classes[0]["allowVolumeExpansion"] = false.into();
    let failure = refusal(&facts, "10Gi");
    assert_eq!(failure.kind, Kind::Requirement);
    assert_eq!(failure.causes.len(), 2);
    assert!(failure.causes[0].contains("fast does not allow it") && failure.causes[1].contains("no size of their own"));
    assert!(failure.hints.last().unwrap().contains("iris-lab up --longhorn"), "{failure:?}");
    facts.storage_classes[0]["provisioner"] = "disk.csi.example.com".into();
    assert!(refusal(&facts, "10Gi").hints[0].contains("kubectl patch storageclass fast"));
    facts.storage_classes.clear();
    assert!(refusal(&facts, "10Gi").causes[0].contains("fast of dbv-data-data-0 is not there any more"));
    facts = there(DRIVER, "5Gi");
    facts.claims[1]["status"]["phase"] = "Pending".into();
    assert_eq!(refusal(&facts, "10Gi").causes, ["dbv-data-data-0 has no volume yet"]);
    facts.claims.clear();
    assert!(refusal(&facts, "10Gi").message.ends_with("has no volumes yet"));
}

#[test]
fn more_room_than_a_community_edition_can_use_is_warned_about() {
    let warning = |templates: &[&str], size| with(&there(DRIVER, "5Gi"), templates, size, |r| r.warning());
    assert!(warning(&BOTH[1..], "11Gi").unwrap().contains("10 GB"));
    assert_eq!((warning(&BOTH[1..], "10Gi"), warning(&BOTH[..1], "20Gi")), (None, None));
}
