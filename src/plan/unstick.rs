//! The plan of `unstick`: frees a namespace that does not end. It touches what it knows, which is Longhorn, and what was named.

use super::PROOF;
use super::longhorn::{ENDS, Removal, removal};
use crate::error::{Failure, Result};
use crate::model::{Action, LonghornFacts, ObjectRef, Plan, Step, Stuck, Trace, Verb};
use std::collections::BTreeSet;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(3 * 60);
const FINALIZE_TIMEOUT: Duration = Duration::from_secs(60);

/// What freeing a namespace is planned from.
pub struct Unstick<'a> {
    /// The namespace, which is being deleted.
    pub stuck: &'a Stuck,
    /// Longhorn as it is.
    pub longhorn: Option<&'a LonghornFacts>,
    /// What is there of Longhorn beside its namespace and definitions.
    pub beside: &'a [ObjectRef],
    /// Kubernetes' version, such as `v1.20.2`.
    pub kubernetes: &'a str,
    /// The lab that is at work, or a name that stands for it.
    pub lab: &'a str,
    /// The provider's name.
    pub provider: &'a str,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// Kinds whose finalizers the user gave up by name: `widgets.example.com`.
    pub strip: &'a [String],
    /// Whether an empty namespace may be ended by its `finalize` subresource.
    pub force: bool,
}

/// The plan; without a step when nothing in the namespace is known to us and nothing was named: what holds it then does so after
/// any wait, and a namespace with something in it is not ended by force.
pub fn unstick(wanted: &Unstick) -> Result<Plan> {
    let stuck = wanted.stuck;
    let mut steps = Vec::new();
    if stuck.is_longhorn() {
        let none = LonghornFacts::default();
        let removal_of_it = Removal {
            facts: wanted.longhorn.unwrap_or(&none),
            stuck: Some(stuck),
            namespace: stuck.name(),
            kubernetes: wanted.kubernetes,
            lab: wanted.lab,
            pods: None,
            beside: wanted.beside,
            keeps_volumes: true,
        };
        steps.extend(removal(&removal_of_it, &[], &[])?);
    }
    for kind in wanted.strip {
        steps.extend(strip(stuck, kind)?);
    }
    if !stuck.is_longhorn() && steps.is_empty() && stuck.held().iter().any(|held| !held.finalizers.is_empty()) {
        return Ok(plan(wanted, steps));
    }
    if !stuck.is_longhorn() && (wanted.force || !steps.is_empty()) {
        let objects = vec![namespace(stuck)];
        let title = format!("Wait until the namespace {} is gone", stuck.name());
        steps.push(Step::new("namespace", title, TIMEOUT, Action::Delete { objects }).lenient());
    }
    if wanted.force {
        let title = format!("End the namespace {} by force, if nothing is left in it", stuck.name());
        let action = Action::Finalize { namespace: stuck.name().into() };
        let over: Vec<String> =
            steps.iter().map(|step| step.id.clone()).filter(|id| id.ends_with("namespace")).collect();
        steps.push(Step::new("finalize", title, FINALIZE_TIMEOUT, action).after(over).lenient());
    }
    if !steps.is_empty() {
        steps.push(proof(stuck, &steps));
    }
    Ok(plan(wanted, steps))
}

fn plan(wanted: &Unstick, steps: Vec<Step>) -> Plan {
    Plan {
        verb: Verb::Unstick,
        lab: wanted.lab.into(),
        namespace: Some(wanted.stuck.name().into()),
        provider: wanted.provider.into(),
        simulated: wanted.simulated,
        steps,
    }
}

fn namespace(stuck: &Stuck) -> ObjectRef {
    ObjectRef::new("v1", "Namespace", None, stuck.name())
}

/// One step for each finalizer that objects of the kind carry.
fn strip(stuck: &Stuck, kind: &str) -> Result<Vec<Step>> {
    let is = |left: &&crate::model::Left| {
        let by_kind = match left.object.group() {
            "" => left.object.kind.clone(),
            group => format!("{}.{group}", left.object.kind),
        };
        left.resource.eq_ignore_ascii_case(kind) || by_kind.eq_ignore_ascii_case(kind)
    };
    let found: Vec<_> = stuck.left.iter().filter(is).filter(|left| !left.finalizers.is_empty()).collect();
    let Some(first) = found.first() else {
        let there: Vec<String> =
            stuck.held().into_iter().filter(|held| !held.finalizers.is_empty()).map(|held| held.resource).collect();
        let there = if there.is_empty() {
            "nothing there has a finalizer".into()
        } else {
            format!("there is {}", there.join(", "))
        };
        return Err(Failure::usage(format!("nothing of the kind {kind} is held in the namespace {}", stuck.name()))
            .cause(there)
            .hint("name a kind as it stands there, such as `--strip widgets.example.com`"));
    };
    let resource = first.resource.clone();
    let finalizers: BTreeSet<&String> = found.iter().flat_map(|left| &left.finalizers).collect();
    let step = |(number, finalizer): (usize, &String)| {
        let seen = found.iter().filter(|left| left.finalizers.contains(finalizer)).map(|left| left.object.clone());
        let action = Action::Release {
            namespace: Some(stuck.name().into()),
            finalizer: finalizer.clone(),
            kinds: vec![resource.clone()],
            seen: seen.collect(),
        };
        let title = format!("Free {resource} of the finalizer {finalizer}");
        Step::new(format!("strip-{resource}-{}", number + 1), title, TIMEOUT, action).lenient()
    };
    Ok(finalizers.into_iter().enumerate().map(step).collect())
}

/// The namespace and everything that the plan deletes must be gone.
fn proof(stuck: &Stuck, steps: &[Step]) -> Step {
    let mut gone: BTreeSet<ObjectRef> = BTreeSet::from([namespace(stuck)]);
    for step in steps.iter().filter(|step| step.satisfied.is_none()) {
        if let Action::Delete { objects } = &step.action {
            gone.extend(objects.iter().cloned());
        }
    }
    let of = gone.into_iter().map(Trace::Object).collect();
    let ends = steps.iter().map(|step| step.id.clone());
    let ends = ends.filter(|id| {
        ENDS.contains(&id.as_str()) || id.ends_with("namespace") || id == "finalize" || id.starts_with("strip-")
    });
    Step::new(PROOF, "Look whether it is gone", TIMEOUT, Action::Prove { of }).after(ends).lenient()
}
