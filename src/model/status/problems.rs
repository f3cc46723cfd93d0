//! What is wrong with a lab: every problem names its cause and the next command.

use super::super::object::condition;
use super::{LabIdentity, LabState, PodStatus, Status, deleted, list, longhorn, name, text};
use crate::model::Facts;
use serde_json::Value;

/// Fills in state, problems and notes.
pub(super) fn judge(status: &mut Status, identity: &LabIdentity, facts: &Facts) {
    let (state, problems) = if identity.stopped {
        let next = format!("start it with `iris-lab start{}`", identity.select);
        (LabState::Stopped, vec![format!("the cluster is stopped, the volumes are kept; {next}")])
    } else if !facts.reachable {
        (LabState::Unreachable, vec![unreachable(status, identity)])
    } else if let Some(verdict) = absent(status, identity, facts) {
        verdict
    } else {
        let mut problems = nodes(status);
        problems.extend(namespace(status, facts));
        problems.extend(longhorn::problems(status));
        problems.extend(volumes(status, facts));
        problems.extend(missing(status, identity, facts));
        problems.extend(pods(status, identity, facts));
        problems.extend(services(status));
        (if problems.is_empty() { LabState::Healthy } else { LabState::Unhealthy }, problems)
    };
    status.notes = notes(status, identity);
    status.notes.extend(longhorn::notes(status, facts.longhorn.as_ref()));
    status.healthy = state == LabState::Healthy;
    (status.state, status.problems) = (state, problems);
}

fn unreachable(status: &Status, identity: &LabIdentity) -> String {
    if status.simulated {
        return format!("the embedded cluster does not run; start it with `{}`", identity.up);
    }
    let server = if status.server.is_empty() { String::new() } else { format!(" at {}", status.server) };
    format!("the API server{server} does not answer; start the cluster, then run `iris-lab status` again")
}

/// A lab whose workload is not there at all.
fn absent(status: &Status, identity: &LabIdentity, facts: &Facts) -> Option<(LabState, Vec<String>)> {
    let workload = facts.objects.iter().any(|object| matches!(text(object, "/kind"), "StatefulSet" | "Deployment"));
    if workload || !facts.pods.is_empty() {
        return None;
    }
    Some(if facts.claims.is_empty() {
        (
            LabState::Absent,
            vec![format!("nothing of lab {} is on this cluster; make it with `{}`", status.lab, identity.up)],
        )
    } else {
        (
            LabState::Down,
            vec![format!("the pods are removed, their volumes are kept; bring them back with `{}`", identity.up)],
        )
    })
}

/// What somebody else deleted, and nothing makes again.
fn missing(status: &Status, identity: &LabIdentity, facts: &Facts) -> Vec<String> {
    let set = facts.objects.iter().any(|object| matches!(text(object, "/kind"), "StatefulSet" | "Deployment"));
    let gone = [
        (!set, "the StatefulSet is gone, a pod that ends is not replaced"),
        (status.services.is_empty(), "the LoadBalancer Service is gone, the portal has no address"),
    ];
    let gone = gone.into_iter().filter(|(gone, _)| *gone);
    gone.map(|(_, what)| format!("{what}; make it again with `{}`", identity.up)).collect()
}

fn nodes(status: &Status) -> Vec<String> {
    if status.nodes.is_empty() {
        return vec!["the cluster has no nodes, nothing can run; see `kubectl get nodes`".into()];
    }
    let away = status.nodes.iter().filter(|node| !node.ready);
    away.map(|node| format!("node {0} is not ready; see `kubectl describe node {0}`", node.name)).collect()
}

fn namespace(status: &Status, facts: &Facts) -> Option<String> {
    let namespace = facts.namespace.as_ref().filter(|namespace| deleted(namespace))?;
    let name = name(namespace);
    let lab = &status.lab;
    Some(format!(
        "namespace {name} is being deleted, nothing new can start in it; finish with `iris-lab reset --name {lab}`"
    ))
}

fn volumes(status: &Status, facts: &Facts) -> Vec<String> {
    let no_default = !status.storage_classes.iter().any(|class| class.default);
    let explain = |volume: &super::VolumeStatus| {
        let claim = &volume.claim;
        let known = status.storage_classes.iter().any(|class| class.name == volume.class);
        let (cause, next) = match volume.phase.as_str() {
            "Bound" => return None,
            "Terminating" => ("is being deleted".into(), describe(status, "pvc", claim)),
            "Lost" => ("has lost its volume".into(), describe(status, "pvc", claim)),
            _ if volume.class.is_empty() && no_default => (
                "is not bound: it names no storage class and the cluster has no default one".into(),
                "name one with `iris-lab up --storage-class CLASS`".into(),
            ),
            _ if !volume.class.is_empty() && !known => (
                format!("is not bound: storage class {} does not exist", volume.class),
                "see `kubectl get storageclass`".into(),
            ),
            _ => match warning(facts, claim) {
                Some(message) => (format!("is not bound: {message}"), describe(status, "pvc", claim)),
                None => ("is not bound yet".into(), describe(status, "pvc", claim)),
            },
        };
        Some(format!("claim {claim} {cause}; {next}"))
    };
    status.volumes.iter().filter_map(explain).collect()
}

fn pods(status: &Status, identity: &LabIdentity, facts: &Facts) -> Vec<String> {
    let mut problems: Vec<_> =
        status.pods.iter().filter(|pod| !pod.ready).map(|pod| unready(status, pod, facts)).collect();
    let expected = usize::try_from(identity.replicas).unwrap_or(usize::MAX);
    if status.pods.len() < expected {
        let there = status.pods.len();
        let cause = facts.objects.iter().find(|object| text(object, "/kind") == "StatefulSet");
        let cause = cause.and_then(|set| warning(facts, name(set))).map(|why| format!(": {why}")).unwrap_or_default();
        problems.push(format!("{there} of {expected} pods exist{cause}; make the others with `{}`", identity.up));
    }
    problems
}

fn unready(status: &Status, pod: &PodStatus, facts: &Facts) -> String {
    let namespace = &status.namespace;
    let object = facts.pods.iter().find(|object| name(object) == pod.name).unwrap_or(&Value::Null);
    let containers = || list(object, "/status/initContainerStatuses").chain(list(object, "/status/containerStatuses"));
    let waiting = containers().find(|container| container.pointer("/state/waiting").is_some());
    let message = waiting.map(|container| text(container, "/state/waiting/message")).unwrap_or_default();
    let scheduled = condition(object, "PodScheduled");
    let unschedulable = scheduled.filter(|condition| text(condition, "/status") == "False");
    let column = pod.status.strip_prefix("Init:").unwrap_or(&pod.status);
    let (cause, next) = match column {
        "Terminating" => ("is being deleted".into(), describe(status, "pod", &pod.name)),
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
            let image = containers().find(|container| container.pointer("/state/waiting").is_some());
            let image = image.map(|container| text(container, "/image")).unwrap_or_default();
            let why = pull_error(facts, &pod.name, image).unwrap_or(message);
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            (format!("cannot pull its image {image}{why}"), "name another with `iris-lab up --image IMAGE`".into())
        }
        "CrashLoopBackOff" | "Error" => ends_again_and_again(object, pod, namespace),
        _ if unschedulable.is_some() => {
            let why = unschedulable.map(|condition| text(condition, "/message")).unwrap_or_default();
            (format!("has no node: {}", why.trim_end_matches('.')), describe(status, "pod", &pod.name))
        }
        "Running" => (
            format!(
                "runs but is not ready{}",
                probe(facts, &pod.name).map(|why| format!(": {why}")).unwrap_or_default()
            ),
            format!("see `kubectl logs {} -n {namespace}`", pod.name),
        ),
        column => {
            // What ended is not explained by the warnings from before its end.
            let starting = text(object, "/status/phase") == "Pending";
            let why = warning(facts, &pod.name).filter(|_| starting).or((!message.is_empty()).then_some(message));
            (
                format!("is {column}{}", why.map(|why| format!(": {why}")).unwrap_or_default()),
                describe(status, "pod", &pod.name),
            )
        }
    };
    format!("pod {} {cause}; {next}", pod.name)
}

/// The cause of a crash loop and the command that shows the log of the container in it.
fn ends_again_and_again(object: &Value, pod: &PodStatus, namespace: &str) -> (String, String) {
    let ended = |container: &Value| {
        let states = ["/lastState/terminated", "/state/terminated"];
        let ended = states.iter().find_map(|path| container.pointer(path).cloned());
        ended.filter(|ended| ended["exitCode"] != 0)
    };
    let init = list(object, "/status/initContainerStatuses").find(|container| ended(container).is_some());
    let container = init.map(|container| format!(" -c {}", text(container, "/name"))).unwrap_or_default();
    let last = init.or_else(|| list(object, "/status/containerStatuses").find(|container| ended(container).is_some()));
    let code = last.and_then(ended).map(|ended| match text(&ended, "/reason") {
        "" => format!(", the last time with exit code {}", ended["exitCode"]),
        reason => format!(", the last time with exit code {} ({reason})", ended["exitCode"]),
    });
    let next = format!("see `kubectl logs {} -n {namespace}{container} --previous`", pod.name);
    (format!("ends again and again{}", code.unwrap_or_default()), next)
}

fn services(status: &Status) -> Vec<String> {
    let waiting = status.services.iter().filter(|service| service.addresses.is_empty());
    let explain = |service: &super::ServiceStatus| {
        let port = service.ports.first().copied().unwrap_or(52773);
        format!(
            "service {0} has no address, nothing in the cluster has given it one; until then use `kubectl port-forward \
             service/{0} {port} -n {1}`",
            service.name, status.namespace
        )
    };
    waiting.map(explain).collect()
}

fn notes(status: &Status, identity: &LabIdentity) -> Vec<String> {
    let mut notes = Vec::new();
    if identity.replicas > 1 && !status.pods.is_empty() {
        notes.push("the pods are independent databases, they share no data".into());
    }
    let cordoned = status.nodes.iter().filter(|node| node.status.contains("SchedulingDisabled"));
    notes.extend(cordoned.map(|node| format!("node {0} takes no new pods until `kubectl uncordon {0}`", node.name)));
    notes
}

fn describe(status: &Status, kind: &str, name: &str) -> String {
    format!("see `kubectl describe {kind} {name} -n {}`", status.namespace)
}

/// The newest warning about an object.
fn warning<'a>(facts: &'a Facts, object: &'a str) -> Option<&'a str> {
    // Warnings about DNS settings come with every sync of a pod and never say why it is not ready.
    let event = warnings(facts, object).find(|event| !text(event, "/reason").contains("DNS"))?;
    Some(text(event, "/message").trim_end_matches('.')).filter(|message| !message.is_empty())
}

/// What the newest probe that failed said.
fn probe<'a>(facts: &'a Facts, pod: &'a str) -> Option<&'a str> {
    let event = warnings(facts, pod).find(|event| text(event, "/reason") == "Unhealthy")?;
    Some(text(event, "/message").trim())
}

/// The error of the pull itself, from where it stops to repeat the image; the container says only that it waits.
fn pull_error<'a>(facts: &'a Facts, pod: &'a str, image: &str) -> Option<&'a str> {
    let mut messages = warnings(facts, pod).map(|event| text(event, "/message"));
    let message = messages.find(|message| message.starts_with("Failed to pull image"))?;
    let quoted = format!("{image}\": ");
    Some(message.rsplit_once(quoted.as_str()).map_or(message, |(_, error)| error))
}

fn warnings<'a>(facts: &'a Facts, object: &'a str) -> impl Iterator<Item = &'a Value> {
    facts.warnings.iter().filter(move |event| text(event, "/involvedObject/name") == object)
}
