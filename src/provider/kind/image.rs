//! The image of the nodes. Where Longhorn is tried with the iSCSI of the host, it is built from the base: with open-iscsi, and with an
//! `iscsiadm` that does its work in the host's own namespaces, because the kernel's iSCSI is there alone.

use super::cluster::{NODES_STEP, containers};
use super::pairs::Base;
use super::{HOST_PROC, bundle, wants_host_iscsi};
use crate::lab::Lab;
use crate::model::image::LOAD;
use crate::model::{Action, Cmd, HostObject, Step};
use crate::provider::{Wishes, bundled};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Id of the step that has the base.
pub(super) const BASE_STEP: &str = "node-image";
/// Id of the step that builds on it.
const BUILT_STEP: &str = "node-image-iscsi";
const TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// What the names of our own images begin with.
const OWN: &str = "iris-lab/kind-node";

/// The image that nodes are made from, and the steps after which it is there.
pub(super) fn steps(lab: &Lab, base: &Base, wishes: &Wishes) -> (String, Vec<Step>) {
    // What Docker loads has no digest any more: the bundle's own sum says that it is the image with that digest.
    let (image, get) = match bundled::find(&base.image, wishes) {
        Some(bundled) => (&bundled.name, bundle::into_docker(bundled)),
        None => (&base.image, Cmd::new("docker", ["pull", "--quiet", &base.image])),
    };
    let mut steps =
        vec![make(BASE_STEP, format!("Get the node image with Kubernetes {}", base.kubernetes), image, vec![get])];
    if !wants_host_iscsi(lab) {
        return (image.clone(), steps);
    }
    let file = dockerfile(image, base.has_iscsi);
    let sum: String = Sha256::digest(&file).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("{OWN}:v{}-{sum}", base.kubernetes);
    let build = vec![Cmd::new("docker", ["build", "--tag", &name, "-"]).reading(file)];
    let title = "Build a node image that uses the iSCSI of this machine";
    steps.push(make(BUILT_STEP, title.into(), &name, build).after([BASE_STEP]));
    (name, steps)
}

/// Brings an image from Docker to every node. The last node has it only when all have it.
pub(super) fn load(lab: &Lab, image: &str, program: &str) -> Step {
    let nodes = containers(lab);
    let unless = nodes.last().map(|last| Cmd::new("docker", ["exec", last, "crictl", "inspecti", "--quiet", image]));
    let commands = vec![Cmd::new(program, ["load", "docker-image", image, "--name", &lab.metadata.name])];
    let action = Action::Run { unless, commands };
    Step::new(LOAD, "Load the image into every node", TIMEOUT, action).after([NODES_STEP])
}

fn make(id: &str, title: String, image: &str, commands: Vec<Cmd>) -> Step {
    let object = HostObject::Image { name: image.into() };
    Step::new(id, title, TIMEOUT, Action::Make { object, commands, passing: Vec::new() })
}

/// Longhorn looks for `iscsiadm` in /usr/local/sbin first. iscsid must not run in a node: it would die there.
fn dockerfile(base: &str, has_iscsi: bool) -> String {
    let install = "RUN command -v iscsiadm || (apt-get update && apt-get install -y --no-install-recommends open-iscsi nfs-common)\n";
    let install = if has_iscsi { "" } else { install };
    let enter = format!("exec nsenter --mount={HOST_PROC}/1/ns/mnt --net={HOST_PROC}/1/ns/net -- iscsiadm \"$@\"");
    format!(
        "FROM {base}\n{install}\
         RUN mkdir -p /usr/local/sbin /etc/systemd/system\n\
         RUN printf '%s\\n' '#!/bin/sh' '{enter}' > /usr/local/sbin/iscsiadm && chmod 755 /usr/local/sbin/iscsiadm\n\
         RUN ln -sf /dev/null /etc/systemd/system/iscsid.service && ln -sf /dev/null /etc/systemd/system/iscsid.socket\n"
    )
}
