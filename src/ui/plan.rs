//! A plan as text: every step with what it needs, its deadline, and what it would do.

use super::look::{Look, Mark};
use super::table::wrap;
use crate::model::image::push;
use crate::model::{Action, Cmd, ObjectRef, Plan, Step, Trace, WaitFor};
use serde_json::Value;

/// The whole plan for people, in the width of the look.
pub fn plan_text(plan: &Plan, look: &Look) -> String {
    let satisfied = plan.steps.iter().filter(|step| step.satisfied.is_some()).count();
    let count = match plan.steps.len() {
        1 => "1 step".to_string(),
        count => format!("{count} steps"),
    };
    let count = if satisfied == 0 { count } else { format!("{count}, {satisfied} with nothing to do") };
    let banner = if plan.simulated { ", simulated: nothing real is made" } else { "" };
    let title = format!("{} {}", plan.verb.name(), plan.namespace.as_ref().unwrap_or(&plan.lab));
    let mut text = format!("{}: {count}, provider {}{banner}\n", look.bold(&title), plan.provider);
    for (number, step) in plan.steps.iter().enumerate() {
        text.push('\n');
        text += &step_text(number + 1, step, look);
    }
    text
}

fn step_text(number: usize, step: &Step, look: &Look) -> String {
    let mut text = wrap(&format!("{number:>2}. {} [{}]", step.title, step.id), look.width, 0);
    // The number is right-aligned: wrapping took its space away.
    if number < 10 {
        text.insert(0, ' ');
    }
    let mut line = |name: &str, value: String| text += &wrap(&format!("{name} {value}"), look.width, 4);
    match &step.satisfied {
        Some(why) => line(&look.mark(Mark::Same), format!("nothing to do: {why}")),
        None => {
            let (verb, what) = effect(&step.action);
            line(verb, what.join(", "));
            text += &calls(&step.action, look);
        }
    }
    let needs = if step.needs.is_empty() { "nothing".into() } else { step.needs.join(", ") };
    let within = humantime::format_duration(step.timeout);
    text + &look.dim(&wrap(&format!("needs {needs}; within {within}"), look.width, 4))
}

/// The calls of the host's own tools, a line each, as they can be pasted.
fn calls(action: &Action, look: &Look) -> String {
    let own;
    let commands = match action {
        Action::Make { commands, .. } | Action::Unmake { commands, .. } | Action::Run { commands, .. } => commands,
        Action::BuildImage(build) => {
            own = vec![build.command()];
            &own
        }
        Action::PushImage { image, .. } => {
            own = vec![push(image)];
            &own
        }
        _ => return String::new(),
    };
    let line = |cmd: &Cmd| {
        let reads = cmd.stdin.as_ref().map(|text| match text.lines().count() {
            1 => ", which reads 1 line".to_string(),
            count => format!(", which reads {count} lines"),
        });
        wrap(&format!("`{}`{}", cmd.line(), reads.unwrap_or_default()), look.width, 6)
    };
    commands.iter().map(line).collect()
}

/// What an action does: a verb and the things it does it to.
fn effect(action: &Action) -> (&'static str, Vec<String>) {
    let refs = |objects: &[ObjectRef]| objects.iter().map(ToString::to_string).collect::<Vec<String>>();
    match action {
        Action::StartSim(sim) => {
            let speed = sim.speed.map_or("instant".into(), |factor| format!("speed {factor}"));
            let mut what = vec![format!("the embedded cluster: {} nodes", sim.nodes)];
            what.extend([format!("Kubernetes {}", sim.kubernetes), speed]);
            what.extend(sim.faults.iter().map(|file| format!("faults from {}", file.display())));
            ("starts", what)
        }
        Action::WriteKubeconfig { context } => ("writes", vec![format!("our kubeconfig, for context {context} alone")]),
        Action::Make { object, .. } => ("makes", vec![object.to_string()]),
        Action::Unmake { object, .. } => ("removes", vec![object.to_string()]),
        Action::Run { unless: Some(unless), .. } => ("looks first with", vec![format!("`{}`", unless.line())]),
        Action::Run { unless: None, .. } => ("runs", vec!["every time".into()]),
        Action::Download { url, path, .. } => ("downloads", vec![format!("{url} to {}", path.display())]),
        Action::BuildImage(build) => ("builds", vec![format!("{} from {}", build.image, build.context.display())]),
        Action::PushImage { image, .. } => ("pushes", vec![image.clone()]),
        Action::ProveImage { namespace, .. } => {
            ("compares", vec![format!("the digest in the registry with what the pods in {namespace} run")])
        }
        Action::WriteFile { path, .. } => ("writes", vec![path.display().to_string()]),
        Action::TakeKubeconfig { command } => ("writes", vec![format!("our kubeconfig, from `{}`", command.line())]),
        Action::Apply { objects } => {
            ("applies", objects.iter().map(|object: &Value| ObjectRef::of(object).to_string()).collect())
        }
        Action::Wait { target } => ("waits for", vec![waits_for(target)]),
        Action::Delete { objects } => ("deletes", refs(objects)),
        Action::Scale { set, replicas } => ("sets", vec![format!("{set} to {replicas} pods")]),
        Action::Grow { claims, size } => ("grows", vec![format!("{} to {size}", refs(claims).join(", "))]),
        Action::Replace { object } => ("replaces", vec![ObjectRef::of(object).to_string()]),
        Action::Measure { pods, paths, .. } => {
            let pods: Vec<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
            ("looks at", vec![format!("{} in {}", paths.join(" and "), pods.join(", "))])
        }
        Action::SetPassword { pod, accounts, .. } => {
            ("sets", vec![format!("the password of {} in {pod}, by its hash", accounts.join(", "))])
        }
        Action::Canary { node, objects, .. } => (
            "writes and reads back",
            vec![format!("{} on {node}", refs(&objects.iter().map(ObjectRef::of).collect::<Vec<_>>()).join(", "))],
        ),
        Action::RoutePods { .. } => ("routes", vec!["this host to the pods of each node that takes volumes".into()]),
        Action::RunJob { objects, .. } => ("runs", refs(&objects.iter().map(ObjectRef::of).collect::<Vec<_>>())),
        Action::Reap { namespace } => {
            ("lets go of", vec![format!("pods in {namespace} that have ended and whose volumes nobody can unmount")])
        }
        Action::Release { namespace: Some(namespace), finalizer, seen, .. } if seen.is_empty() => {
            ("takes", vec![format!("the finalizer {finalizer} off whatever is being deleted in {namespace} with it")])
        }
        Action::Release { finalizer, seen, .. } => {
            ("takes", vec![format!("the finalizer {finalizer} off {}, once deleted", refs(seen).join(", "))])
        }
        Action::Evacuate { namespace } => ("stops", vec![format!("every workload and pod in {namespace}")]),
        Action::Finalize { namespace } => {
            ("ends", vec![format!("the namespace {namespace}, by its finalize subresource")])
        }
        Action::Prove { of } => ("looks for", of.iter().map(trace).collect()),
        Action::StopSim => ("ends", vec!["the embedded cluster's process".into()]),
        Action::RemoveHostFiles => ("removes", vec!["what the journal says we made on this host".into()]),
    }
}

fn trace(trace: &Trace) -> String {
    match trace {
        Trace::Label => "every kind of object in the cluster with the label of the lab".into(),
        Trace::Object(object) => object.to_string(),
        Trace::Group { group } => format!("definitions of the group {group}"),
        Trace::Driver { driver } => format!("volumes and attachments of {driver}"),
    }
}

fn waits_for(target: &WaitFor) -> String {
    match target {
        WaitFor::NodesReady { count } => format!("all nodes to be Ready, at least {count}"),
        WaitFor::Served { definitions } => format!("{} to be served", definitions.join(", ")),
        WaitFor::PodReady { namespace, name, .. } => format!("pod {namespace}/{name} to be Ready"),
        WaitFor::Longhorn { link } => format!("this to hold: {}", link.clause()),
        WaitFor::VolumesGone { driver } => format!("every volume and attachment of {driver} to be gone"),
        WaitFor::Lab { .. } => "every pod of the lab to be Ready, and its address".into(),
        WaitFor::Address { namespace, name } => format!("service {namespace}/{name} to have an address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HostObject, SimSettings, Verb};
    use serde_json::json;
    use std::time::Duration;

    fn plan() -> Plan {
        let step = |id: &str, title: &str, needs: &[&str], action| {
            Step::new(id, title, Duration::from_secs(300), action).after(needs.iter().copied())
        };
        let object = |version: &str, kind: &str, name: &str| json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "iris-lab"}});
        let sim = SimSettings { nodes: 3, kubernetes: "1.24.17".into(), speed: Some(1.0), faults: None };
        let objects = vec![
            object("v1", "ConfigMap", "iris-cpf"),
            object("v1", "Service", "iris"),
            object("v1", "Service", "iris-ext"),
            object("apps/v1", "StatefulSet", "data"),
        ];
        let pod =
            WaitFor::PodReady { namespace: "iris-lab".into(), name: "data-0".into(), stateful_set: "data".into() };
        let mut steps = vec![
            step("cluster", "Start the embedded cluster", &[], Action::StartSim(sim)),
            step("iris", "Apply the IRIS objects", &["cluster"], Action::Apply { objects }),
            step("pod-0", "Wait for pod data-0", &["iris"], Action::Wait { target: pod }),
        ];
        steps[0].satisfied = Some("it runs already".into());
        Plan { verb: Verb::Up, lab: "two-pod".into(), namespace: None, provider: "sim".into(), simulated: true, steps }
    }

    #[test]
    fn every_step_shows_what_it_does_and_needs() {
        assert_eq!(
            plan_text(&plan(), &Look::plain()),
            "\
up two-pod: 3 steps, 1 with nothing to do, provider sim, simulated: nothing real is made

 1. Start the embedded cluster [cluster]
    · nothing to do: it runs already
    needs nothing; within 5m

 2. Apply the IRIS objects [iris]
    applies ConfigMap iris-lab/iris-cpf, Service iris-lab/iris, Service
      iris-lab/iris-ext, StatefulSet iris-lab/data
    needs cluster; within 5m

 3. Wait for pod data-0 [pod-0]
    waits for pod iris-lab/data-0 to be Ready
    needs iris; within 5m
"
        );
    }

    #[test]
    fn what_is_done_on_the_host_shows_each_command() {
        let build = Cmd::new("docker", ["build", "-t", "node:1", "-"]).reading("FROM base\nRUN a\n");
        let install = Cmd::new("snap", ["install", "microk8s", "--classic"]).as_root(false);
        let actions = [
            Action::Make {
                object: HostObject::Snap { name: "microk8s".into() },
                commands: vec![install, Cmd::new("snap", ["list"])],
                passing: Vec::new(),
            },
            Action::Run { unless: Some(Cmd::new("docker", ["image", "inspect", "node:1"])), commands: vec![build] },
        ];
        let step = |action| Step::new("x", "Do it", Duration::from_secs(60), action);
        let steps = actions.into_iter().map(step).collect();
        let text = plan_text(&Plan { steps, ..plan() }, &Look::plain());
        assert_eq!(
            text.lines().skip(2).collect::<Vec<_>>().join("\n"),
            " 1. Do it [x]
    makes snap microk8s
      `sudo -n snap install microk8s --classic`
      `snap list`
    needs nothing; within 1m

 2. Do it [x]
    looks first with `docker image inspect node:1`
      `docker build -t node:1 -`, which reads 2 lines
    needs nothing; within 1m"
        );
    }

    #[test]
    fn steps_fit_narrow_terminals() {
        let look = Look { width: 50, ..Look::plain() };
        let text = plan_text(&plan(), &look);
        assert!(text.lines().skip(2).all(|line| line.chars().count() <= 50), "{text}");
    }
}
