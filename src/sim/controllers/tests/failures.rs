//! Faults, and mistakes of users: what they read then.

use super::*;
use crate::sim::controllers::container_log;

fn waiting(world: &World, pod: &str) -> (String, String) {
    let pod = get(world, "Pod", pod);
    let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
    (waiting["reason"].as_str().unwrap_or("").into(), waiting["message"].as_str().unwrap_or("").into())
}

#[test]
fn what_a_container_waits_for() {
    let world = cluster("pull: [{image: '*/nosuch:*', message: denied}]");
    for (name, container) in [
        ("pull", json!({"image": "x/nosuch:1"})),
        ("name", json!({"image": "Upper/case"})),
        ("never", json!({"image": "busybox:9", "imagePullPolicy": "Never"})),
        ("config", json!({"image": "busybox:1", "envFrom": [{"configMapRef": {"name": "nope"}}]})),
    ] {
        let mut container = container;
        container["name"] = json!("c");
        make(&world, pod(name, json!({"containers": [container]})));
    }
    settle(&world);
    assert_eq!(waiting(&world, "pull"), ("ImagePullBackOff".into(), "Back-off pulling image \"x/nosuch:1\"".into()));
    assert!(events(&world, "pull").contains(&"Failed: Failed to pull image \"x/nosuch:1\": denied".to_owned()));
    assert_eq!(waiting(&world, "name").0, "InvalidImageName");
    assert_eq!(waiting(&world, "never").0, "ErrImageNeverPull");
    assert_eq!(waiting(&world, "config"), ("CreateContainerConfigError".into(), "configmap \"nope\" not found".into()));
    make(&world, json!({"kind": "ConfigMap", "metadata": {"name": "nope"}, "data": {}}));
    settle(&world);
    assert_eq!(get(&world, "Pod", "config")["status"]["phase"], "Running");
}

#[test]
fn a_missing_secret_fails_the_mount() {
    let world = cluster("");
    make(&world, pod("p", json!({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]})));
    settle(&world);
    assert_eq!(waiting(&world, "p").0, "ContainerCreating");
    let why = "FailedMount: MountVolume.SetUp failed for volume \"v\" : secret \"s\" not found";
    assert!(events(&world, "p").contains(&why.to_owned()));
}

#[test]
fn a_crash_loop_tells_exit_code_and_log() {
    let world = cluster("crash: [{pod: p, exitCode: 7, log: 'ERROR #5032'}]");
    make(&world, pod("p", json!({})));
    settle(&world);
    let (reason, message) = waiting(&world, "p");
    assert_eq!(reason, "CrashLoopBackOff");
    assert!(message.starts_with("back-off 2m40s restarting failed container=c pod=p_x("), "{message}");
    let pod = get(&world, "Pod", "p");
    let status = &pod["status"]["containerStatuses"][0];
    assert_eq!((&status["lastState"]["terminated"]["exitCode"], &status["restartCount"]), (&json!(7), &json!(5)));
    assert_eq!(pod["status"]["phase"], "Running");
    assert!(container_log(&pod, "c", true).contains("ERROR #5032"));
}

#[test]
fn a_pod_that_crashes_a_few_times_recovers() {
    let world = cluster("crash: [{pod: p, times: 3}]");
    make(&world, pod("p", json!({})));
    settle(&world);
    let status = get(&world, "Pod", "p")["status"].clone();
    assert_eq!(
        (&status["containerStatuses"][0]["restartCount"], &status["containerStatuses"][0]["ready"]),
        (&json!(3), &json!(true))
    );
}

#[test]
fn an_unready_pod_runs_and_serves_nobody() {
    let world = cluster("unready: [{pod: p, message: 'Readiness probe failed: x'}]");
    make(
        &world,
        json!({"kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"app": "p"}, "ports": [{"port": 1}]}}),
    );
    make(&world, pod("p", json!({})));
    settle(&world);
    assert_eq!(get(&world, "Pod", "p")["status"]["conditions"][1]["message"], "containers with unready status: [c]");
    assert!(events(&world, "p").contains(&"Unhealthy: Readiness probe failed: x".to_owned()));
    let subset = get(&world, "Endpoints", "s")["subsets"][0].clone();
    assert!(subset["addresses"].is_null() && subset["notReadyAddresses"].is_array(), "{subset}");
}

#[test]
fn why_a_pod_has_no_node() {
    let world = cluster("unschedulable: [{pod: fault, message: 0/3 nodes}]");
    make(&world, pod("fault", json!({})));
    make(
        &world,
        pod("big", json!({"containers": [{"name": "c", "image": "x", "resources": {"requests": {"cpu": "50"}}}]})),
    );
    make(&world, pod("claim", json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "nope"}}]})));
    settle(&world);
    let why = |pod: &str| get(&world, "Pod", pod)["status"]["conditions"][0]["message"].as_str().unwrap().to_owned();
    assert_eq!(why("fault"), "0/3 nodes");
    assert_eq!(why("big"), "0/3 nodes are available: 3 Insufficient cpu.");
    assert_eq!(why("claim"), "0/3 nodes are available: 3 persistentvolumeclaim \"nope\" not found.");
    assert_eq!(events(&world, "big"), ["FailedScheduling: 0/3 nodes are available: 3 Insufficient cpu."]);
}

#[test]
fn init_containers_come_first_in_order() {
    let world = cluster("pull: [{image: broken}]");
    let init = |second: &str| json!([{"name": "one", "image": "a:1"}, {"name": "two", "image": second}]);
    make(&world, pod("good", json!({"initContainers": init("b:1")})));
    make(&world, pod("bad", json!({"initContainers": init("broken")})));
    settle(&world);
    let good = get(&world, "Pod", "good")["status"].clone();
    assert_eq!(
        (&good["phase"], &good["initContainerStatuses"][1]["state"]["terminated"]["exitCode"]),
        (&json!("Running"), &json!(0))
    );
    let bad = get(&world, "Pod", "bad")["status"].clone();
    assert_eq!(bad["phase"], "Pending");
    assert_eq!(bad["conditions"][0]["message"], "containers with incomplete status: [two]");
    assert_eq!(bad["containerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
}
