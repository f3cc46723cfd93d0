//! Longhorn: installed, used, and removed in the right and in the wrong order.

mod install;
mod remove;
mod volumes;

use super::*;
use crate::model::longhorn::{DRIVER, KINDS, NAMESPACE};
use crate::sim::controllers::World;

const IMAGE: &str = "registry.example/longhornio/longhorn-manager:v1.2.6";

/// Creates an object as it is.
fn put(world: &World, resource: &Resource, object: Value) {
    world.store.create(resource, object).unwrap();
}

fn rbac(plural: &str) -> Resource {
    Resource::new("rbac.authorization.k8s.io", plural)
}

fn custom(world: &World, plural: &str) -> Vec<Arc<Value>> {
    world.all(&Resource::new("longhorn.io", plural))
}

fn one(world: &World, plural: &str, name: &str) -> Arc<Value> {
    let found = world.store.get(&Resource::new("longhorn.io", plural), Some(NAMESPACE), name);
    found.unwrap_or_else(|| panic!("no {plural} {name}"))
}

fn attachments(world: &World) -> Vec<Arc<Value>> {
    world.all(&Resource::new("storage.k8s.io", "volumeattachments"))
}

/// The pods of Longhorn.
fn pods(world: &World) -> Vec<Arc<Value>> {
    world.store.list(&core("pods"), Some(NAMESPACE))
}

fn rights(world: &World, account: &str, home: &str, role: &str) {
    let metadata = |name: &str| json!({"name": name, "namespace": home});
    put(world, &core("serviceaccounts"), json!({"kind": "ServiceAccount", "metadata": metadata(account)}));
    let rules = json!([{"apiGroups": ["longhorn.io"], "resources": ["volumes"], "verbs": ["*"]}]);
    put(world, &rbac("clusterroles"), json!({"kind": "ClusterRole", "metadata": {"name": role}, "rules": rules}));
    let subjects = json!([{"kind": "ServiceAccount", "name": account, "namespace": home}]);
    let reference = json!({"kind": "ClusterRole", "name": role});
    let binding =
        json!({"kind": "ClusterRoleBinding", "metadata": {"name": role}, "roleRef": reference, "subjects": subjects});
    put(world, &rbac("clusterrolebindings"), binding);
}

/// Installs Longhorn as its manifest does; `settings` is the text of its default settings.
fn install(world: &World, settings: &str, replicas: u32) {
    put(
        world,
        &core("namespaces"),
        json!({"kind": "Namespace", "metadata": {"name": NAMESPACE}, "spec": {"finalizers": ["kubernetes"]}}),
    );
    rights(world, "longhorn-service-account", NAMESPACE, "longhorn-role");
    for (plural, kind) in KINDS {
        let versions = json!([{"name": "v1beta1", "served": true, "storage": true}]);
        let spec = json!({"group": "longhorn.io", "names": {"plural": plural, "kind": kind}, "scope": "Namespaced", "versions": versions});
        let name = format!("{plural}.longhorn.io");
        make(world, json!({"kind": "CustomResourceDefinition", "metadata": {"name": name}, "spec": spec}));
    }
    let class = format!(
        "kind: StorageClass\napiVersion: storage.k8s.io/v1\nmetadata: {{name: longhorn}}\nprovisioner: {DRIVER}\nallowVolumeExpansion: true\n\
         parameters: {{fsType: ext4, numberOfReplicas: \"{replicas}\"}}\n"
    );
    for (name, key, text) in [
        ("longhorn-default-setting", "default-setting.yaml", settings),
        ("longhorn-storageclass", "storageclass.yaml", class.as_str()),
    ] {
        let metadata = json!({"name": name, "namespace": NAMESPACE});
        put(world, &core("configmaps"), json!({"kind": "ConfigMap", "metadata": metadata, "data": {key: text}}));
    }
    workloads(world);
    settle(world);
}

fn workloads(world: &World) {
    let metadata = |name: &str| json!({"name": name, "namespace": NAMESPACE});
    let template = |app: &str, spec: Value| {
        let mut template =
            json!({"metadata": {"labels": {"app": app}}, "spec": {"serviceAccountName": "longhorn-service-account"}});
        json_patch::merge(&mut template["spec"], &spec);
        template
    };
    let workload = |kind: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": "apps/v1", "kind": kind, "metadata": metadata(name),
            "spec": {"selector": {"matchLabels": {"app": name}}, "replicas": 1, "template": template(name, spec)},
        })
    };
    let images =
        ["--engine-image", "e/longhorn-engine:v1.2.6", "--instance-manager-image", "e/longhorn-instance-manager:v1"];
    let command = [&["longhorn-manager", "-d", "daemon"], &images[..]].concat();
    let manager = json!({"containers": [{"name": "longhorn-manager", "image": IMAGE, "command": command, "readinessProbe": {"tcpSocket": {"port": 9500}}}]});
    put(world, &super::resource("DaemonSet"), workload("DaemonSet", "longhorn-manager", manager));
    let service = json!({"selector": {"app": "longhorn-manager"}, "ports": [{"port": 9500}]});
    put(
        world,
        &core("services"),
        json!({"kind": "Service", "metadata": metadata("longhorn-backend"), "spec": service}),
    );
    let wait = json!({"name": "wait", "image": IMAGE, "command": ["sh", "-c", "curl http://longhorn-backend:9500/v1"]});
    let deploy = json!({"name": "d", "image": IMAGE, "command": ["longhorn-manager", "deploy-driver", "--manager-image", IMAGE]});
    let deployer = json!({"initContainers": [wait], "containers": [deploy]});
    put(world, &super::resource("Deployment"), workload("Deployment", "longhorn-driver-deployer", deployer));
    let ui = json!({"containers": [{"name": "ui", "image": "longhornio/longhorn-ui:v1.2.6"}]});
    put(world, &super::resource("Deployment"), workload("Deployment", "longhorn-ui", ui));
}

/// Starts the uninstall job.
fn uninstall(world: &World, arguments: &[&str]) {
    rights(world, "longhorn-uninstall-service-account", "default", "longhorn-uninstall-role");
    let container = json!({"name": "longhorn-uninstall", "image": IMAGE, "command": ["longhorn-manager", "uninstall"], "args": arguments});
    let template = json!({"metadata": {}, "spec": {
        "restartPolicy": "OnFailure", "serviceAccountName": "longhorn-uninstall-service-account", "containers": [container],
    }});
    make(
        world,
        json!({"kind": "Job", "metadata": {"name": "longhorn-uninstall", "namespace": "default"}, "spec": {
            "completions": 1, "backoffLimit": 1, "activeDeadlineSeconds": 900, "template": template,
        }}),
    );
    settle(world);
}

/// The condition of the uninstall job that is true.
fn outcome(world: &World) -> String {
    let job = world.store.get(&super::resource("Job"), Some("default"), "longhorn-uninstall").unwrap();
    job["status"]["conditions"][0]["type"].as_str().unwrap_or_default().to_owned()
}

fn claim(name: &str) -> Value {
    json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "longhorn",
    }})
}

/// A pod that uses a claim of its own name.
fn user(name: &str, node: &str) -> Value {
    let volume = json!({"name": "v", "persistentVolumeClaim": {"claimName": name}});
    pod(name, json!({"volumes": [volume], "nodeName": node}))
}
