//! The main job from beginning to end, unchanged on the simulator, on the simulator as an existing cluster, and on a real one.

use crate::support::{Id, Lab, Objects, Place, Run, fetch, kubectl, kubectl_command, same};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

#[test]
fn on_the_simulator() {
    scenario(&Lab::on_sim());
}

#[test]
fn on_an_existing_cluster() {
    scenario(&Lab::new(Place::served(), "scenario"));
}

#[test]
fn on_a_real_cluster() {
    if let Some(place) = Place::real() {
        scenario(&Lab::new(place, "e2e-scenario"));
    }
}

fn scenario(lab: &Lab) {
    let before = inventory(lab);

    lab.up(&[]).exits(0);
    everything_runs(lab);
    write_data(lab);
    portal_answers(lab);

    let versions = versions(lab);
    let again = lab.up(&["-o", "json"]).exits(0).json();
    assert_eq!(again["changed"], 0, "{again:#}");
    let requests = again["requests"].as_u64().unwrap_or(u64::MAX);
    assert!(requests < 25, "`up` with nothing to do made {requests} requests");
    lab.up(&[]).exits(0).says("nothing was to be done");
    same(&versions, &self::versions(lab), "`up` again changes nothing");

    let claims = claims(lab);
    lab.run(&["down"]).exits(0);
    assert_eq!(pods(lab), [""; 0], "`down` removes the pods");
    assert_eq!(self::claims(lab), claims, "`down` keeps the claims");
    lab.run(&["down"]).exits(0);

    lab.up(&[]).exits(0);
    everything_runs(lab);
    assert_eq!(self::claims(lab), claims, "`up` after `down` takes the same claims and volumes");
    data_is_there(lab, true);

    lab.run(&["down", "--delete-data", "--yes"]).exits(0);
    assert!(self::claims(lab).is_empty(), "`down --delete-data` removes the claims");
    lab.up(&[]).exits(0);
    everything_runs(lab);
    data_is_there(lab, false);

    lab.reset().exits(0);
    lab.is_gone();
    same(&before, &inventory(lab), "`reset` leaves the cluster as it was");
    lab.reset().exits(0);
    lab.is_gone();
}

pub fn everything_runs(lab: &Lab) {
    let status = lab.run(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(status["healthy"], true, "{status:#}");
    assert_eq!(status["simulated"], !lab.place.is_real() && matches!(lab.place, Place::Sim), "{status:#}");
    assert_eq!(pods(lab), ["data-0 ready", "data-1 ready"]);
    assert_ne!(status["pods"][0]["node"], status["pods"][1]["node"], "the pods are spread over the nodes: {status:#}");
    let names: Vec<String> = claims(lab).into_keys().collect();
    assert_eq!(names, ["dbv-data-data-0", "dbv-data-data-1", "dbv-mgr-data-0", "dbv-mgr-data-1"]);
    let service = lab.reader().get(&format!("/api/v1/namespaces/{}/services/iris-ext", lab.namespace)).unwrap();
    let address = service.pointer("/status/loadBalancer/ingress/0/ip").and_then(Value::as_str);
    assert!(address.is_some(), "the Service iris-ext has no address: {service:#}");
}

/// The pods of the lab's namespace, each with `ready` if it is.
fn pods(lab: &Lab) -> Vec<String> {
    let list = lab.reader().get(&format!("/api/v1/namespaces/{}/pods", lab.namespace)).unwrap();
    let is_ready = |pod: &Value| {
        let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
        conditions.is_some_and(|list| list.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
    };
    let name = |pod: &Value| {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        if is_ready(pod) { format!("{name} ready") } else { name.to_string() }
    };
    list["items"].as_array().unwrap().iter().map(name).collect()
}

/// Each claim with its own unique id and its volume's name; all must be bound.
fn claims(lab: &Lab) -> BTreeMap<String, (String, String)> {
    let list = lab.reader().get(&format!("/api/v1/namespaces/{}/persistentvolumeclaims", lab.namespace)).unwrap();
    let text = |claim: &Value, path: &str| claim.pointer(path).and_then(Value::as_str).unwrap_or_default().to_string();
    let claim = |claim: &Value| {
        assert_eq!(claim["status"]["phase"], "Bound", "{claim:#}");
        (text(claim, "/metadata/name"), (text(claim, "/metadata/uid"), text(claim, "/spec/volumeName")))
    };
    list["items"].as_array().unwrap().iter().map(claim).collect()
}

/// The resource version of every object that can be the lab's. Endpoints are the cluster's own, and may still be catching up.
pub fn versions(lab: &Lab) -> BTreeMap<Id, Value> {
    let objects = lab.reader().all().into_iter();
    let ours = objects.filter(|(id, object)| {
        id.namespace == lab.namespace
            || object["metadata"]["labels"]["iris-lab/lab"] == lab.name.as_str()
            || object.pointer("/spec/claimRef/namespace") == Some(&lab.namespace.clone().into())
    });
    let ours = ours.filter(|(id, _)| !matches!(id.kind.as_str(), "Endpoints" | "EndpointSlice"));
    ours.map(|(id, object)| (id, object["metadata"]["resourceVersion"].clone())).collect()
}

/// All objects of a cluster that was there before, without those that others on it may make at the same time.
pub fn inventory(lab: &Lab) -> Objects {
    let Place::Existing(existing) = &lab.place else { return Objects::new() };
    let lasting = |namespace: &str| {
        matches!(namespace, "" | "default" | "metallb-system" | "longhorn-system")
            || namespace.starts_with("kube-")
            || namespace == lab.namespace
    };
    let mut objects = lab.reader().all();
    objects.retain(|id, object| {
        let claim = object.pointer("/spec/claimRef/namespace").and_then(Value::as_str).unwrap_or_default();
        let others_lock = id.kind == "Lease" && id.name == "iris-lab";
        let elsewhere = !lasting(&id.namespace) || !lasting(claim) || (id.kind == "Namespace" && !lasting(&id.name));
        !(existing.real && (elsewhere || others_lock))
    });
    for object in objects.values_mut() {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
            metadata.remove("managedFields");
        }
        forget_node_health(object);
    }
    objects
}

/// A cluster's own controller taints a node for as long as its kubelet is late, which a busy machine's may be at any time.
fn forget_node_health(node: &mut Value) {
    let health = |taint: &Value| {
        matches!(taint["key"].as_str(), Some("node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable"))
    };
    if node["kind"] != "Node" {
        return;
    }
    // Not by index, which would put the field where there is none.
    let Some(spec) = node.pointer_mut("/spec").and_then(Value::as_object_mut) else { return };
    if let Some(Value::Array(taints)) = spec.get_mut("taints") {
        taints.retain(|taint| !health(taint));
        if taints.is_empty() {
            spec.remove("taints");
        }
    }
}

/// Where each pod's two volumes are, for a shell in the pod.
const FOLDERS: &str = "\"$ISC_DATA_DIRECTORY\" /vol-data";

fn write_data(lab: &Lab) {
    in_each_pod(lab, &format!("for d in {FOLDERS}; do echo kept > $d/kept-by-test || exit 1; done"), 0);
}

fn data_is_there(lab: &Lab, wanted: bool) {
    let test = if wanted { "-e" } else { "! -e" };
    in_each_pod(lab, &format!("for d in {FOLDERS}; do test {test} $d/kept-by-test || exit 1; done"), 0);
}

/// Runs a shell command in each pod; only where containers really run.
pub fn in_each_pod(lab: &Lab, script: &str, code: i32) {
    let (Place::Existing(existing), true) = (&lab.place, lab.place.is_real()) else { return };
    let Some(program) = kubectl() else { return };
    for pod in ["data-0", "data-1"] {
        let mut command = kubectl_command(&program, &existing.kubeconfig, &lab.scratch);
        command.args(["--context", &existing.context, "-n", &lab.namespace, "exec", pod, "--", "sh", "-c", script]);
        Run::of(command, Duration::from_secs(60)).exits(code);
    }
}

/// The portal's page, behind any page of it that `status` names.
const PORTAL: &str = "/csp/sys/%25CSP.Portal.Home.zen";

/// Fetches the portal's page from the address that `status` names; only where containers really run.
fn portal_answers(lab: &Lab) {
    if !lab.place.is_real() {
        return;
    }
    let status = lab.run(&["status", "-o", "json"]).exits(0).json();
    let url = status["portalUrls"][0].as_str().unwrap_or_else(|| panic!("no portal URL: {status:#}")).to_string();
    let (host, _) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap();
    let address: SocketAddr = host.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    let start = Instant::now();
    let mut last = String::new();
    // The node's rules for a new address follow a moment after the address: until then connections are refused.
    while start.elapsed() < Duration::from_secs(30) {
        match fetch(address, PORTAL) {
            Ok(answer) if answer.starts_with("HTTP/1.") && answer.contains(" 200 ") => return,
            Ok(answer) => last = answer,
            Err(error) => last = error.to_string(),
        }
        std::thread::yield_now();
    }
    panic!("{url}: {last}");
}
