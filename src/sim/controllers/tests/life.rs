//! The life of nodes and namespaces, deletion with its dependents, and time.

use super::*;
use crate::sim::controllers::run;
use crate::sim::store::Propagation;
use std::time::Duration;

#[test]
fn a_dead_node_loses_its_pods_and_gets_them_back() {
    let world = cluster("");
    make(&world, class("Immediate"));
    make(&world, stateful_set("Parallel", 2));
    settle(&world);
    let home = get(&world, "Pod", "data-0")["spec"]["nodeName"].as_str().unwrap().to_owned();
    change(&world, "Node", &home, json!({"metadata": {"annotations": {"sim.iris-lab/dead": "true"}}}));
    settle(&world);
    let node = get(&world, "Node", &home);
    assert_eq!(node["status"]["conditions"][3]["message"], "Kubelet stopped posting node status.");
    let effects: Vec<&Value> =
        node["spec"]["taints"].as_array().unwrap().iter().map(|taint| &taint["effect"]).collect();
    assert_eq!(effects, ["NoSchedule", "NoExecute"]);
    let pod = get(&world, "Pod", "data-0");
    assert!(pod["metadata"]["deletionTimestamp"].is_string() && pod["spec"]["nodeName"] == home, "stays Terminating");
    assert_eq!(pod["status"]["conditions"][1]["status"], "False");
    change(&world, "Node", &home, json!({"metadata": {"annotations": {"sim.iris-lab/dead": null}}}));
    settle(&world);
    assert!(get(&world, "Node", &home)["spec"]["taints"].is_null());
    assert_eq!(get(&world, "StatefulSet", "data")["status"]["readyReplicas"], 2);
    assert_ne!(get(&world, "Pod", "data-0")["metadata"]["uid"], pod["metadata"]["uid"]);
}

#[test]
fn a_cordoned_node_is_tainted_and_a_deleted_one_loses_its_pods() {
    let world = cluster("");
    change(&world, "Node", "lab-1", json!({"spec": {"unschedulable": true}}));
    settle(&world);
    assert_eq!(get(&world, "Node", "lab-1")["spec"]["taints"][0]["key"], "node.kubernetes.io/unschedulable");
    change(&world, "Node", "lab-1", json!({"spec": {"unschedulable": null}}));
    make(&world, pod("p", json!({"nodeSelector": {"kubernetes.io/hostname": "lab-1"}})));
    settle(&world);
    assert!(get(&world, "Node", "lab-1")["spec"]["taints"].is_null());
    delete(&world, "Node", "lab-1");
    settle(&world);
    assert!(find(&world, "Pod", "p").is_none());
}

#[test]
fn a_namespace_goes_with_its_content_and_says_what_it_waits_for() {
    let world = cluster("");
    make(&world, class("Immediate"));
    make(&world, stateful_set("Parallel", 2));
    make(&world, json!({"kind": "Widget", "metadata": {"name": "w", "finalizers": ["example.com/keep"]}}));
    settle(&world);
    assert!(
        find(&world, "ServiceAccount", "default").is_some() && find(&world, "ConfigMap", "kube-root-ca.crt").is_some()
    );
    delete(&world, "Namespace", "x");
    settle(&world);
    let status = get(&world, "Namespace", "x")["status"].clone();
    let message = |kind: &str| {
        let all = status["conditions"].as_array().unwrap();
        all.iter().find(|one| one["type"] == kind).unwrap()["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        message("NamespaceContentRemaining"),
        "Some resources are remaining: widgets.example.com has 1 resource instances"
    );
    assert_eq!(
        message("NamespaceFinalizersRemaining"),
        "Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances"
    );
    change(&world, "Widget", "w", json!({"metadata": {"finalizers": null}}));
    settle(&world);
    assert!(find(&world, "Namespace", "x").is_none());
    let rest = all(&world, "Pod").len() + all(&world, "PersistentVolume").len() + all(&world, "StatefulSet").len();
    assert_eq!(rest, 0);
}

#[test]
fn dependents_follow_their_owner_as_the_deletion_says() {
    for (propagation, pods) in [(Propagation::Background, 0), (Propagation::Foreground, 0), (Propagation::Orphan, 2)] {
        let world = cluster("");
        make(&world, class("Immediate"));
        make(&world, stateful_set("Parallel", 2));
        settle(&world);
        let set = get(&world, "StatefulSet", "data");
        world.delete_with(&resource("StatefulSet"), &set, Some(propagation));
        settle(&world);
        assert!(find(&world, "StatefulSet", "data").is_none(), "{propagation:?}");
        let left = all(&world, "Pod");
        assert_eq!(left.len(), pods, "{propagation:?}");
        assert!(left.iter().all(|pod| pod["metadata"]["ownerReferences"].is_null()));
        assert_eq!(all(&world, "PersistentVolumeClaim").len(), 2, "claims stay");
    }
}

#[test]
fn a_definition_is_established_and_takes_its_objects_along() {
    let world = cluster("");
    make(
        &world,
        json!({"kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"}, "spec": {
        "group": "example.com", "names": {"plural": "widgets", "kind": "Widget"}, "versions": [{"name": "v1", "served": true, "storage": true}]}}),
    );
    settle(&world);
    let status = get(&world, "CustomResourceDefinition", "widgets.example.com")["status"].clone();
    assert_eq!((&status["conditions"][1]["type"], &status["storedVersions"]), (&json!("Established"), &json!(["v1"])));
    make(&world, json!({"kind": "Widget", "metadata": {"name": "w", "finalizers": ["keep"]}}));
    delete(&world, "CustomResourceDefinition", "widgets.example.com");
    settle(&world);
    let held = get(&world, "CustomResourceDefinition", "widgets.example.com");
    assert_eq!(held["status"]["conditions"][2]["reason"], "InstanceDeletionInProgress");
    change(&world, "Widget", "w", json!({"metadata": {"finalizers": null}}));
    settle(&world);
    assert!(find(&world, "CustomResourceDefinition", "widgets.example.com").is_none());
}

/// With time at rest nothing runs; with time running, pods wait for what takes time.
#[tokio::test]
async fn controllers_react_to_changes_and_rest() {
    for speed in [None, Some(100_000.0)] {
        let world = cluster("");
        let store = world.store.clone();
        let task = tokio::spawn(run(store.clone(), Clock { speed }, Faults::default()));
        make(&world, class("Immediate"));
        make(&world, stateful_set("OrderedReady", 2));
        let mut changed = store.changed();
        let ready = async {
            while get(&world, "StatefulSet", "data")["status"]["readyReplicas"] != 2 {
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ready).await.expect("both pods become ready");
        task.abort();
    }
}

#[test]
fn time_is_taken_where_it_takes_time() {
    let mut world = cluster("");
    make(&world, pod("p", json!({})));
    world = World::new(world.store.clone(), Clock { speed: Some(1.0) }, Faults::default());
    settle(&world);
    assert_eq!(get(&world, "Pod", "p")["status"]["phase"], "Pending");
    assert!(events(&world, "p").iter().any(|event| event.starts_with("Pulling")));
    let next = round(&world).expect("the pull ends some time");
    assert!(next > tokio::time::Instant::now());
}
