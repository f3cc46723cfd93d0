//! Plans as a table: what is wanted and what is there in, steps out.

use super::*;
use crate::lab::Lab;
use crate::model::bundle::Place;
use crate::model::object::label;
use crate::model::{Action, Bundled, Facts, HostFacts, LonghornFacts, ObjectRef, Plan, SimSettings, Verdict};
use crate::provider::{self, Undo, Wishes};
use serde_json::{Value, json};
use std::path::Path;

fn sim() -> SimSettings {
    SimSettings { nodes: 3, kubernetes: "1.24.17".into(), speed: None, faults: None }
}

fn plan(lab: &Lab, name: &str, facts: &Facts) -> Plan {
    with(lab, name, facts, |wanted| up(wanted, facts).unwrap())
}

fn with<T>(lab: &Lab, name: &str, facts: &Facts, use_it: impl FnOnce(&Wanted) -> T) -> T {
    let sim = sim();
    let wishes = Wishes {
        context: Some("rig"),
        kubeconfig_is_current: facts.reachable,
        sim: &sim,
        host: &HostFacts::default(),
        made: &[],
        bundled: &[],
        was_whole: false,
        dir: Path::new("/state"),
        cache: Path::new("/cache"),
    };
    let provider = provider::named(name).unwrap();
    use_it(&Wanted { lab, provider, wishes, longhorn: None, password_hash: "h,s", image: None })
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.as_str()).collect()
}

fn needs<'a>(plan: &'a Plan, id: &str) -> Vec<&'a str> {
    plan.steps.iter().find(|step| step.id == id).unwrap().needs.iter().map(String::as_str).collect()
}

/// Facts of a cluster on which the plan was carried out.
fn after(plan: &Plan) -> Facts {
    let objects = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Apply { objects } => Some(objects.clone()),
        _ => None,
    });
    let mut objects: Vec<Value> = objects.flatten().collect();
    let mut pods = Vec::new();
    for object in &mut objects {
        match object["kind"].as_str() {
            Some("StatefulSet") => object["status"] = json!({ "updateRevision": "data-1" }),
            Some("Service") => object["status"] = json!({ "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }] } }),
            _ => {}
        }
    }
    for index in 0..2 {
        pods.push(json!({
            "metadata": { "name": format!("data-{index}"), "labels": { "controller-revision-hash": "data-1" } },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
        }));
    }
    let namespace = objects.iter().find(|object| object["metadata"]["name"] == "iris-lab").cloned();
    Facts { reachable: true, namespace, objects, pods, ..Facts::default() }
}

#[test]
fn the_simulator_gets_its_add_ons_and_each_pod_its_wait() {
    let plan = plan(&Lab::default(), "sim", &Facts::default());
    let wanted = ["simulator", "cluster", "namespace", "settings", "storage", "metallb", "services", "iris"];
    assert_eq!(ids(&plan), [&wanted[..], &["data-0-ready", "data-1-ready", "address"]].concat());
    assert_eq!(needs(&plan, "iris"), ["settings", "storage"]);
    assert_eq!(needs(&plan, "address"), ["services", "metallb"], "the address does not wait for the pods");
    assert!(plan.simulated && plan.steps.iter().all(|step| step.satisfied.is_none()));
}

#[test]
fn an_existing_cluster_gets_no_add_ons() {
    let plan = plan(&Lab::default(), "existing", &Facts::default());
    assert!(!ids(&plan).iter().any(|id| ["simulator", "storage", "metallb"].contains(id)));
    assert_eq!(needs(&plan, "namespace"), ["cluster"]);
    assert!(!plan.simulated);
}

#[test]
fn every_need_names_a_step_before_it() {
    for provider in ["sim", "existing"] {
        let plan = plan(&Lab::default(), provider, &Facts::default());
        for (index, step) in plan.steps.iter().enumerate() {
            let before: Vec<&str> = plan.steps[..index].iter().map(|step| step.id.as_str()).collect();
            assert!(step.needs.iter().all(|need| before.contains(&need.as_str())), "{}: {:?}", step.id, step.needs);
        }
    }
}

#[test]
fn a_second_up_has_nothing_to_do() {
    let lab = Lab::default();
    let facts = after(&plan(&lab, "existing", &Facts::default()));
    let again = plan(&lab, "existing", &facts);
    let open: Vec<&str> = again.steps.iter().filter(|step| step.satisfied.is_none()).map(|s| s.id.as_str()).collect();
    assert!(open.is_empty(), "{open:?}");
    assert!(access(&again).is_empty(), "what is not done needs no right");
}

#[test]
fn a_drift_is_mended_and_its_pods_are_waited_for() {
    let lab = Lab::default();
    let mut facts = after(&plan(&lab, "existing", &Facts::default()));
    let set = facts.objects.iter_mut().find(|object| object["kind"] == "StatefulSet").unwrap();
    set["spec"]["replicas"] = 1.into();
    let again = plan(&lab, "existing", &facts);
    let open: Vec<&str> = again.steps.iter().filter(|step| step.satisfied.is_none()).map(|s| s.id.as_str()).collect();
    assert_eq!(open, ["iris", "data-0-ready", "data-1-ready"]);
}

#[test]
fn a_namespace_of_somebody_else_is_used_and_left() {
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "iris-lab" } });
    let facts = Facts { reachable: true, namespace: Some(namespace), ..Facts::default() };
    let plan = plan(&Lab::default(), "existing", &facts);
    let step = plan.steps.iter().find(|step| step.id == "namespace").unwrap();
    assert_eq!(step.satisfied.as_deref(), Some("it is there, and not ours: reset will leave it"));
}

#[test]
fn the_rights_of_an_up_name_each_verb_and_resource_once() {
    let rights = access(&plan(&Lab::default(), "existing", &Facts::default()));
    let texts: Vec<String> = rights.iter().map(ToString::to_string).collect();
    assert!(texts.contains(&"create statefulsets.apps in the namespace iris-lab".to_string()), "{texts:?}");
    assert!(texts.contains(&"create namespaces in the whole cluster".to_string()));
    let mut unique = texts.clone();
    unique.dedup();
    assert_eq!(unique, texts);
}

fn found() -> Vec<ObjectRef> {
    let inside = |version, kind, name| ObjectRef::new(version, kind, Some("iris-lab"), name);
    vec![
        ObjectRef::new("v1", "Namespace", None, "iris-lab"),
        ObjectRef::new("storage.k8s.io/v1", "StorageClass", None, "x"),
        inside("v1", "PersistentVolumeClaim", "dbv-mgr-data-0"),
        inside("v1", "ConfigMap", RECORD),
        inside("v1", "Service", "iris"),
        inside("apps/v1", "StatefulSet", "data"),
    ]
}

fn deleted(plan: &Plan, id: &str) -> Vec<String> {
    let step = plan.steps.iter().find(|step| step.id == id);
    match step.map(|step| &step.action) {
        Some(Action::Delete { objects }) => objects.iter().map(|object| object.name.clone()).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn down_keeps_the_data_and_the_record_unless_the_data_is_named() {
    let provider = provider::named("existing").unwrap();
    let kept = down("two-pod", "iris-lab", provider, &found(), false, None).unwrap();
    assert_eq!(ids(&kept), ["workload", "settings"]);
    assert_eq!(deleted(&kept, "settings"), ["iris"]);
    let gone = down("two-pod", "iris-lab", provider, &found(), true, None).unwrap();
    assert_eq!(deleted(&gone, "data"), ["dbv-mgr-data-0"]);
}

#[test]
fn reset_removes_each_kind_before_what_it_depends_on_and_the_files_after_the_proof() {
    let plan = reset("two-pod", provider::named("existing").unwrap(), &found(), true, None, Vec::new()).unwrap();
    assert_eq!(ids(&plan), ["workload", "settings", "data", "namespace", "cluster-wide", "proof", "files"]);
    assert_eq!(needs(&plan, "files"), ["proof"]);
    let files = plan.steps.last().unwrap();
    assert!(files.strict, "while something is left, the journal stays");
    let sim = provider::named("sim").unwrap();
    let host = HostFacts::default();
    let undo = Undo {
        lab: "two-pod",
        dir: Path::new("/state"),
        cache: Path::new("/cache"),
        host: &host,
        made: &[],
        purge: false,
    };
    let undo = sim.removal(&undo).unwrap();
    let sim = reset("two-pod", sim, &[], false, None, undo).unwrap();
    assert_eq!(ids(&sim), ["simulator", "files"]);
}

fn failed(lab: &Lab, facts: &Facts) -> Vec<String> {
    let checks = with(lab, "existing", facts, |wanted| checks(wanted, facts));
    checks.into_iter().filter(|check| check.verdict == Verdict::Fail).map(|check| check.cause).collect()
}

fn good_cluster() -> Facts {
    let node =
        json!({ "metadata": { "name": "a" }, "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
    let class = json!({
        "metadata": { "name": "standard", "annotations": { "storageclass.kubernetes.io/is-default-class": "true" } },
        "provisioner": "x",
    });
    Facts { reachable: true, nodes: vec![node], storage_classes: vec![class], ..Facts::default() }
}

#[test]
fn a_good_cluster_passes_its_checks() {
    assert!(failed(&Lab::default(), &good_cluster()).is_empty());
}

#[test]
fn what_is_missing_is_named() {
    let lab = Lab::default();
    let none = Facts { nodes: Vec::new(), storage_classes: Vec::new(), ..good_cluster() };
    assert_eq!(
        failed(&lab, &none),
        ["none of the cluster's 0 nodes is Ready", "the cluster has no default storage class: it has none"]
    );
    let mut other = lab.clone();
    other.spec.iris.storage.class = Some("fast".into());
    assert_eq!(failed(&other, &good_cluster()), ["the cluster has no storage class fast: it has standard"]);
}

#[test]
fn a_simulated_cluster_with_other_nodes_or_another_version_is_refused() {
    let nodes = ["a", "b", "c"].map(|name| {
        let ready = json!([{ "type": "Ready", "status": "True" }]);
        json!({ "metadata": { "name": name }, "status": { "conditions": ready } })
    });
    let mut facts = Facts { nodes: nodes.to_vec(), version: "v1.24.17".into(), ..good_cluster() };
    let of = |facts: &Facts| {
        let checks = with(&Lab::default(), "sim", facts, |wanted| checks(wanted, facts));
        let failed = checks.into_iter().filter(|check| check.verdict == Verdict::Fail);
        failed.map(|check| check.cause).collect::<Vec<_>>()
    };
    assert!(of(&facts).is_empty(), "three nodes are asked for");
    facts.nodes.pop();
    let cause =
        "the simulated one has 2 nodes with Kubernetes 1.24.17, the lab asks for 3 nodes with Kubernetes 1.24.17";
    assert_eq!(of(&facts), [cause]);
    facts.version = "v1.20.2".into();
    assert_eq!(of(&facts).len(), 1);
    assert!(failed(&Lab::default(), &facts).is_empty(), "an existing cluster is as it is");
}

#[test]
fn a_namespace_that_is_going_or_another_labs_is_refused() {
    let mut namespace = json!({ "kind": "Namespace", "metadata": { "name": "iris-lab" } });
    label(&mut namespace, "other");
    let facts = Facts { namespace: Some(namespace.clone()), ..good_cluster() };
    assert_eq!(failed(&Lab::default(), &facts), ["iris-lab belongs to the lab other"]);
    namespace["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let facts = Facts { namespace: Some(namespace), ..good_cluster() };
    assert_eq!(failed(&Lab::default(), &facts), ["iris-lab is being deleted"]);
}

#[test]
fn kept_volumes_of_another_size_or_class_are_refused() {
    let claim = json!({
        "metadata": { "name": "dbv-data-data-0" },
        "spec": { "storageClassName": "standard", "resources": { "requests": { "storage": "5120Mi" } } },
    });
    let mut lab = Lab::default();
    let facts = Facts { claims: vec![claim], ..good_cluster() };
    assert!(failed(&lab, &facts).is_empty(), "5120Mi is 5Gi");
    lab.spec.iris.storage.data = "10Gi".into();
    assert_eq!(failed(&lab, &facts), ["dbv-data-data-0 has 5120Mi, the lab asks for 10Gi"]);
}

#[test]
fn volumes_kept_on_longhorn_name_the_release_that_is_there() {
    let claim = json!({
        "metadata": { "name": "dbv-data-data-0" },
        "spec": { "storageClassName": "longhorn", "resources": { "requests": { "storage": "5Gi" } } },
    });
    let hint = |version: &str| {
        let image = format!("longhornio/longhorn-manager:v{version}");
        let manager = json!({ "kind": "DaemonSet", "metadata": { "name": "longhorn-manager" },
            "spec": { "template": { "spec": { "containers": [{ "image": image }] } } } });
        let longhorn = Some(LonghornFacts { workloads: vec![manager], ..LonghornFacts::default() });
        let facts = Facts { claims: vec![claim.clone()], longhorn, ..good_cluster() };
        let checks = with(&Lab::default(), "existing", &facts, |wanted| checks(wanted, &facts));
        checks.into_iter().find(|check| check.verdict == Verdict::Fail).and_then(|check| check.hint).unwrap()
    };
    assert!(hint("1.2.6").starts_with("keep the data with --longhorn, or"), "{}", hint("1.2.6"));
    assert!(hint("1.2.3").starts_with("keep the data with --longhorn=1.2.3, or"), "{}", hint("1.2.3"));
}

#[test]
fn what_a_bundle_has_brought_does_not_reach_the_nodes_of_others() {
    let image = Bundled { name: "iris:1".into(), wanted: "iris:1".into(), path: "/a.tar".into(), place: Place::Pods };
    let images = [image];
    let seen = |names: &[&str]| {
        let nodes = vec![json!({ "status": { "images": [{ "names": names }] } })];
        let facts = Facts { reachable: true, nodes, ..Facts::default() };
        with(&Lab::default(), "existing", &facts, |wanted| {
            let wishes = Wishes { bundled: &images, ..wanted.wishes };
            let checks = checks(&Wanted { wishes, ..*wanted }, &facts);
            checks.into_iter().find(|check| check.name == "images").map(|check| check.verdict)
        })
    };
    assert_eq!((seen(&[]), seen(&["docker.io/library/iris:1"])), (Some(Verdict::Warn), None));
}
