//! What a user would see in the rendered objects.

use super::*;
use crate::workload::{password_hash, pods};
use serde_json::json;

const HASH: &str = "00,11,10000,SHA512";

fn render(text: &str, provisioner: Option<&str>) -> Vec<Value> {
    objects(&crate::lab::load(text, "test.yaml").unwrap(), provisioner, HASH)
}

fn set(text: &str, provisioner: Option<&str>) -> Value {
    render(text, provisioner).pop().unwrap()
}

fn merge(text: &str) -> String {
    render(text, None)[0]["data"]["merge.cpf"].as_str().unwrap().into()
}

#[test]
fn the_objects_are_complete_labelled_and_in_order() {
    let objects = render("metadata: {name: mine}\nspec: {iris: {namespace: there}}", None);
    let names: Vec<String> = objects.iter().map(|o| crate::model::ObjectRef::of(o).to_string()).collect();
    assert_eq!(
        names,
        ["ConfigMap there/iris-merge-cpf", "Service there/iris", "Service there/iris-ext", "StatefulSet there/data"]
    );
    let labels = json!({"app": "iris", "app.kubernetes.io/managed-by": "iris-lab", "iris-lab/lab": "mine"});
    for object in &objects {
        assert_eq!(object["metadata"]["labels"], labels);
        assert!(object.get("status").is_none());
    }
    let spec = &objects[3]["spec"];
    assert_eq!(spec["template"]["metadata"]["labels"], labels);
    assert_eq!(spec["volumeClaimTemplates"][0]["metadata"]["labels"], labels);
    assert_eq!(spec["volumeClaimTemplates"][1]["metadata"]["labels"], labels);
    let selector = json!({"app": "iris", "iris-lab/lab": "mine"});
    assert_eq!(spec["selector"]["matchLabels"], selector);
    assert_eq!(objects[1]["spec"]["selector"], selector);
    assert_eq!(objects[2]["spec"]["selector"], selector);
    assert_eq!(render("kind: Lab", None), render("kind: Lab", None));
}

#[test]
fn the_plain_merge_file_is_that_of_the_default_lab_without_a_password() {
    let lab = Lab::default();
    let plain = base::<ConfigMap>(CONFIG_MAP).remove(0).data.unwrap();
    assert_eq!(plain["merge.cpf"], cpf::render(&lab, &image(&lab), None));
}

#[test]
fn the_plain_manifests_hold_the_defaults_of_the_lab() {
    let lab = Lab::default();
    let ours = set("kind: Lab", Some("microk8s.io/hostpath"));
    let plain = whole(&base::<StatefulSet>(STATEFUL_SET)[0]);
    for path in [
        "/spec/replicas",
        "/spec/template/spec/containers",
        "/spec/template/spec/initContainers",
        "/spec/template/spec/securityContext",
        "/spec/template/spec/terminationGracePeriodSeconds",
        "/spec/volumeClaimTemplates/0/spec/resources",
        "/spec/volumeClaimTemplates/1/spec/resources",
    ] {
        assert!(plain.pointer(path).is_some(), "{path}");
        assert_eq!(plain.pointer(path), ours.pointer(path), "{path}");
    }
    assert_eq!(pods(&lab), ["data-0", "data-1"]);
}

#[test]
fn the_merge_file_holds_the_hash_and_makes_the_accounts_usable() {
    let text = merge("kind: Lab");
    assert!(text.starts_with(
        "[Startup]\nPasswordHash=00,11,10000,SHA512\nShutdownTimeout=300\nSystemMode=TEST\nWebServer=1\n"
    ));
    for name in ["SuperUser", "_SYSTEM"] {
        assert!(text.contains(&format!("\nModifyUser:Name={name},ChangePassword=0,PasswordNeverExpires=1\n")));
    }
    assert_eq!(password_hash(&render("kind: Lab", None)[0]).as_deref(), Some(HASH));
    assert_eq!(password_hash(&json!({"metadata": {"name": "other"}, "data": {"merge.cpf": text}})), None);
}

#[test]
fn the_web_server_and_actions_are_only_for_images_that_have_them() {
    assert!(
        !merge("spec: {iris: {image: 'containers.intersystems.com/intersystems/iris:2025.1'}}").contains("WebServer")
    );
    assert!(!merge("spec: {iris: {image: 'localhost:32000/simple'}}").contains("WebServer"));
    let old = merge("spec: {iris: {image: 'intersystems/iris-community:2020.4', cpf: {actions: []}}}");
    assert!(!old.contains("[Actions]"), "{old}");
}

#[test]
fn the_lab_decides() {
    let text = "spec:
  iris:
    replicas: 5
    image: localhost:32000/simple:1
    timeZone: JST-9
    storage: {class: longhorn, mgr: 1Gi, data: 2Gi}
    resources: {cpu: 500m, memoryLimit: 2Gi}
    cpf: {startup: {ShutdownTimeout: 600}}
";
    let set = set(text, None);
    let pod = &set["spec"]["template"]["spec"];
    let iris = &pod["containers"][0];
    assert_eq!((&set["spec"]["replicas"], &iris["image"]), (&json!(5), &json!("localhost:32000/simple:1")));
    assert_eq!(iris["resources"], json!({"requests": {"cpu": "500m"}, "limits": {"memory": "2Gi"}}));
    assert_eq!(iris["env"][2], json!({"name": "TZ", "value": "JST-9"}));
    assert_eq!(pod["terminationGracePeriodSeconds"], 630);
    let claims = &set["spec"]["volumeClaimTemplates"];
    for (index, name, size) in [(0, "dbv-mgr", "1Gi"), (1, "dbv-data", "2Gi")] {
        assert_eq!(claims[index]["metadata"]["name"], name);
        assert_eq!(claims[index]["spec"]["storageClassName"], "longhorn");
        assert_eq!(claims[index]["spec"]["resources"]["requests"]["storage"], size);
    }
    assert!(merge(text).contains("\nShutdownTimeout=600\n"));
}

#[test]
fn volumes_that_ignore_fs_group_are_given_to_iris() {
    let init = |provisioner| set("kind: Lab", provisioner)["spec"]["template"]["spec"]["initContainers"].clone();
    assert_eq!(init(None), Value::Null);
    assert_eq!(init(Some("driver.longhorn.io")), Value::Null);
    let container = &init(Some("microk8s.io/hostpath"))[0];
    assert_eq!(container["image"], crate::lab::DEFAULT_IMAGE);
    assert_eq!(container["securityContext"]["runAsUser"], 0);
}

#[test]
fn old_images_get_what_they_need() {
    let text = |tag: &str| format!("spec: {{iris: {{image: 'intersystems/iris-community:{tag}'}}}}");
    let old = set(&text("2021.1.0.215.3"), Some("rancher.io/local-path"));
    let pod = &old["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["fsGroup"], 52773);
    assert_eq!(pod["containers"][0]["args"], json!(["--check-caps", "false"]));
    let args = pod["initContainers"][0]["args"].to_string();
    assert!(
        args.contains(r#""-user","51773""#)
            && args.contains(r#""-group","52773""#)
            && args.contains(r#""51773:52773""#)
    );
    let new = set(&text("2026.1"), None);
    assert_eq!(new["spec"]["template"]["spec"]["securityContext"]["fsGroup"], 51773);
    assert_eq!(new["spec"]["template"]["spec"]["containers"][0].get("args"), None);
}

#[test]
fn only_settings_that_need_a_restart_replace_the_pods() {
    let template = |text: &str| set(text, None)["spec"]["template"].clone();
    let before = template("kind: Lab");
    assert_eq!(before["metadata"]["annotations"][NEEDS_RESTART], "globals=0,0,128,0,0,0 gmheap=307200 routines=80");
    assert_eq!(before, template("spec: {iris: {cpf: {actions: [], startup: {SystemMode: LIVE}}}}"));
    assert_ne!(before, template("spec: {iris: {cpf: {config: {globals: '0,0,256,0,0,0'}}}}"));
}
