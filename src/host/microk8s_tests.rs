//! What the releases of microk8s print, word by word in their forms.

use super::*;
use crate::exec::scripted::{Answer, Script, Scripted};

const SHORT_1_23: &str =
    "microk8s is running\naddons:\nha-cluster: enabled\nstorage: enabled\ndns: disabled\nmetallb: disabled\n";
const SHORT_1_24: &str = "microk8s is running\naddons:\ncore/ha-cluster: enabled\ncore/hostpath-storage: enabled\ncore/storage: enabled\n\
                          core/dns: disabled\ncommunity/argocd: disabled\n";
const PRETTY_1_24: &str = "microk8s is running\nhigh-availability: no\n  datastore master nodes: 127.0.0.1:19001\n  datastore standby nodes: none\naddons:\n  \
                           enabled:\n    ha-cluster           # (core) Configure high availability on the current node\n    \
                           metallb              # (core) Loadbalancer for your Kubernetes cluster\n  \
                           disabled:\n    hostpath-storage     # (core) Storage class; allocates storage from host directory\n    \
                           registry             # (core) Private image registry exposed on localhost:32000\n";
const PRETTY_1_20: &str = "microk8s is running\nhigh-availability: no\n  datastore master nodes: 127.0.0.1:19001\n  datastore standby nodes: none\naddons:\n  \
                           enabled:\n    dns                  # CoreDNS\n  \
                           disabled:\n    storage              # Storage class; allocates storage from host directory\n";
const YAML_1_20: &str = "microk8s:\n  running: True\nhigh-availability:\n  enabled: False\n  nodes:\n  - address: 127.0.0.1:19001\n    role: voter\naddons:\n  \
                         - name: dns\n    description: CoreDNS\n    version: 1.8.0\n    status: enabled\n  \
                         - name: metallb\n    description: Loadbalancer for your Kubernetes cluster\n    version: 0.9.3\n    status: disabled\n";
const YAML_1_24: &str = "microk8s:\n  running: True\nhigh-availability:\n  enabled: False\n  nodes:\n  - address: 127.0.0.1:19001\n    role: voter\naddons:\n\
                         - name: dns\n  repository: core\n  version: 1.0.0\n  description: CoreDNS\n  status: enabled\n\
                         - name: hostpath-storage\n  repository: core\n  version: 1.0.0\n  description: Storage class; allocates storage from host directory\n  status: disabled\n";
const NO_GROUP: &str = "Insufficient permissions to access MicroK8s.\nYou can either try again with sudo or add the user ann to the 'microk8s' group:\n\n    \
                        sudo usermod -a -G microk8s ann\n    sudo chown -R ann ~/.kube\n\nAfter this, reload the user groups either via a reboot or by running 'newgrp microk8s'.\n";

fn said(code: i32, out: &str, err: &str) -> Option<Status> {
    let output = Output { code: Some(code), stdout: out.into(), stderr: err.into() };
    read(&Cmd::new("microk8s", ["status"]), &output)
}

fn add_ons(text: &str) -> Vec<(String, bool)> {
    match said(0, text, "") {
        Some(Status::Running(add_ons)) => add_ons.into_iter().collect(),
        other => panic!("{other:?}"),
    }
}

fn pairs(wanted: &[(&str, bool)]) -> Vec<(String, bool)> {
    wanted.iter().map(|(name, on)| (name.to_string(), *on)).collect()
}

#[test]
fn every_form_of_the_add_ons_is_read() {
    let old = [("dns", false), ("ha-cluster", true), ("metallb", false), ("storage", true)];
    assert_eq!(add_ons(SHORT_1_23), pairs(&old));
    let new = [("argocd", false), ("dns", false), ("ha-cluster", true), ("hostpath-storage", true), ("storage", true)];
    assert_eq!(add_ons(SHORT_1_24), pairs(&new));
    let pretty = [("ha-cluster", true), ("hostpath-storage", false), ("metallb", true), ("registry", false)];
    assert_eq!(add_ons(PRETTY_1_24), pairs(&pretty));
    assert_eq!(add_ons(PRETTY_1_20), pairs(&[("dns", true), ("storage", false)]));
    assert_eq!(add_ons(YAML_1_20), pairs(&[("dns", true), ("metallb", false)]));
    assert_eq!(add_ons(YAML_1_24), pairs(&[("dns", true), ("hostpath-storage", false)]));
    assert_eq!(add_ons("core/dns: enabled\ncore/rbac: disabled\n"), pairs(&[("dns", true), ("rbac", false)]));
}

#[test]
fn an_exit_code_of_0_does_not_mean_that_it_runs() {
    const STOPPED: [&str; 3] = [
        "microk8s is not running, try microk8s start\n",
        "microk8s is not running. Use microk8s inspect for a deeper inspection.\n",
        "microk8s:\n  running: False\n",
    ];
    for text in STOPPED {
        for code in [0, 1] {
            assert!(matches!(said(code, text, ""), Some(Status::Stopped(_))), "{text}");
            assert!(matches!(said(code, "", text), Some(Status::Stopped(_))), "{text}");
        }
    }
}

#[test]
fn what_says_neither_is_unreadable_and_what_is_not_there_is_none() {
    let Some(Status::Unreadable(why)) = said(1, NO_GROUP, "") else { panic!("no group") };
    assert!(why.contains("Insufficient permissions"), "{why}");
    assert!(matches!(said(0, "", ""), Some(Status::Unreadable(_))));
    assert_eq!(said(1, "", "microk8s: command not found\n"), None);
    assert_eq!(said(1, "", "sudo: microk8s: command not found\n"), None);
}

/// A host with the snap, on which a user of these groups asks.
fn host(groups: &str, line: &str, code: i32, out: &str) -> Scripted {
    let list = "Name      Version   Rev   Tracking     Publisher   Notes\nmicrok8s  v1.24.17  5872  1.24/stable  canonical✓  classic\n";
    let mut script = Script::default();
    for (line, code, out) in [
        ("id -u", 0, "1000\n"),
        ("id -Gn", 0, groups),
        ("snap list microk8s", 0, list),
        ("microk8s", 0, ""),
        (line, code, out),
    ] {
        let answer = Answer { code, out: out.into(), err: String::new() };
        script.commands.insert(line.into(), vec![answer]);
    }
    Scripted::new(script)
}

#[tokio::test]
async fn a_member_asks_plainly_and_anybody_else_by_sudo() {
    let member = host("ann microk8s", "microk8s status --format short", 0, SHORT_1_24);
    let seen = microk8s(&member).await.unwrap().unwrap();
    assert_eq!((seen.version.as_str(), seen.channel.as_str(), seen.running), ("v1.24.17", "1.24/stable", true));
    let other = host("ann", "sudo -n microk8s status --format short", 0, SHORT_1_23);
    assert!(is_enabled(&other, "hostpath-storage").await.unwrap(), "the same add-on under its old name");
    assert!(!is_enabled(&other, "dns").await.unwrap());
}

#[tokio::test]
async fn without_rights_the_state_is_unknown_and_the_next_command_is_named() {
    let host = host("ann", "sudo -n microk8s status --format short", 1, NO_GROUP);
    let seen = microk8s(&host).await.unwrap().unwrap();
    assert!(!seen.running && seen.unreadable.is_some_and(|why| why.contains("Insufficient permissions")));
    let failure = runs(&host).await.unwrap_err();
    assert!(failure.hints[0].contains("usermod"), "{failure:?}");
}

#[tokio::test]
async fn while_it_is_stopped_nobody_knows_its_add_ons() {
    let text = "microk8s is not running, try microk8s start\n";
    let host = host("ann microk8s", "microk8s status --format short", 0, text);
    assert!(!runs(&host).await.unwrap());
    assert!(is_enabled(&host, "dns").await.is_err());
}

#[tokio::test]
async fn a_host_without_it_has_none() {
    let host = Scripted::new(Script::default());
    assert_eq!(microk8s(&host).await.unwrap(), None);
    assert!(!runs(&host).await.unwrap() && !is_enabled(&host, "dns").await.unwrap());
}
