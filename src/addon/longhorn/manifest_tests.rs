//! What is set in a manifest, ours or an original one, and which originals are taken.

use super::*;
use crate::addon::longhorn::original;
use crate::error::Kind;

fn settings() -> Settings {
    Settings { version: Version::V1_2_6, replicas: 3, sidecars: DEFAULT_SIDECARS, kubelet_root: None }
}

fn named<'a>(objects: &'a [Value], name: &str) -> &'a Value {
    objects.iter().find(|object| object["metadata"]["name"] == name).unwrap()
}

fn variables_of(objects: &[Value]) -> Vec<(String, String)> {
    let container = &named(objects, "longhorn-driver-deployer")["spec"]["template"]["spec"]["containers"][0];
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let set = container["env"].as_array().unwrap().iter().filter(|variable| variable["value"].is_string());
    set.map(|variable| (text(&variable["name"]), text(&variable["value"]))).collect()
}

/// The defaults that a manifest has, and what becomes of them.
fn defaults(text: &str) -> Value {
    let mut objects = super::objects(&settings()).unwrap();
    let map = objects.iter_mut().find(|object| object["metadata"]["name"] == "longhorn-default-setting").unwrap();
    map["data"]["default-setting.yaml"] = text.into();
    let adjusted = adjust(objects, &settings()).unwrap();
    yaml::parse(named(&adjusted, "longhorn-default-setting")["data"]["default-setting.yaml"].as_str().unwrap()).unwrap()
}

#[test]
fn a_small_lab_has_one_of_everything() {
    let settings = Settings { replicas: 1, sidecars: 1, kubelet_root: Some("/var/snap/kubelet".into()), ..settings() };
    let objects = objects(&settings).unwrap();
    let class = named(&objects, "longhorn-storageclass")["data"]["storageclass.yaml"].as_str().unwrap();
    let class: Value = yaml::parse(class).unwrap();
    assert_eq!(class["parameters"]["numberOfReplicas"], "1");
    assert_eq!(class["parameters"]["fsType"], "ext4", "without it the kubelet ignores fsGroup");
    let one = |name: &str| (name.to_string(), "1".to_string());
    let mut wanted: Vec<_> = SIDECAR_COUNTS.iter().map(|name| one(name)).collect();
    wanted.push(("KUBELET_ROOT_DIR".into(), "/var/snap/kubelet".into()));
    assert_eq!(variables_of(&objects), wanted);
    let again = adjust(objects.clone(), &settings).unwrap();
    assert_eq!(again, objects, "what is set once is not set twice");
    let said = adjustments(&settings);
    assert!(said.iter().any(|line| line.starts_with("numberOfReplicas 1")), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("KUBELET_ROOT_DIR /var/snap/kubelet")), "{said:?}");
}

#[test]
fn three_sidecars_are_longhorns_own_default() {
    assert_eq!(variables_of(&objects(&settings()).unwrap()), []);
}

#[test]
fn a_pod_on_a_dead_node_comes_back_unless_somebody_decided_otherwise() {
    let ours = json!({ "node-down-pod-deletion-policy": "delete-statefulset-pod" });
    assert_eq!(defaults("#backup-target:\n"), ours, "the originals from 1.2.5 on have comments only");
    assert_eq!(defaults("backup-target:\nnode-down-pod-deletion-policy:\n"), ours, "the older ones have empty entries");
    assert_eq!(
        defaults("node-down-pod-deletion-policy: do-nothing\nupgrade-checker: false\n"),
        json!({ "node-down-pod-deletion-policy": "do-nothing", "upgrade-checker": false })
    );
}

#[test]
fn a_manifest_without_the_place_for_a_setting_is_refused() {
    let all = objects(&settings()).unwrap();
    for name in ["longhorn-storageclass", "longhorn-default-setting", "longhorn-driver-deployer"] {
        let less = all.iter().filter(|object| object["metadata"]["name"] != name).cloned().collect();
        let failure = adjust(less, &settings()).unwrap_err();
        assert!(failure.causes[0].contains(name), "{failure}");
    }
}

#[test]
fn an_original_is_known_by_its_sum() {
    let text = yaml::to_documents(&objects(&Settings { version: Version::V1_2_4, ..settings() }).unwrap());
    let (sum, other) = ("a".repeat(64), "b".repeat(64));
    let unknown = original::read(&text, &sum, None, "my.yaml").unwrap_err();
    assert_eq!(unknown.kind, Kind::Requirement);
    assert!(unknown.message.contains("my.yaml is no original manifest") && unknown.causes[0].contains(&sum));
    let mismatch = original::read(&text, &sum, Some(&other), "my.yaml").unwrap_err();
    assert!(mismatch.causes[0].contains(&sum) && mismatch.causes[1].contains(&other), "{mismatch}");
    let named = original::read(&text, &sum, Some(&sum.to_uppercase()), "my.yaml").unwrap();
    assert_eq!(named.version, Version::V1_2_4, "its manager's image tells");
    assert_eq!(named.objects.len(), 31);
}

#[test]
fn what_is_no_manifest_of_a_release_that_we_install_is_refused() {
    let sum = "a".repeat(64);
    let read = |text: &str| original::read(text, &sum, Some(&sum), "my.yaml").unwrap_err();
    assert_eq!(read("kind: Thing\n").message, "my.yaml is no Kubernetes manifest");
    assert_eq!(read("{").message, "my.yaml: the YAML is not valid");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";
    assert_eq!(read(pod).message, "my.yaml is no manifest of Longhorn");
    let newer = yaml::to_documents(&objects(&settings()).unwrap())
        .replace("longhorn-manager:v1.2.6", "longhorn-manager:v1.4.0");
    assert!(read(&newer).causes[0].starts_with("Longhorn 1.4.0 is unknown"));
}

#[test]
fn nulls_of_an_original_are_left_out() {
    let (sum, mut objects) = ("a".repeat(64), objects(&settings()).unwrap());
    objects.iter_mut().filter(|object| object["kind"] == "Service").for_each(|service| {
        if service["spec"]["ports"].is_array() {
            service["spec"]["ports"][0]["nodePort"] = Value::Null;
        }
    });
    let read = original::read(&yaml::to_documents(&objects), &sum, Some(&sum), "my.yaml").unwrap();
    assert!(!serde_json::to_string(&read.objects).unwrap().contains(":null"));
}
