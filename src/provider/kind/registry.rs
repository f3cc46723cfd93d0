//! The add-on `registry`: a registry for images at localhost:32000, in a container beside the nodes. The nodes reach it by the same
//! name, because each of their containerds is told where that is.

use super::cluster::{NODES_STEP, containers};
use super::network::{self, NETWORK};
use super::{bundle, owned};
use crate::lab::Lab;
use crate::model::object::labelled;
use crate::model::{Action, Cmd, HostObject, Step};
use crate::provider::{CLUSTER, Wishes, bundled};
use serde_json::json;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(3 * 60);
/// Its image.
pub(super) const IMAGE: &str = "registry:2";
/// Where it is, seen from this machine; the same as with microk8s.
const HOST: &str = "localhost:32000";
const PUBLISHED: &str = "127.0.0.1:32000:5000";
/// Where the image keeps its data.
const DATA: &str = "/var/lib/registry";
const HOSTS: &str = "/etc/containerd/certs.d/localhost:32000";

/// Name of the container, and of its volume.
pub(super) fn name(lab: &str) -> String {
    format!("{lab}-registry")
}

/// The steps that install it: the container while the cluster is made, the rest when its nodes are there.
pub(super) fn steps(lab: &Lab, wishes: &Wishes) -> Vec<Step> {
    let lab_name = &lab.metadata.name;
    let name = name(lab_name);
    let volume = Action::Make {
        object: HostObject::Volume { name: name.clone() },
        commands: vec![docker(["volume", "create"], owned(lab_name), [&name])],
        passing: Vec::new(),
    };
    let volume_at = format!("{name}:{DATA}");
    let options = ["--name", &name, "--restart", "unless-stopped", "--network", NETWORK, "--publish", PUBLISHED];
    let options = options.map(String::from).into_iter().chain(["--volume".into(), volume_at]).chain(owned(lab_name));
    let bundled = bundled::find(IMAGE, wishes).filter(|image| !bundle::is_in_docker(image, wishes));
    let container = Action::Make {
        object: HostObject::Container { name: name.clone() },
        commands: bundled.map(bundle::into_docker).into_iter().chain([docker(["create"], options, [IMAGE])]).collect(),
        passing: Vec::new(),
    };
    // Only a container that runs has a port.
    let start = Action::Run {
        unless: Some(Cmd::new("docker", ["port", &name, "5000/tcp"])),
        commands: vec![Cmd::new("docker", ["start", &name])],
    };
    let publish = Action::Apply { objects: labelled(vec![hosting()], lab_name) };
    vec![
        Step::new("registry-volume", "Make a volume for the image registry", TIMEOUT, volume).after([network::STEP]),
        Step::new("registry-container", "Make the image registry", TIMEOUT, container).after(["registry-volume"]),
        Step::new("registry-start", format!("Start the image registry at {HOST}"), TIMEOUT, start)
            .after(["registry-container"]),
        Step::new("registry-hosts", "Tell every node where the image registry is", TIMEOUT, hosts(lab))
            .after([NODES_STEP]),
        Step::new("registry", "Publish where the image registry is", TIMEOUT, publish).after([
            CLUSTER,
            "registry-start",
            "registry-hosts",
        ]),
    ]
}

fn docker<const N: usize, const M: usize>(
    verb: [&str; N],
    options: impl IntoIterator<Item = String>,
    operands: [&str; M],
) -> Cmd {
    Cmd::new("docker", verb.map(String::from).into_iter().chain(options).chain(operands.map(String::from)))
}

/// One node after the other: the last one has the file only when all have it.
fn hosts(lab: &Lab) -> Action {
    let address = format!("http://{}:5000", name(&lab.metadata.name));
    let (file, text) = (format!("{HOSTS}/hosts.toml"), format!("[host.\"{address}\"]\n"));
    let nodes = containers(lab);
    let unless = nodes.last().map(|last| Cmd::new("docker", ["exec", last, "grep", "-qF", &address, &file]));
    let commands = nodes.iter().flat_map(|node| {
        [
            Cmd::new("docker", ["exec", node, "mkdir", "-p", HOSTS]),
            Cmd::new("docker", ["exec", "-i", node, "cp", "/dev/stdin", &file]).reading(text.clone()),
        ]
    });
    Action::Run { unless, commands: commands.collect() }
}

/// Where tools that push images look for a cluster's registry (KEP-1755).
fn hosting() -> serde_json::Value {
    let text = format!("host: \"{HOST}\"\nhelp: \"https://kind.sigs.k8s.io/docs/user/local-registry/\"\n");
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "local-registry-hosting", "namespace": "kube-public" },
        "data": { "localRegistryHosting.v1": text },
    })
}
