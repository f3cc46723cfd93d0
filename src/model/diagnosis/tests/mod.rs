//! Table tests of the judges: a healthy lab with one thing broken, and what is said of it.

mod pods;

use super::fixture::*;
use super::*;
use crate::model::LonghornFacts;
use crate::model::facts::{Details, Log};
use serde_json::{Value, json};

fn diagnose(facts: &Facts) -> Vec<Finding> {
    judge(&identity(), facts).1
}

/// The one root cause of these facts, and the causes under it.
#[track_caller]
fn only(facts: &Facts) -> (Finding, Vec<Cause>) {
    let findings = diagnose(facts);
    let [finding] = &findings[..] else { panic!("not one root cause: {findings:#?}") };
    (finding.clone(), finding.follows.iter().map(|follows| follows.cause).collect())
}

fn with(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = facts();
    change(&mut facts);
    facts
}

fn log(previous: bool, text: &str) -> Log {
    Log { pod: "data-1".into(), container: "iris".into(), previous, text: text.into() }
}

fn logged(pod: Value, logs: Vec<Log>) -> Facts {
    with(|facts| {
        facts.pods[1] = pod;
        facts.details.logs = logs;
    })
}

fn crashed() -> Value {
    let mut container = waiting("CrashLoopBackOff", "back-off 20s restarting failed container");
    container["lastState"] = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
    broken("Running", &container)
}

#[test]
fn a_healthy_lab_has_nothing_wrong_whatever_its_logs_say_of_earlier_runs() {
    let earlier = "Invalid Community Edition license, may have exceeded core limit.\nERROR #5032: Error=-13\n";
    let now = "(simulated)\n[INFO] Starting InterSystems IRIS instance IRIS...\n[INFO] Durable folder: /iris-mgr/IRIS_conf.d/mgr\n\
               [INFO] ...started InterSystems IRIS instance IRIS\n";
    let facts = logged(pod("data-1"), vec![log(true, earlier), log(false, now)]);
    assert_eq!(diagnose(&facts), []);
    assert_eq!(diagnose(&facts_with_old_warnings()), []);
}

/// Warnings that were overcome.
fn facts_with_old_warnings() -> Facts {
    with(|facts| {
        facts.warnings = vec![
            warning("Pod", "data-1", "FailedScheduling", "0/3 nodes are available: 3 Insufficient memory."),
            warning("Pod", "data-1", "Failed", "Failed to pull image \"iris:1\": not found"),
            warning("PersistentVolumeClaim", "dbv-data-data-1", "ProvisioningFailed", "no space left"),
            warning("Service", "iris-ext", "AllocationFailed", "no available IPs"),
        ];
    })
}

#[test]
fn a_host_with_too_many_cores_is_told_from_a_licence_that_has_ended() {
    let text = "Invalid Community Edition license, may have exceeded core limit.";
    let mut facts = logged(crashed(), vec![log(true, text)]);
    facts.nodes[1]["status"]["capacity"] = json!({"cpu": "32"});
    let (finding, _) = only(&facts);
    assert_eq!((finding.cause, finding.evidence[0].line.as_str()), (Cause::TooManyCores, "cpu 32"));
    assert!(finding.what.contains("lab-1 has 32 cores"));
}

#[test]
fn a_merge_that_fails_for_a_volume_follows_from_it() {
    let text = "ERROR #503: Error executing [Actions] section in file /x.cpf\n\
                ERROR #507: Action 'CreateDatabase' failed at line 2, Method Config.CPF:CreateOneDatabase(), \
                Error=ERROR #5032: Cannot create directory '/vol-data/A/, Error=-13'\n";
    // The instance runs all the same.
    let (finding, follows) = only(&logged(pod("data-1"), vec![log(false, text)]));
    assert_eq!((finding.cause, follows), (Cause::NotWritable, vec![Cause::MergeFailed]));
}

/// Each case: what is changed in healthy facts, the cause, and all of it in one line.
#[test]
fn what_a_lab_stands_on_is_judged() {
    type Change = fn(&mut Facts);
    let unbound: Change = |facts| facts.claims[1]["status"] = json!({"phase": "Pending"});
    let cases: Vec<(Change, Cause, &str)> = vec![
        (
            |facts| facts.nodes[0] = node("lab-2", "Unknown"),
            Cause::NodeNotReady,
            "node lab-2: it is not ready, and its pods do not answer; see that its machine and its kubelet run, and see \
             `kubectl describe node lab-2`",
        ),
        (
            |facts| {
                let pressed = json!({"type": "DiskPressure", "status": "True", "message": "kubelet has disk pressure"});
                facts.nodes[0]["status"]["conditions"].as_array_mut().unwrap().push(pressed);
            },
            Cause::NodePressure,
            "node lab-2: its disk is nearly full, and it ends pods and removes images: kubelet has disk pressure; free some on \
             that machine; see `kubectl describe node lab-2`",
        ),
        (
            |facts| facts.nodes.clear(),
            Cause::NoNodes,
            "the cluster: it has no nodes, nothing can run; see `kubectl get nodes`",
        ),
        (
            |facts| drop(facts.objects.remove(0)),
            Cause::ObjectGone,
            "the StatefulSet is gone, a pod that ends is not replaced; make it again with `iris-lab up`",
        ),
        (
            |facts| drop(facts.objects.remove(2)),
            Cause::ObjectGone,
            "the LoadBalancer Service is gone, the portal has no address; make it again with `iris-lab up`",
        ),
        (
            |facts| {
                facts.pods.pop();
                let said = "pods \"data-1\" is forbidden: exceeded quota";
                facts.warnings = vec![warning("StatefulSet", "data", "FailedCreate", said)];
            },
            Cause::PodsMissing,
            "1 of 2 pods exist: pods \"data-1\" is forbidden: exceeded quota; make the others with `iris-lab up`",
        ),
        (
            |facts| facts.namespace = Some(json!({"metadata": {"name": "iris-lab", "deletionTimestamp": "now"}})),
            Cause::NamespaceTerminating,
            "namespace iris-lab: it is being deleted, nothing new can start in it; finish with `iris-lab reset --name two-pod`",
        ),
        (
            |facts| {
                facts.claims[1]["status"] = json!({"phase": "Pending"});
                facts.warnings =
                    vec![warning("PersistentVolumeClaim", "dbv-data-data-1", "ProvisioningFailed", "no space left.")];
            },
            Cause::ProvisioningFailed,
            "claim dbv-data-data-1: it is not bound: example.com/disk makes no volume: no space left; see \
             `kubectl describe pvc dbv-data-data-1 -n iris-lab`",
        ),
        (
            |facts| {
                facts.claims[1]["status"] = json!({"phase": "Pending"});
                facts.claims[1]["spec"]["storageClassName"] = "gone".into();
            },
            Cause::ClassMissing,
            "claim dbv-data-data-1: it is not bound: storage class gone does not exist; see `kubectl get storageclass` for those \
             that do, and take one with `iris-lab down --delete-data` and `iris-lab up --storage-class CLASS`",
        ),
        (
            |facts| {
                facts.claims[1]["status"] = json!({"phase": "Pending"});
                facts.claims[1]["spec"]["storageClassName"] = Value::Null;
                facts.storage_classes.remove(0);
            },
            Cause::ClaimWithoutClass,
            "claim dbv-data-data-1: it is not bound: it names no storage class and the cluster has no default one; name one with \
             `iris-lab down --delete-data` and `iris-lab up --storage-class CLASS`",
        ),
        (
            unbound,
            Cause::NoProvisioner,
            "claim dbv-data-data-1: it is not bound yet: example.com/disk has made no volume, and may not run; see \
             `kubectl describe pvc dbv-data-data-1 -n iris-lab`",
        ),
        (
            |facts| facts.claims[1]["status"] = json!({"phase": "Lost"}),
            Cause::ClaimLost,
            "claim dbv-data-data-1: it has lost its volume; see `kubectl describe pvc dbv-data-data-1 -n iris-lab`",
        ),
    ];
    for (change, cause, line) in cases {
        let (finding, _) = only(&with(change));
        assert_eq!((finding.cause, finding.line().as_str()), (cause, line));
    }
}

/// Each case: what is known of the cluster's addresses, the cause, and a part of what is said.
#[test]
fn a_service_without_an_address_says_who_should_give_it_one() {
    let until = "until then use `kubectl port-forward service/iris-ext 52773 -n iris-lab`";
    let ranges = |text: &str| Some(vec![text.to_string()]);
    let given = |addresses: &[&str]| Details {
        addresses: Some(addresses.iter().map(ToString::to_string).collect()),
        ..Details::default()
    };
    for (warned, load_balancer, lb_ranges, details, cause, what) in [
        ("", None, None, Details::default(), Cause::NoAddress, "nothing in the cluster has given it one"),
        ("", None, None, given(&[]), Cause::NoLoadBalancer, "nothing in the cluster gives addresses"),
        (
            "no available IPs",
            None,
            ranges("10.0.0.1-10.0.0.2"),
            given(&[]),
            Cause::PoolExhausted,
            "pool 10.0.0.1-10.0.0.2",
        ),
        ("", None, ranges("10.0.0.1-10.0.0.2"), given(&["10.0.0.1", "10.0.0.2"]), Cause::PoolExhausted, "none is left"),
        ("", None, ranges("10.0.0.1/32"), given(&["10.0.0.1"]), Cause::PoolExhausted, "none is left"),
        ("", None, ranges("10.0.0.1-10.0.0.2"), given(&["10.0.0.1"]), Cause::NoAddress, "may not run"),
        ("\"1.1.1.1\" is not allowed in config", None, None, given(&[]), Cause::NoAddress, "is not in the pool"),
        ("", None, Some(vec![]), given(&[]), Cause::NoLoadBalancer, "has no pool"),
        ("", Some("that of Azure".to_string()), None, given(&[]), Cause::NoAddress, "no address yet"),
    ] {
        let facts = with(|facts| {
            facts.objects[2] = service(&json!(null));
            (facts.load_balancer, facts.lb_ranges, facts.details) = (load_balancer, lb_ranges, details);
            if !warned.is_empty() {
                let message = format!("Failed to allocate IP for \"iris-lab/iris-ext\": {warned}");
                facts.warnings = vec![warning("Service", "iris-ext", "AllocationFailed", &message)];
            }
        });
        let (finding, _) = only(&facts);
        assert_eq!(finding.cause, cause, "{finding:?}");
        assert!(finding.what.contains(what) && finding.mend.ends_with(until), "{finding:?}");
    }
}

#[test]
fn what_follows_from_another_cause_stands_under_it() {
    // A claim of a missing class, and the pod that waits for it.
    let facts = with(|facts| {
        facts.claims[1]["status"] = json!({"phase": "Pending"});
        facts.claims[1]["spec"]["storageClassName"] = "gone".into();
        facts.pods[1] = unschedulable();
        facts.pods[1]["spec"]["volumes"] = json!([{"persistentVolumeClaim": {"claimName": "dbv-data-data-1"}}]);
        facts.pods[1]["status"]["conditions"][0]["message"] = "pod has unbound immediate PersistentVolumeClaims".into();
    });
    let (finding, follows) = only(&facts);
    assert_eq!((finding.cause, follows), (Cause::ClassMissing, vec![Cause::Unscheduled]));
    // A dead node, and the pod on it.
    let facts = with(|facts| {
        facts.nodes[1] = node("lab-1", "Unknown");
        facts.pods[1] = broken("Running", &json!({"state": {"running": {}}}));
    });
    let (finding, follows) = only(&facts);
    assert_eq!((finding.cause, follows), (Cause::NodeNotReady, vec![Cause::NotReady]));
    // A namespace on its way out, and all in it.
    let facts = with(|facts| {
        facts.namespace = Some(json!({"metadata": {"name": "iris-lab", "deletionTimestamp": "now"}}));
        facts.objects.pop();
        facts.pods[1]["metadata"]["deletionTimestamp"] = "now".into();
    });
    let (finding, follows) = only(&facts);
    assert_eq!((finding.cause, follows), (Cause::NamespaceTerminating, vec![Cause::ObjectGone, Cause::PodTerminating]));
}

#[test]
fn a_claim_that_waits_for_its_pod_explains_nothing_and_its_pod_does() {
    let facts = with(|facts| {
        facts.storage_classes[0]["volumeBindingMode"] = "WaitForFirstConsumer".into();
        facts.claims[1]["status"] = json!({"phase": "Pending"});
        facts.pods[1] = unschedulable();
        facts.pods[1]["spec"]["volumes"] = json!([{"persistentVolumeClaim": {"claimName": "dbv-data-data-1"}}]);
    });
    let (finding, follows) = only(&facts);
    assert_eq!((finding.cause, follows), (Cause::NoRoom, vec![Cause::ClaimWaitsForPod]));
}

#[test]
fn the_same_of_several_objects_is_said_once() {
    let facts = with(|facts| {
        for (number, pod) in facts.pods.iter_mut().enumerate() {
            *pod = broken("Pending", &waiting("InvalidImageName", "bad"));
            pod["metadata"]["name"] = format!("data-{number}").into();
        }
    });
    let (finding, _) = only(&facts);
    assert_eq!(finding.head(), "pod data-0, pod data-1: the image name iris:1 is not valid");
    let document = serde_json::to_value(&finding).unwrap();
    assert_eq!((&document["cause"], &document["about"]), (&json!("imageName"), &json!(["pod data-0", "pod data-1"])));
}

#[test]
fn volumes_of_longhorn_are_degraded_or_faulted() {
    let seen = |robustness: &str, wanted: u64| {
        let volume = json!({"kind": "Volume", "metadata": {"name": "pvc-dbv-data-data-1"},
            "spec": {"numberOfReplicas": wanted}, "status": {"robustness": robustness}});
        let node = json!({"kind": "Node", "metadata": {"name": "lab-1"}});
        LonghornFacts { resources: vec![volume, node], ..LonghornFacts::default() }
    };
    let volume = |robustness: &str, wanted: u64| {
        let facts = with(|facts| facts.longhorn = Some(seen(robustness, wanted)));
        let found: Vec<Finding> = diagnose(&facts).iter().flat_map(Finding::all).cloned().collect();
        found.into_iter().find(|finding| matches!(finding.cause, Cause::VolumeDegraded | Cause::VolumeFaulted))
    };
    let degraded = volume("degraded", 3).unwrap();
    assert!(!degraded.broken && degraded.what.ends_with("it wants 3 copies on different nodes, and Longhorn has 1"));
    assert!(degraded.mend.contains(r#"-p '{"spec":{"numberOfReplicas":1}}'`"#), "{}", degraded.mend);
    assert!(volume("degraded", 1).unwrap().what.ends_with("a copy is missing, or is being made again"));
    assert_eq!(volume("faulted", 1).unwrap().cause, Cause::VolumeFaulted);
    assert_eq!(volume("healthy", 1), None);
    assert_eq!(volume("unknown", 1), None, "nobody knows how a detached volume is");
}
