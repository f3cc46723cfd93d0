//! Tests of the rules, by their messages.

use super::*;
use crate::sim::{kinds::Kinds, store::Store};

fn target(group: &str, plural: &str) -> Target {
    let kind = Kinds::new(Store::new(), 24).find(group, "v1", plural).unwrap();
    Target { kind, version: "v1".into(), namespace: Some("a".into()), name: None, subresource: None }
}

fn refused(group: &str, plural: &str, object: &Value) -> String {
    new_object(&target(group, plural), object).map_err(|status| status.message).unwrap_err()
}

fn set() -> Value {
    json!({
        "metadata": {"name": "data"},
        "spec": {
            "replicas": 2, "serviceName": "iris", "selector": {"matchLabels": {"app": "iris"}},
            "template": {"metadata": {"labels": {"app": "iris"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}},
        },
    })
}

#[test]
fn a_good_set_is_accepted() {
    assert_eq!(new_object(&target("apps", "statefulsets"), &set()), Ok(()));
}

#[test]
fn selectors_must_match_the_template() {
    let mut set = set();
    set["spec"]["selector"]["matchLabels"]["app"] = json!("other");
    let message = refused("apps", "statefulsets", &set);
    assert_eq!(
        message,
        "StatefulSet.apps \"data\" is invalid: spec.template.metadata.labels: Invalid value: \
         map[string]string{\"app\":\"iris\"}: `selector` does not match template `labels`"
    );
}

#[test]
fn wrong_types_are_refused() {
    let mut set = set();
    set["spec"]["replicas"] = json!("two");
    let message = refused("apps", "statefulsets", &set);
    assert!(message.starts_with("StatefulSet in version \"v1\" cannot be handled as a StatefulSet: "), "{message}");
}

#[test]
fn only_some_fields_of_a_set_can_change() {
    let mut after = set();
    after["spec"]["replicas"] = json!(3);
    assert_eq!(changed_object(&target("apps", "statefulsets"), 24, &set(), &after), Ok(()));
    after["spec"]["serviceName"] = json!("other");
    let status = changed_object(&target("apps", "statefulsets"), 24, &set(), &after).unwrap_err();
    assert_eq!((status.code, status.reason), (422, "Invalid"));
}

#[test]
fn claims_need_a_size() {
    let message = refused(
        "",
        "persistentvolumeclaims",
        &json!({"metadata": {"name": "a"}, "spec": {"accessModes": ["ReadWriteOnce"]}}),
    );
    assert_eq!(message, "PersistentVolumeClaim \"a\" is invalid: spec.resources[storage]: Required value");
}

#[test]
fn names_follow_their_rules() {
    assert!(
        refused("", "services", &json!({"metadata": {"name": "1a"}, "spec": {"ports": [{"port": 1}]}}))
            .contains("DNS-1035")
    );
    assert!(refused("", "configmaps", &json!({"metadata": {"name": "A"}})).contains("lowercase RFC 1123 subdomain"));
    assert!(refused("", "configmaps", &json!({"metadata": {}})).contains("name or generateName is required"));
}
