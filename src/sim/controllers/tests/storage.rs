//! Claims and volumes.

use super::*;

fn claim(name: &str, spec: Value) -> Value {
    let mut claim = json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast"}});
    json_patch::merge(&mut claim["spec"], &spec);
    claim
}

fn user(name: &str, claim: &str) -> Value {
    pod(name, json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]}))
}

#[test]
fn a_claim_gets_a_volume_at_once() {
    let world = cluster("");
    make(&world, class("Immediate"));
    make(&world, claim("c", json!({})));
    settle(&world);
    let found = get(&world, "PersistentVolumeClaim", "c");
    assert_eq!((&found["status"]["phase"], &found["status"]["capacity"]["storage"]), (&json!("Bound"), &json!("1Gi")));
    let volume = get(&world, "PersistentVolume", found["spec"]["volumeName"].as_str().unwrap());
    assert_eq!(volume["status"]["phase"], "Bound");
    assert!(events(&world, "c").iter().any(|event| event.starts_with("ProvisioningSucceeded")));
}

#[test]
fn a_waiting_class_waits_for_the_pod_and_binds_to_its_node() {
    let world = cluster("");
    make(&world, class("WaitForFirstConsumer"));
    make(&world, claim("c", json!({})));
    settle(&world);
    assert_eq!(get(&world, "PersistentVolumeClaim", "c")["status"]["phase"], "Pending");
    assert_eq!(events(&world, "c"), ["WaitForFirstConsumer: waiting for first consumer to be created before binding"]);
    make(&world, user("p", "c"));
    settle(&world);
    let node = get(&world, "Pod", "p")["spec"]["nodeName"].clone();
    let volume = all(&world, "PersistentVolume")[0].clone();
    let term = &volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0];
    assert_eq!(term["values"][0], node);
    // The volume holds its pods on that node.
    delete(&world, "Pod", "p");
    settle(&world);
    change(&world, "Node", node.as_str().unwrap(), json!({"spec": {"unschedulable": true}}));
    make(&world, user("q", "c"));
    settle(&world);
    let why = get(&world, "Pod", "q")["status"]["conditions"][0]["message"].clone();
    assert_eq!(
        why,
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had volume node affinity conflict."
    );
}

#[test]
fn a_claim_in_use_is_protected() {
    let world = cluster("");
    make(&world, class("Immediate"));
    make(&world, claim("c", json!({})));
    make(&world, user("p", "c"));
    settle(&world);
    delete(&world, "PersistentVolumeClaim", "c");
    settle(&world);
    assert!(get(&world, "PersistentVolumeClaim", "c")["metadata"]["deletionTimestamp"].is_string());
    delete(&world, "Pod", "p");
    settle(&world);
    assert!(find(&world, "PersistentVolumeClaim", "c").is_none());
    assert!(all(&world, "PersistentVolume").is_empty(), "reclaimed");
}

#[test]
fn a_kept_volume_is_released_and_a_named_one_is_bound() {
    let world = cluster("");
    make(
        &world,
        json!({"kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}, "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "manual"}}),
    );
    settle(&world);
    assert_eq!(get(&world, "PersistentVolume", "v")["status"]["phase"], "Available");
    make(&world, claim("large", json!({"storageClassName": "manual", "resources": {"requests": {"storage": "3Gi"}}})));
    make(&world, claim("c", json!({"storageClassName": "manual"})));
    settle(&world);
    let bound = get(&world, "PersistentVolumeClaim", "c");
    assert_eq!((&bound["spec"]["volumeName"], &bound["status"]["capacity"]["storage"]), (&json!("v"), &json!("2Gi")));
    assert_eq!(events(&world, "large"), ["ProvisioningFailed: storageclass.storage.k8s.io \"manual\" not found"]);
    delete(&world, "PersistentVolumeClaim", "c");
    settle(&world);
    assert_eq!(get(&world, "PersistentVolume", "v")["status"]["phase"], "Released");
}

#[test]
fn a_volume_grows_with_its_claim_and_its_file_system_when_a_pod_mounts_it() {
    let world = cluster("");
    make(&world, class("Immediate"));
    make(&world, claim("c", json!({})));
    settle(&world);
    change(&world, "PersistentVolumeClaim", "c", json!({"spec": {"resources": {"requests": {"storage": "4Gi"}}}}));
    settle(&world);
    assert_eq!(all(&world, "PersistentVolume")[0]["spec"]["capacity"]["storage"], "4Gi");
    let status = get(&world, "PersistentVolumeClaim", "c")["status"].clone();
    assert_eq!(status["capacity"]["storage"], "1Gi");
    assert_eq!(status["conditions"][0]["type"], "FileSystemResizePending");
    make(&world, user("p", "c"));
    settle(&world);
    let status = get(&world, "PersistentVolumeClaim", "c")["status"].clone();
    assert_eq!((&status["capacity"]["storage"], &status["conditions"]), (&json!("4Gi"), &Value::Null));
}

#[test]
fn a_failing_provisioner_says_why() {
    let world = cluster("unbound: [{claim: 'dbv-data-1', message: no space}]");
    make(&world, class("Immediate"));
    make(&world, stateful_set("Parallel", 2));
    settle(&world);
    let told = events(&world, "dbv-data-1");
    let why = "ProvisioningFailed: failed to provision volume with StorageClass \"fast\": no space";
    assert!(told.contains(&why.to_owned()), "{told:?}");
    let why = get(&world, "Pod", "data-1")["status"]["conditions"][0]["message"].clone();
    assert_eq!(why, "0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims.");
    assert_eq!(get(&world, "StatefulSet", "data")["status"]["readyReplicas"], 1);
}
