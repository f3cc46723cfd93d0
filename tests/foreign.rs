//! What belongs to somebody else on the same cluster is neither taken over nor removed, and what cannot be removed is named.

use crate::scenario::inventory;
use crate::support::{Lab, Place, same};
use serde_json::json;

const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

#[test]
fn an_object_of_somebody_else_is_not_taken_over() {
    let lab = Lab::new(Place::served(), "foreign");
    let reader = lab.reader();
    let namespace = &lab.namespace;
    reader.create(
        "/api/v1/namespaces",
        &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }),
    );
    let settings = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "iris-merge-cpf" },
        "data": { "theirs": "yes" } });
    reader.create(&format!("/api/v1/namespaces/{namespace}/configmaps"), &settings);
    let before = inventory(&lab);
    let run = lab.up(&[]).exits(1);
    run.says(&format!("ConfigMap {namespace}/iris-merge-cpf exists and is not this lab's")).says("--namespace");
    lab.reset().exits(0);
    lab.is_gone();
    same(&before, &inventory(&lab), "`reset` leaves what is not ours");
}

#[test]
fn a_namespace_that_was_there_stays() {
    let lab = Lab::new(Place::served(), "kept");
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": lab.namespace } });
    lab.reader().create("/api/v1/namespaces", &namespace);
    let before = inventory(&lab);
    lab.up(&[]).exits(0);
    lab.reset().exits(0);
    same(&before, &inventory(&lab), "`reset` leaves a namespace that it did not make");
}

#[test]
fn a_field_that_somebody_else_manages_is_not_overwritten() {
    let lab = Lab::new(Place::served(), "conflict");
    lab.up(&[]).exits(0);
    let set = format!("/apis/apps/v1/namespaces/{}/statefulsets/data", lab.namespace);
    let theirs = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "data" },
        "spec": { "replicas": 3 } });
    lab.reader().patch(&set, APPLY, "autoscaler", &theirs);
    lab.up(&[]).exits(1).says("spec.replicas").says("autoscaler");
    assert_eq!(lab.reader().get(&set).unwrap()["spec"]["replicas"], 3);
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn reset_names_what_it_cannot_remove_and_finishes_later() {
    let lab = Lab::new(Place::served(), "held");
    let before = inventory(&lab);
    lab.up(&[]).exits(0);
    let claim = format!("/api/v1/namespaces/{}/persistentvolumeclaims/dbv-data-data-0", lab.namespace);
    let finalizers = |list: serde_json::Value| json!({ "metadata": { "finalizers": list } });
    let live = lab.reader().get(&claim).unwrap();
    let mut held = live["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    held.push("example.com/backup".into());
    lab.reader().patch(&claim, MERGE, "backup", &finalizers(held.into()));
    let run = lab.run(&["reset", "--yes", "--timeout", "5s"]).exits(5);
    run.says("dbv-data-data-0").says("example.com/backup").says("iris-lab reset");
    lab.reader().patch(&claim, MERGE, "backup", &finalizers(json!(null)));
    lab.reset().exits(0);
    lab.is_gone();
    same(&before, &inventory(&lab), "the second `reset` removes the rest");
}
