//! Revisions of pod templates: their hashes, and the ControllerRevisions of StatefulSets and DaemonSets.

use super::object::{apps, controller_reference, int, is_controlled_by, name, text};
use super::world::World;
use serde_json::{Value, json};
use std::sync::Arc;

/// Letters that cannot form words, as Kubernetes uses them in generated names.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Bytes as letters that are safe in names.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// A short hash of a template: equal templates have equal hashes.
pub fn hash(template: &Value) -> String {
    let fnv = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
    let number = template.to_string().as_bytes().iter().fold(2_166_136_261, fnv);
    encode(number.to_string().as_bytes())
}

/// The revisions of one controller, oldest first.
pub fn list(world: &World, owner: &Value) -> Vec<Arc<Value>> {
    let mut all = world.beside(&apps("controllerrevisions"), owner);
    all.retain(|one| is_controlled_by(one, owner));
    all.sort_by_key(|one| int(one, "/revision"));
    all
}

/// The name of the revision of the controller's template as it is now. The revision is made when it is new,
/// with its hash in the label, and is the newest.
pub fn current(world: &World, owner: &Value, label: &str) -> String {
    let revisions = apps("controllerrevisions");
    let hash = hash(&owner["spec"]["template"]);
    let wanted = format!("{}-{hash}", name(owner));
    let all = list(world, owner);
    let newest = all.last().and_then(|one| int(one, "/revision")).unwrap_or(0);
    match all.iter().find(|one| name(one) == wanted) {
        None => {
            let mut labels = owner["spec"]["template"]["metadata"]["labels"].as_object().cloned().unwrap_or_default();
            labels.insert(label.into(), json!(hash));
            let mut template = owner["spec"]["template"].clone();
            template["$patch"] = json!("replace");
            let revision = json!({
                "apiVersion": "apps/v1", "kind": "ControllerRevision",
                "metadata": {"name": wanted, "namespace": owner["metadata"]["namespace"], "labels": labels,
                             "ownerReferences": [controller_reference(owner)]},
                "data": {"spec": {"template": template}}, "revision": newest + 1,
            });
            drop(world.create(&revisions, revision));
        }
        Some(known) if int(known, "/revision") != Some(newest) => {
            world.change(&revisions, known, |one| one["revision"] = json!(newest + 1));
        }
        Some(_) => {}
    }
    wanted
}

/// The template of a revision; the controller's own template when that revision is unknown.
pub fn template(world: &World, owner: &Value, revision: &str) -> Value {
    let known = list(world, owner).into_iter().find(|one| name(one) == revision);
    let mut template = known.map_or(Value::Null, |one| one["data"]["spec"]["template"].clone());
    match template.as_object_mut() {
        Some(fields) => drop(fields.remove("$patch")),
        None => template = owner["spec"]["template"].clone(),
    }
    template
}

/// Deletes old revisions beyond the history limit; those in use stay.
pub fn truncate(world: &World, owner: &Value, in_use: &[&str]) {
    let limit = int(owner, "/spec/revisionHistoryLimit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10);
    let mut old = list(world, owner);
    old.retain(|one| !in_use.contains(&name(one)));
    let surplus = old.len().saturating_sub(limit);
    for revision in &old[..surplus] {
        world.delete(&apps("controllerrevisions"), revision);
    }
}

/// The revision that a pod was made from.
pub fn of_pod(pod: &Value) -> &str {
    text(pod, "/metadata/labels/controller-revision-hash")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_templates_have_equal_hashes() {
        let (a, b) = (json!({"x": 1, "y": 2}), json!({"y": 2, "x": 1}));
        assert_eq!(hash(&a), hash(&b));
        assert_ne!(hash(&a), hash(&json!({"x": 2})));
        assert!(hash(&a).bytes().all(|byte| LETTERS.contains(&byte)));
    }
}
