//! Volumes on Longhorn: made, attached, moved and deleted.

use super::*;

fn volume(world: &World, claim: &str) -> Arc<Value> {
    one(world, "volumes", get(world, "PersistentVolumeClaim", claim)["spec"]["volumeName"].as_str().unwrap())
}

#[test]
fn a_claim_is_attached_for_its_pod_and_leaves_nothing() {
    let world = cluster("");
    install(&world, "", 3);
    make(&world, claim("p"));
    settle(&world);
    assert_eq!(volume(&world, "p")["status"]["state"], "detached");
    make(&world, user("p", "lab-2"));
    settle(&world);
    assert_eq!(get(&world, "Pod", "p")["status"]["phase"], "Running");
    let attached = attachments(&world);
    assert_eq!((&attached[0]["spec"]["nodeName"], &attached[0]["status"]["attached"]), (&json!("lab-2"), &json!(true)));
    assert_eq!(name(&attached[0]).len(), "csi-".len() + 64);
    let status = volume(&world, "p")["status"].clone();
    assert_eq!((&status["state"], &status["robustness"]), (&json!("attached"), &json!("healthy")));
    assert_eq!(custom(&world, "replicas").len(), 3);
    assert!(events(&world, "p").iter().any(|event| event.starts_with("SuccessfulAttachVolume")));
    delete(&world, "Pod", "p");
    delete(&world, "PersistentVolumeClaim", "p");
    settle(&world);
    let left = attachments(&world).len() + all(&world, "PersistentVolume").len();
    assert_eq!(
        left + ["volumes", "engines", "replicas"].iter().map(|kind| custom(&world, kind).len()).sum::<usize>(),
        0
    );
}

#[test]
fn more_copies_than_nodes_are_degraded_for_ever() {
    let world = cluster("");
    install(&world, "", 5);
    make(&world, claim("p"));
    make(&world, user("p", "lab-1"));
    settle(&world);
    let status = volume(&world, "p")["status"].clone();
    assert_eq!((&status["state"], &status["robustness"]), (&json!("attached"), &json!("degraded")));
    assert_eq!(status["conditions"]["scheduled"]["reason"], "ReplicaSchedulingFailure");
    assert_eq!(get(&world, "Pod", "p")["status"]["phase"], "Running");
}

#[test]
fn a_volume_is_on_one_node_only() {
    let world = cluster("");
    install(&world, "", 3);
    make(&world, claim("p"));
    make(&world, user("p", "lab-1"));
    settle(&world);
    let mut other = user("p", "lab-2");
    other["metadata"]["name"] = json!("q");
    make(&world, other);
    settle(&world);
    assert_eq!(get(&world, "Pod", "q")["status"]["phase"], "Pending");
    let told = events(&world, "q");
    assert!(
        told.iter().any(|event| event.starts_with("FailedAttachVolume: Multi-Attach error")
            && event.ends_with("already used by pod(s) p")),
        "{told:?}"
    );
    delete(&world, "Pod", "p");
    settle(&world);
    assert_eq!(get(&world, "Pod", "q")["status"]["phase"], "Running");
}

#[test]
fn what_cannot_be_attached_says_so_while_everything_runs() {
    let world = cluster("longhorn: {noAttach: {}}");
    install(&world, "", 3);
    assert_eq!(pods(&world).len(), 29);
    make(&world, claim("p"));
    make(&world, user("p", "lab-1"));
    settle(&world);
    assert_eq!(get(&world, "Pod", "p")["status"]["phase"], "Pending");
    let error = attachments(&world)[0]["status"]["attachError"]["message"].clone();
    assert!(error.as_str().unwrap().contains("DeadlineExceeded"), "{error}");
    let told = events(&world, "p").join("\n");
    assert!(told.contains("FailedAttachVolume: AttachVolume.Attach failed for volume"), "{told}");
    assert!(told.contains("FailedMount: Unable to attach or mount volumes: unmounted volumes=[v]"), "{told}");
}

#[test]
fn a_stateful_set_comes_back_from_a_dead_node_where_the_setting_allows_it() {
    for (policy, nodes) in [("delete-statefulset-pod", 1), ("do-nothing", 0)] {
        let world = cluster("");
        install(&world, &format!("node-down-pod-deletion-policy: {policy}"), 3);
        let mut set = stateful_set("Parallel", 1);
        set["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = json!("longhorn");
        make(&world, set);
        settle(&world);
        let home = get(&world, "Pod", "data-0")["spec"]["nodeName"].as_str().unwrap().to_owned();
        change(&world, "Node", &home, json!({"metadata": {"annotations": {"sim.iris-lab/dead": "true"}}}));
        settle(&world);
        let pod = get(&world, "Pod", "data-0");
        let moved = pod["spec"]["nodeName"] != json!(home) && pod["status"]["phase"] == "Running";
        assert_eq!(usize::from(moved), nodes, "{policy}");
        assert_eq!(one(&world, "nodes", &home)["status"]["conditions"]["Ready"]["status"], "False");
    }
}

#[test]
fn a_volume_grows_only_while_it_is_detached() {
    let world = cluster("");
    install(&world, "", 3);
    make(&world, claim("p"));
    make(&world, user("p", "lab-1"));
    settle(&world);
    change(&world, "PersistentVolumeClaim", "p", json!({"spec": {"resources": {"requests": {"storage": "9Gi"}}}}));
    settle(&world);
    let before = get(&world, "PersistentVolumeClaim", "p")["status"].clone();
    assert_ne!(before["capacity"]["storage"], "9Gi");
    assert_eq!(before["conditions"][0]["type"], "Resizing");
    let told = events(&world, "p").join("\n");
    assert!(
        told.contains("VolumeResizeFailed") && told.contains("Invalid volume state attached for expansion"),
        "{told}"
    );
    delete(&world, "Pod", "p");
    settle(&world);
    let after = get(&world, "PersistentVolumeClaim", "p")["status"].clone();
    assert_eq!((&after["capacity"]["storage"], &after["conditions"]), (&json!("9Gi"), &Value::Null));
    assert_eq!(volume(&world, "p")["spec"]["size"], (9_u64 << 30).to_string());
}

#[test]
fn without_the_provisioner_nothing_is_made_or_deleted() {
    let world = cluster("");
    install(&world, "", 3);
    make(&world, claim("p"));
    settle(&world);
    let stop = |replicas: u32| {
        world
            .store
            .update(&resource("Deployment"), Some(NAMESPACE), "csi-provisioner", |set| {
                set["spec"]["replicas"] = json!(replicas);
                Ok(())
            })
            .unwrap();
        settle(&world);
    };
    stop(0);
    delete(&world, "PersistentVolumeClaim", "p");
    make(&world, claim("q"));
    settle(&world);
    assert_eq!(all(&world, "PersistentVolume")[0]["status"]["phase"], "Released");
    assert_eq!(get(&world, "PersistentVolumeClaim", "q")["status"]["phase"], "Pending");
    stop(1);
    assert_eq!(all(&world, "PersistentVolume").len(), 1);
    assert_eq!(get(&world, "PersistentVolumeClaim", "q")["status"]["phase"], "Bound");
}

#[test]
fn a_node_that_comes_back_is_as_before() {
    let world = cluster("");
    install(&world, "", 3);
    make(&world, claim("p"));
    make(&world, user("p", "lab-1"));
    settle(&world);
    let dead = |value: Value| {
        change(&world, "Node", "lab-2", json!({"metadata": {"annotations": {"sim.iris-lab/dead": value}}}));
        settle(&world);
        volume(&world, "p")["status"]["robustness"].clone()
    };
    assert_eq!(dead(json!("true")), "degraded");
    assert_eq!(dead(Value::Null), "healthy");
    assert_eq!(pods(&world).len(), 29);
    let managers = custom(&world, "instancemanagers");
    assert!(managers.iter().all(|one| one["status"]["currentState"] == "running"));
}
