//! Reaching into the pods: `session`, `shell`, `logs`, `portal`. On the simulator each is a test of its own, on a real cluster they
//! share one lab.

mod logs;
mod portal;
mod session;
mod terminal;

use crate::support::{Lab, Place, Reader};
use serde_json::Value;

/// A lab on the simulator in which pods take a moment to start, as real ones do.
fn on_sim() -> Lab {
    let lab = Lab::on_sim().with(&["--sim-speed", "20"]);
    lab.up(&[]).exits(0);
    lab
}

#[test]
fn all_of_it_on_a_real_cluster() {
    let Some(place) = Place::real() else { return };
    let lab = Lab::new(place, "e2e-reach");
    lab.up(&[]).exits(0);
    session::programs(&lab);
    session::data(&lab);
    logs::messages(&lab);
    logs::follow(&lab);
    portal::comes_back(&lab);
    portal::parallel(&lab);
    terminal::keys_and_size(&lab);
    terminal::signals(&lab);
    terminal::deleted(&lab);
    lab.run(&["down"]).exits(0);
    session::nothing_runs(&lab);
    lab.reset().exits(0);
}

/// The address of a pod of the lab.
fn path(lab: &Lab, pod: &str) -> String {
    format!("/api/v1/namespaces/{}/pods/{pod}", lab.namespace)
}

/// Deletes a pod, and returns the id that it had.
fn delete(lab: &Lab, reader: &Reader, pod: &str) -> Value {
    let before = reader.get(&path(lab, pod)).unwrap();
    reader.delete(&path(lab, pod));
    before["metadata"]["uid"].clone()
}

/// Waits until the pod that follows another one is ready.
fn wait_for_next(lab: &Lab, reader: &Reader, pod: &str, before: &Value) {
    reader.wait_for_next(&format!("/api/v1/namespaces/{}/pods", lab.namespace), pod, before, is_ready);
}

fn is_ready(pod: &Value) -> bool {
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
}

/// What IRIS is told in a session to keep a number and to print it: the stand-in of a real cluster knows two words only.
fn keep(lab: &Lab, number: &str) -> String {
    if lab.place.is_real() { format!("set {number}\nhalt\n") } else { format!("set ^kept={number}\nhalt\n") }
}

fn print(lab: &Lab) -> &'static str {
    if lab.place.is_real() { "get\nhalt\n" } else { "write ^kept,!\nhalt\n" }
}
