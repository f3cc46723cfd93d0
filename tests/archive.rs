//! `support`: one archive that only its owner reads, with all that helps and without any secret, whatever is there.

use crate::support::{Lab, Place, Run};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The files of an archive, without the one folder that they are in.
fn unpacked(path: &Path) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(path).unwrap()));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(name.split_once('/').unwrap().1.to_string(), text);
    }
    files
}

/// Runs it into a file, and what is in that.
fn support(lab: &Lab) -> (Value, BTreeMap<String, String>) {
    let file = lab.scratch.dir("work").join(format!("{}.tar.gz", lab.name));
    let _ = std::fs::remove_file(&file);
    let run = lab.run(&["support", file.to_str().unwrap(), "--name", &lab.name, "-o", "json"]).exits(0);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    (run.json(), unpacked(&file))
}

const MARK: &str = "planted";

/// A secret that no other place has.
fn secret(number: usize) -> String {
    format!("{MARK}{number}Zq7xK2vN9")
}

/// Secrets in places where people leave them: objects, logs, and files of the lab.
fn plant(lab: &Lab) {
    let here = format!("/api/v1/namespaces/{}", lab.namespace);
    let reader = lab.reader();
    let metadata = |name: &str| json!({ "name": name });
    let data = json!({ "password": "cGxhbnRlZDFacTd4SzJ2Tjk=" });
    let applied = json!({ "kind": "Secret", "stringData": { "a": secret(2) } }).to_string();
    reader.create(
        &format!("{here}/secrets"),
        &json!({ "metadata": { "name": "own", "annotations": { "kubectl.kubernetes.io/last-applied-configuration": applied } },
            "data": data, "stringData": { "token": secret(3) }, "type": "Opaque" }),
    );
    let key = format!("-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n", secret(4));
    let settings = format!(
        "url=https://ann:{}@example.com/x\nAuthorization: Bearer {}\n[Startup]\nPasswordHash={},abcdefgh\n{key}DB_PASSWORD={}\n",
        secret(5),
        secret(6),
        secret(7),
        secret(8)
    );
    reader.create(
        &format!("{here}/configmaps"),
        &json!({ "metadata": metadata("settings"), "data": { "app.ini": settings, "apiKey": secret(9) } }),
    );
    let env = json!([{ "name": "MY_TOKEN", "value": secret(10) }, { "name": "PLAIN", "value": "stays-here" }]);
    let containers = json!([{ "name": "c", "image": "busybox:1.36", "env": env,
        "command": ["sh", "-c", format!("echo --password {}; sleep 1", secret(11))] }]);
    reader
        .create(&format!("{here}/pods"), &json!({ "metadata": metadata("own"), "spec": { "containers": containers } }));
    let record = lab.state().join(&lab.name).join("last-run.jsonl");
    let mut text = std::fs::read_to_string(&record).unwrap();
    let line = json!({ "at": 1.0, "event": "note", "text": format!("password={}", secret(12)) });
    text += &format!("{line}\n");
    std::fs::write(record, text).unwrap();
}

/// No file has a planted secret, the lab's password or its hash, or a key of a kubeconfig.
#[track_caller]
fn has_no_secret(lab: &Lab, files: &BTreeMap<String, String>) {
    let dir = lab.state().join(&lab.name);
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
    let kubeconfig: Value = iris_lab::yaml::parse(&read("kubeconfig")).unwrap_or_default();
    let mut secrets = vec![MARK.to_string(), "cGxhbnRlZ".into(), read("password").trim().into()];
    secrets.extend(lab.hash().split(',').filter(|part| part.len() > 10).map(Into::into));
    for field in ["token", "client-key-data", "password"] {
        secrets.extend(kubeconfig["users"][0]["user"][field].as_str().map(Into::into));
    }
    secrets.retain(|secret| !secret.is_empty());
    assert!(secrets.len() >= 4, "{secrets:?}");
    for (name, text) in files {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{name} has {secret}:\n{text}");
        }
    }
}

/// Who runs this, without whom a host is not looked at.
fn user(lab: &Lab) {
    lab.stand_in("id", "case $1 in -u) echo 1000;; *) echo ann;; esac");
}

fn whole(lab: &Lab) {
    user(lab);
    plant(lab);
    let (summary, files) = support(lab);
    has_no_secret(lab, &files);
    let there = &format!("cluster/{}", lab.namespace);
    for name in [
        "README.txt".to_string(),
        "versions.json".into(),
        "host/facts.json".into(),
        "host/doctor.txt".into(),
        "lab/journal.jsonl".into(),
        "lab/last-run.jsonl".into(),
        "lab/lab.yaml".into(),
        "lab/plan.txt".into(),
        "lab/status.txt".into(),
        "lab/explain.txt".into(),
        "lab/explain.json".into(),
        "cluster/version.txt".into(),
        "cluster/nodes.yaml".into(),
        format!("{there}/pods.yaml"),
        format!("{there}/secrets.yaml"),
        format!("{there}/configmaps.yaml"),
        format!("{there}/statefulsets.apps.yaml"),
        format!("{there}/events.yaml"),
        "logs/data-0/iris.log".into(),
    ] {
        assert!(files.contains_key(&name), "no {name} in {:#?}", files.keys().collect::<Vec<_>>());
    }
    assert_eq!(summary["missing"], json!([]));
    assert!(files[&format!("{there}/pods.yaml")].contains("stays-here"));
    assert!(files[&format!("{there}/secrets.yaml")].contains("name: own"));
    assert!(files["lab/lab.yaml"].contains("kind: Lab") && files["lab/plan.txt"].contains("data-0"));
    assert!(files["README.txt"].contains("Missing:\n  nothing"));
    // What is a document stays one.
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".yaml")) {
        iris_lab::yaml::documents(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
        serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn it_has_all_that_helps_and_no_secret() {
    let lab = Lab::on_sim();
    lab.up(&[]).exits(0);
    whole(&lab);
}

#[test]
fn it_has_all_that_helps_and_no_secret_on_a_real_cluster() {
    let Some(place) = Place::real_at_length() else { return };
    let lab = Lab::new(place, "e2e-support");
    lab.up(&[]).exits(0);
    whole(&lab);
    lab.reset().exits(0);
}

/// The archive that a run without a file's name has left in its folder.
fn left(lab: &Lab, run: &Run) -> PathBuf {
    let entries = std::fs::read_dir(lab.scratch.dir("work")).unwrap().flatten().map(|entry| entry.path());
    let mut archives = entries.filter(|path| path.extension().is_some_and(|end| end == "gz"));
    archives.next().unwrap_or_else(|| panic!("no archive\n{}", run.transcript()))
}

#[test]
fn without_a_lab_it_is_about_this_host() {
    let lab = Lab::on_sim();
    user(&lab);
    let run = lab.run(&["support"]).exits(0).says("there is no lab on this host");
    let path = left(&lab, &run);
    assert!(path.file_name().unwrap().to_str().unwrap().starts_with("iris-lab-support-host-"));
    let files = unpacked(&path);
    assert!(
        files.contains_key("host/facts.json")
            && files.contains_key("host/doctor.txt")
            && files["README.txt"].contains("lab/: there is no lab on this host")
    );
    lab.is_gone();
}

#[test]
fn a_cluster_that_does_not_answer_is_missing_and_no_failure() {
    let lab = Lab::new(Place::served(), "away");
    lab.up(&[]).exits(0);
    let kubeconfig = lab.kubeconfig();
    let text = std::fs::read_to_string(&kubeconfig).unwrap();
    std::fs::write(&kubeconfig, text.replace("https://127.0.0.1:", "https://127.0.0.9:")).unwrap();
    let (summary, files) = support(&lab);
    std::fs::write(&kubeconfig, text).unwrap();
    let missing = summary["missing"].as_array().unwrap();
    assert!(missing.iter().any(|line| line.as_str().unwrap().starts_with("cluster/: cannot reach")), "{summary:#}");
    for name in ["lab/journal.jsonl", "versions.json", "host/doctor.txt"] {
        assert!(files.contains_key(name), "no {name}: {summary:#}");
    }
    has_no_secret(&lab, &files);
}

#[test]
fn what_may_not_be_read_is_missing_with_its_reason() {
    let lab = Lab::on_sim();
    let faults = lab.file("faults.yaml", "api: {forbid: [{verb: list, resource: secrets}]}\n");
    lab.up(&["--sim-faults", faults.to_str().unwrap()]).exits(0);
    let (summary, files) = support(&lab);
    let missing = summary["missing"].to_string();
    assert!(missing.contains("secrets.yaml: not allowed to list secrets"), "{missing}");
    assert!(files["README.txt"].contains("not allowed to list secrets"));
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let lab = Lab::on_sim();
    let path = lab.file("mine.tar.gz", "mine");
    lab.run(&["support", path.to_str().unwrap()]).exits(2).says("cannot write").says("iris-lab support FILE");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "mine");
}
