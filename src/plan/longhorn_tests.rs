//! The plans that remove Longhorn, from each state in which it may be.

use super::{Removal, Unstick, down, reset, unstick};
use crate::model::longhorn::{DRIVER, LonghornFacts, traces};
use crate::model::{Action, Left, ObjectRef, Plan, Step, Stuck, Trace};
use crate::provider;
use serde_json::{Value, json};

const NS: &str = "longhorn-system";

fn custom(kind: &str, name: &str, namespace: &str) -> Value {
    json!({ "apiVersion": "longhorn.io/v1beta1", "kind": kind, "metadata": { "name": name, "namespace": namespace,
        "finalizers": ["longhorn.io"] } })
}

fn volume(name: &str, phase: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": name }, "status": { "phase": phase },
        "spec": { "csi": { "driver": DRIVER }, "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": { "namespace": "iris-lab", "name": "dbv" } } })
}

fn attachment(volume: &str) -> Value {
    json!({ "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": { "name": format!("csi-{volume}") },
        "spec": { "attacher": DRIVER, "source": { "persistentVolumeName": volume } } })
}

/// A Longhorn that works.
fn healthy() -> LonghornFacts {
    let image = "mirror.example/longhornio/longhorn-manager:v1.2.4";
    let deployment = |name: &str| json!({ "kind": "Deployment", "metadata": { "name": name }, "status": { "availableReplicas": 1 } });
    LonghornFacts {
        namespace: Some(json!({ "metadata": { "name": NS } })),
        workloads: vec![
            json!({ "kind": "DaemonSet", "metadata": { "name": "longhorn-manager" }, "status": { "numberReady": 1 },
                "spec": { "template": { "spec": { "containers": [{ "image": image }] } } } }),
            deployment("csi-attacher"),
            deployment("csi-provisioner"),
        ],
        resources: vec![custom("Node", "lab-1", NS)],
        definitions: vec![json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "nodes.longhorn.io" } })],
        volumes: vec![volume("pv", "Bound")],
        attachments: vec![attachment("pv")],
        ..LonghornFacts::default()
    }
}

/// The same after its namespace was deleted.
fn dead() -> LonghornFacts {
    let namespace = json!({ "metadata": { "name": NS, "deletionTimestamp": "2026-01-01T00:00:00Z" } });
    LonghornFacts { namespace: Some(namespace), workloads: Vec::new(), ..healthy() }
}

fn removal<'a>(facts: &'a LonghornFacts, stuck: Option<&'a Stuck>) -> Removal<'a> {
    let beside = Box::leak(Box::new(traces::beside()));
    Removal {
        facts,
        stuck,
        namespace: NS,
        kubernetes: "v1.20.2",
        lab: "two-pod",
        pods: Some("iris-lab"),
        beside,
        keeps_volumes: false,
    }
}

fn found() -> Vec<ObjectRef> {
    let inside = |version, kind, name| ObjectRef::new(version, kind, Some("iris-lab"), name);
    vec![
        inside("apps/v1", "StatefulSet", "data"),
        inside("v1", "PersistentVolumeClaim", "dbv"),
        ObjectRef::new("v1", "Namespace", None, "iris-lab"),
        ObjectRef::new("v1", "Namespace", None, NS),
        ObjectRef::new("apps/v1", "DaemonSet", Some(NS), "longhorn-manager"),
        ObjectRef::new("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, "nodes.longhorn.io"),
        ObjectRef::new("rbac.authorization.k8s.io/v1", "ClusterRole", None, "longhorn-role"),
    ]
}

fn reset_of(facts: &LonghornFacts) -> Plan {
    reset("two-pod", provider::named("existing").unwrap(), &found(), true, Some(&removal(facts, None)), Vec::new())
        .unwrap()
}

fn step<'a>(plan: &'a Plan, id: &str) -> &'a Step {
    plan.steps.iter().find(|step| step.id == id).unwrap_or_else(|| panic!("no step {id}"))
}

/// Whether a step runs only after another one is over.
fn comes_after(plan: &Plan, id: &str, other: &str) -> bool {
    step(plan, id).needs.iter().any(|need| need == other || comes_after(plan, need, other))
}

fn targets(plan: &Plan, id: &str) -> Vec<String> {
    match &step(plan, id).action {
        Action::Delete { objects } | Action::Release { seen: objects, .. } => {
            objects.iter().map(|object| object.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn why(plan: &Plan, id: &str) -> Option<String> {
    step(plan, id).satisfied.clone()
}

#[test]
fn a_healthy_one_goes_in_good_order() {
    let plan = reset_of(&healthy());
    let order = ["workload", "data", "longhorn-volumes", "longhorn-uninstall", "longhorn-namespace"];
    let order = order.into_iter().chain(["longhorn-attachments", "proof", "files"]).collect::<Vec<_>>();
    for pair in order.windows(2) {
        assert!(comes_after(&plan, pair[1], pair[0]), "{} after {}", pair[1], pair[0]);
    }
    assert!(comes_after(&plan, "longhorn-definitions", "longhorn-release"));
    assert!(
        !comes_after(&plan, "longhorn-release", "longhorn-namespace"),
        "a stuck namespace is freed while it is deleted"
    );
    assert_eq!(why(&plan, "longhorn-uninstall"), None);
    assert_eq!(targets(&plan, "workload"), ["data"], "Longhorn's own pods are left to its own steps");
    assert_eq!(targets(&plan, "namespace"), ["iris-lab"]);
    assert!(plan.steps.iter().all(|step| step.id != "longhorn-pods"), "its driver unmounts");
    let lenient = plan.steps.iter().filter(|step| step.id.starts_with("longhorn")).all(|step| !step.strict);
    assert!(lenient, "each way is tried whatever became of the one before");
}

#[test]
fn the_job_is_that_of_the_installed_version_and_carries_the_labs_labels() {
    let plan = reset_of(&healthy());
    let Action::RunJob { objects, job } = &step(&plan, "longhorn-uninstall").action else { panic!("no job") };
    let object = objects.iter().find(|object| object["kind"] == "Job").unwrap();
    let image = object.pointer("/spec/template/spec/containers/0/image").unwrap();
    assert_eq!(image, "mirror.example/longhornio/longhorn-manager:v1.2.4", "the nodes have the installed image");
    assert_eq!(job.to_string(), "Job default/longhorn-uninstall");
    assert!(objects.iter().all(|object| object["metadata"]["labels"]["iris-lab/lab"] == "two-pod"));
}

#[test]
fn without_its_pods_volumes_are_detached_by_us_beside_the_claims() {
    let plan = reset_of(&dead());
    assert!(!comes_after(&plan, "data", "longhorn-attachments") && !comes_after(&plan, "longhorn-detach", "data"));
    assert!(comes_after(&plan, "longhorn-attachments", "workload"));
    assert!(step(&plan, "longhorn-pods").needs.is_empty(), "pods that hang are let go while the workload is removed");
    assert_eq!(targets(&plan, "longhorn-attachments"), ["csi-pv", "pv"]);
    assert_eq!(targets(&plan, "longhorn-detach"), ["csi-pv", "pv"]);
    let reason = why(&plan, "longhorn-uninstall").unwrap();
    assert!(reason.starts_with("no manager lives"), "{reason}");
    assert_eq!(targets(&plan, "longhorn-release"), ["lab-1"]);
}

#[test]
fn the_job_is_left_out_where_it_cannot_work() {
    let facts = healthy();
    let newer = Removal { kubernetes: "v1.25.0", ..removal(&facts, None) };
    let plan = reset("x", provider::named("existing").unwrap(), &[], true, Some(&newer), Vec::new()).unwrap();
    assert_eq!(why(&plan, "longhorn-uninstall").as_deref(), Some("it does not run on Kubernetes v1.25.0"));
    let mut other = healthy();
    other.workloads[0]["spec"]["template"]["spec"]["containers"][0]["image"] =
        "longhornio/longhorn-manager:v1.4.1".into();
    let reason = why(&reset_of(&other), "longhorn-uninstall");
    assert_eq!(reason.as_deref(), Some("the installed version is 1.4.1, of which we have no job"));
}

#[test]
fn nothing_but_names_is_left_to_do_when_it_is_gone_already() {
    let facts = LonghornFacts::default();
    let plan = reset_of(&facts);
    for id in
        ["longhorn-uninstall", "longhorn-namespace", "longhorn-release", "longhorn-definitions", "longhorn-attachments"]
    {
        assert!(why(&plan, id).is_some(), "{id}");
    }
    assert!(targets(&plan, "longhorn-cluster-wide").contains(&DRIVER.to_string()));
    let Action::Prove { of } = &step(&plan, "proof").action else { panic!("no proof") };
    assert!(of.contains(&Trace::Label) && of.contains(&Trace::Driver { driver: DRIVER.into() }));
}

#[test]
fn down_leaves_it_alone_unless_it_is_named() {
    let (provider, facts) = (provider::named("existing").unwrap(), healthy());
    let plain = down("two-pod", "iris-lab", provider, &found(), true, None).unwrap();
    let ids: Vec<&str> = plain.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["workload", "data"]);
    assert_eq!(targets(&plain, "workload"), ["data"]);
    let named = down("two-pod", "iris-lab", provider, &found(), true, Some(&removal(&facts, None))).unwrap();
    assert!(comes_after(&named, "longhorn-uninstall", "data") && comes_after(&named, "proof", "longhorn-cluster-wide"));
}

#[test]
fn definitions_that_another_namespace_uses_stay() {
    let mut facts = dead();
    facts.resources.push(custom("Volume", "v", "elsewhere"));
    let plan = reset_of(&facts);
    let reason = why(&plan, "longhorn-definitions");
    assert_eq!(reason.as_deref(), Some("they stay: Volume elsewhere/v is of another namespace"));
    assert_eq!(targets(&plan, "longhorn-release"), ["lab-1"]);
}

fn stuck(name: &str, left: &[(&str, &str, &[&str])]) -> Stuck {
    let left = left.iter().map(|(resource, object, finalizers)| Left {
        resource: resource.to_string(),
        object: ObjectRef::new("example.com/v1", "Widget", Some(name), object),
        finalizers: finalizers.iter().map(ToString::to_string).collect(),
        deleting: true,
    });
    let namespace = json!({ "metadata": { "name": name, "deletionTimestamp": "2026-01-01T00:00:00Z" } });
    Stuck { namespace, left: left.collect(), ..Stuck::default() }
}

fn unstick_of<'a>(
    stuck: &'a Stuck,
    longhorn: Option<&'a LonghornFacts>,
    strip: &'a [String],
    force: bool,
) -> Unstick<'a> {
    let (kubernetes, lab, provider, simulated) = ("v1.20.2", "two-pod", "existing", false);
    Unstick { stuck, longhorn, beside: &[], kubernetes, lab, provider, simulated, strip, force }
}

#[test]
fn unstick_frees_longhorn_and_leaves_volumes_that_somebody_wants() {
    let mut facts = dead();
    facts.volumes.push(volume("loose", "Released"));
    facts.attachments.push(attachment("loose"));
    let stuck = stuck(NS, &[]);
    let plan = unstick(&unstick_of(&stuck, Some(&facts), &[], false)).unwrap();
    assert_eq!(targets(&plan, "longhorn-attachments"), ["csi-loose", "loose"]);
    assert_eq!(targets(&plan, "longhorn-detach"), ["csi-loose", "loose"]);
    assert_eq!(
        why(&plan, "longhorn-cluster-wide").as_deref(),
        Some("it stays: PersistentVolume pv is wanted by its claim")
    );
    assert!(comes_after(&plan, "proof", "longhorn-namespace"));
    assert!(plan.steps.iter().all(|step| step.id != "finalize"), "only --force ends a namespace by force");
    let forced = unstick(&unstick_of(&stuck, Some(&facts), &[], true)).unwrap();
    assert!(comes_after(&forced, "finalize", "longhorn-namespace") && comes_after(&forced, "proof", "finalize"));
}

#[test]
fn unstick_touches_nothing_that_it_does_not_know_unless_it_is_named() {
    let stuck = stuck("demo", &[("widgets.example.com", "w", &["a", "b"]), ("gadgets.example.com", "g", &["c"])]);
    for force in [false, true] {
        let plan = unstick(&unstick_of(&stuck, None, &[], force)).unwrap();
        assert!(plan.steps.is_empty(), "no wait ends what holds it: {:?}", plan.steps);
    }
    assert_eq!(unstick(&unstick_of(&stuck, None, &[], false)).unwrap().namespace.as_deref(), Some("demo"));
    let named = ["widgets.example.com".to_string()];
    let plan = unstick(&unstick_of(&stuck, None, &named, false)).unwrap();
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["strip-widgets.example.com-1", "strip-widgets.example.com-2", "namespace", "proof"]);
    let wrong = ["pods".to_string()];
    let failure = unstick(&unstick_of(&stuck, None, &wrong, false)).unwrap_err();
    assert_eq!(failure.causes, ["there is gadgets.example.com, widgets.example.com"]);
}
