//! The plans of `down` and `reset`: exactly the objects that were found, each kind before what it depends on.

use super::RECORD;
use super::longhorn::{ENDS, Removal, removal};
use crate::error::Result;
use crate::model::longhorn::traces;
use crate::model::{Action, ObjectRef, Plan, Step, Trace, Verb};
use crate::provider::{Provider, word};
use std::time::Duration;

const WORKLOAD_TIMEOUT: Duration = Duration::from_secs(8 * 60);
const DELETE_TIMEOUT: Duration = Duration::from_secs(3 * 60);
const HOST_TIMEOUT: Duration = Duration::from_secs(60);

/// Id of the step that looks whether anything is left.
pub const PROOF: &str = "proof";

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

/// The last of these steps that there is.
fn last(steps: &[Step], ids: &[&str]) -> Vec<String> {
    let found = steps.iter().rfind(|step| ids.contains(&step.id.as_str()));
    found.map(|step| step.id.clone()).into_iter().collect()
}

/// Adds the steps that remove Longhorn; returns the ids of those after which it is gone.
fn with_longhorn(steps: &mut Vec<Step>, longhorn: &Removal) -> Result<Vec<String>> {
    let (before, claims) = (last(steps, &["workload", "settings"]), last(steps, &["workload", "settings", "data"]));
    steps.extend(removal(longhorn, &before, &claims)?);
    Ok(ENDS.iter().map(|id| id.to_string()).collect())
}

/// The plan of `down`: the workload goes; claims, namespace and record stay, unless the data is named. Longhorn goes when it is
/// named.
pub fn down(
    lab: &str,
    namespace: &str,
    provider: &dyn Provider,
    found: &[ObjectRef],
    delete_data: bool,
    longhorn: Option<&Removal>,
) -> Result<Plan> {
    let wanted = |object: &ObjectRef| match Group::of(object) {
        _ if traces::is_part(object) => false,
        Group::Workload => true,
        Group::Settings => object.name != RECORD && object.namespace.as_deref() == Some(namespace),
        Group::Claims => delete_data,
        Group::Namespaces | Group::ClusterWide => false,
    };
    let mut steps = deletions(found, wanted);
    // What is left of the workload after a failure is there to be looked at.
    steps.iter_mut().for_each(|step| step.strict = true);
    if let Some(longhorn) = longhorn {
        let ends = with_longhorn(&mut steps, longhorn)?;
        steps.push(proof(traces::all()).after(ends));
    }
    Ok(plan(Verb::Down, lab, provider, steps))
}

/// The plan of `reset`: everything that was found, then the proof, then what is on this host, which `undo` removes step by step.
/// Longhorn goes with the lab that installed it or takes it over.
pub fn reset(
    lab: &str,
    provider: &dyn Provider,
    found: &[ObjectRef],
    reachable: bool,
    longhorn: Option<&Removal>,
    undo: Vec<Step>,
) -> Result<Plan> {
    let mut steps = deletions(found, |object| longhorn.is_none() || !traces::is_part(object));
    let mut before: Vec<String> = steps.last().map(|step| step.id.clone()).into_iter().collect();
    let mut of = vec![Trace::Label];
    if let Some(longhorn) = longhorn {
        before.extend(with_longhorn(&mut steps, longhorn)?);
        of.extend(traces::all());
    }
    // What is in a cluster that goes as a whole goes with it.
    let whole = |step: &Step| matches!(&step.action, Action::Unmake { object, .. } if object.is_the_cluster());
    let mut needed: Vec<String> = Vec::new();
    if reachable {
        steps.push(proof(of).after(before));
        before = vec![PROOF.into()];
        needed.extend((!undo.iter().any(whole)).then(|| PROOF.into()));
    }
    // The journal stays as long as anything in it does.
    needed.extend(undo.iter().map(|step| step.id.clone()));
    if needed.is_empty() {
        needed.clone_from(&before);
    }
    for step in undo {
        let id = step.id.clone();
        steps.push(step.after(before).lenient());
        before = vec![id];
    }
    let files = Step::new("files", "Remove our files on this host", HOST_TIMEOUT, Action::RemoveHostFiles);
    steps.push(files.after(needed));
    Ok(plan(Verb::Reset, lab, provider, steps))
}

fn proof(of: Vec<Trace>) -> Step {
    Step::new(PROOF, "Look whether anything is left in the cluster", DELETE_TIMEOUT, Action::Prove { of }).lenient()
}

fn plan(verb: Verb, lab: &str, provider: &dyn Provider, steps: Vec<Step>) -> Plan {
    let (provider, simulated) = (word(provider.name()).to_string(), provider.is_simulated());
    Plan { verb, lab: lab.into(), namespace: None, provider, simulated, steps }
}
