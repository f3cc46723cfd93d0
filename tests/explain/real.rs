//! The causes that can be made on a real cluster.

use super::{class_is_gone, explain, found, is_healthy, pool_is_used_up, quotes, roots};
use crate::support::{Lab, Place};
use serde_json::{Value, json};

#[test]
fn a_healthy_lab_and_one_without_an_image_on_a_real_cluster() {
    let Some(place) = Place::real() else { return };
    let lab = Lab::new(place, "e2e-explain");
    lab.up(&[]).exits(0);
    is_healthy(&lab);
    let image = "containers.intersystems.com/intersystems/nosuch:1";
    let pods = format!("/api/v1/namespaces/{}/pods", lab.namespace);
    let uid = lab.reader().get(&format!("{pods}/data-1")).unwrap()["metadata"]["uid"].clone();
    lab.up(&["--image", image, "--timeout", "15s"]);
    // On a slow machine the run may end before the old pod has: what is asked about is the new one, once its image was asked for.
    lab.reader().wait_for_next(&pods, "data-1", &uid, waits_for_its_image);
    let diagnosis = explain(&lab, 1);
    // A node whose mirror has no such image goes on to the registry itself, which may not be reached from there.
    assert!(["imageMissing", "registrySilent"].contains(&roots(&diagnosis)[0].as_str()), "{diagnosis:#}");
    assert!(diagnosis["findings"][0]["what"].as_str().unwrap().contains(image), "{diagnosis:#}");
    lab.reset().exits(0);
}

fn waits_for_its_image(pod: &Value) -> bool {
    ["initContainerStatuses", "containerStatuses"]
        .iter()
        .filter_map(|field| pod["status"][field].as_array())
        .flatten()
        .any(|status| {
            ["ErrImagePull", "ImagePullBackOff"]
                .contains(&status["state"]["waiting"]["reason"].as_str().unwrap_or_default())
        })
}

#[test]
fn a_pool_that_is_used_up_on_a_real_cluster() {
    if let Some(place) = Place::real_at_length() {
        pool_is_used_up(&Lab::new(place, "e2e-pool"));
    }
}

#[test]
fn a_class_that_is_gone_on_a_real_cluster() {
    if let Some(place) = Place::real_at_length() {
        class_is_gone(&Lab::new(place, "e2e-class"));
    }
}

/// The lines that a real container prints before it ends, one pod each.
const PRINTED: &[(&str, &str)] = &[
    ("Invalid Community Edition license, may have exceeded core limit.", "licenceExpired"),
    ("Required Linux capability cap_setuid is missing", "capabilityMissing"),
    ("failed: <NOTOPEN>WebServer+38^STU1", "webServer"),
    ("ERROR #5001: Cannot create target: /iris-mgr/IRIS_conf.d/", "notWritable"),
    ("ERROR #503: Error executing [Actions] section in file /iris-merge/merge.cpf", "mergeFailed"),
    ("nobody knows this", "crashLoop"),
];

#[test]
fn lines_of_containers_that_end_on_a_real_cluster() {
    let Some(place) = Place::real_at_length() else { return };
    let lab = Lab::new(place, "e2e-lines");
    let count = PRINTED.len().to_string();
    lab.up(&["--replicas", &count]).exits(0);
    // Replaced as a whole: an update would wait for the first pod to become ready.
    let sets = format!("/apis/apps/v1/namespaces/{}/statefulsets", lab.namespace);
    let mut set = lab.reader().get(&format!("{sets}/data")).unwrap();
    lab.reader().delete(&format!("{sets}/data"));
    lab.reader().wait_until_gone(&sets, "data");
    for number in 0..PRINTED.len() {
        lab.reader().wait_until_gone(&format!("/api/v1/namespaces/{}/pods", lab.namespace), &format!("data-{number}"));
    }
    let says: String =
        PRINTED.iter().enumerate().map(|(number, (line, _))| format!("*-{number}) echo '{line}';; ")).collect();
    let script = format!("case $(hostname) in {says}esac; exit 3");
    set["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["sh", "-c", script]);
    let metadata = json!({ "name": "data", "labels": set["metadata"]["labels"] });
    set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": set["spec"] });
    lab.reader().create(&sets, &set);
    for number in 0..PRINTED.len() {
        let path = format!("/api/v1/namespaces/{}/pods/data-{number}", lab.namespace);
        lab.reader().wait_for_count(&format!("/api/v1/namespaces/{}/pods", lab.namespace), number + 1);
        lab.reader().wait_until(&path, |pod| pod["status"]["containerStatuses"][0]["restartCount"].as_u64() > Some(0));
    }
    let diagnosis = explain(&lab, 1);
    for (number, (line, cause)) in PRINTED.iter().enumerate() {
        quotes(found(&diagnosis, cause, &format!("pod data-{number}")), line);
    }
    lab.reset().exits(0);
}

#[test]
fn a_volume_that_ignores_the_group_on_a_real_cluster() {
    let Some(place) = Place::real_at_length() else { return };
    let lab = Lab::new(place, "e2e-group");
    // A provisioner that nobody knows to ignore fsGroup, and volumes by hand: folders of a node, made by root.
    let class = format!("{}-class", lab.name);
    let classes = "/apis/storage.k8s.io/v1/storageclasses";
    lab.reader().create(classes, &json!({ "metadata": { "name": class }, "provisioner": "example.com/by-hand" }));
    let volumes = "/api/v1/persistentvolumes";
    let names: Vec<String> = (0..2).map(|number| format!("{}-{number}", lab.name)).collect();
    for name in &names {
        let path = json!({ "path": format!("/tmp/{name}"), "type": "DirectoryOrCreate" });
        let spec = json!({ "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "5Gi" }, "storageClassName": class,
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": path });
        lab.reader().create(volumes, &json!({ "metadata": { "name": name }, "spec": spec }));
    }
    let run = lab.up(&["--storage-class", &class, "--replicas", "1", "--timeout", "40s"]);
    run.exits(1).says("Error=-13").says("iris-lab explain");
    let diagnosis = explain(&lab, 1);
    assert_eq!(roots(&diagnosis), ["notWritable"], "{diagnosis:#}");
    quotes(found(&diagnosis, "notWritable", "pod data-0"), "Error=-13");
    lab.reset().exits(0);
    lab.reader().delete(&format!("{classes}/{class}"));
    for name in &names {
        lab.reader().delete(&format!("{volumes}/{name}"));
        // On a cluster of this machine the folders are here.
        let _ = std::fs::remove_dir_all(format!("/tmp/{name}"));
    }
}
