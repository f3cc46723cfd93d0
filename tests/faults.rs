//! An API server that fails, and pods that cannot run: what `up` and `reset` make of them.

use crate::support::{Lab, Place, Run, same, shape};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const SEEDS: &[u32] = &[1, 7];

#[test]
fn one_request_in_five_answers_500() {
    survives("error500: 0.2", SEEDS);
}

#[test]
fn one_request_in_five_answers_429() {
    // Each of these answers asks for a second of patience: one seed is enough.
    survives("error429: 0.2", &SEEDS[..1]);
}

#[test]
fn one_request_in_five_is_cut_off() {
    survives("reset: 0.2", SEEDS);
}

#[test]
fn one_watch_in_five_is_cut_off() {
    survives("cutWatch: 0.2", SEEDS);
}

#[test]
fn all_of_it_at_once() {
    survives("error500: 0.1, error429: 0.05, reset: 0.1, cutWatch: 0.2", SEEDS);
}

/// `up`, `up`, and `reset` on an API server with faults: each ends right, and the same is there as without faults.
fn survives(api: &str, seeds: &[u32]) {
    let calm = Lab::on_sim();
    calm.up(&[]).exits(0);
    let wanted = state(&calm);
    // Most of a run is waiting to try again: the seeds wait side by side.
    std::thread::scope(|scope| {
        for seed in seeds {
            let wanted = &wanted;
            scope.spawn(move || survives_seed(api, *seed, wanted));
        }
    });
}

fn survives_seed(api: &str, seed: u32, wanted: &BTreeMap<String, Value>) {
    let lab = Lab::on_sim();
    let faults = lab.file("faults.yaml", &format!("api: {{ {api}, seed: {seed} }}\n"));
    let faults = ["--sim-faults", faults.to_str().unwrap()];
    lab.up(&faults).exits(0);
    same(wanted, &state(&lab), &format!("with {api}, seed {seed}"));
    made_once(&lab);
    lab.up(&faults).exits(0);
    same(wanted, &state(&lab), &format!("`up` again with {api}, seed {seed}"));
    lab.reset().exits(0);
    lab.is_gone();
}

/// Nothing was made twice: one of each, what was applied still in its first generation.
fn made_once(lab: &Lab) {
    let objects = lab.reader().all();
    let applied = |object: &&Value| object["metadata"]["labels"]["iris-lab/lab"] == lab.name.as_str();
    for object in objects.values().filter(applied).filter(|object| object["kind"] != "EndpointSlice") {
        let generation = object["metadata"]["generation"].as_i64();
        assert!(matches!(generation, None | Some(1)), "changed after it was made: {object:#}");
    }
    let count = |kind: &str| objects.keys().filter(|id| id.kind == kind && id.namespace == lab.namespace).count();
    assert_eq!((count("StatefulSet"), count("Pod"), count("ControllerRevision")), (1, 2, 1));
    assert_eq!(objects.keys().filter(|id| id.kind == "PersistentVolume").count(), 4);
}

fn state(lab: &Lab) -> BTreeMap<String, Value> {
    let mut objects = lab.reader().all();
    objects.retain(|id, _| id.kind != "Lease");
    shape(&objects, &lab.hash())
}

/// `up` with faults of the simulator, run to its failure, and reset after it.
fn failing(faults: &str, extra: &[&str], code: i32) -> Run {
    let lab = Lab::on_sim();
    let file = lab.file("faults.yaml", faults);
    let mut args = vec!["--sim-faults", file.to_str().unwrap()];
    args.extend(extra);
    let run = lab.up(&args).exits(code).says("iris-lab up").says("iris-lab reset");
    lab.run(&["status"]).exits(4);
    lab.reset().exits(0);
    lab.is_gone();
    run
}

/// Far less than the deadline of a pod: the failure came early.
const EARLY: Duration = Duration::from_secs(45);

#[test]
fn an_image_that_does_not_exist_fails_early() {
    let faults = "pull: [{ image: '*nosuch*', reason: ErrImagePull, message: 'manifest unknown: not found' }]\n";
    let run = failing(faults, &["--image", "registry.example.com/nosuch:1"], 1);
    assert!(run.elapsed < EARLY, "{}", run.transcript());
    run.says("registry.example.com/nosuch:1").says("not found");
}

#[test]
fn an_image_that_does_not_exist_on_a_real_cluster() {
    let Some(place) = Place::real() else { return };
    let lab = Lab::new(place, "e2e-image");
    let run = lab.up(&["--image", "containers.intersystems.com/intersystems/nosuch:1", "--timeout", "20s"]);
    // A registry that says no ends the run early; one that cannot be reached may come back: there the deadline ends it.
    assert!(matches!(run.code, Some(1 | 4)), "{}", run.transcript());
    run.says("intersystems/nosuch:1").says("iris-lab reset");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn an_image_name_that_is_none_is_refused_before_anything_is_made() {
    let lab = Lab::on_sim();
    lab.up(&["--image", "Not An Image"]).exits(2).says("Not An Image");
    lab.is_gone();
}

#[test]
fn a_crash_loop_without_write_access_fails_early_and_says_why() {
    let log = "ERROR #5032: Cannot create directory, Error=-13";
    let run = failing(&format!("crash: [{{ pod: data-0, exitCode: 1, log: '{log}' }}]\n"), &[], 1);
    assert!(run.elapsed < EARLY, "{}", run.transcript());
    run.says("data-0").says("Error=-13");
}

#[test]
fn a_pod_that_fits_nowhere_is_named_with_the_reason_at_the_deadline() {
    let message = "0/3 nodes are available: 3 Insufficient memory.";
    let faults = format!("unschedulable: [{{ pod: data-1, message: '{message}' }}]\n");
    failing(&faults, &["--timeout", "3s"], 4).says("data-1").says(message);
}

#[test]
fn a_claim_without_a_volume_is_named_at_the_deadline() {
    let faults = "unbound: [{ claim: dbv-data-data-1, message: 'no space left in the pool' }]\n";
    failing(faults, &["--timeout", "3s"], 4).says("dbv-data-data-1").says("no space left in the pool");
}

#[test]
fn a_pod_that_is_not_ready_says_what_its_probe_says_at_the_deadline() {
    let faults = "unready: [{ pod: data-1, message: 'Readiness probe failed: starting' }]\n";
    failing(faults, &["--timeout", "3s"], 4).says("data-1").says("Readiness probe failed: starting");
}

#[test]
fn a_dead_node_is_named_at_the_deadline() {
    failing("nodes: [{ name: lab-3, dead: true }]\n", &["--timeout", "3s"], 4).says("lab-3");
}

#[test]
fn a_fault_file_with_an_unknown_field_is_refused() {
    let lab = Lab::on_sim();
    let file = lab.file("faults.yaml", "pul: []\n");
    let run = lab.up(&["--sim-faults", file.to_str().unwrap()]);
    assert_ne!(run.code, Some(0), "{}", run.transcript());
    run.says("pul");
    lab.reset().exits(0);
    lab.is_gone();
}
