//! Pods that are not ready: what their logs say, and how they stand.

use super::scene::event_of;
use super::{Cause, Finding, Scene, Subject, images, logs};
use crate::model::known;
use crate::model::object::{by_name, condition, is_leaving, is_ready, list, name, text};
use crate::model::pod::{self, Crash, State, Why};
use serde_json::Value;

/// Lines of the end of a log that an evidence has.
const TAIL: usize = 5;

pub(super) fn judge(scene: &Scene) -> Vec<Finding> {
    by_name(&scene.facts.pods).into_iter().flat_map(|pod| of_pod(scene, pod)).collect()
}

/// What its logs say comes first: that is why it stands as it stands.
fn of_pod(scene: &Scene, pod: &Value) -> Vec<Finding> {
    let ready = is_ready(pod) && !is_leaving(pod);
    let mut findings = logs::judge(scene, pod, ready);
    findings.extend(state(scene, pod));
    findings
}

fn state(scene: &Scene, pod: &Value) -> Option<Finding> {
    // Warnings about DNS settings come with every sync of a pod and never say why it is not ready.
    let events = scene.facts.warnings.iter().filter(|event| !text(event, "/reason").contains("DNS"));
    let events: Vec<&Value> = events.collect();
    let before = || pod::crashed_before(pod, &events);
    match pod::state(pod, &events) {
        State::Ready(_) => None,
        // Between two ends it seems to be on its way up.
        State::Waiting(Why::Probe, said) => Some(match before() {
            Some(crash) => crashing(scene, pod, &crash),
            None => waiting(scene, pod, Why::Probe, &said),
        }),
        State::Crashing(crash) => Some(crashing(scene, pod, &crash)),
        State::Waiting(why, said) | State::Doomed(why, said, _) => Some(waiting(scene, pod, why, &said)),
    }
}

fn waiting(scene: &Scene, pod: &Value, why: Why, said: &str) -> Finding {
    let own = name(pod);
    let see = scene.describe("pod", own);
    let about = Subject::Pod(own.into());
    let cause = match why {
        Why::Unscheduled => return no_node(scene, pod),
        Why::ImageName | Why::ImageNotLoaded | Why::ImageRefused | Why::ImagePull => {
            return images::judge(scene, pod, about, why);
        }
        Why::Leaving => {
            let finding = Finding::new(Cause::PodTerminating, about, "it is being deleted", see);
            return finding.seen(format!("metadata of pod {own}"), deletion(pod));
        }
        Why::Prepare => match known::of_longhorn(said) {
            Some(known) => {
                let what = format!("its volume is not attached: {}", known.meaning);
                return Finding::new(known.cause, about, what, known.hint).seen(format!("events of pod {own}"), said);
            }
            None => Cause::NotPrepared,
        },
        Why::Probe => {
            let see = format!("see {}", scene.kubectl(&format!("logs {own}")));
            let what = format!("it runs but is not ready: {said}");
            return Finding::new(Cause::NotReady, about, what, see)
                .seen(format!("status and events of pod {own}"), said);
        }
        Why::Ended => Cause::PodEnded,
        Why::Config => Cause::ContainerConfig,
        Why::Starting => Cause::Starting,
    };
    let what = match cause {
        Cause::Starting => format!("it is starting: {said}"),
        _ => said.to_string(),
    };
    Finding::new(cause, about, what, see).seen(format!("status and events of pod {own}"), said)
}

fn deletion(pod: &Value) -> String {
    let held: Vec<&str> = list(pod, "/metadata/finalizers").filter_map(Value::as_str).collect();
    let held = if held.is_empty() { String::new() } else { format!(", held by {}", held.join(", ")) };
    format!("deletionTimestamp {}{held}", text(pod, "/metadata/deletionTimestamp"))
}

/// Why no node takes a pod: what the scheduler's message holds, the cause, what it means. The first that fits counts, for the
/// message names the reason of every node.
const NO_NODE: &[(&str, Cause, &str)] = &[
    ("PersistentVolumeClaim", Cause::Unscheduled, "its claims have no volumes yet"),
    ("persistentvolumeclaim", Cause::Unscheduled, "a claim of it is not there"),
    ("Insufficient memory", Cause::NoRoom, "no node has enough free memory"),
    ("Insufficient cpu", Cause::NoRoom, "no node has enough free cpu"),
    ("Insufficient", Cause::NoRoom, "no node has enough of what it asks for"),
    ("Too many pods", Cause::NoRoom, "no node takes more pods"),
    ("volume node affinity", Cause::NoFittingNode, "its volume lies on a node that cannot take it now"),
    ("were unschedulable", Cause::NodesClosed, "the nodes are cordoned"),
    ("taint", Cause::NodesClosed, "taints keep it off the nodes"),
    ("affinity", Cause::NoFittingNode, "its affinity or node selector fits no node"),
    ("selector", Cause::NoFittingNode, "its affinity or node selector fits no node"),
];

fn no_node(scene: &Scene, pod: &Value) -> Finding {
    let own = name(pod);
    let message = condition(pod, "PodScheduled").map(|condition| text(condition, "/message")).unwrap_or_default();
    let known = NO_NODE.iter().find(|(mark, ..)| message.contains(mark));
    let (cause, why) = known.map_or((Cause::Unscheduled, ""), |(_, cause, why)| (*cause, *why));
    let see = scene.describe("pod", own);
    let mend = match cause {
        Cause::NoRoom => {
            let what = if message.contains("cpu") { "cpu" } else { "memory" };
            let less = scene.up_with("--set", &format!("spec.iris.resources.{what}=SIZE"));
            format!("ask for less with {less}, or see what fills the nodes with `kubectl describe nodes`")
        }
        Cause::NodesClosed => open(scene),
        _ => see,
    };
    let what = if why.is_empty() { "it has no node".to_string() } else { format!("it has no node: {why}") };
    let finding = Finding::new(cause, Subject::Pod(own.into()), what, mend);
    finding.seen(format!("condition PodScheduled of pod {own}"), message)
}

/// The commands that open cordoned and tainted nodes again.
fn open(scene: &Scene) -> String {
    let mut commands = Vec::new();
    for node in &scene.facts.nodes {
        if node["spec"]["unschedulable"] == true {
            commands.push(format!("`kubectl uncordon {}`", name(node)));
        }
        let taints = list(node, "/spec/taints").map(|taint| (text(taint, "/key"), text(taint, "/effect")));
        // Kubernetes' own come and go with what they stand for.
        let given = taints.filter(|(key, _)| !key.starts_with("node.kubernetes.io/"));
        commands.extend(given.map(|(key, effect)| format!("`kubectl taint node {} {key}:{effect}-`", name(node))));
    }
    match commands.is_empty() {
        true => "see `kubectl describe nodes`".into(),
        false => format!("open one for it: {}", commands.join(" or ")),
    }
}

fn crashing(scene: &Scene, pod: &Value, crash: &Crash) -> Finding {
    let own = name(pod);
    let (about, container) = (Subject::Pod(own.into()), &crash.container);
    let see = format!("see the whole log with {}", scene.kubectl(&format!("logs {own} -c {container} --previous")));
    let finding = match crash.out_of_memory {
        true => {
            let what = format!("container {container} used more memory than it may, and was killed ({})", crash.end);
            let more = scene.up_with("--set", "spec.iris.resources.memoryLimit=SIZE");
            let mend = format!("give it more with {more}, or give IRIS less in spec.iris.cpf.config (globals, gmheap)");
            let limit = limit(pod, container);
            Finding::new(Cause::OutOfMemory, about, what, mend).seen(format!("limit of container {container}"), limit)
        }
        false => {
            let what = format!("container {container} ended with {} (restart {})", crash.end, crash.restarts);
            Finding::new(Cause::CrashLoop, about, what, see)
        }
    };
    let last = scene.facts.details.logs.iter().filter(|log| log.pod == own && log.container == *container);
    let Some(log) = last.max_by_key(|log| log.previous) else { return event(scene, pod, finding) };
    let lines: Vec<&str> = log.text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = &lines[lines.len().saturating_sub(TAIL)..];
    tail.iter().fold(finding, |finding, line| finding.seen(log.source(), line))
}

/// Where there is no log, the newest warning may tell more.
fn event(scene: &Scene, pod: &Value, finding: Finding) -> Finding {
    match scene.warning("Pod", name(pod), |event| text(event, "/reason") != "BackOff") {
        Some(event) => finding.seen(event_of(event), text(event, "/message")),
        None => finding,
    }
}

fn limit(pod: &Value, container: &str) -> String {
    let spec = list(pod, "/spec/containers").find(|spec| text(spec, "/name") == container);
    let limit = spec.map(|spec| text(spec, "/resources/limits/memory")).filter(|limit| !limit.is_empty());
    limit.map(|limit| format!("memory {limit}")).unwrap_or_default()
}
