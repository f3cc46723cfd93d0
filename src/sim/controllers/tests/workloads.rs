//! StatefulSets, Deployments, DaemonSets, Jobs and Services.

use super::*;
use crate::sim::controllers::container_log;

#[test]
fn two_pods_with_claims_become_ready() {
    for (policy, binding) in
        [("OrderedReady", "Immediate"), ("Parallel", "Immediate"), ("Parallel", "WaitForFirstConsumer")]
    {
        let world = cluster("");
        make(&world, class(binding));
        make(
            &world,
            json!({"kind": "Service", "metadata": {"name": "iris"}, "spec": {
            "clusterIP": "None", "selector": {"app": "iris"}, "ports": [{"name": "superserver", "port": 1972}]}}),
        );
        make(&world, stateful_set(policy, 2));
        settle(&world);
        let set = get(&world, "StatefulSet", "data");
        assert_eq!(set["status"]["readyReplicas"], 2, "{set:#}");
        assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
        assert_eq!(names(&all(&world, "Pod")), ["data-0", "data-1"]);
        let pod = get(&world, "Pod", "data-0");
        assert_eq!(pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"], "dbv-data-0");
        assert_eq!(pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"], "data-0");
        let ip = pod["status"]["podIP"].as_str().unwrap();
        assert!(ip.starts_with("10.1."), "{ip}");
        assert!(container_log(&pod, "iris", false).contains("started InterSystems IRIS"));
        assert_ne!(pod["spec"]["nodeName"], get(&world, "Pod", "data-1")["spec"]["nodeName"], "spread over nodes");
        let addresses = get(&world, "Endpoints", "iris")["subsets"][0]["addresses"].clone();
        assert_eq!((addresses.as_array().unwrap().len(), &addresses[0]["hostname"]), (2, &json!("data-0")));
        assert_eq!(all(&world, "EndpointSlice")[0]["endpoints"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn events_tell_the_story_of_a_pod_in_order() {
    let world = cluster("");
    make(&world, pod("p", json!({})));
    settle(&world);
    let told: Vec<String> =
        events(&world, "p").iter().map(|event| event.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(told, ["Scheduled", "Pulling", "Pulled", "Created", "Started"]);
}

#[test]
fn a_set_scales_down_from_the_last_and_keeps_its_claims() {
    let world = cluster("");
    make(&world, class("Immediate"));
    make(&world, stateful_set("OrderedReady", 3));
    settle(&world);
    change(&world, "StatefulSet", "data", json!({"spec": {"replicas": 1}}));
    settle(&world);
    assert_eq!(names(&all(&world, "Pod")), ["data-0"]);
    assert_eq!(all(&world, "PersistentVolumeClaim").len(), 3);
    let told = events(&world, "data");
    let removed: Vec<&String> = told.iter().filter(|event| event.starts_with("SuccessfulDelete")).collect();
    assert!(removed[0].contains("data-2") && removed[1].contains("data-1"), "{removed:?}");
}

#[test]
fn a_rolling_update_honours_the_partition() {
    let world = cluster("");
    make(&world, class("Immediate"));
    make(&world, stateful_set("Parallel", 3));
    settle(&world);
    let update = |partition: u32, image: &str| json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": partition}}, "template": template(image)}});
    change(&world, "StatefulSet", "data", update(2, "x/iris-community:2"));
    settle(&world);
    let image = |pod: &str| get(&world, "Pod", pod)["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
    assert_eq!([image("data-1"), image("data-2")], ["x/iris-community:1", "x/iris-community:2"]);
    let status = get(&world, "StatefulSet", "data")["status"].clone();
    assert_eq!((&status["currentReplicas"], &status["updatedReplicas"]), (&json!(2), &json!(1)));
    delete(&world, "Pod", "data-0");
    settle(&world);
    assert_eq!(image("data-0"), "x/iris-community:1", "below the partition the old revision comes back");
    change(&world, "StatefulSet", "data", update(0, "x/iris-community:2"));
    settle(&world);
    assert_eq!(image("data-0"), "x/iris-community:2");
    let status = get(&world, "StatefulSet", "data")["status"].clone();
    assert_eq!(status["currentRevision"], status["updateRevision"]);
}

fn deployment(image: &str, strategy: Value) -> Value {
    json!({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "iris"}}, "template": template(image), "strategy": strategy}})
}

#[test]
fn deployments_roll_out_a_new_template() {
    for strategy in [json!({"type": "Recreate"}), json!({"type": "RollingUpdate"})] {
        let world = cluster("");
        make(&world, deployment("web:1", strategy));
        settle(&world);
        change(&world, "Deployment", "web", json!({"spec": {"template": template("web:2")}}));
        settle(&world);
        let found = get(&world, "Deployment", "web");
        assert_eq!(found["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
        let status = &found["status"];
        assert_eq!((&status["replicas"], &status["availableReplicas"]), (&json!(2), &json!(2)), "{status}");
        assert!(
            status["conditions"][1]["message"].as_str().unwrap().contains("has successfully progressed"),
            "{status}"
        );
        let images: Vec<Value> =
            all(&world, "Pod").iter().map(|pod| pod["spec"]["containers"][0]["image"].clone()).collect();
        assert_eq!(images, ["web:2", "web:2"]);
        // Back to the first template: its set is used again.
        change(&world, "Deployment", "web", json!({"spec": {"template": template("web:1")}}));
        settle(&world);
        assert_eq!(all(&world, "ReplicaSet").len(), 2);
        assert_eq!(
            get(&world, "Deployment", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
            "3"
        );
    }
}

#[test]
fn a_rollout_that_cannot_become_ready_keeps_the_old_pods() {
    let world = cluster("pull: [{image: 'web:broken'}]");
    make(&world, deployment("web:1", json!({"type": "RollingUpdate"})));
    settle(&world);
    change(&world, "Deployment", "web", json!({"spec": {"template": template("web:broken")}}));
    settle(&world);
    let status = get(&world, "Deployment", "web")["status"].clone();
    assert_eq!((&status["availableReplicas"], &status["updatedReplicas"]), (&json!(2), &json!(1)), "{status}");
}

#[test]
fn daemon_sets_cover_the_nodes_and_follow_them() {
    let world = cluster("");
    make(
        &world,
        json!({"kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": {
        "selector": {"matchLabels": {"app": "iris"}}, "template": template("agent:1"), "updateStrategy": {"type": "RollingUpdate"}}}),
    );
    settle(&world);
    let nodes = |world: &World| {
        let mut nodes: Vec<String> =
            all(world, "Pod").iter().map(|pod| pod["spec"]["nodeName"].as_str().unwrap().into()).collect();
        nodes.sort();
        nodes
    };
    assert_eq!(nodes(&world), ["lab-1", "lab-2", "lab-3"]);
    assert_eq!(get(&world, "DaemonSet", "agent")["status"]["numberAvailable"], 3);
    change(&world, "DaemonSet", "agent", json!({"spec": {"template": template("agent:2")}}));
    settle(&world);
    assert_eq!(get(&world, "DaemonSet", "agent")["status"]["updatedNumberScheduled"], 3);
    change(
        &world,
        "DaemonSet",
        "agent",
        json!({"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": "lab-2"}}}}}),
    );
    settle(&world);
    assert_eq!(nodes(&world), ["lab-2"]);
}

#[test]
fn jobs_complete_and_fail() {
    let world = cluster("crash: [{pod: 'bad-*', exitCode: 3}]");
    for (job, spec) in
        [("good", json!({"completions": 3, "parallelism": 2})), ("bad", json!({"completions": 1, "backoffLimit": 2}))]
    {
        let mut template = template("busybox:1");
        template["spec"]["restartPolicy"] = json!("Never");
        let mut object = json!({"kind": "Job", "metadata": {"name": job}, "spec": {"template": template}});
        json_patch::merge(&mut object["spec"], &spec);
        make(&world, object);
    }
    settle(&world);
    let good = get(&world, "Job", "good")["status"].clone();
    assert_eq!((&good["succeeded"], &good["conditions"][0]["type"]), (&json!(3), &json!("Complete")), "{good}");
    let bad = get(&world, "Job", "bad")["status"].clone();
    assert_eq!((&bad["failed"], &bad["conditions"][0]["reason"]), (&json!(3), &json!("BackoffLimitExceeded")), "{bad}");
}

#[test]
fn load_balancers_get_the_next_address_of_the_pool() {
    let world = cluster("");
    for service in ["a", "b", "c"] {
        make(
            &world,
            json!({"kind": "Service", "metadata": {"name": service}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}),
        );
    }
    settle(&world);
    assert_eq!(get(&world, "Service", "a")["status"], Value::Null);
    make(
        &world,
        json!({"kind": "ConfigMap", "metadata": {"name": "config", "namespace": "metallb-system"}, "data": {
        "config": "address-pools:\n- name: default\n  protocol: layer2\n  addresses: [10.64.140.43-10.64.140.44]\n"}}),
    );
    settle(&world);
    let ip = |service: &str| get(&world, "Service", service)["status"]["loadBalancer"]["ingress"][0]["ip"].clone();
    assert_eq!([ip("a"), ip("b"), ip("c")], [json!("10.64.140.43"), json!("10.64.140.44"), Value::Null]);
    assert!(
        events(&world, "c")
            .contains(&"AllocationFailed: Failed to allocate IP for \"x/c\": no available IPs".to_owned())
    );
    delete(&world, "Service", "a");
    settle(&world);
    assert_eq!(ip("c"), "10.64.140.43");
}

#[test]
fn a_budget_counts_what_may_be_missing() {
    let world = cluster("");
    make(&world, class("Immediate"));
    make(&world, stateful_set("Parallel", 2));
    for (name, spec) in [
        ("least", json!({"minAvailable": 1})),
        ("most", json!({"maxUnavailable": "50%"})),
        ("all", json!({"minAvailable": "100%"})),
    ] {
        let mut budget = json!({"kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": "iris"}}}});
        json_patch::merge(&mut budget["spec"], &spec);
        make(&world, budget);
    }
    settle(&world);
    let allowed = |name: &str| get(&world, "PodDisruptionBudget", name)["status"]["disruptionsAllowed"].clone();
    assert_eq!([allowed("least"), allowed("most"), allowed("all")], [1, 1, 0]);
}
