//! Table tests: small objects in, the state that a user would read out.

use super::*;
use crate::model::diagnosis::fixture::{broken, facts, identity, pod, unschedulable, waiting};
use serde_json::json;

#[test]
fn healthy() {
    let status = Status::of(&identity(), &facts());
    assert_eq!(status.problems, Vec::<String>::new());
    assert!(status.healthy && status.state == LabState::Healthy);
    assert_eq!(status.nodes[0].name, "lab-1");
    assert_eq!(status.nodes[0].roles, ["worker"]);
    assert_eq!(status.portal_urls, ["http://10.0.0.240:52773/csp/sys/UtilHome.csp"]);
    let pod = &status.pods[0];
    assert_eq!((pod.containers.as_str(), pod.status.as_str(), pod.ip.as_str()), ("1/1", "Running", "10.1.0.7"));
    assert_eq!((status.volumes[0].phase.as_str(), status.volumes[0].size.as_str()), ("Bound", "5Gi"));
    assert!(status.storage_classes[0].default && status.storage_classes[0].used && !status.storage_classes[1].used);
    assert!(status.notes[0].starts_with("the pods are independent databases"));
}

#[test]
fn a_program_reads_camel_case() {
    let document = serde_json::to_value(Status::of(&identity(), &facts())).unwrap();
    assert_eq!(document["state"], "healthy");
    assert_eq!(document["portalUrls"][0], "http://10.0.0.240:52773/csp/sys/UtilHome.csp");
}

/// Each case: a pod, and its column STATUS.
#[test]
fn a_pod_is_shown_as_kubectl_shows_it() {
    let mut terminating = pod("data-1");
    terminating["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let mut init = broken("Pending", &waiting("PodInitializing", ""));
    init["spec"]["initContainers"] = json!([{"name": "own"}]);
    init["status"]["initContainerStatuses"] =
        json!([{"name": "own", "restartCount": 2, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]);
    let mut pulling = init.clone();
    pulling["status"]["initContainerStatuses"][0]["state"] = json!({"waiting": {"reason": "PodInitializing"}});
    let cases = [
        (unschedulable(), "Pending"),
        (broken("Pending", &waiting("ImagePullBackOff", "")), "ImagePullBackOff"),
        (broken("Running", &waiting("CrashLoopBackOff", "")), "CrashLoopBackOff"),
        (terminating, "Terminating"),
        (init, "Init:Error"),
        (broken("Running", &json!({"state": {"running": {}}})), "Running"),
        (pulling, "Init:0/1"),
        (broken("Pending", &waiting("ContainerCreating", "")), "ContainerCreating"),
    ];
    for (pod, column) in cases {
        let mut facts = facts();
        facts.pods[1] = pod;
        let status = Status::of(&identity(), &facts);
        assert_eq!(status.pods[1].status, column);
        assert!(!status.healthy && status.state == LabState::Unhealthy);
        assert!(status.problems[0].starts_with("pod data-1: "), "{:?}", status.problems);
    }
}

#[test]
fn down_absent_and_unreachable_are_told_apart() {
    let kept = Facts { objects: Vec::new(), pods: Vec::new(), ..facts() };
    let nothing = Facts { claims: Vec::new(), ..kept.clone() };
    let cases = [
        (kept, LabState::Down, "their volumes are kept"),
        (nothing, LabState::Absent, "nothing of lab two-pod is on this cluster"),
        (Facts::default(), LabState::Unreachable, "the API server does not answer"),
    ];
    for (facts, state, problem) in cases {
        let status = Status::of(&identity(), &facts);
        assert_eq!(status.state, state);
        assert!(status.problems[0].contains(problem) && status.problems.len() == 1, "{:?}", status.problems);
        assert!(!status.healthy);
    }
    let sim = LabIdentity { simulated: true, ..identity() };
    assert!(Status::of(&sim, &Facts::default()).problems[0].contains("the embedded cluster does not run"));
}

#[test]
fn a_cordoned_node_is_worth_a_note() {
    let mut facts = facts();
    facts.nodes[0]["spec"]["unschedulable"] = true.into();
    let status = Status::of(&identity(), &facts);
    assert!(status.healthy);
    assert_eq!(status.nodes[1].status, "Ready,SchedulingDisabled");
    assert!(status.notes[1].contains("kubectl uncordon lab-2"));
}

#[test]
fn an_address_of_any_kind_makes_a_url() {
    assert_eq!(portal_url("fd00::1"), "http://[fd00::1]:52773/csp/sys/UtilHome.csp");
    assert_eq!(portal_url("lb.example.com"), "http://lb.example.com:52773/csp/sys/UtilHome.csp");
}

#[test]
fn longhorn_says_what_is_broken_and_which_volume_has_lost_copies() {
    let seen = |robustness: &str| {
        let volume = json!({"kind": "Volume", "metadata": {"name": "pvc-dbv-data-data-0"}, "spec": {"numberOfReplicas": 3},
            "status": {"robustness": robustness}});
        let node = json!({"kind": "Node", "metadata": {"name": "lab-1"}});
        crate::model::LonghornFacts { resources: vec![volume, node], ..Default::default() }
    };
    let of = |robustness: &str| Status::of(&identity(), &Facts { longhorn: Some(seen(robustness)), ..facts() });
    let degraded = of("degraded");
    let broken = "the DaemonSet longhorn-manager is not there yet";
    let problem = format!("Longhorn: it is not usable: {broken}; see `kubectl get pods -n longhorn-system`");
    assert_eq!(degraded.problems, [problem]);
    assert_eq!(degraded.longhorn.as_ref().unwrap().line(), format!("no manager, not ours, not usable: {broken}"));
    let note =
        "claim dbv-data-data-0: its volume is degraded: it wants 3 copies on different nodes, and Longhorn has 1; ";
    assert!(degraded.notes.last().unwrap().starts_with(note), "{:?}", degraded.notes);
    assert_eq!(degraded.volumes[0].robustness.as_deref(), Some("degraded"));
    let mut leaving = seen("healthy");
    leaving.namespace = Some(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}));
    let leaving = Status::of(&identity(), &Facts { longhorn: Some(leaving), ..facts() });
    let next = "see what holds it with `iris-lab unstick --dry-run --name two-pod`";
    assert_eq!(leaving.problems, [format!("Longhorn: it is not usable: its namespace is being deleted; {next}")]);
    assert!(of("faulted").problems[1].starts_with("claim dbv-data-data-0: its volume has no copy left that works"));
    assert_eq!(of("healthy").problems.len(), 1);
}

#[test]
fn a_cluster_that_is_stopped_is_no_riddle() {
    let stopped = LabIdentity { stopped: true, select: " --name demo".into(), ..identity() };
    let status = Status::of(&stopped, &Facts::default());
    assert_eq!((status.state, status.healthy), (LabState::Stopped, false));
    assert_eq!(status.problems.len(), 1);
    assert!(status.problems[0].ends_with("start it with `iris-lab start --name demo`"), "{:?}", status.problems);
}
