//! The CSI driver: what the driver deployer makes once for each of its starts, and the kubelets that come to know the driver.

use super::instances::{ACCOUNT, MANAGED};
use super::objects::{all, ensure};
use super::parts::{Task, argument, at_work, container, has_rights, patch_release, run, variable};
use crate::model::longhorn::{DRIVER, NAMESPACE};
use crate::sim::controllers::attachments::csi_nodes;
use crate::sim::controllers::object::{apps, core, is_deleting, items, label, name, text};
use crate::sim::controllers::world::World;
use crate::sim::store::Resource;
use serde_json::{Value, json};

/// The DaemonSet that attaches and mounts volumes on its node.
const PLUGIN: &str = "longhorn-csi-plugin";
/// The sidecars and their tags, which are the same in every 1.2.x.
pub const SIDECARS: [(&str, &str); 4] = [
    ("csi-attacher", "v3.2.1"),
    ("csi-provisioner", "v2.1.2"),
    ("csi-resizer", "v1.2.0"),
    ("csi-snapshotter", "v3.0.3"),
];
const REGISTRAR: (&str, &str) = ("csi-node-driver-registrar", "v2.3.0");
/// The first release whose sidecars come from Longhorn's own repositories.
const OWN_SIDECARS: u32 = 3;

/// The kind of drivers.
pub fn drivers() -> Resource {
    Resource::new("storage.k8s.io", "csidrivers")
}

/// Makes the driver when a deployer has started and every node of Longhorn can propagate mounts.
pub fn deploy(world: &World) {
    for pod in at_work(world, Task::DeployDriver).iter().filter(|pod| has_rights(world, pod)) {
        let nodes = all(world, "nodes");
        let propagates = |node: &Value| node["status"]["conditions"]["MountPropagation"]["status"] == "True";
        let may = !nodes.is_empty() && nodes.iter().all(|node| propagates(node));
        if may && world.once(format!("longhorn/deploy/{}", run(pod))) {
            make(world, pod);
        }
    }
}

fn make(world: &World, deployer: &Value) {
    let driver = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": DRIVER},
        "spec": {"attachRequired": true, "podInfoOnMount": true, "volumeLifecycleModes": ["Persistent"]},
    });
    ensure(world, &drivers(), driver);
    for (sidecar, tag) in SIDECARS {
        ensure(world, &core("services"), dummy_service(sidecar));
        ensure(world, &apps("deployments"), deployment(deployer, sidecar, tag));
    }
    ensure(world, &core("services"), dummy_service(PLUGIN));
    ensure(world, &apps("daemonsets"), plugin(deployer));
}

/// An image of a sidecar: what the environment of the deployer says, or what its release has.
fn image(deployer: &Value, sidecar: &str, tag: &str) -> String {
    let key = format!("{}_IMAGE", sidecar.to_uppercase().replace('-', "_"));
    let given = container(deployer, Task::DeployDriver).and_then(|container| variable(container, &key));
    let own = patch_release(deployer, Task::DeployDriver) >= OWN_SIDECARS;
    let repository = if own { "longhornio" } else { "k8s.gcr.io/sig-storage" };
    given.map_or_else(|| format!("{repository}/{sidecar}:{tag}"), str::to_owned)
}

fn metadata(object: &str) -> Value {
    json!({"name": object, "namespace": NAMESPACE, "labels": {"app": object, MANAGED.0: MANAGED.1}})
}

fn dummy_service(app: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": metadata(app),
        "spec": {"clusterIP": "None", "clusterIPs": ["None"], "selector": {"app": app}, "ports": [{"name": "dummy", "port": 12345}]},
    })
}

fn deployment(deployer: &Value, sidecar: &str, tag: &str) -> Value {
    let key = format!("{}_REPLICA_COUNT", sidecar.to_uppercase().replace('-', "_"));
    let given = container(deployer, Task::DeployDriver).and_then(|container| variable(container, &key));
    let replicas = given.and_then(|count| count.parse::<u32>().ok()).unwrap_or(3);
    let container = json!({
        "name": sidecar, "image": image(deployer, sidecar, tag), "imagePullPolicy": "IfNotPresent",
        "args": ["--v=2", "--csi-address=$(ADDRESS)", "--timeout=1m50s", "--leader-election"],
        "env": [{"name": "ADDRESS", "value": "/csi/csi.sock"}], "volumeMounts": [{"name": "socket-dir", "mountPath": "/csi/"}],
    });
    let root = kubelet_root(deployer);
    let socket = json!({
        "name": "socket-dir", "hostPath": {"path": format!("{root}/plugins/{DRIVER}"), "type": "DirectoryOrCreate"},
    });
    let apart = json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{
        "weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": sidecar}}},
    }]}});
    let spec =
        json!({"serviceAccountName": ACCOUNT, "containers": [container], "volumes": [socket], "affinity": apart});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(sidecar),
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": sidecar}},
            "template": {"metadata": {"labels": {"app": sidecar}}, "spec": spec},
        },
    })
}

fn plugin(deployer: &Value) -> Value {
    let root = kubelet_root(deployer);
    let manager = argument(deployer, Task::DeployDriver, "--manager-image").unwrap_or_default();
    let registrar = json!({
        "name": "node-driver-registrar", "image": image(deployer, REGISTRAR.0, REGISTRAR.1), "imagePullPolicy": "IfNotPresent",
        "args": ["--v=2", "--csi-address=$(ADDRESS)", format!("--kubelet-registration-path={root}/plugins/{DRIVER}/csi.sock")],
        "securityContext": {"privileged": true}, "env": [{"name": "ADDRESS", "value": "/csi/csi.sock"}],
    });
    let plugin = json!({
        "name": PLUGIN, "image": manager, "imagePullPolicy": "IfNotPresent", "securityContext": {"privileged": true},
        "args": ["longhorn-manager", "-d", "csi", "--nodeid=$(NODE_ID)", "--endpoint=$(CSI_ENDPOINT)", format!("--drivername={DRIVER}")],
        "env": [
            {"name": "NODE_ID", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "CSI_ENDPOINT", "value": "unix:///csi/csi.sock"},
        ],
    });
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata(PLUGIN),
        "spec": {
            "selector": {"matchLabels": {"app": PLUGIN}},
            "template": {
                "metadata": {"labels": {"app": PLUGIN}},
                "spec": {"serviceAccountName": ACCOUNT, "hostPID": true, "containers": [registrar, plugin]},
            },
        },
    })
}

/// The kubelets' root directory.
fn kubelet_root(deployer: &Value) -> &str {
    let given = container(deployer, Task::DeployDriver).and_then(|container| variable(container, "KUBELET_ROOT_DIR"));
    given.unwrap_or("/var/lib/kubelet")
}

/// Each kubelet lists the driver for as long as its plugin runs on the node.
pub fn register(world: &World) {
    let pods = world.store.list(&core("pods"), Some(NAMESPACE));
    for node in world.all(&csi_nodes()) {
        let runs = pods.iter().any(|pod| {
            let states = items(pod, "/status/containerStatuses");
            label(pod, "app") == Some(PLUGIN)
                && text(pod, "/spec/nodeName") == name(&node)
                && !is_deleting(pod)
                && !states.is_empty()
                && states.iter().all(|one| one["state"]["running"].is_object())
        });
        let mut drivers = items(&node, "/spec/drivers").to_vec();
        let listed = drivers.iter().any(|one| one["name"] == DRIVER);
        if listed == runs {
            continue;
        }
        drivers.retain(|one| one["name"] != DRIVER);
        if runs {
            drivers.push(json!({"name": DRIVER, "nodeID": name(&node), "topologyKeys": null}));
        }
        world.change(&csi_nodes(), &node, |node| {
            node["spec"]["drivers"] = if drivers.is_empty() { Value::Null } else { Value::Array(drivers) };
        });
    }
}
