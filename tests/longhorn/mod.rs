//! Longhorn from beginning to end: usable after `up --longhorn`, and gone after `reset` from whatever state it was left in.

mod breakage;
mod bystanders;
mod install;
mod remove;
mod states;

use crate::support::Lab;
use serde_json::Value;

const NAMESPACE: &str = "longhorn-system";
const RESOURCES: &str = "/apis/longhorn.io/v1beta1/namespaces/longhorn-system";

/// The plural names of its custom resources.
const PLURALS: &[&str] = &[
    "backingimagedatasources",
    "backingimagemanagers",
    "backingimages",
    "backups",
    "backuptargets",
    "backupvolumes",
    "engineimages",
    "engines",
    "instancemanagers",
    "nodes",
    "recurringjobs",
    "replicas",
    "settings",
    "sharemanagers",
    "volumes",
];

/// The nodes that take pods without a toleration.
fn storage_nodes(lab: &Lab) -> Vec<String> {
    let nodes = list(lab, "/api/v1/nodes");
    let taken = |node: &Value| node["spec"]["taints"].as_array().is_some_and(|taints| !taints.is_empty());
    nodes.iter().filter(|node| !taken(node)).map(|node| name(node).to_string()).collect()
}

fn list(lab: &Lab, path: &str) -> Vec<Value> {
    let answer = lab.reader().get(path).unwrap_or_default();
    answer["items"].as_array().cloned().unwrap_or_default()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
