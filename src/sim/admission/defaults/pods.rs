//! Defaults of pods and pod templates.

use super::{default, defaults, each};
use crate::sim::admission::names::suffix;
use crate::sim::store::resource::object_mut;
use serde_json::{Value, json};

/// A pod by itself.
pub(super) fn pod(pod: &mut Value) {
    spec(&mut pod["spec"]);
    default(&mut pod["spec"], "enableServiceLinks", json!(true));
    for field in ["containers", "initContainers"] {
        for container in each(&mut pod["spec"], field) {
            let limits = container["resources"]["limits"].clone();
            if let (Value::Object(limits), Value::Object(resources)) = (limits, &mut container["resources"]) {
                let requests = object_mut(resources.entry("requests").or_insert_with(|| json!({})));
                for (name, value) in limits {
                    requests.entry(name).or_insert(value);
                }
            }
        }
    }
    if pod["status"]["phase"].is_null() {
        let class = quality(&pod["spec"]);
        defaults(&mut pod["status"], json!({"phase": "Pending", "qosClass": class}));
    }
}

/// What the admission plug-ins of a real cluster add to a new pod: the service account with its token, tolerations, priority.
pub fn admit(pod: &mut Value) {
    let spec = &mut pod["spec"];
    default(spec, "serviceAccountName", json!("default"));
    spec["serviceAccount"] = spec["serviceAccountName"].clone();
    defaults(spec, json!({"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}));
    let tolerations = object_mut(spec).entry("tolerations").or_insert_with(|| json!([]));
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let Some(list) = tolerations.as_array_mut() else { break };
        let covers = |one: &Value| one["key"] == key || (one["key"].is_null() && one["operator"] == "Exists");
        if !list.iter().any(covers) {
            list.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
    if spec["automountServiceAccountToken"] != false {
        mount_token(spec);
    }
}

fn mount_token(spec: &mut Value) {
    let path = "/var/run/secrets/kubernetes.io/serviceaccount";
    let name = format!("kube-api-access-{}", suffix());
    let mut mounted = false;
    for field in ["containers", "initContainers"] {
        for container in each(spec, field) {
            let mounts = object_mut(container).entry("volumeMounts").or_insert_with(|| json!([]));
            if let Some(mounts) = mounts.as_array_mut().filter(|list| !list.iter().any(|one| one["mountPath"] == path))
            {
                mounts.push(json!({"name": name, "readOnly": true, "mountPath": path}));
                mounted = true;
            }
        }
    }
    if !mounted {
        return;
    }
    let namespace = json!({"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}});
    let sources = json!([
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]);
    let volumes = object_mut(spec).entry("volumes").or_insert_with(|| json!([]));
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.push(json!({"name": name, "projected": {"defaultMode": 420, "sources": sources}}));
    }
}

/// The specification of a pod or of a template.
pub(super) fn spec(spec: &mut Value) {
    defaults(
        spec,
        json!({
            "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
            "schedulerName": "default-scheduler", "securityContext": {},
        }),
    );
    if let Some(account) = spec.get("serviceAccountName").filter(|account| !account.is_null()).cloned() {
        default(spec, "serviceAccount", account);
    }
    for field in ["containers", "initContainers"] {
        each(spec, field).for_each(container);
    }
    each(spec, "volumes").for_each(volume);
}

fn container(container: &mut Value) {
    let policy = pull_policy(container["image"].as_str().unwrap_or_default());
    defaults(
        container,
        json!({
            "imagePullPolicy": policy, "resources": {}, "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }),
    );
    each(container, "ports").for_each(|port| default(port, "protocol", json!("TCP")));
    for variable in each(container, "env") {
        if variable["valueFrom"]["fieldRef"].is_object() {
            default(&mut variable["valueFrom"]["fieldRef"], "apiVersion", json!("v1"));
        }
    }
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(field).filter(|probe| probe.is_object()) {
            defaults(
                probe,
                json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}),
            );
            if let Some(get) = probe.get_mut("httpGet").filter(|get| get.is_object()) {
                defaults(get, json!({"scheme": "HTTP", "path": "/"}));
            }
        }
    }
}

/// Images whose tag moves are pulled again each time.
fn pull_policy(image: &str) -> &'static str {
    let last = image.rsplit('/').next().unwrap_or_default();
    let by_digest = last.contains('@');
    match last.rsplit_once(':') {
        _ if by_digest => "IfNotPresent",
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn volume(volume: &mut Value) {
    for source in ["configMap", "secret", "downwardAPI", "projected"] {
        if let Some(source) = volume.get_mut(source).filter(|source| source.is_object()) {
            default(source, "defaultMode", json!(420));
        }
    }
    if let Some(path) = volume.get_mut("hostPath").filter(|path| path.is_object()) {
        default(path, "type", json!(""));
    }
    if volume.as_object().is_some_and(|volume| volume.keys().all(|key| key == "name")) {
        default(volume, "emptyDir", json!({}));
    }
}

/// The quality-of-service class.
fn quality(spec: &Value) -> &'static str {
    let containers: Vec<&Value> = ["containers", "initContainers"]
        .iter()
        .flat_map(|field| spec[*field].as_array().into_iter().flatten())
        .collect();
    let empty = |one: &&Value| {
        let count = |field: &str| one["resources"][field].as_object().map_or(0, serde_json::Map::len);
        count("requests") + count("limits") == 0
    };
    let full = |one: &&Value| {
        let limits = &one["resources"]["limits"];
        ["cpu", "memory"].iter().all(|name| {
            let request = &one["resources"]["requests"][*name];
            !limits[*name].is_null() && (request.is_null() || *request == limits[*name])
        })
    };
    match () {
        () if containers.iter().all(empty) => "BestEffort",
        () if containers.iter().all(full) => "Guaranteed",
        () => "Burstable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_policies_follow_the_tag() {
        let expected = [
            ("iris", "Always"),
            ("r:5000/iris", "Always"),
            ("iris:latest", "Always"),
            ("r:5000/iris:1", "IfNotPresent"),
            ("iris@sha256:0", "IfNotPresent"),
        ];
        for (image, policy) in expected {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn limits_are_requests_too() {
        let mut object =
            json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]}});
        pod(&mut object);
        assert_eq!(object["spec"]["containers"][0]["resources"]["requests"]["cpu"], "1");
        assert_eq!(object["status"]["qosClass"], "Guaranteed");
    }
}
