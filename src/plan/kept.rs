//! Volumes that are there already decide on sizes: they cannot become smaller, and claim templates cannot be changed.

use crate::lab::Lab;
use crate::model::{Facts, ObjectRef, Quantity};
use crate::workload;
use serde_json::Value;

/// The lab with the sizes that it can have: those of the StatefulSet's claim templates while it is there, else those of volumes that
/// are larger than asked for, because `resize` made them so.
pub fn sizes(lab: &Lab, facts: &Facts) -> Lab {
    let mut lab = lab.clone();
    let set = facts.find(&set(&lab));
    let storage = &mut lab.spec.iris.storage;
    for (template, size) in workload::CLAIM_TEMPLATES.into_iter().zip([&mut storage.mgr, &mut storage.data]) {
        if let Some(given) = set.and_then(|set| of_template(set, template)) {
            if Quantity::parse(given) != Quantity::parse(size) {
                *size = given.into();
            }
            continue;
        }
        let found = facts.claims.iter().filter(|claim| is_of(claim, template)).filter_map(requested);
        let largest = found.max_by_key(|size| Quantity::parse(size));
        if let Some(largest) = largest.filter(|largest| Quantity::parse(largest) > Quantity::parse(size)) {
            *size = largest.into();
        }
    }
    lab
}

/// The StatefulSet of a lab.
pub fn set(lab: &Lab) -> ObjectRef {
    ObjectRef::new("apps/v1", "StatefulSet", Some(&lab.spec.iris.namespace), workload::STATEFUL_SET)
}

/// Whether a claim was made from this template.
pub fn is_of(claim: &Value, template: &str) -> bool {
    let name = claim["metadata"]["name"].as_str().unwrap_or_default();
    name.strip_prefix(template).is_some_and(|rest| rest.starts_with('-'))
}

/// The size that a claim, or a template of claims, asks for.
pub fn requested(claim: &Value) -> Option<&str> {
    claim.pointer("/spec/resources/requests/storage")?.as_str()
}

/// The size in a template of a StatefulSet.
fn of_template<'a>(set: &'a Value, template: &str) -> Option<&'a str> {
    let templates = set.pointer("/spec/volumeClaimTemplates")?.as_array()?;
    requested(templates.iter().find(|one| one["metadata"]["name"] == template)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claim(name: &str, size: &str) -> Value {
        json!({ "metadata": { "name": name }, "spec": { "resources": { "requests": { "storage": size } } } })
    }

    fn of(facts: &Facts) -> (String, String) {
        let storage = sizes(&Lab::default(), facts).spec.iris.storage;
        (storage.mgr, storage.data)
    }

    #[test]
    fn volumes_that_were_grown_stay_so() {
        let claims = [("dbv-mgr-data-0", "5120Mi"), ("dbv-data-data-0", "10Gi"), ("dbv-data-data-1", "8Gi")];
        let facts = Facts { claims: claims.map(|(name, size)| claim(name, size)).into(), ..Facts::default() };
        assert_eq!(of(&facts), ("5Gi".into(), "10Gi".into()), "the same size keeps the lab's own words");
        let small = Facts { claims: vec![claim("dbv-data-data-0", "1Gi")], ..Facts::default() };
        assert_eq!(of(&small), ("5Gi".into(), "5Gi".into()), "a check of `up` speaks of it");
    }

    #[test]
    fn a_stateful_set_that_is_there_cannot_be_given_another_size() {
        let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "data", "namespace": "iris-lab" },
            "spec": { "volumeClaimTemplates": [claim("dbv-mgr", "6Gi"), claim("dbv-data", "5Gi")] } });
        let claims = vec![claim("dbv-data-data-0", "10Gi")];
        assert_eq!(of(&Facts { objects: vec![set], claims, ..Facts::default() }), ("6Gi".into(), "5Gi".into()));
    }
}
