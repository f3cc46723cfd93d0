//! What `doctor` says: of ten recorded hosts, word by word, and as its users meet it.

use crate::support::{Lab, golden};
use iris_lab::exec::scripted::{Script, Scripted};
use iris_lab::plan::{Case, host_checks};
use iris_lab::ui::{DoctorReport, Look};
use iris_lab::{host, lab, yaml};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Each recorded host and what is asked of it: the provider, and whether with Longhorn.
const HOSTS: &[(&str, &str, bool)] = &[
    ("ubuntu-20.04", "microk8s", true),
    ("ubuntu-22.04", "microk8s", true),
    ("ubuntu-22.04", "kind", true),
    ("ubuntu-24.04", "microk8s", true),
    ("debian-12", "microk8s", true),
    ("fedora", "microk8s", true),
    ("wsl2", "kind", true),
    ("macos-arm64", "kind", false),
    ("macos-arm64", "kind", true),
    ("macos-arm64", "microk8s", false),
    ("vm-4gb", "microk8s", true),
    ("multipathd", "microk8s", true),
    ("leftover", "microk8s", true),
];

#[tokio::test]
async fn recorded_hosts() {
    for (name, provider, longhorn) in HOSTS {
        let path = format!("{}/tests/hosts/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let script: Script = yaml::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let machine = Scripted::new(script);
        let facts = host::facts(&machine, Path::new("/home/me/.cache/iris-lab"))
            .await
            .unwrap_or_else(|failure| panic!("{name}: {failure}"));
        let add_ons =
            if *longhorn { "dns, storage, registry, metallb, longhorn" } else { "dns, storage, registry, metallb" };
        let text =
            format!("apiVersion: iris-lab/v1\nkind: Lab\nspec: {{ provider: {provider}, addOns: [{add_ons}] }}\n");
        let lab = lab::load(&text, name).unwrap();
        let case = Case { lab: &lab, provider: lab.spec.provider, kubernetes: "1.24.17", host: &facts, made: &[] };
        let report = DoctorReport::new(&lab.metadata.name, provider, "it was asked for", host_checks(&case));
        let with = if *longhorn { "-longhorn" } else { "" };
        golden(&format!("doctor/{name}-{provider}{with}"), &report.text(&Look::plain()));
    }
}

/// A lab with stand-ins for what a host has on PATH: systemctl starts iscsid when it is told so, and all of them write down how they
/// were called.
fn with_stand_ins() -> Lab {
    let lab = Lab::on_sim();
    let bin = lab.scratch.dir("bin");
    let log = bin.join("log").display().to_string();
    let active = bin.join("active").display().to_string();
    let programs = [
        ("uname", "echo Linux 6.1.0-21-amd64 x86_64".to_string()),
        ("id", "[ \"$1\" = -u ] && echo 0 || echo root".into()),
        ("df", "printf 'Filesystem Type 1024-blocks Used Available Capacity Mounted on\\n/dev/vda ext4 500000000 1000 499999000 1%% /\\n'".into()),
        ("systemd-detect-virt", "echo none; exit 1".into()),
        ("iscsiadm", "[ \"$1\" = --version ] && echo iscsiadm version 2.1.8 || { echo 'iscsiadm: No active sessions.' >&2; exit 21; }".into()),
        ("modinfo", "echo /lib/modules/6.1.0-21-amd64/kernel/drivers/scsi/iscsi_tcp.ko".into()),
        ("findmnt", String::new()),
        ("lsblk", String::new()),
        ("blkid", String::new()),
        ("apt-get", String::new()),
        ("snap", "[ \"$1\" = version ] && printf 'snap    2.63\\nsnapd   2.63\\nseries  16\\n' || { echo 'error: no matching snaps installed' >&2; exit 1; }".into()),
        (
            "systemctl",
            format!(
                "case \"$*\" in 'enable --now iscsid') : > '{active}';; 'is-active iscsid'*) [ -e '{active}' ] && echo active || echo inactive; \
                 echo inactive;; *) printf 'inactive\\ninactive\\n';; esac"
            ),
        ),
    ];
    for (name, body) in programs {
        let path = bin.join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho \"{name} $*\" >> '{log}'\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    lab
}

fn calls(lab: &Lab) -> String {
    std::fs::read_to_string(lab.scratch.dir("bin").join("log")).unwrap_or_default()
}

const ARGS: [&str; 4] = ["doctor", "--provider", "microk8s", "--longhorn"];

#[test]
fn it_changes_nothing_until_it_is_told_to_and_checks_again_afterwards() {
    let lab = with_stand_ins();
    let run = |extra: &[&str]| lab.run(&[&ARGS[..], extra].concat());
    let state = |report: &serde_json::Value| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "iscsid").unwrap()["verdict"].as_str().unwrap().to_string()
    };
    let plain = run(&["-o", "json"]).exits(3);
    let report = plain.json();
    assert_eq!((report["verdict"].as_str(), report["provider"].as_str()), (Some("fail"), Some("microk8s")));
    assert_eq!(state(&report), "fail", "{}", plain.transcript());
    // Nobody can be asked here.
    run(&["--fix"]).exits(2).says("systemctl enable --now iscsid").says("--yes");
    assert!(!calls(&lab).contains("enable"), "{}", calls(&lab));
    let fixed = run(&["--fix", "--yes", "-o", "json"]);
    assert_eq!(state(&fixed.json()), "ok", "{}", fixed.transcript());
    assert_eq!(calls(&lab).matches("systemctl enable --now iscsid").count(), 1);
    lab.is_gone();
}

#[test]
fn up_stops_where_doctor_fails_before_it_makes_anything() {
    let lab = with_stand_ins();
    let up = lab.run(&["up", "--provider", "microk8s", "--longhorn", "--yes"]).exits(3);
    let up = up.says("iscsid: the service is inactive").says("`systemctl enable --now iscsid`");
    up.says("`iris-lab doctor --longhorn --provider microk8s --fix`");
    assert!(!calls(&lab).contains("enable") && !calls(&lab).contains("install"), "{}", calls(&lab));
    lab.is_gone();
}

#[test]
fn where_nothing_real_is_made_it_says_how_to_ask_for_more() {
    let lab = Lab::on_sim();
    golden("doctor/sim", &lab.redacted(&lab.run(&["doctor"]).exits(0).transcript()));
    lab.is_gone();
}

#[test]
fn a_check_that_is_ignored_is_told_and_stops_nothing() {
    let lab = with_stand_ins();
    let args =
        [&["plan", "--provider", "microk8s", "--longhorn"][..], &["--lb-range", "127.9.0.20-127.9.0.30"]].concat();
    let failed: Vec<String> = {
        let report = lab.run(&[&["doctor", "-o", "json"], &args[1..]].concat()).json();
        let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == "fail");
        checks.map(|check| check["name"].as_str().unwrap().to_string()).collect()
    };
    assert!(failed.contains(&"iscsid".to_string()), "{failed:?}");
    let run = lab.run(&[&args[..], &["--ignore-check", &failed.join(",")]].concat()).exits(0);
    run.says("warning: iscsid: ignored: the service is inactive");
    lab.is_gone();
}
