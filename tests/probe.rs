//! The nodes of a cluster that was there before are looked at when the user agrees, and what looks is removed whatever happens.

use super::support::{End, Lab, Place};
use iris_lab::exec::System;
use iris_lab::exec::scripted::{Script, Scripted};
use iris_lab::model::HostFacts;
use iris_lab::{host, plan, yaml};
use serde_json::{Value, json};
use std::process::Command;

const NAMESPACE: &str = "/api/v1/namespaces/iris-lab-probe";

/// The probe on that cluster; `yes` is the answer to its question.
fn probe<'a>(lab: &'a Lab, extra: &[&'a str]) -> Vec<&'a str> {
    lab.for_lab("doctor", &[&["--longhorn", "--probe"], extra].concat())
}

fn nothing_is_left(lab: &Lab) {
    assert!(lab.reader().get(NAMESPACE).is_none(), "the probe is still there");
}

fn every_node_is_looked_at(place: Place) {
    let lab = Lab::new(place, "probe");
    let image = ["--probe-image", "busybox:1.36", "--yes", "-o", "json"];
    let report = lab.run(&probe(&lab, &image)).json();
    let names: Vec<&str> = report["checks"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    let nodes = lab.reader().get("/api/v1/nodes").unwrap();
    let nodes = nodes["items"].as_array().filter(|nodes| !nodes.is_empty()).unwrap();
    for node in nodes.iter().filter_map(|node| node["metadata"]["name"].as_str()) {
        for what in ["iscsiadm", "iscsi_tcp", "multipathd", "NFS client", "a quarter free"] {
            assert!(names.contains(&format!("{node}: {what}").as_str()), "{node}: {what}: {names:?}");
        }
    }
    let mends = report["checks"].as_array().unwrap().iter().filter(|one| one["topic"] == "Nodes");
    assert!(mends.clone().all(|one| one["mend"].is_null()), "nothing is mended from here");
    nothing_is_left(&lab);
}

#[test]
fn every_node_of_a_simulated_cluster_is_looked_at() {
    every_node_is_looked_at(Place::served());
}

#[test]
fn every_node_of_a_real_cluster_is_looked_at() {
    if let Some(place) = Place::real() {
        every_node_is_looked_at(place);
    }
}

#[test]
fn nothing_is_made_before_the_user_agrees() {
    let lab = Lab::new(Place::served(), "probe");
    lab.run(&probe(&lab, &[])).exits(2).says("This runs a privileged pod of busybox:1.36 on each of the 3 nodes");
    nothing_is_left(&lab);
}

#[test]
fn the_probe_is_removed_after_an_interruption_too() {
    let lab = Lab::new(Place::served(), "probe");
    let started = |event: &Value| event.to_string().contains("nodes have been looked at");
    lab.ended(&probe(&lab, &["--yes"]), End::Interrupt, started).exits(130);
    nothing_is_left(&lab);
}

#[test]
fn what_looks_like_the_probe_and_is_not_ours_stays() {
    let lab = Lab::new(Place::served(), "probe");
    let theirs = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "iris-lab-probe" } });
    lab.reader().create("/api/v1/namespaces", &theirs);
    lab.run(&probe(&lab, &["--yes"])).exits(3).says("Namespace iris-lab-probe is there, and not ours");
    assert!(lab.reader().get(NAMESPACE).is_some());
}

#[test]
fn a_lab_without_longhorn_has_nothing_to_look_for() {
    let lab = Lab::new(Place::served(), "probe");
    lab.run(&lab.for_lab("doctor", &["--probe", "--yes"])).exits(2).says("add --longhorn");
}

/// What a pod prints of a node is what is read of the node itself: tried on this machine.
#[tokio::test]
async fn the_script_records_what_is_there() {
    let objects = plan::probe::objects("two-pod", None).unwrap();
    let script = objects[1].pointer("/spec/template/spec/initContainers/0/args/0").unwrap().as_str().unwrap();
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let recorded: Script = yaml::parse(&printed).unwrap_or_else(|failure| panic!("{failure}\n{printed}"));
    let lasting = |mut facts: HostFacts| {
        // Others write on the same disk meanwhile; variables are of the shell that asks.
        facts.system.disks.iter_mut().for_each(|disk| disk.free = 0);
        facts.system.proxies.clear();
        facts
    };
    let there = lasting(host::node(&System).await.unwrap());
    assert_eq!(lasting(host::node(&Scripted::new(recorded)).await.unwrap()), there);
    assert!(!there.system.disks.is_empty() && there.system.memory > 0 && !there.system.kernel.is_empty());
}
