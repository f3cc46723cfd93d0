//! What stops the removal of Longhorn, what it leaves alone, and the freeing of its namespace by itself.

use super::breakage::{Breakage, api_service_dead, held};
use super::bystanders::untouched;
use super::{NAMESPACE, PLURALS, RESOURCES};
use crate::scenario::inventory;
use crate::support::{Lab, Objects, Place, kubectl, kubectl_command, same};
use serde_json::json;
use std::path::PathBuf;

#[test]
fn a_stuck_namespace_is_freed_alone() {
    let lab = Lab::new(Place::served(), "stuck");
    untouched(&lab, || stuck(&lab));
}

#[test]
fn a_stuck_namespace_is_freed_alone_on_a_real_cluster() {
    if let Some(place) = Place::real_at_length() {
        let lab = Lab::new(place, "e2e-stuck");
        untouched(&lab, || stuck(&lab));
    }
}

fn stuck(lab: &Lab) {
    lab.up(&["--longhorn", "--no-canary"]).exits(0);
    Breakage::NamespaceDeleted.make(lab);
    let stuck = held(lab);
    let dry = lab.run(&["unstick", "--dry-run"]).exits(0);
    assert_eq!(held(lab), stuck, "a dry run touches nothing");
    dry.says("longhorn.io").says("is being deleted and does not end");
    lab.run(&["unstick", "--yes"]).exits(0);
    assert!(lab.reader().get(&format!("/api/v1/namespaces/{NAMESPACE}")).is_none(), "the namespace is gone");
    for plural in PLURALS {
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.longhorn.io");
        assert!(lab.reader().get(&path).is_none(), "{plural} is gone");
    }
    lab.run(&["unstick", "--yes"]).exits(0);
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_dead_api_service_of_somebody_else_is_named_and_left() {
    let lab = Lab::new(Place::served(), "dead");
    untouched(&lab, || dead_api_service(&lab));
}

#[test]
fn a_dead_api_service_of_somebody_else_is_named_and_left_on_a_real_cluster() {
    if let Some(place) = Place::real_at_length() {
        let lab = Lab::new(place, "e2e-dead");
        untouched(&lab, || dead_api_service(&lab));
    }
}

fn dead_api_service(lab: &Lab) {
    const PATH: &str = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.dead.example.com";
    lab.up(&["--longhorn", "--no-canary"]).exits(0);
    api_service_dead(lab, "metrics-server", "kube-system");
    let run = lab.run(&["reset", "--yes", "--timeout", "20s"]).exits(5);
    run.says("v1beta1.dead.example.com").says("kubectl delete apiservice v1beta1.dead.example.com");
    assert!(lab.reader().get(PATH).is_some(), "it belongs to somebody else");
    lab.reader().delete(PATH);
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn volumes_of_another_namespace_stop_the_reset() {
    let lab = Lab::new(Place::served(), "shared");
    untouched(&lab, || others_volumes(&lab));
}

#[test]
fn volumes_of_another_namespace_stop_the_reset_on_a_real_cluster() {
    if let Some(place) = Place::real_at_length() {
        let lab = Lab::new(place, "e2e-shared");
        untouched(&lab, || others_volumes(&lab));
    }
}

fn others_volumes(lab: &Lab) {
    const CLAIM: &str = "/api/v1/namespaces/default/persistentvolumeclaims/theirs";
    lab.up(&["--longhorn", "--no-canary"]).exits(0);
    let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "theirs" },
        "spec": { "storageClassName": "longhorn", "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "16Mi" } } } });
    lab.reader().create("/api/v1/namespaces/default/persistentvolumeclaims", &claim);
    lab.reader().wait_until(CLAIM, |claim| claim["status"]["phase"] == "Bound");
    let there = without_longhorns_own(lab);
    let run = lab.reset();
    assert_eq!(run.code, Some(3), "{}", run.transcript());
    run.says("default/theirs");
    same(&there, &without_longhorns_own(lab), "nothing was changed");
    lab.reader().delete(CLAIM);
    lab.reader().wait_until_gone("/api/v1/namespaces/default/persistentvolumeclaims", "theirs");
    lab.reset().exits(0);
    lab.is_gone();
}

/// All objects but those with which a living manager is at work.
fn without_longhorns_own(lab: &Lab) -> Objects {
    let mut objects = inventory(lab);
    objects.retain(|id, _| id.namespace != NAMESPACE && id.kind != "VolumeAttachment");
    objects
}

#[test]
fn longhorn_of_somebody_else_stays_unless_it_is_adopted() {
    let lab = Lab::new(Place::served(), "adopted");
    untouched(&lab, || adopted(&lab));
}

#[test]
fn longhorn_of_somebody_else_stays_unless_it_is_adopted_on_a_real_cluster() {
    if let Some(place) = Place::real_at_length() {
        let lab = Lab::new(place, "e2e-adopted");
        untouched(&lab, || adopted(&lab));
    }
}

fn adopted(lab: &Lab) {
    somebody_installs_it(lab);
    lab.up(&["--longhorn", "--no-canary"]).exits(0);
    lab.reset().exits(0).says("`reset --adopt`, instead of `reset`, removes it too");
    lab.is_gone();
    let there = lab.reader().get(&format!("/api/v1/namespaces/{NAMESPACE}"));
    assert!(there.is_some(), "`reset` leaves what it did not install");
    lab.up(&["--longhorn", "--no-canary"]).exits(0);
    lab.run(&["reset", "--yes", "--adopt"]).exits(0).says("adopt");
    lab.is_gone();
}

/// By the original manifest, where IRIS_LAB_ORIGINALS names the folder with it; else by ours without its labels.
fn somebody_installs_it(lab: &Lab) {
    let original = std::env::var_os("IRIS_LAB_ORIGINALS").map(PathBuf::from);
    let original = original.and_then(|folder| folder.join("longhorn/longhorn-v1.2.6.yaml").canonicalize().ok());
    if let (Some(file), Some(program), Place::Existing(there)) = (original, kubectl(), &lab.place) {
        let mut command = kubectl_command(&program, &there.kubeconfig, &lab.scratch);
        command.args(["--context", &there.context, "apply", "-f"]).arg(file);
        lab.run_command(command).exits(0);
        return;
    }
    let list = lab.run(&["render", "longhorn", "-o", "json"]).exits(0).json();
    for object in list["items"].as_array().unwrap() {
        lab.reader().apply(object, "somebody");
    }
}

#[test]
fn another_namespace_with_something_of_longhorns_kinds_does_not_take_it_along() {
    let lab = Lab::new(Place::served(), "demo");
    let reader = lab.reader();
    lab.up(&["--longhorn", "--no-canary"]).exits(0);
    reader.create(
        "/api/v1/namespaces",
        &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "demo" } }),
    );
    let nightly = json!({ "apiVersion": "longhorn.io/v1beta1", "kind": "RecurringJob",
        "metadata": { "name": "nightly", "finalizers": ["longhorn.io"] } });
    let jobs = "/apis/longhorn.io/v1beta1/namespaces/demo/recurringjobs";
    reader.create(jobs, &nightly);
    reader.delete("/api/v1/namespaces/demo");
    let of_longhorn = |lab: &Lab| {
        let mut objects = inventory(lab);
        objects.retain(|id, _| id.namespace == NAMESPACE && id.kind != "Lease");
        objects
    };
    let before = of_longhorn(&lab);
    for flags in [&["--yes"][..], &["--yes", "--force"]] {
        let run = lab.run(&[&["unstick", "demo"], flags].concat()).exits(5);
        run.says("nothing in it is known to iris-lab")
            .says("`iris-lab unstick demo --strip recurringjobs.longhorn.io`");
    }
    let dry = lab.run(&["unstick", "demo", "--dry-run"]).exits(0);
    dry.says("unstick demo: 0 steps").says("hint: start the controller of recurringjobs.longhorn.io again");
    same(&before, &of_longhorn(&lab), "Longhorn works on");
    lab.run(&["unstick", "demo", "--yes", "--strip", "recurringjobs.longhorn.io"]).exits(0);
    same(&before, &of_longhorn(&lab), "Longhorn works on");
    assert!(reader.get("/api/v1/namespaces/demo").is_none());
}

#[test]
fn a_volume_that_no_claim_speaks_for_stops_the_reset() {
    let lab = Lab::new(Place::served(), "apart");
    lab.up(&["--longhorn", "--no-canary"]).exits(0);
    let volume = json!({ "apiVersion": "longhorn.io/v1beta1", "kind": "Volume", "metadata": { "name": "made-in-the-ui" },
        "spec": { "numberOfReplicas": 1, "size": "16777216" } });
    lab.reader().create(&format!("{RESOURCES}/volumes"), &volume);
    let run = lab.reset();
    assert_eq!(run.code, Some(3), "{}", run.transcript());
    run.says("Volume longhorn-system/made-in-the-ui");
    lab.reader().delete(&format!("{RESOURCES}/volumes/made-in-the-ui"));
    lab.reader().wait_until_gone(&format!("{RESOURCES}/volumes"), "made-in-the-ui");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn the_log_of_a_job_that_failed_is_kept() {
    let lab = Lab::on_sim();
    let faults = lab.file("faults.yaml", "longhorn:\n  uninstallFails: true\n");
    // At instant speed, the Job's pod would be gone with its log before anybody can read it.
    let flags = ["--longhorn", "--no-canary", "--sim-speed", "10", "--sim-faults", faults.to_str().unwrap()];
    lab.up(&flags).exits(0);
    let run = lab.run(&["down", "--longhorn", "--delete-data", "--yes"]).exits(0);
    run.says("its whole log is in");
    let log = lab.state().join(&lab.name).join("longhorn-uninstall.log");
    assert!(std::fs::read_to_string(&log).unwrap().contains("level="), "the job's own words");
    lab.reset().exits(0);
    lab.is_gone();
}
