//! The cluster itself: its configuration, kind's command, and what to do with one that is there already: whole, stopped, or half
//! made.

use super::network;
use super::pairs::base;
use super::{CONTROL_PLANE, HOST_PROC, Kind, bundle, download, image, program, wants_host_iscsi};
use crate::error::Result;
use crate::lab::Lab;
use crate::model::object::is_ready;
use crate::model::{Action, Cmd, Facts, HostObject, Step, WaitFor, host};
use crate::provider::{CLUSTER, Wishes};
use crate::yaml;
use serde_json::{Value, json};
use std::time::Duration;

/// Id of the step after which every node's container is there.
pub(super) const NODES_STEP: &str = "kind-cluster";
const CONFIG_STEP: &str = "kind-config";
const REMAINS_STEP: &str = "kind-remains";
const START_STEP: &str = "kind-start";
const ACCESS_STEP: &str = "kubeconfig";
const READY_STEP: &str = "nodes";

const SHORT: Duration = Duration::from_secs(2 * 60);
const CREATE: Duration = Duration::from_secs(15 * 60);
const READY: Duration = Duration::from_secs(5 * 60);

/// Reads registries' hosts from a folder, each in a file of its own, so that they can be added while containerd runs.
const CONTAINERD: &str =
    "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"/etc/containerd/certs.d\"\n";

/// What there is of the lab's own cluster.
enum Remains {
    None,
    /// kind never came to its end: there is nothing in it that anybody needs.
    Half,
    /// It was whole once; these of its nodes do not run.
    Whole {
        stopped: Vec<String>,
    },
}

/// Steps until the cluster answers.
pub(super) fn steps(lab: &Lab, facts: &Facts, wishes: &Wishes) -> Result<Vec<Step>> {
    let name = &lab.metadata.name;
    let (node_image, mut steps) = image::steps(lab, &base(lab, wishes.host.kind.as_ref())?, wishes);
    steps.insert(0, network::step(name, wishes.host)?);
    steps.extend(download::step(wishes));
    steps.push(config(lab, wishes));
    let mut before = Vec::new();
    match remains(lab, wishes) {
        Remains::Half => {
            steps.push(Step::new(
                REMAINS_STEP,
                format!("Remove what an earlier run left half made of the kind cluster {name}"),
                SHORT,
                unmake(name, wishes),
            ));
            before.push(REMAINS_STEP);
        }
        Remains::Whole { stopped } if !stopped.is_empty() => {
            let commands = vec![Cmd::new("docker", ["start".to_string()].into_iter().chain(stopped))];
            let action = Action::Run { unless: None, commands };
            steps.push(Step::new(START_STEP, format!("Start the nodes of {name} again"), SHORT, action));
            before.push(START_STEP);
        }
        Remains::None | Remains::Whole { .. } => {}
    }
    let needs: Vec<String> =
        steps.iter().map(|step| step.id.clone()).filter(|id| !before.contains(&id.as_str())).collect();
    // What was seen of a cluster before its nodes are started again does not count.
    let nothing = Facts::default();
    let seen = if before.is_empty() { facts } else { &nothing };
    steps.push(create(lab, wishes, &node_image).after(needs).after(before));
    let images = bundle::step(lab, seen, wishes).map(|step| step.after([NODES_STEP]));
    let mut answering = answering(lab, seen, wishes);
    if let (Some(images), Some(last)) = (&images, answering.last_mut()) {
        last.needs.push(images.id.clone());
    }
    steps.extend(images.into_iter().chain(answering));
    Ok(steps)
}

fn remains(lab: &Lab, wishes: &Wishes) -> Remains {
    let (name, docker) = (&lab.metadata.name, wishes.host.docker.as_ref());
    let of_lab =
        |list: &[String]| list.iter().filter(|one| host::Kind::is_node(one, name)).cloned().collect::<Vec<_>>();
    let nodes = docker.map(|docker| of_lab(&docker.containers)).unwrap_or_default();
    match (nodes.is_empty(), wishes.was_whole) {
        (true, _) => Remains::None,
        (false, false) => Remains::Half,
        (false, true) => {
            let running = docker.map(|docker| of_lab(&docker.running)).unwrap_or_default();
            Remains::Whole { stopped: nodes.into_iter().filter(|node| !running.contains(node)).collect() }
        }
    }
}

fn config(lab: &Lab, wishes: &Wishes) -> Step {
    let mut nodes = vec![json!({ "role": CONTROL_PLANE })];
    for _ in 0..lab.spec.nodes {
        let mut worker = json!({ "role": "worker" });
        if wants_host_iscsi(lab) {
            worker["extraMounts"] = json!([{ "hostPath": "/proc", "containerPath": HOST_PROC }]);
        }
        nodes.push(worker);
    }
    let config: Value = json!({
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "containerdConfigPatches": [CONTAINERD],
        "nodes": nodes,
    });
    let action = Action::WriteFile { path: wishes.dir.join("kind.yaml"), content: yaml::to_string(&config) };
    let count = lab.spec.nodes;
    let workers = if count == 1 { "1 worker".to_string() } else { format!("{count} workers") };
    Step::new(CONFIG_STEP, format!("Write kind's configuration: 1 control plane, {workers}"), SHORT, action)
}

/// kind's own word that all is well does not count, nor does its waiting: the steps after this one look.
fn create(lab: &Lab, wishes: &Wishes, image: &str) -> Step {
    let name = &lab.metadata.name;
    let file = |file: &str| wishes.dir.join(file).display().to_string();
    let args = ["create", "cluster", "--name", name, "--image", image];
    let files = ["--config".into(), file("kind.yaml"), "--kubeconfig".into(), file("kubeconfig")];
    let command = Cmd::new(program(wishes.host, wishes.cache), args.map(String::from).into_iter().chain(files));
    let object = HostObject::KindCluster { name: name.clone() };
    let action = Action::Make { object, commands: vec![command], passing: Vec::new() };
    Step::new(NODES_STEP, format!("Make the kind cluster {name}"), CREATE, action)
}

fn unmake(name: &str, wishes: &Wishes) -> Action {
    let program = program(wishes.host, wishes.cache);
    super::removal::cluster(name, &program, wishes.dir)
}

/// What shows that the cluster is there: its API server answers and its nodes are Ready.
fn answering(lab: &Lab, facts: &Facts, wishes: &Wishes) -> Vec<Step> {
    let name = &lab.metadata.name;
    let program = program(wishes.host, wishes.cache);
    let action = Action::TakeKubeconfig { command: Kind::access_command(&program, name) };
    let current =
        (facts.reachable && wishes.kubeconfig_is_current).then(|| "it is there, and the cluster answers".into());
    let access = Step::new(ACCESS_STEP, "Keep the access to it in a kubeconfig of our own", READY, action)
        .after([NODES_STEP])
        .satisfied_by(current);
    let count = lab.spec.nodes;
    let ready = facts.nodes.iter().filter(|node| is_ready(node)).count();
    let all = (ready == facts.nodes.len() && ready >= count as usize).then(|| "they are Ready".to_string());
    let wait = Action::Wait { target: WaitFor::NodesReady { count } };
    let id = if wants_host_iscsi(lab) { READY_STEP } else { CLUSTER };
    let mut steps = vec![
        access,
        Step::new(id, "Wait until its nodes are Ready", READY, wait).after([ACCESS_STEP]).satisfied_by(all),
    ];
    if wants_host_iscsi(lab) {
        let action = Action::RoutePods { is_root: wishes.host.user.is_root };
        let title = "Route this machine to the pods of each worker, where Longhorn's targets are";
        steps.push(Step::new(CLUSTER, title, SHORT, action).after([READY_STEP]));
    }
    steps
}

/// Names of the containers that are the nodes.
pub(super) fn containers(lab: &Lab) -> Vec<String> {
    let name = &lab.metadata.name;
    let workers = (1..=lab.spec.nodes).map(|number| match number {
        1 => format!("{name}-worker"),
        number => format!("{name}-worker{number}"),
    });
    [format!("{name}-{CONTROL_PLANE}")].into_iter().chain(workers).collect()
}
