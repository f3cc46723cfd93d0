//! `resize` from beginning to end: on Longhorn, whose volumes have to be detached to grow, on a class that grows them under the
//! pods, and where nothing can grow.

use crate::scenario::{everything_runs, versions};
use crate::support::{Lab, Place, Run, golden, same};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// On the simulator with Longhorn.
fn on_longhorn() -> Lab {
    Lab::on_sim().with(&["--longhorn", "--no-canary"])
}

/// What each claim asks for and has, and the size in each claim template and in the lab's record.
fn sizes(lab: &Lab) -> BTreeMap<String, String> {
    let reader = lab.reader();
    let text = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_string();
    let claims = reader.get(&format!("/api/v1/namespaces/{}/persistentvolumeclaims", lab.namespace)).unwrap();
    let mut sizes = BTreeMap::new();
    for claim in claims["items"].as_array().unwrap() {
        let (asked, has) = (text(claim, "/spec/resources/requests/storage"), text(claim, "/status/capacity/storage"));
        sizes.insert(text(claim, "/metadata/name"), if asked == has { asked } else { format!("{asked}, has {has}") });
    }
    let set = reader.get(&format!("/apis/apps/v1/namespaces/{}/statefulsets/data", lab.namespace));
    for template in set.iter().filter_map(|set| set["spec"]["volumeClaimTemplates"].as_array()).flatten() {
        sizes.insert(
            format!("template {}", text(template, "/metadata/name")),
            text(template, "/spec/resources/requests/storage"),
        );
    }
    let record = reader.get(&format!("/api/v1/namespaces/{}/configmaps/iris-lab", lab.namespace)).unwrap();
    let recorded: Value = iris_lab::yaml::parse(record["data"]["lab.yaml"].as_str().unwrap()).unwrap();
    for volume in ["mgr", "data"] {
        sizes.insert(format!("record {volume}"), text(&recorded, &format!("/spec/iris/storage/{volume}")));
    }
    sizes
}

fn expected(mgr: &str, data: &str) -> BTreeMap<String, String> {
    let pairs = [
        ("dbv-mgr-data-0", mgr),
        ("dbv-mgr-data-1", mgr),
        ("dbv-data-data-0", data),
        ("dbv-data-data-1", data),
        ("template dbv-mgr", mgr),
        ("template dbv-data", data),
        ("record mgr", mgr),
        ("record data", data),
    ];
    pairs.map(|(name, size)| (name.to_string(), size.to_string())).into()
}

/// The unique ids of the pods.
fn pods(lab: &Lab) -> Vec<Value> {
    let list = lab.reader().get(&format!("/api/v1/namespaces/{}/pods", lab.namespace)).unwrap();
    list["items"].as_array().unwrap().iter().map(|pod| pod["metadata"]["uid"].clone()).collect()
}

#[track_caller]
fn nothing_to_do(lab: &Lab) {
    let before = versions(lab);
    let again = lab.up(&["-o", "json"]).exits(0).json();
    assert_eq!(again["changed"], 0, "`up` has nothing to shrink: {again:#}");
    same(&before, &versions(lab), "`up` after `resize` changes nothing");
}

#[test]
fn volumes_of_longhorn_grow_detached_and_their_pods_come_back() {
    let lab = on_longhorn();
    lab.up(&[]).exits(0);
    let (before, first) = (versions(&lab), pods(&lab));
    golden("resize/dry-run", &lab.redacted(&lab.run(&["resize", "8Gi", "--dry-run"]).exits(0).transcript()));
    same(&before, &versions(&lab), "a dry run changes nothing");
    let run = lab.run(&["resize", "8Gi"]).exits(0).says("data-1 sees 8.0 GiB at /vol-data");
    golden("resize/done", &lab.redacted(&run.out));
    assert_eq!(sizes(&lab), expected("5Gi", "8Gi"));
    assert!(pods(&lab).iter().all(|pod| !first.contains(pod)), "they were stopped");
    everything_runs(&lab);
    let before = versions(&lab);
    golden("resize/again", &lab.redacted(&lab.run(&["resize", "8192Mi"]).exits(0).out));
    same(&before, &versions(&lab), "the same size changes nothing");
    nothing_to_do(&lab);
    golden("resize/smaller", &lab.redacted(&lab.run(&["resize", "6Gi"]).exits(2).transcript()));
    let json = lab.run(&["resize", "9Gi", "--volume", "all", "-o", "json"]).exits(0).json();
    assert_eq!((&json["size"], json["volumes"].as_array().unwrap().len()), (&json!("9Gi"), 4), "{json:#}");
    assert_eq!(sizes(&lab), expected("9Gi", "9Gi"));
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_lab_that_is_down_has_larger_volumes_when_it_is_up() {
    let lab = on_longhorn();
    lab.up(&[]).exits(0);
    lab.run(&["down"]).exits(0);
    lab.run(&["resize", "7Gi"]).exits(0).says("there are any");
    lab.up(&[]).exits(0);
    assert_eq!(sizes(&lab), expected("5Gi", "7Gi"));
    nothing_to_do(&lab);
    lab.up(&["--replicas", "3"]).exits(0);
    assert_eq!(sizes(&lab)["dbv-data-data-2"], "7Gi", "a new pod gets what the others have");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_resize_that_was_killed_goes_on_and_does_not_keep_the_lab_from_coming_up() {
    let lab = on_longhorn();
    lab.up(&[]).exits(0);
    for (size, step) in [("6Gi", "stop"), ("7Gi", "grow"), ("8Gi", "settings"), ("9Gi", "iris")] {
        let ended = |event: &Value| event["event"] == "step-finished" && event["step"] == step;
        let run = lab.killed(&["resize", size], ended);
        assert_eq!(run.code, None, "{}", run.transcript());
        lab.up(&[]).exits(0);
        everything_runs(&lab);
        lab.run(&["resize", size]).exits(0);
        assert_eq!(sizes(&lab), expected("5Gi", size), "killed after {step}");
        nothing_to_do(&lab);
    }
    lab.reset().exits(0);
    lab.is_gone();
}

/// A class whose volumes grow under the pods that use them.
fn class(lab: &Lab, provisioner: &str) -> String {
    let name = format!("growing-{}", lab.name);
    let class = json!({ "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": name },
        "provisioner": provisioner, "allowVolumeExpansion": true });
    lab.reader().create("/apis/storage.k8s.io/v1/storageclasses", &class);
    name
}

#[test]
fn pods_go_on_where_their_volumes_grow_under_them() {
    let lab = Lab::new(Place::served(), "grows");
    let class = class(&lab, "iris-lab/sim");
    lab.up(&["--storage-class", &class]).exits(0);
    let first = pods(&lab);
    lab.run(&["resize", "6Gi", "--volume", "all"]).exits(0);
    assert_eq!(sizes(&lab), expected("6Gi", "6Gi"));
    assert_eq!(pods(&lab), first, "no pod was touched");
    let again = lab.up(&["--storage-class", &class, "-o", "json"]).exits(0).json();
    assert_eq!(again["changed"], 0, "{again:#}");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn it_asks_before_pods_stop() {
    let lab = Lab::new(Place::served(), "asks-resize").with(&["--longhorn", "--no-canary"]);
    lab.up(&[]).exits(0);
    let before = versions(&lab);
    let run = lab.run(&["resize", "6Gi"]).exits(2);
    golden("resize/without-yes", &lab.redacted(&run.transcript()));
    same(&before, &versions(&lab), "nothing was changed");
    lab.run(&["resize", "6Gi", "--yes"]).exits(0);
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn what_cannot_grow_is_refused() {
    let lab = Lab::on_sim();
    golden("resize/no-lab", &lab.redacted(&lab.run(&["resize", "6Gi"]).exits(3).transcript()));
    golden("resize/no-size", &lab.redacted(&lab.run(&["resize", "-6Gi"]).exits(2).transcript()));
    golden("resize/no-quantity", &lab.redacted(&lab.run(&["resize", "six"]).exits(2).transcript()));
    lab.up(&[]).exits(0);
    let run = lab.run(&["resize", "6Gi"]).exits(3);
    golden("resize/no-expansion", &lab.redacted(&run.transcript()));
    lab.run(&["resize", "5Gi"]).exits(0).says("nothing was to be done");
    assert_eq!(sizes(&lab), expected("5Gi", "5Gi"));
    let run = lab.up(&["--storage", "6Gi"]).exits(3).says("`iris-lab resize 6Gi --volume");
    assert!(run.err.contains("the lab asks for 6Gi"), "{}", run.transcript());
    lab.reset().exits(0);
    lab.is_gone();
}

/// The real API server takes the claims' wish and the new StatefulSet, and its controller takes the pods over. The volumes are folders
/// without a size there, and nobody grows them: the test says that it was done.
#[test]
fn on_a_real_cluster() {
    let Some(place) = Place::real_at_length() else { return };
    let lab = Lab::new(place, "e2e-resize");
    lab.up(&[]).exits(0);
    lab.run(&["resize", "6Gi"]).exits(3).says("no size of their own");
    lab.reset().exits(0);
    let class = class(&lab, "microk8s.io/hostpath");
    let result = std::panic::catch_unwind(|| grown_by_hand(&lab, &class));
    lab.reset();
    lab.reader().delete(&format!("/apis/storage.k8s.io/v1/storageclasses/{class}"));
    lab.is_gone();
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

fn grown_by_hand(lab: &Lab, class: &str) {
    lab.up(&["--storage-class", class]).exits(0);
    let first = pods(lab);
    let run: Run = lab.run(&["resize", "6Gi", "--yes", "--timeout", "10s"]).exits(4);
    assert!(run.err.contains("dbv-data-data-0 has 5Gi"), "{}", run.transcript());
    let claims = format!("/api/v1/namespaces/{}/persistentvolumeclaims", lab.namespace);
    for pod in ["data-0", "data-1"] {
        let status = json!({ "status": { "capacity": { "storage": "6Gi" }, "conditions": null } });
        let path = format!("{claims}/dbv-data-{pod}/status");
        lab.reader().patch(&path, "application/merge-patch+json", "the-test", &status);
    }
    lab.run(&["resize", "6Gi", "--yes"]).exits(0).says("data-0 sees");
    assert_eq!(sizes(lab), expected("5Gi", "6Gi"));
    assert_eq!(pods(lab), first, "its pods were taken over, not made anew");
    let again = lab.up(&["--storage-class", class, "-o", "json"]).exits(0).json();
    assert_eq!(again["changed"], 0, "{again:#}");
    everything_runs(lab);
}
