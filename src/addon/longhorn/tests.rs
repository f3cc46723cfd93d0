//! What Longhorn's steps and checks are in clusters of all sorts.

use super::*;
use crate::lab::Lab;
use crate::model::object::{RECORD, label};
use crate::model::{Action, Facts, LonghornFacts, Verdict};

fn lab() -> Lab {
    let mut lab = Lab::default();
    lab.spec.add_ons.push(AddOnName::Longhorn);
    lab
}

fn node(name: &str) -> Value {
    json!({ "metadata": { "name": name, "labels": { "kubernetes.io/hostname": format!("{name}.local") } },
        "status": { "nodeInfo": { "operatingSystem": "linux" } } })
}

fn nodes() -> Vec<Value> {
    ["a", "b", "c"].map(node).into()
}

fn site<'a>(lab: &'a Lab, facts: &'a Facts) -> Site<'a> {
    Site {
        lab,
        facts,
        nodes: &facts.nodes,
        kubernetes: "v1.20.2".into(),
        manifest: None,
        is_ours: false,
        kubelet_root: None,
    }
}

fn facts(nodes: Vec<Value>) -> Facts {
    Facts { reachable: true, nodes, ..Facts::default() }
}

/// A Longhorn of this version that works as far as its manager goes.
fn there(version: &str, lab: Option<&str>) -> LonghornFacts {
    let mut namespace = json!({ "kind": "Namespace", "metadata": { "name": "longhorn-system" } });
    if let Some(lab) = lab {
        label(&mut namespace, lab);
    }
    let image = format!("longhornio/longhorn-manager:v{version}");
    let manager = json!({ "kind": "DaemonSet", "metadata": { "name": "longhorn-manager" },
        "spec": { "template": { "spec": { "containers": [{ "image": image }] } } } });
    LonghornFacts { namespace: Some(namespace), workloads: vec![manager], ..LonghornFacts::default() }
}

fn steps_in(facts: &Facts) -> Vec<Step> {
    let lab = lab();
    Longhorn.steps(&site(&lab, facts)).unwrap()
}

fn failed(facts: &Facts, kubernetes: &str) -> Vec<String> {
    let lab = lab();
    let site = Site { kubernetes: kubernetes.into(), ..site(&lab, facts) };
    let failed = Longhorn.checks(&site).into_iter().filter(|check| check.verdict == Verdict::Fail);
    failed.map(|check| check.cause).collect()
}

#[test]
fn an_old_release_and_a_changed_original_are_told() {
    let (mut lab, facts) = (lab(), facts(nodes()));
    let warned = |site: Site| {
        let warned = Longhorn.checks(&site).into_iter().filter(|check| check.verdict == Verdict::Warn);
        warned.map(|check| check.cause).collect::<Vec<_>>()
    };
    assert_eq!(warned(site(&lab, &facts)), [""; 0]);
    let original = Site { manifest: Some(&[]), ..site(&lab, &facts) };
    assert!(warned(original)[0].starts_with("set in the original manifest: numberOfReplicas 3 in the storage class, "));
    lab.spec.longhorn.version = "1.2.2".into();
    assert!(warned(site(&lab, &facts))[0].contains("a registry that was frozen"));
}

#[test]
fn the_chain_waits_for_what_it_depends_on_and_every_node_gets_its_canary() {
    let steps = steps_in(&facts(nodes()));
    let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    let chain = ["manager", "nodes", "engine", "instances", "driver", "csi", "registered", "class"];
    let chain = chain.map(|link| format!("longhorn-{link}"));
    let canaries = ["longhorn-canary-a", "longhorn-canary-b", "longhorn-canary-c"];
    let wanted: Vec<&str> = ["longhorn"].into_iter().chain(chain.iter().map(String::as_str)).chain(canaries).collect();
    assert_eq!(ids, wanted);
    assert_eq!(steps[0].title, "Install Longhorn 1.2.6: 3 copies of each volume, on different nodes");
    for (index, step) in steps.iter().enumerate().skip(1) {
        let before = |need: &String| need == "settings" || ids[..index].contains(&need.as_str());
        assert!(!step.needs.is_empty() && step.needs.iter().all(before), "{}: {:?}", step.id, step.needs);
    }
}

#[test]
fn the_settings_follow_the_nodes() {
    let lab = lab();
    let mut closed = node("control-plane");
    closed["spec"]["taints"] = json!([{ "key": "node-role.kubernetes.io/master", "effect": "NoSchedule" }]);
    let mut cordoned = node("b");
    cordoned["spec"] = json!({ "unschedulable": true,
        "taints": [{ "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" }] });
    let settings = |nodes: Vec<Value>| {
        let settings = site::settings(&site(&lab, &facts(nodes))).unwrap();
        (settings.replicas, settings.sidecars, settings.kubelet_root.is_some())
    };
    assert_eq!(settings(vec![node("a"), closed]), (1, 1, false));
    assert_eq!(settings(vec![node("a"), cordoned.clone()]), (2, 3, false), "a cordoned node comes back");
    assert_eq!(settings(["a", "b", "c", "d"].map(node).into()), (3, 3, false));
    let mut microk8s = node("a");
    microk8s["metadata"]["labels"]["microk8s.io/cluster"] = "true".into();
    assert_eq!(settings(vec![microk8s]), (1, 1, true));
    let ids: Vec<String> = steps_in(&facts(vec![node("a"), cordoned])).into_iter().map(|step| step.id).collect();
    assert!(!ids.contains(&"longhorn-canary-b".to_string()), "no pod can be put on a cordoned node");
}

#[test]
fn the_canary_writes_as_iris_does_from_an_image_that_the_node_has() {
    let steps = steps_in(&facts(vec![node("a")]));
    let Action::Canary { node, objects, record } = &steps.last().unwrap().action else { panic!("no canary") };
    assert_eq!((node.to_string().as_str(), record.name.as_str()), ("a", RECORD));
    let pod = &objects[1];
    assert_eq!(pod["spec"]["nodeSelector"]["kubernetes.io/hostname"], "a.local");
    assert_eq!(pod["spec"]["securityContext"]["fsGroup"], 51773);
    assert_eq!(pod["spec"]["containers"][0]["image"], "longhornio/longhorn-manager:v1.2.6");
    assert!(objects.iter().all(|object| object["metadata"]["labels"]["iris-lab/lab"] == "two-pod"));
    let mut lab = lab();
    lab.spec.longhorn.canary = false;
    let facts = facts(vec![self::node("a")]);
    assert!(Longhorn.steps(&site(&lab, &facts)).unwrap().iter().all(|step| !step.id.contains("canary")));
}

#[test]
fn a_node_is_proven_once_until_it_or_longhorn_is_made_anew() {
    let mut facts = facts(nodes());
    let record = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "longhorn-canary.a": "1", "longhorn-canary.b": "2" },
        "metadata": { "name": RECORD, "namespace": "iris-lab" } });
    facts.objects.push(record);
    let mut seen = there("1.2.6", Some("two-pod"));
    let own = |name: &str, uid: &str| json!({ "kind": "Node", "metadata": { "name": name, "uid": uid } });
    seen.resources = vec![own("a", "1"), own("b", "another"), own("c", "3")];
    facts.longhorn = Some(seen);
    let open: Vec<String> = steps_in(&facts).into_iter().filter(|s| s.satisfied.is_none()).map(|s| s.id).collect();
    let canaries: Vec<&String> = open.iter().filter(|id| id.contains("canary")).collect();
    assert_eq!(canaries, ["longhorn-canary-b", "longhorn-canary-c"]);
}

#[test]
fn a_longhorn_of_somebody_else_is_used_and_not_touched() {
    let facts = Facts { longhorn: Some(there("1.2.6", None)), ..facts(nodes()) };
    let steps = steps_in(&facts);
    assert_eq!(steps[0].satisfied.as_deref(), Some("1.2.6 is there, and not ours: reset will leave it"));
    assert!(matches!(&steps[0].action, Action::Apply { objects } if objects.is_empty()));
    assert!(failed(&facts, "v1.20.2").is_empty());
}

#[test]
fn a_cluster_that_it_cannot_live_in_is_refused_with_the_cause() {
    let good = facts(nodes());
    for version in ["v1.18.0", "1.20.2", "v1.24.17-eks"] {
        assert!(failed(&good, version).is_empty(), "{version}");
    }
    let new = "1.2.6 needs Kubernetes 1.18 to 1.24, this cluster runs 1.29.2: its manifest contains policy/v1beta1, which newer \
               ones have not";
    assert_eq!(failed(&good, "v1.29.2"), [new]);
    assert!(failed(&good, "v1.17.9")[0].ends_with("its driver refuses an older one"));
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut facts = good.clone();
        facts.nodes.iter_mut().for_each(change);
        failed(&facts, "v1.20.2").join("|")
    };
    let taints = json!([{ "key": "x", "effect": "NoSchedule" }]);
    assert!(
        broken(&|node| node["spec"]["taints"] = taints.clone())
            .contains("none of the cluster's 3 nodes takes its pods")
    );
    assert!(broken(&|node| node["status"]["nodeInfo"]["operatingSystem"] = "windows".into()).contains("a, b, c"));
    assert!(
        broken(&|node| node["spec"]["providerID"] = "kind://docker/kind/a".into()).contains("a is a container of kind")
    );
    assert!(broken(&|node| node["status"]["nodeInfo"]["kernelVersion"] = "5.15-WSL2".into()).contains("in WSL2"));
    let pressure = json!([{ "type": "DiskPressure", "status": "True" }]);
    assert!(broken(&|node| node["status"]["conditions"] = pressure.clone()).contains("(DiskPressure) on a, b, c"));
}

#[test]
fn the_way_out_is_a_command_that_works_where_there_is_no_lab_yet() {
    let hint = |seen: LonghornFacts| {
        let (lab, facts) = (lab(), Facts { longhorn: Some(seen), ..facts(nodes()) });
        let failed = Longhorn.checks(&site(&lab, &facts)).into_iter().find(|check| check.verdict == Verdict::Fail);
        failed.unwrap().hint.unwrap()
    };
    let adopt = "bring the lab up without Longhorn, and remove both with `iris-lab reset --adopt`";
    assert_eq!(
        hint(there("1.2.4", None)),
        format!("take that one with `--longhorn=1.2.4`, or remove it first: {adopt}")
    );
    let ours = hint(there("1.2.4", Some("two-pod")));
    assert!(ours.ends_with("remove it first: `iris-lab down --longhorn --delete-data --name two-pod`"), "{ours}");
    let mut leaving = there("1.2.6", None);
    leaving.namespace.as_mut().unwrap()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(hint(leaving), "finish that with `iris-lab unstick longhorn-system --context NAME`");
    let mut definition = json!({ "kind": "CustomResourceDefinition", "metadata": { "name": "nodes.longhorn.io" } });
    let left = |definition: &Value| LonghornFacts { definitions: vec![definition.clone()], ..LonghornFacts::default() };
    assert_eq!(hint(left(&definition)), format!("{adopt}, or delete them with the manifest that they came from"));
    definition["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(hint(left(&definition)), adopt, "`unstick` has no namespace to look at");
}

#[test]
fn what_is_there_already_is_refused_where_a_new_one_would_break_on_it() {
    let with = |seen: LonghornFacts| failed(&Facts { longhorn: Some(seen), ..facts(nodes()) }, "v1.20.2").join("|");
    assert_eq!(with(there("1.2.6", Some("two-pod"))), "");
    assert!(with(there("1.2.4", Some("two-pod"))).starts_with("1.2.4 is installed, the lab asks for 1.2.6"));
    let mut leaving = there("1.2.6", None);
    leaving.namespace.as_mut().unwrap()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(with(leaving), "the namespace longhorn-system is being deleted, and is not gone");
    let definition = json!({ "kind": "CustomResourceDefinition", "metadata": { "name": "nodes.longhorn.io" } });
    let left = LonghornFacts { definitions: vec![definition.clone()], ..LonghornFacts::default() };
    assert!(with(left).starts_with("another installation has left 1 definitions of its resources here"));
    let mut going = definition;
    label(&mut going, "two-pod");
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let going = LonghornFacts { definitions: vec![going], ..LonghornFacts::default() };
    assert_eq!(with(going), "1 of its definitions are being deleted, and are not gone");
}
