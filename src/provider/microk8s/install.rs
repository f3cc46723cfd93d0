//! From no snap, or one that is there, to a cluster that answers.

use super::{SNAP, bundle, channel, minor};
use crate::lab::{AddOnName, Lab};
use crate::model::host::Microk8s as Seen;
use crate::model::object::is_ready;
use crate::model::{Action, Cmd, Facts, HostFacts, HostObject, Step, WaitFor};
use crate::provider::{CLUSTER, Wishes, bundled};
use std::time::Duration;

/// Id of the step that installs the snap.
const INSTALL: &str = "microk8s";
/// Id of the step after which it runs.
const RUNS: &str = "microk8s-runs";
const KUBECONFIG: &str = "kubeconfig";
const DATA: &str = "longhorn-data";
/// Where Longhorn keeps its data on a node, whatever it runs on.
pub(super) const DATA_FOLDER: &str = "/var/lib/longhorn";

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(10 * 60);
/// snapd's words while it is at something else.
const BUSY: &str = "change in progress";
/// The first snapd that can hold a snap back for ever.
const HOLDS: (u32, u32) = (2, 58);
/// The first release whose `config` can name the loopback address, which stays when the address of a laptop changes.
const LOOPBACK: u32 = 22;

/// All of them: the snap, the group, the start, our kubeconfig, the nodes.
pub fn steps(lab: &Lab, facts: &Facts, wishes: &Wishes) -> Vec<Step> {
    let host = wishes.host;
    let seen = host.microk8s.as_ref();
    let install =
        install(lab, host).satisfied_by(seen.map(|seen| format!("{} is installed, of {}", seen.version, seen.channel)));
    let mut steps = vec![install];
    steps.extend(member(host));
    let runs = seen.filter(|seen| seen.running).map(|_| "it runs already".to_string());
    steps.push(run(wishes).after([INSTALL]).satisfied_by(runs));
    let current = (facts.reachable && wishes.kubeconfig_is_current).then(|| "it is there already".to_string());
    steps.push(kubeconfig(host, minor(lab, host)).after([RUNS]).satisfied_by(current));
    let mut before = vec![KUBECONFIG];
    if lab.has(AddOnName::Longhorn) {
        steps.push(data_folder(host));
        before.push(DATA);
    }
    if let Some(images) = bundle::step(facts, wishes) {
        before.push(bundled::STEP);
        steps.push(images.after([RUNS]));
    }
    let ready = !facts.nodes.is_empty() && facts.nodes.iter().all(is_ready);
    steps.push(nodes().after(before).satisfied_by(ready.then(|| "they are Ready".into())));
    steps
}

/// Those that start one that was stopped. What is started here was running before the lab, or was begun by its `up`: that is written
/// down nowhere.
pub fn start(host: &HostFacts, seen: &Seen) -> Vec<Step> {
    let action = Action::Run { unless: None, commands: vec![host.user.microk8s(["start"])] };
    let runs = seen.running.then(|| "it runs already".to_string());
    let start = Step::new(RUNS, "Start microk8s", LONG, action).satisfied_by(runs);
    vec![start, kubeconfig(host, seen.minor()).after([RUNS]), nodes().after([KUBECONFIG])]
}

/// The snap, in the lab's channel, and held there: a refresh would restart the cluster at any time.
fn install(lab: &Lab, host: &HostFacts) -> Step {
    let channel = channel::of(lab);
    let snap = |args: &[&str]| Cmd::new("snap", args.iter().copied()).as_root(host.user.is_root);
    let mut commands = vec![snap(&["install", SNAP, "--classic", &format!("--channel={channel}")])];
    if host.snap.as_ref().is_some_and(|snap| holds(&snap.version)) {
        commands.push(snap(&["refresh", "--hold", SNAP]));
    }
    let action = Action::Make { object: HostObject::Snap { name: SNAP.into() }, commands, passing: vec![BUSY.into()] };
    let title = match host.microk8s {
        Some(_) => "Use the snap microk8s that is here".to_string(),
        None => format!("Install the snap microk8s {channel}"),
    };
    Step::new(INSTALL, title, LONG, action)
}

fn holds(version: &str) -> bool {
    let mut numbers = version.split(['.', '+', '~', '-']).map(|part| part.parse().ok());
    matches!((numbers.next().flatten(), numbers.next().flatten()), (Some(major), Some(minor)) if (major, minor) >= HOLDS)
}

/// The user's membership in the group. It counts from the next login on; until then sudo does.
fn member(host: &HostFacts) -> Option<Step> {
    let user = &host.user;
    if user.is_root {
        return None;
    }
    let object = HostObject::Member { user: user.name.clone(), group: SNAP.into() };
    let commands = vec![Cmd::new("usermod", ["-a", "-G", SNAP, &user.name]).as_root(false)];
    let there = user.groups.iter().chain(&user.groups_after_login).any(|group| group == SNAP);
    let step = Step::new(
        "microk8s-group",
        format!("Let {} use microk8s without sudo, from the next login on", user.name),
        SHORT,
        Action::Make { object, commands, passing: Vec::new() },
    );
    Some(step.after([INSTALL]).satisfied_by(there.then(|| "it is so already".into())))
}

/// Longhorn would make it, and leave it. Made by us it is known to be ours; one that was there before is somebody else's data.
fn data_folder(host: &HostFacts) -> Step {
    let object = HostObject::Folder { path: DATA_FOLDER.into() };
    let commands = vec![Cmd::new("mkdir", ["-p", DATA_FOLDER]).as_root(host.user.is_root)];
    let action = Action::Make { object, commands, passing: Vec::new() };
    Step::new(DATA, format!("Make {DATA_FOLDER}, where Longhorn keeps its data"), SHORT, action)
}

/// It begins by itself after its installation, and not after it was stopped: starting what runs changes nothing.
fn run(wishes: &Wishes) -> Step {
    let commands = [wishes.host.user.microk8s(["start"])].into_iter().chain(bundle::own(wishes)).collect();
    let passing = vec![BUSY.into()];
    let action = Action::Make { object: HostObject::Microk8sRuns, commands, passing };
    Step::new(RUNS, "Start microk8s, and wait until it says that it runs", LONG, action)
}

fn kubeconfig(host: &HostFacts, minor: Option<u32>) -> Step {
    let action = Action::TakeKubeconfig { command: config(host, minor) };
    Step::new(KUBECONFIG, "Keep the access to microk8s in a kubeconfig of our own", LONG, action)
}

/// The command that prints its kubeconfig. A channel that names no version has a new one.
pub fn config(host: &HostFacts, minor: Option<u32>) -> Cmd {
    let loopback = minor.is_none_or(|minor| minor >= LOOPBACK).then_some("--use-loopback");
    host.user.microk8s(["config"].into_iter().chain(loopback))
}

fn nodes() -> Step {
    let action = Action::Wait { target: WaitFor::NodesReady { count: 1 } };
    Step::new(CLUSTER, "Wait until its node is Ready", LONG, action)
}
