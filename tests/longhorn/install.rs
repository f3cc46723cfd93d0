//! `up --longhorn`: what the facts count, the chain, a canary on every node, IRIS on volumes that it may write.

use super::{NAMESPACE, list, name, storage_nodes};
use crate::scenario::{everything_runs, in_each_pod, inventory, versions};
use crate::support::{Lab, Place, same};
use serde_json::Value;

#[test]
fn on_the_simulator() {
    usable(&Lab::on_sim(), &["--longhorn"]);
}

#[test]
fn on_the_simulator_with_one_node() {
    usable(&Lab::on_sim(), &["--longhorn", "--nodes", "1"]);
}

#[test]
fn on_an_existing_cluster() {
    usable(&Lab::new(Place::served(), "longhorn"), &["--longhorn"]);
}

#[test]
fn on_a_real_cluster() {
    if let Some(place) = Place::real() {
        usable(&Lab::new(place, "e2e-longhorn"), &["--longhorn"]);
    }
}

fn usable(lab: &Lab, flags: &[&str]) {
    let before = inventory(lab);
    let run = lab.up(&[flags, &["-o", "json"]].concat()).exits(0);
    let nodes = storage_nodes(lab);
    let events = run.events();
    for node in &nodes {
        let step = format!("longhorn-canary-{node}");
        let end = events.iter().find(|e| e["event"] == "step-finished" && e["step"] == step.as_str());
        let end = end.unwrap_or_else(|| panic!("no step {step}\n{}", run.transcript()));
        assert!(end.to_string().contains("changed"), "the canary of {node} did not run: {end}");
    }
    all_pods_run(lab, nodes.len());
    nothing_of_the_canaries_is_left(lab);
    everything_runs_on_longhorn(lab, nodes.len());

    let before_again = versions(lab);
    let again = lab.up(&[flags, &["-o", "json"]].concat()).exits(0).json();
    assert_eq!(again["changed"], 0, "{again:#}");
    same(&before_again, &versions(lab), "`up --longhorn` again changes nothing");

    lab.reset().exits(0);
    lab.is_gone();
    same(&before, &inventory(lab), "`reset` leaves the cluster as it was");
}

/// 14 pods and 5 for each node; with one node one of each of the four sidecars instead of three.
fn all_pods_run(lab: &Lab, nodes: usize) {
    let wanted = if nodes == 1 { 6 + 5 } else { 14 + 5 * nodes };
    let pods = list(lab, &format!("/api/v1/namespaces/{NAMESPACE}/pods"));
    let names: Vec<&str> = pods.iter().map(name).collect();
    assert_eq!(pods.len(), wanted, "{names:#?}");
    let idle: Vec<&str> = pods.iter().filter(|pod| pod["status"]["phase"] != "Running").map(name).collect();
    assert!(idle.is_empty(), "not running: {idle:?}");
}

fn nothing_of_the_canaries_is_left(lab: &Lab) {
    let pods = list(lab, &format!("/api/v1/namespaces/{}/pods", lab.namespace));
    let claims = list(lab, &format!("/api/v1/namespaces/{}/persistentvolumeclaims", lab.namespace));
    let left: Vec<&str> = pods.iter().chain(&claims).map(name).filter(|name| name.contains("canary")).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn everything_runs_on_longhorn(lab: &Lab, nodes: usize) {
    if nodes > 1 {
        everything_runs(lab);
    }
    let claims = list(lab, &format!("/api/v1/namespaces/{}/persistentvolumeclaims", lab.namespace));
    assert_eq!(claims.len(), 4);
    for claim in &claims {
        assert_eq!(claim["spec"]["storageClassName"], "longhorn", "{claim:#}");
        assert_eq!(claim["status"]["phase"], "Bound", "{claim:#}");
    }
    let class = lab.reader().get("/apis/storage.k8s.io/v1/storageclasses/longhorn").unwrap();
    assert_eq!(class["parameters"]["numberOfReplicas"], nodes.min(3).to_string().as_str());
    let set = lab.reader().get(&format!("/apis/apps/v1/namespaces/{}/statefulsets/data", lab.namespace)).unwrap();
    assert_eq!(set["status"]["readyReplicas"], 2, "{:#}", set["status"]);
    assert_eq!(set.pointer("/spec/template/spec/securityContext/fsGroup"), Some(&Value::from(51773)));
    // In the containers of a real cluster: the kubelet gave the mounts to the group.
    in_each_pod(lab, "for d in /iris-mgr /vol-data; do test $(stat -c %g $d) = 51773 || exit 1; done", 0);
    let status = lab.run(&["status"]).exits(0);
    status.says("longhorn");
}
