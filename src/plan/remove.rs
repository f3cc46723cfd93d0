//! The plans of `down` and `reset`: exactly the objects that were found, each kind before what it depends on.

use crate::model::{Action, ObjectRef, Plan, Step, Verb};
use crate::plan::RECORD;
use crate::provider::{Provider, word};
use std::time::Duration;

const WORKLOAD_TIMEOUT: Duration = Duration::from_secs(8 * 60);
const DELETE_TIMEOUT: Duration = Duration::from_secs(3 * 60);
const HOST_TIMEOUT: Duration = Duration::from_secs(60);

/// What removing goes after, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Workload,
    Settings,
    Claims,
    Namespaces,
    ClusterWide,
}

impl Group {
    fn of(object: &ObjectRef) -> Self {
        match (object.kind.as_str(), &object.namespace) {
            ("StatefulSet" | "Deployment" | "DaemonSet" | "ReplicaSet" | "Job" | "CronJob" | "Pod", _) => {
                Group::Workload
            }
            ("PersistentVolumeClaim", _) => Group::Claims,
            ("Namespace", _) => Group::Namespaces,
            (_, Some(_)) => Group::Settings,
            (_, None) => Group::ClusterWide,
        }
    }

    fn step(self, objects: Vec<ObjectRef>) -> Step {
        let (id, title, timeout) = match self {
            Group::Workload => ("workload", "Stop IRIS and remove its pods", WORKLOAD_TIMEOUT),
            Group::Settings => ("settings", "Remove services and settings", DELETE_TIMEOUT),
            Group::Claims => ("data", "Delete the volumes with their data", DELETE_TIMEOUT),
            Group::Namespaces => ("namespace", "Remove the namespace", DELETE_TIMEOUT),
            Group::ClusterWide => ("cluster-wide", "Remove what belongs to no namespace", DELETE_TIMEOUT),
        };
        Step::new(id, title, timeout, Action::Delete { objects }).lenient()
    }
}

/// One deleting step for each group that has objects, each after the one before.
fn deletions(found: &[ObjectRef], wanted: impl Fn(&ObjectRef) -> bool) -> Vec<Step> {
    let mut groups: std::collections::BTreeMap<Group, Vec<ObjectRef>> = Default::default();
    for object in found.iter().filter(|object| wanted(object)) {
        groups.entry(Group::of(object)).or_default().push(object.clone());
    }
    let mut steps: Vec<Step> = Vec::new();
    for (group, objects) in groups {
        let before: Vec<String> = steps.last().map(|step| step.id.clone()).into_iter().collect();
        steps.push(group.step(objects).after(before));
    }
    steps
}

/// The plan of `down`: the workload goes; claims, namespace and record stay, unless the data is named.
pub fn down(lab: &str, namespace: &str, provider: &dyn Provider, found: &[ObjectRef], delete_data: bool) -> Plan {
    let wanted = |object: &ObjectRef| match Group::of(object) {
        Group::Workload => true,
        Group::Settings => object.name != RECORD && object.namespace.as_deref() == Some(namespace),
        Group::Claims => delete_data,
        Group::Namespaces | Group::ClusterWide => false,
    };
    plan(Verb::Down, lab, provider, deletions(found, wanted))
}

/// The plan of `reset`: everything that was found, then the proof, then what is on this host.
pub fn reset(lab: &str, provider: &dyn Provider, found: &[ObjectRef], reachable: bool) -> Plan {
    let mut steps = deletions(found, |_| true);
    let mut before: Vec<String> = steps.last().map(|step| step.id.clone()).into_iter().collect();
    if reachable {
        let prove = Step::new("proof", "Look whether anything is left in the cluster", DELETE_TIMEOUT, Action::Prove);
        steps.push(prove.after(before).lenient());
        before = vec!["proof".into()];
    }
    if provider.makes_cluster() {
        // The simulated cluster takes whatever is left in it along.
        let stop = Step::new("simulator", "End the simulated cluster", HOST_TIMEOUT, Action::StopSim);
        steps.push(stop.after(before).lenient());
        before = vec!["simulator".into()];
    }
    let files = Step::new("files", "Remove our files on this host", HOST_TIMEOUT, Action::RemoveHostFiles);
    steps.push(files.after(before));
    plan(Verb::Reset, lab, provider, steps)
}

fn plan(verb: Verb, lab: &str, provider: &dyn Provider, steps: Vec<Step>) -> Plan {
    let (provider, simulated) = (word(provider.name()).to_string(), provider.is_simulated());
    Plan { verb, lab: lab.into(), provider, simulated, steps }
}
