//! What belongs to others on the same cluster and must come through every `reset` untouched.

use super::breakage::let_go;
use crate::scenario::inventory;
use crate::support::{Lab, same};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const THINGS: &str = "/apis/example.com/v1/namespaces/bystander/things";
const PATHS: &[&str] = &[
    "/api/v1/namespaces/bystander",
    "/api/v1/namespaces/leaving",
    "/api/v1/namespaces/leaving/configmaps/held",
    "/api/v1/namespaces/bystander/persistentvolumeclaims/theirs",
    "/apis/storage.k8s.io/v1/storageclasses/theirs",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com",
    "/apis/example.com/v1/namespaces/bystander/things/one",
    "/apis/example.com/v1/namespaces/bystander/things/going",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/theirs",
];
/// Those that have a finalizer.
const HELD: &[&str] = &[
    "/api/v1/namespaces/leaving/configmaps/held",
    "/apis/example.com/v1/namespaces/bystander/things/one",
    "/apis/example.com/v1/namespaces/bystander/things/going",
];

/// Tries something beside them: they come through it untouched, and the cluster is after it as it was before.
pub fn untouched(lab: &Lab, test: impl FnOnce()) {
    let before = inventory(lab);
    let bystanders = Bystanders::make(lab);
    test();
    bystanders.are_untouched();
    drop(bystanders);
    same(&before, &inventory(lab), "left in the cluster");
}

/// Objects of somebody else, as they were before.
struct Bystanders<'a> {
    lab: &'a Lab,
    before: BTreeMap<String, Value>,
}

impl<'a> Bystanders<'a> {
    /// Makes them: a definition with objects that have finalizers, another namespace that is stuck, another storage class with a
    /// claim, another webhook.
    fn make(lab: &'a Lab) -> Self {
        let reader = lab.reader();
        for name in ["bystander", "leaving"] {
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            reader.create("/api/v1/namespaces", &namespace);
        }
        let held = json!({ "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "held", "finalizers": ["example.com/backup"] } });
        reader.create("/api/v1/namespaces/leaving/configmaps", &held);
        reader.create(DEFINITIONS, &definition());
        reader.wait_until(&format!("{DEFINITIONS}/things.example.com"), |definition| {
            let conditions = definition["status"]["conditions"].as_array();
            conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Established" && one["status"] == "True"))
        });
        for name in ["one", "going"] {
            let thing = json!({ "apiVersion": "example.com/v1", "kind": "Thing",
                "metadata": { "name": name, "finalizers": ["example.com/hold", "longhorn.io"] } });
            reader.create(THINGS, &thing);
        }
        reader.delete(&format!("{THINGS}/going"));
        let class = json!({ "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "theirs" },
            "provisioner": "microk8s.io/hostpath", "reclaimPolicy": "Delete" });
        reader.create("/apis/storage.k8s.io/v1/storageclasses", &class);
        let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "theirs" },
            "spec": { "storageClassName": "theirs", "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "1Mi" } } } });
        reader.create("/api/v1/namespaces/bystander/persistentvolumeclaims", &claim);
        reader.wait_until("/api/v1/namespaces/bystander/persistentvolumeclaims/theirs", |claim| {
            claim["status"]["phase"] == "Bound"
        });
        reader.create("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", &webhook());
        reader.delete("/api/v1/namespaces/leaving");
        reader.wait_until("/api/v1/namespaces/leaving", |namespace| {
            namespace["status"]["conditions"].as_array().is_some_and(|all| all.len() >= 5)
        });
        Bystanders { lab, before: seen(lab) }
    }

    /// Fails the test unless each is there with the resource version that it had.
    #[track_caller]
    fn are_untouched(&self) {
        for (path, version) in seen(self.lab) {
            assert_eq!(self.before.get(&path), Some(&version), "{path} was touched");
        }
    }
}

impl Drop for Bystanders<'_> {
    /// Removes them again, after a failure too: the next test on the same cluster makes them anew.
    fn drop(&mut self) {
        let reader = self.lab.reader();
        for path in HELD {
            if reader.get(path).is_some() {
                let_go(self.lab, path);
            }
        }
        for path in PATHS.iter().rev().filter(|path| !HELD.contains(path) && !path.ends_with("/leaving")) {
            reader.delete(path);
        }
        if !std::thread::panicking() {
            reader.wait_until_gone("/api/v1/namespaces", "leaving");
            reader.wait_until_gone("/api/v1/namespaces", "bystander");
            reader.wait_until_gone(DEFINITIONS, "things.example.com");
        }
    }
}

/// The resource version of each. A namespace that is stuck has its conditions written anew by the cluster's own controller, also
/// because of what happens to other namespaces: of that one, all but the status.
fn seen(lab: &Lab) -> BTreeMap<String, Value> {
    let version = |path: &&str| {
        let object = lab.reader().get(path).unwrap_or_else(|| panic!("{path} is gone"));
        let metadata = &object["metadata"];
        let lasting = match path.ends_with("/leaving") {
            true => json!([metadata["uid"], metadata["labels"], metadata["annotations"], object["spec"]]),
            false => metadata["resourceVersion"].clone(),
        };
        (path.to_string(), lasting)
    };
    PATHS.iter().map(version).collect()
}

fn definition() -> Value {
    let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
    json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "things.example.com" },
        "spec": { "group": "example.com", "scope": "Namespaced",
            "names": { "plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }] } })
}

fn webhook() -> Value {
    json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": "theirs" },
        "webhooks": [{ "name": "theirs.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "failurePolicy": "Ignore", "timeoutSeconds": 1,
            "clientConfig": { "service": { "name": "theirs", "namespace": "bystander" } },
            "rules": [{ "apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["nothings"] }] }] })
}
