//! `iris-lab render longhorn`: the manifest of every release, word by word, and that it is sound whatever is asked.

use crate::support::{Lab, golden};
use serde_json::Value;
use similar::TextDiff;

const RELEASES: [&str; 6] = ["1.2.1", "1.2.2", "1.2.3", "1.2.4", "1.2.5", "1.2.6"];

/// What is applied for a release, and the job that removes it.
fn rendered(lab: &Lab, version: &str) -> String {
    let print = |more: &[&str]| lab.run(&[&["render", "longhorn", "--version", version], more].concat()).exits(0).out;
    format!("{}# The uninstall job.\n{}", print(&[]), print(&["--uninstall"]))
}

/// The newest release whole, and for each older one what its successor changed.
#[test]
fn longhorn_of_every_release() {
    let lab = Lab::on_sim();
    let texts: Vec<String> = RELEASES.iter().map(|version| rendered(&lab, version)).collect();
    golden("longhorn/1.2.6", &texts[5]);
    for (pair, names) in texts.windows(2).zip(RELEASES.windows(2)) {
        let diff = TextDiff::from_lines(&pair[0], &pair[1]);
        let (old, new) = (names[0], names[1]);
        golden(
            &format!("longhorn/{old}-to-{new}"),
            &diff.unified_diff().context_radius(1).header(old, new).to_string(),
        );
    }
    lab.is_gone();
}

fn objects(lab: &Lab, args: &[&str]) -> Vec<Value> {
    let run = lab.run(&[&["render", "longhorn", "-o", "json"], args].concat()).exits(0);
    run.json()["items"].as_array().unwrap().clone()
}

#[test]
fn longhorn_is_sound_in_every_release() {
    let lab = Lab::on_sim();
    for version in RELEASES {
        let objects = objects(&lab, &["--version", version]);
        assert_eq!(objects.len(), if version < "1.2.3" { 29 } else { 31 });
        let text = serde_json::to_string(&objects).unwrap();
        assert!(text.contains(&format!("longhornio/longhorn-manager:v{version}\"")));
        assert!(version == "1.2.6" || !text.contains("v1.2.6"), "an image of 1.2.6 is left in {version}");
        let first = |kind: &str| objects.iter().position(|object| object["kind"] == kind).unwrap();
        assert!(first("Namespace") < first("ServiceAccount") && first("CustomResourceDefinition") < first("DaemonSet"));
        for port in objects.iter().filter_map(|o| o.pointer("/spec/ports")?.as_array()).flatten() {
            assert_eq!(port["protocol"], "TCP", "server-side apply of Kubernetes 1.20 needs it");
        }
        assert_eq!(objects_of_uninstall(&lab, version), 5);
    }
    lab.is_gone();
}

fn objects_of_uninstall(lab: &Lab, version: &str) -> usize {
    let objects = objects(lab, &["--version", version, "--uninstall"]);
    let job = objects.iter().find(|object| object["kind"] == "Job").unwrap();
    assert_eq!(job["metadata"]["namespace"], "default", "it must run while longhorn-system is being deleted");
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], format!("longhornio/longhorn-manager:v{version}"));
    assert_eq!(container["imagePullPolicy"], "IfNotPresent", "it must run without a network");
    objects.len()
}

#[test]
fn copies_of_each_volume_are_set() {
    let lab = Lab::on_sim();
    let objects = objects(&lab, &["--replicas", "1"]);
    let class = objects.iter().find(|object| object["metadata"]["name"] == "longhorn-storageclass").unwrap();
    assert!(class["data"]["storageclass.yaml"].as_str().unwrap().contains("numberOfReplicas: '1'"));
    lab.is_gone();
}

#[test]
fn a_release_that_is_not_offered_says_why() {
    let lab = Lab::on_sim();
    let refused = |name: &str, version: &str| {
        let run = lab.run(&["render", "longhorn", "--version", version]).exits(2);
        golden(&format!("usage/{name}"), &lab.redacted(&run.transcript()));
    };
    refused("longhorn-refused", "1.2.0");
    refused("longhorn-unknown", "1.6.2");
    lab.run(&["render", "longhorn", "--version", "1.2.2"]).exits(0).says("registry that was frozen");
    lab.is_gone();
}

#[test]
fn a_merge_file_is_taken_as_it_is() {
    let lab = Lab::on_sim();
    lab.file(
        "merge.cpf",
        "; mine\n[config]\nglobals=0,0,64,0,0,0\n[Actions]\nCreateDatabase:Name=A,Directory=/vol-data/A\n",
    );
    let text = lab.run(&["render", "--cpf", "merge.cpf"]).exits(0).out;
    assert!(text.contains("globals=0,0,64,0,0,0") && text.contains("Name=A,Directory=/vol-data/A"), "{text}");
    assert!(!text.contains("TEST-DATA") && !text.contains("routines="), "nothing else of the lab's own\n{text}");
    lab.file("merge.cpf", "[config]\nglobals=64\n");
    lab.run(&["plan", "--cpf", "merge.cpf"])
        .exits(2)
        .says("merge.cpf line 2: spec.iris.cpf.config.globals: 64: must be six");
    lab.run(&["plan", "--cpf", "nothing.cpf"]).exits(2).says("cannot read the merge file nothing.cpf");
    lab.reset().exits(0);
    lab.is_gone();
}
