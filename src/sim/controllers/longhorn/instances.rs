//! What managers run on every node: the engine image and two instance managers, with their pods and disruption budgets.

use super::objects::{all, checksum, custom, ensure, get, make};
use super::parts::{home, leader};
use super::settings;
use crate::model::longhorn::NAMESPACE;
use crate::sim::admission::defaults;
use crate::sim::controllers::object::{
    amount, apps, controller_reference, core, is_deleting, is_true, label, name, text,
};
use crate::sim::controllers::pods::{is_finished, is_ready, qos_class};
use crate::sim::controllers::world::World;
use crate::sim::store::Resource;
use serde_json::{Value, json};
use std::sync::Arc;

/// Label of everything that a manager runs.
pub const MANAGED: (&str, &str) = ("longhorn.io/managed-by", "longhorn-manager");
/// The account of everything that belongs to Longhorn.
pub const ACCOUNT: &str = "longhorn-service-account";

fn budgets() -> Resource {
    Resource::new("policy", "poddisruptionbudgets")
}

/// Keeps all of it as it should be.
pub fn keep(world: &World, managers: &[Arc<Value>]) {
    for image in all(world, "engineimages") {
        if !is_deleting(&image) {
            engine_image(world, &image, leader(managers));
        }
    }
    for node in all(world, "nodes").iter().filter(|node| !is_deleting(node)) {
        if managers.iter().any(|pod| home(pod) == name(node)) {
            instance_managers(world, node);
        }
    }
    for manager in all(world, "instancemanagers").iter().filter(|one| !is_deleting(one)) {
        instance_manager(world, manager);
    }
    for budget in world.store.list(&budgets(), Some(NAMESPACE)) {
        let managed = label(&budget, MANAGED.0) == Some(MANAGED.1);
        if managed && get(world, "instancemanagers", name(&budget)).is_none_or(|one| !is_protected(world, &one)) {
            world.delete(&budgets(), &budget);
        }
    }
}

/// The engine image has a pod on every node; it is deployed when all of them are ready.
fn engine_image(world: &World, image: &Value, owner: &str) {
    let set_name = format!("engine-image-{}", name(image));
    let labels = json!({
        MANAGED.0: MANAGED.1, "longhorn.io/component": "engine-image", "longhorn.io/engine-image": name(image),
    });
    let probe = json!({
        "exec": {"command": ["sh", "-c", "ls /data/longhorn && /data/longhorn version --client-only"]},
        "initialDelaySeconds": 5, "periodSeconds": 5,
    });
    let container = json!({
        "name": set_name, "image": image["spec"]["image"], "imagePullPolicy": "IfNotPresent",
        "securityContext": {"privileged": true}, "readinessProbe": probe,
        "command": ["/bin/bash"], "args": ["-c", "cp /usr/local/bin/longhorn* /data/ && trap 'rm /data/longhorn* && echo cleaned up' EXIT && sleep infinity"],
        "volumeMounts": [{"name": "data", "mountPath": "/data/"}],
    });
    let data = json!({"name": "data", "hostPath": {"path": "/var/lib/longhorn/engine-binaries"}});
    let set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": set_name, "namespace": NAMESPACE, "labels": labels, "ownerReferences": [controller_reference(image)]},
        "spec": {
            "selector": {"matchLabels": labels}, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
            "template": {"metadata": {"labels": labels}, "spec": {"serviceAccountName": ACCOUNT, "containers": [container], "volumes": [data]}},
        },
    });
    ensure(world, &apps("daemonsets"), set);
    let pods = world.store.list(&core("pods"), Some(NAMESPACE));
    let has_it = |node: &Value| {
        let here =
            |pod: &&Arc<Value>| label(pod, "longhorn.io/engine-image") == Some(name(image)) && home(pod) == name(node);
        pods.iter().filter(here).any(|pod| is_ready(pod))
    };
    let nodes = all(world, "nodes");
    let map: serde_json::Map<String, Value> =
        nodes.iter().map(|node| (name(node).to_owned(), json!(has_it(node)))).collect();
    let lives = |node: &Value| node["status"]["conditions"]["Ready"]["status"] == "True";
    let deployed = !nodes.is_empty() && nodes.iter().filter(|node| lives(node)).all(|node| has_it(node));
    let engines = all(world, "engines");
    let users = engines.iter().filter(|engine| engine["spec"]["engineImage"] == image["spec"]["image"]).count();
    let status = json!({
        "state": if deployed { "deployed" } else { "deploying" }, "ownerID": owner, "nodeDeploymentMap": map, "refCount": users,
        "buildDate": "", "cliAPIVersion": 6, "cliAPIMinVersion": 3, "controllerAPIVersion": 3, "controllerAPIMinVersion": 3,
        "dataFormatVersion": 1, "dataFormatMinVersion": 1, "incompatible": false, "gitCommit": "", "version": "", "conditions": {},
        "noRefSince": "",
    });
    world.set_status(&custom("engineimages"), image, status);
}

/// The name of a node's instance manager: `e` serves volumes, `r` keeps their copies.
pub fn manager_name(world: &World, node: &str, kind: char) -> String {
    let image = settings::value(world, "default-instance-manager-image");
    format!("instance-manager-{kind}-{}", checksum(&format!("{node}{image}{kind}")))
}

fn instance_managers(world: &World, node: &Value) {
    let image = settings::value(world, "default-instance-manager-image");
    for (kind, word) in [('e', "engine"), ('r', "replica")] {
        let labels = json!({
            MANAGED.0: MANAGED.1, "longhorn.io/component": "instance-manager", "longhorn.io/instance-manager-type": word,
            "longhorn.io/node": name(node),
        });
        let more = json!({
            "metadata": {"labels": labels, "ownerReferences": [controller_reference(node)]},
            "spec": {"image": image, "nodeID": name(node), "type": word, "engineImage": ""},
        });
        make(world, "instancemanagers", "InstanceManager", &manager_name(world, name(node), kind), more);
    }
}

/// Keeps the pod of an instance manager running, and says how it is.
fn instance_manager(world: &World, manager: &Value) {
    let node_name = text(manager, "/spec/nodeID");
    let Some(node) = world.store.get(&core("nodes"), None, node_name) else { return };
    let pod = world.store.get(&core("pods"), Some(NAMESPACE), name(manager));
    let silent = !is_true(&node, "Ready");
    let state = match &pod {
        _ if silent => "unknown",
        None => "stopped",
        Some(pod) if is_deleting(pod) || is_finished(pod) => "error",
        Some(pod) if is_ready(pod) => "running",
        Some(_) => "starting",
    };
    match &pod {
        None if !silent => drop(world.create(&core("pods"), new_pod(world, manager, &node))),
        Some(pod) if is_finished(pod) => world.delete(&core("pods"), pod),
        _ => {}
    }
    let address = pod.as_ref().filter(|_| state == "running").map_or("", |pod| text(pod, "/status/podIP"));
    let status = json!({
        "currentState": state, "ownerID": node_name, "ip": address, "apiVersion": 2, "apiMinVersion": 1,
        "instances": manager["status"]["instances"].as_object().cloned().unwrap_or_default(),
    });
    world.set_status(&custom("instancemanagers"), manager, status);
    if state == "running" && is_protected(world, manager) {
        let metadata = json!({"name": name(manager), "namespace": NAMESPACE, "labels": {MANAGED.0: MANAGED.1}});
        let selector = json!({"matchLabels": manager["metadata"]["labels"]});
        let budget = json!({
            "apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": metadata,
            "spec": {"minAvailable": 1, "selector": selector},
        });
        ensure(world, &budgets(), budget);
    }
}

/// Whether the pod of an instance manager may not be evicted: it runs, and its node is not closed to pods.
fn is_protected(world: &World, manager: &Value) -> bool {
    let node = world.store.get(&core("nodes"), None, text(manager, "/spec/nodeID"));
    let closed = node.is_none_or(|node| node["spec"]["unschedulable"] == true);
    !closed && !is_deleting(manager) && world.store.get(&core("pods"), Some(NAMESPACE), name(manager)).is_some()
}

fn new_pod(world: &World, manager: &Value, node: &Value) -> Value {
    let word = text(manager, "/spec/type");
    let percent = settings::value(world, &format!("guaranteed-{word}-manager-cpu")).parse().unwrap_or(12);
    let millis = amount(&node["status"]["allocatable"]["cpu"]) * percent / 100_000_000;
    let command = if word == "engine" { "engine-manager" } else { "longhorn-instance-manager" };
    let container = json!({
        "name": command, "image": manager["spec"]["image"], "imagePullPolicy": "IfNotPresent",
        "args": [command, "--debug", "daemon", "--listen", "0.0.0.0:8500"], "securityContext": {"privileged": true},
        "resources": {"requests": {"cpu": format!("{millis}m")}},
        "livenessProbe": {
            "tcpSocket": {"port": 8500}, "initialDelaySeconds": 3, "periodSeconds": 5, "timeoutSeconds": 4, "failureThreshold": 3, "successThreshold": 1,
        },
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    });
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name(manager), "namespace": NAMESPACE, "labels": manager["metadata"]["labels"],
            "ownerReferences": [controller_reference(manager)],
        },
        "spec": {
            "nodeName": manager["spec"]["nodeID"], "serviceAccountName": ACCOUNT, "restartPolicy": "Never",
            "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler",
            "securityContext": {}, "enableServiceLinks": true, "containers": [container],
        },
    });
    pod["status"] = json!({"phase": "Pending", "qosClass": qos_class(&pod)});
    defaults::admit_pod(&mut pod);
    pod
}
