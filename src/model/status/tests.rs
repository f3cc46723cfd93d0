//! Table tests: small objects in, the state that a user would read out.

use super::*;
use serde_json::json;

fn identity() -> LabIdentity {
    LabIdentity {
        lab: "two-pod".into(),
        namespace: "iris-lab".into(),
        provider: "existing".into(),
        replicas: 2,
        up: "iris-lab up".into(),
        ..LabIdentity::default()
    }
}

fn node(name: &str, ready: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"node-role.kubernetes.io/worker": ""}},
        "status": {"conditions": [{"type": "Ready", "status": ready}], "nodeInfo": {"kubeletVersion": "v1.20.2"}},
    })
}

fn pod(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"nodeName": "lab-1", "containers": [{"name": "iris"}]},
        "status": {
            "phase": "Running", "podIP": "10.1.0.7",
            "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "iris", "image": "iris:1", "ready": true, "restartCount": 0, "state": {"running": {}}}],
        },
    })
}

/// A pod whose container is in this state.
fn broken(phase: &str, container: &Value) -> Value {
    let mut pod = pod("data-1");
    let mut status = json!({"name": "iris", "image": "iris:1", "ready": false, "restartCount": 3});
    status.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    pod["status"] = json!({
        "phase": phase,
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [status],
    });
    pod
}

fn unschedulable() -> Value {
    let mut pod = pod("data-1");
    pod["spec"]["nodeName"] = Value::Null;
    pod["status"] = json!({"phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient memory.",
    }]});
    pod
}

fn claim(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"storageClassName": "fast", "volumeName": format!("pvc-{name}"), "resources": {"requests": {"storage": "5Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "5Gi"}},
    })
}

fn class(name: &str, default: &str) -> Value {
    json!({
        "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}},
        "provisioner": "example.com/disk",
    })
}

fn service(ingress: &Value) -> Value {
    json!({
        "kind": "Service", "metadata": {"name": "iris-ext"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 52773}]},
        "status": {"loadBalancer": {"ingress": ingress}},
    })
}

fn facts() -> Facts {
    Facts {
        reachable: true,
        server: "https://127.0.0.1:6443".into(),
        version: "v1.20.2".into(),
        nodes: vec![node("lab-2", "True"), node("lab-1", "True")],
        storage_classes: vec![class("fast", "true"), class("slow", "false")],
        namespace: Some(json!({"metadata": {"name": "iris-lab"}})),
        objects: vec![
            json!({"kind": "StatefulSet", "metadata": {"name": "data"}}),
            json!({"kind": "Service", "metadata": {"name": "iris"}, "spec": {"clusterIP": "None"}}),
            service(&json!([{"ip": "10.0.0.240"}])),
        ],
        pods: vec![pod("data-0"), pod("data-1")],
        claims: ["dbv-data-data-0", "dbv-data-data-1"].map(claim).to_vec(),
        ..Facts::default()
    }
}

fn warning(object: &str, message: &str) -> Value {
    json!({"involvedObject": {"name": object}, "message": message})
}

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

/// Each case: what is changed in healthy facts, the pod's column STATUS, and the problem word for word.
#[test]
fn a_pod_that_is_not_ready_says_why_and_what_to_do() {
    let mut terminating = pod("data-1");
    terminating["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let mut init = broken("Pending", &json!({"state": {"waiting": {"reason": "PodInitializing"}}}));
    init["spec"]["initContainers"] = json!([{"name": "own"}]);
    init["status"]["initContainerStatuses"] =
        json!([{"name": "own", "restartCount": 2, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]);
    let waiting = |reason: &str, message: &str| json!({"state": {"waiting": {"reason": reason, "message": message}}});
    let mut crash = waiting("CrashLoopBackOff", "back-off 20s restarting failed container");
    crash["lastState"] = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
    let cases = [
        (
            unschedulable(),
            "Pending",
            "pod data-1 has no node: 0/3 nodes are available: 3 Insufficient memory; \
             see `kubectl describe pod data-1 -n iris-lab`",
        ),
        (
            broken("Pending", &waiting("ImagePullBackOff", "Back-off pulling image \"iris:1\"")),
            "ImagePullBackOff",
            "pod data-1 cannot pull its image iris:1: Failed to pull image: not found; \
             name another with `iris-lab up --image IMAGE`",
        ),
        (
            broken("Running", &crash),
            "CrashLoopBackOff",
            "pod data-1 ends again and again, the last time with exit code 137 (OOMKilled); \
             see `kubectl logs data-1 -n iris-lab --previous`",
        ),
        (terminating, "Terminating", "pod data-1 is being deleted; see `kubectl describe pod data-1 -n iris-lab`"),
        (
            init,
            "Init:Error",
            "pod data-1 ends again and again, the last time with exit code 1 (Error); \
             see `kubectl logs data-1 -n iris-lab -c own --previous`",
        ),
        (
            broken("Running", &json!({"state": {"running": {}}})),
            "Running",
            "pod data-1 runs but is not ready; see `kubectl logs data-1 -n iris-lab`",
        ),
        (
            broken("Pending", &waiting("ContainerCreating", "")),
            "ContainerCreating",
            "pod data-1 is ContainerCreating: Failed to pull image: not found; see `kubectl describe pod data-1 -n iris-lab`",
        ),
    ];
    for (pod, column, problem) in cases {
        let mut facts = facts();
        facts.pods[1] = pod;
        facts.warnings = vec![warning("data-1", "Failed to pull image: not found")];
        let status = Status::of(&identity(), &facts);
        assert_eq!(status.pods[1].status, column);
        assert_eq!(status.problems, [problem]);
        assert!(!status.healthy && status.state == LabState::Unhealthy);
    }
}

#[test]
fn what_is_degraded_is_a_problem_with_a_way_on() {
    type Change = fn(&mut Facts);
    let cases: [(Change, &str); 10] = [
        (
            |facts| facts.nodes[0] = node("lab-2", "Unknown"),
            "node lab-2 is not ready; see `kubectl describe node lab-2`",
        ),
        (|facts| facts.nodes.clear(), "the cluster has no nodes, nothing can run; see `kubectl get nodes`"),
        (
            |facts| drop(facts.objects.remove(0)),
            "the StatefulSet is gone, a pod that ends is not replaced; make it again with `iris-lab up`",
        ),
        (
            |facts| drop(facts.objects.remove(2)),
            "the LoadBalancer Service is gone, the portal has no address; make it again with `iris-lab up`",
        ),
        (
            |facts| facts.objects[2] = service(&json!(null)),
            "service iris-ext has no address, nothing in the cluster has given it one; until then use \
             `kubectl port-forward service/iris-ext 52773 -n iris-lab`",
        ),
        (
            |facts| {
                facts.claims[1]["status"] = json!({"phase": "Pending"});
                facts.warnings = vec![warning("dbv-data-data-1", "no volume plugin matched.")];
            },
            "claim dbv-data-data-1 is not bound: no volume plugin matched; \
             see `kubectl describe pvc dbv-data-data-1 -n iris-lab`",
        ),
        (
            |facts| {
                facts.claims[1]["status"] = json!({"phase": "Pending"});
                facts.claims[1]["spec"]["storageClassName"] = "gone".into();
            },
            "claim dbv-data-data-1 is not bound: storage class gone does not exist; see `kubectl get storageclass`",
        ),
        (
            |facts| {
                facts.claims[1]["status"] = json!({"phase": "Pending"});
                facts.claims[1]["spec"]["storageClassName"] = Value::Null;
                facts.storage_classes.remove(0);
            },
            "claim dbv-data-data-1 is not bound: it names no storage class and the cluster has no default one; \
             name one with `iris-lab up --storage-class CLASS`",
        ),
        (
            |facts| {
                facts.pods.pop();
                facts.warnings = vec![warning("data", "pods \"data-1\" is forbidden: exceeded quota")];
            },
            "1 of 2 pods exist: pods \"data-1\" is forbidden: exceeded quota; make the others with `iris-lab up`",
        ),
        (
            |facts| facts.namespace = Some(json!({"metadata": {"name": "iris-lab", "deletionTimestamp": "now"}})),
            "namespace iris-lab is being deleted, nothing new can start in it; finish with `iris-lab reset --name two-pod`",
        ),
    ];
    for (change, problem) in cases {
        let mut facts = facts();
        change(&mut facts);
        let status = Status::of(&identity(), &facts);
        assert_eq!(status.problems, [problem]);
        assert!(!status.healthy);
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
    let problem = format!("Longhorn is not usable: {broken}; see `kubectl get pods -n longhorn-system`");
    assert_eq!(degraded.problems, [problem]);
    assert_eq!(degraded.longhorn.as_ref().unwrap().line(), format!("no manager, not ours, not usable: {broken}"));
    let note =
        "the volume of claim dbv-data-data-0 is degraded: it wants 3 copies on different nodes, and Longhorn has 1";
    assert_eq!(degraded.notes.last().unwrap(), note);
    assert_eq!(degraded.volumes[0].robustness.as_deref(), Some("degraded"));
    assert!(of("faulted").problems[1].starts_with("claim dbv-data-data-0 has no copy left that works"));
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
