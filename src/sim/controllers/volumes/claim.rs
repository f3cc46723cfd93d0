//! What everybody asks about claims, volumes and storage classes.

use crate::sim::controllers::object::{annotation, core, expression, items, text, uid};
use crate::sim::controllers::world::{Source, World};
use crate::sim::store::Resource;
use serde_json::{Value, json};
use std::sync::Arc;

/// Who binds claims and volumes.
pub const SOURCE: Source = Source::new("persistentvolume-controller");

/// The resource of claims.
pub fn claims() -> Resource {
    core("persistentvolumeclaims")
}

/// The resource of volumes.
pub fn volumes() -> Resource {
    core("persistentvolumes")
}

/// A storage class by its name.
pub fn class(world: &World, name: &str) -> Option<Arc<Value>> {
    world.store.get(&Resource::new("storage.k8s.io", "storageclasses"), None, name)
}

/// The default storage class; the newest of several.
pub fn default_class(world: &World) -> Option<Arc<Value>> {
    let is_default = |class: &&Arc<Value>| {
        let keys = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
        keys.iter().any(|key| annotation(class, key) == Some("true"))
    };
    let all = world.all(&Resource::new("storage.k8s.io", "storageclasses"));
    let newest = |class: &&Arc<Value>| text(class, "/metadata/creationTimestamp").to_owned();
    all.iter().filter(is_default).max_by_key(newest).cloned()
}

/// Whether a class waits with its volumes for the pod that uses them.
pub fn waits_for_consumer(class: &Value) -> bool {
    text(class, "/volumeBindingMode") == "WaitForFirstConsumer"
}

/// Whether a claim has its volume.
pub fn is_bound(claim: &Value) -> bool {
    text(claim, "/status/phase") == "Bound" && !text(claim, "/spec/volumeName").is_empty()
}

/// Reports something about a claim once, for as long as it stays so.
pub fn once(world: &World, claim: &Value, kind: &str, reason: &str, message: &str) {
    if world.once(format!("claim/{}/{reason}/{message}", uid(claim))) {
        match kind {
            "Normal" => world.normal(SOURCE, claim, reason, message),
            _ => world.warning(SOURCE, claim, reason, message),
        }
    }
}

/// What a volume says about its claim.
pub fn claim_reference(claim: &Value) -> Value {
    let metadata = &claim["metadata"];
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": metadata["namespace"], "name": metadata["name"],
        "uid": metadata["uid"],
    })
}

/// Whether a claim's volume may be used on a node.
pub fn reaches(volume: &Value, node: &Value) -> bool {
    let terms = items(volume, "/spec/nodeAffinity/required/nodeSelectorTerms");
    let labels = &node["metadata"]["labels"];
    let matches = |term: &Value| items(term, "/matchExpressions").iter().all(|one| expression(one, labels));
    terms.is_empty() || terms.iter().any(matches)
}
