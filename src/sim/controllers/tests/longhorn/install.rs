//! What Longhorn makes of itself.

use super::*;

#[test]
fn it_has_as_many_pods_as_the_facts_count() {
    let world = cluster("");
    install(&world, "", 3);
    let all = pods(&world);
    assert_eq!(all.len(), 14 + 5 * 3, "{:?}", names(&all));
    assert!(all.iter().all(|pod| pod["status"]["phase"] == "Running"), "{:?}", names(&all));
    assert_eq!(custom(&world, "settings").len(), 48);
    assert_eq!(custom(&world, "engineimages")[0]["status"]["state"], "deployed");
    let managers = custom(&world, "instancemanagers");
    assert_eq!(managers.iter().filter(|one| one["status"]["currentState"] == "running").count(), 6);
    for node in custom(&world, "nodes") {
        for kind in ["Ready", "Schedulable", "MountPropagation"] {
            assert_eq!(node["status"]["conditions"][kind]["status"], "True", "{kind} {node}");
        }
        assert_eq!(node["metadata"]["finalizers"], json!(["longhorn.io"]));
    }
    let class = get(&world, "StorageClass", "longhorn");
    assert_eq!((&class["provisioner"], &class["parameters"]["numberOfReplicas"]), (&json!(DRIVER), &json!("3")));
    for node in world.all(&Resource::new("storage.k8s.io", "csinodes")) {
        assert_eq!(node["spec"]["drivers"][0]["name"], DRIVER);
    }
}

#[test]
fn settings_and_class_follow_their_config_maps() {
    let world = cluster("");
    install(&world, "node-down-pod-deletion-policy: delete-statefulset-pod\n#upgrade-checker:\n", 3);
    let value = |name: &str| one(&world, "settings", name)["value"].clone();
    assert_eq!(
        (value("node-down-pod-deletion-policy"), value("upgrade-checker")),
        (json!("delete-statefulset-pod"), json!("true"))
    );
    assert_eq!(value("current-longhorn-version"), "v1.2.6");
    let before = get(&world, "StorageClass", "longhorn");
    for (map, key, text) in [
        ("longhorn-default-setting", "default-setting.yaml", "default-replica-count: 1"),
        (
            "longhorn-storageclass",
            "storageclass.yaml",
            "metadata: {name: longhorn}\nprovisioner: driver.longhorn.io\nparameters: {numberOfReplicas: '1'}",
        ),
    ] {
        world
            .store
            .update(&core("configmaps"), Some(NAMESPACE), map, |map| {
                map["data"][key] = json!(text);
                Ok(())
            })
            .unwrap();
    }
    settle(&world);
    assert_eq!(value("default-replica-count"), "1");
    let after = get(&world, "StorageClass", "longhorn");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"], "deleted and made anew");
    assert_eq!(after["parameters"]["numberOfReplicas"], "1");
}

#[test]
fn a_node_without_iscsi_has_a_crash_loop_and_the_log_says_why() {
    let world = cluster("longhorn: {noIscsi: lab-2}");
    install(&world, "", 3);
    let nodes = custom(&world, "nodes");
    assert_eq!(names(&nodes), ["lab-1", "lab-3"]);
    let all = pods(&world);
    let failed =
        all.iter().find(|pod| name(pod).starts_with("longhorn-manager") && pod["spec"]["nodeName"] == "lab-2").unwrap();
    assert_eq!(failed["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "CrashLoopBackOff");
    let log = crate::sim::controllers::container_log(failed, "longhorn-manager", true);
    assert!(log.contains("please make sure you have iscsiadm/open-iscsi installed on the host"), "{log}");
}

#[test]
fn without_its_definitions_the_manager_never_answers() {
    let world = cluster("");
    install(&world, "", 3);
    // A second start, without one of the definitions.
    delete(&world, "CustomResourceDefinition", "recurringjobs.longhorn.io");
    settle(&world);
    for pod in pods(&world) {
        if name(&pod).starts_with("longhorn-manager") {
            world.store.delete(&core("pods"), Some(NAMESPACE), name(&pod), &DeleteOptions::default()).unwrap();
        }
    }
    settle(&world);
    let set = world.store.get(&resource("DaemonSet"), Some(NAMESPACE), "longhorn-manager").unwrap();
    assert_eq!((&set["status"]["numberReady"], &set["status"]["desiredNumberScheduled"]), (&json!(0), &json!(3)));
}

#[test]
fn a_cordoned_node_takes_no_data_and_lets_its_pods_go() {
    let world = cluster("");
    install(&world, "", 3);
    change(&world, "Node", "lab-2", json!({"spec": {"unschedulable": true}}));
    settle(&world);
    let node = one(&world, "nodes", "lab-2");
    assert_eq!(node["status"]["conditions"]["Schedulable"]["reason"], "KubernetesNodeCordoned");
    let budgets = world.store.list(&resource("PodDisruptionBudget"), Some(NAMESPACE));
    assert_eq!(budgets.len(), 4);
}
