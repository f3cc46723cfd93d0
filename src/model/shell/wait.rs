//! Waits as shell text: by kubectl's own `wait` and `rollout status` where they can tell, and by looking again elsewhere.

use super::object::{kubectl, kubectl_in, until, until_there};
use crate::model::longhorn::{CLASS, DRIVER, GROUP, NAMESPACE, SIDECARS};
use crate::model::object::LAB_LABEL;
use crate::model::{Link, WaitFor};
use std::time::Duration;

/// Waits for a target.
pub(super) fn wait(target: &WaitFor, within: Duration) -> String {
    let timeout = format!("--timeout={}s", within.as_secs());
    match target {
        WaitFor::NodesReady { .. } => kubectl(&["wait", "--for=condition=Ready", "node", "--all", &timeout]) + "\n",
        WaitFor::Served { definitions } => {
            let words = ["wait".to_string(), "--for=condition=Established".into()].into_iter();
            let names = definitions.iter().map(|name| format!("crd/{name}"));
            kubectl(&words.chain(names).chain([timeout]).collect::<Vec<_>>()) + "\n"
        }
        WaitFor::PodReady { namespace, name, .. } => {
            let pod = format!("pod/{name}");
            let ready = kubectl_in(Some(namespace), &["wait", "--for=condition=Ready", &pod, &timeout]);
            until_there(Some(namespace), &pod) + &ready + "\n"
        }
        WaitFor::Longhorn { link } => longhorn(*link, &timeout),
        WaitFor::VolumesGone { driver } => until(&format!("[ -z \"$({})\" ]", volumes(driver).join("\n  "))),
        WaitFor::Lab { namespace, lab } => {
            let label = format!("{LAB_LABEL}={lab}");
            let sets = ["rollout", "status", "statefulset", "-l", &label, &timeout];
            kubectl_in(Some(namespace), &sets) + "\n"
        }
        WaitFor::Address { namespace, name } => {
            let path = "jsonpath={.status.loadBalancer.ingress}";
            let call = kubectl_in(Some(namespace), &["get", &format!("service/{name}"), "-o", path]);
            until(&format!("[ -n \"$({call})\" ]"))
        }
    }
}

/// Lines that print the names of a driver's volumes and attachments.
pub(super) fn volumes(driver: &str) -> [String; 2] {
    let names = |what: &str, field: &str| {
        let path = format!("jsonpath={{.items[?(@.spec.{field}==\"{driver}\")].metadata.name}}");
        kubectl(&["get", what, "-o", &path])
    };
    [names("persistentvolumes", "csi.driver"), names("volumeattachments", "attacher")]
}

fn longhorn(link: Link, timeout: &str) -> String {
    let rollout = |name: &str| kubectl_in(Some(NAMESPACE), &["rollout", "status", name, timeout]) + "\n";
    match link {
        Link::Manager => rollout("daemonset/longhorn-manager"),
        Link::Nodes => until(&every("nodes", ".status.conditions.*.status", "True")),
        Link::EngineImage => until(&every("engineimages", ".status.state", "deployed")),
        Link::InstanceManagers => until(&every("instancemanagers", ".status.currentState", "running")),
        Link::Deployer => rollout("deployment/longhorn-driver-deployer"),
        Link::Csi => {
            let parts = SIDECARS.map(|name| format!("deployment/{name}"));
            let parts = parts.into_iter().chain(["daemonset/longhorn-csi-plugin".into()]);
            parts.map(|part| until_there(Some(NAMESPACE), &part) + &rollout(&part)).collect()
        }
        Link::Registered => {
            let drivers = kubectl(&["get", "csinodes", "-o", "jsonpath={.items[*].spec.drivers[*].name}"]);
            let wanted = kubectl_in(
                Some(NAMESPACE),
                &["get", "daemonset/longhorn-csi-plugin", "-o", "jsonpath={.status.desiredNumberScheduled}"],
            );
            let there = format!("{drivers} |\n  tr ' ' '\\n' | grep -c -F -x {DRIVER}");
            until(&format!("[ \"$({there})\" = \\\n  \"$({wanted})\" ]"))
        }
        Link::Class => {
            let driver = format!("csidriver/{DRIVER}");
            until_there(None, &format!("storageclass/{CLASS}")) + &until_there(None, &driver)
        }
    }
}

/// True when there are objects of a kind of Longhorn's and each shows one word.
fn every(kind: &str, path: &str, word: &str) -> String {
    let path = format!("jsonpath={{.items[*]{path}}}");
    let call = kubectl_in(Some(NAMESPACE), &["get", &format!("{kind}.{GROUP}"), "-o", &path]);
    format!("{call} |\n  grep -E -q '^{word}( {word})*$'")
}
