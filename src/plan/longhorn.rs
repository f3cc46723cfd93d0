//! The steps that remove Longhorn, whatever state it is in: in good order while it lives, by force where nobody lives who could
//! do it. Each way is a step of its own, and the next one does not depend on the success of the one before.

use crate::addon::longhorn::manifest;
use crate::addon::longhorn::version::Version;
use crate::error::Result;
use crate::model::longhorn::{ATTACHER_FINALIZER, DRIVER, FINALIZER, LonghornFacts, is_kept, traces};
use crate::model::object::label;
use crate::model::{Action, ObjectRef, Step, Stuck, WaitFor};
use serde_json::Value;
use std::time::Duration;

const VOLUMES_TIMEOUT: Duration = Duration::from_secs(3 * 60);
/// The job takes 20 to 80 s where it works, and waits 90 s before it uses force.
const JOB_TIMEOUT: Duration = Duration::from_secs(4 * 60);
const DELETE_TIMEOUT: Duration = Duration::from_secs(3 * 60);
/// Where a Job names its image.
const JOB_IMAGE: &str = "/spec/template/spec/containers/0/image";
/// Kinds that the CSI attacher puts its finalizer on.
const ATTACHED_KINDS: &[&str] = &["volumeattachments.storage.k8s.io", "persistentvolumes"];
/// From this minor release on, the API of the job's PodSecurityPolicy is gone.
const FIRST_WITHOUT_POLICY: u32 = 25;

/// What removing Longhorn is planned from.
pub struct Removal<'a> {
    /// Longhorn as it is.
    pub facts: &'a LonghornFacts,
    /// Its namespace with what may keep it.
    pub stuck: Option<&'a Stuck>,
    /// The namespace's name.
    pub namespace: &'a str,
    /// Kubernetes' version, such as `v1.20.2`.
    pub kubernetes: &'a str,
    /// The lab whose labels the job's objects get.
    pub lab: &'a str,
    /// Namespace of the pods that use its volumes and go with it.
    pub pods: Option<&'a str>,
    /// Objects beside its namespace and definitions that are removed by their names.
    pub beside: &'a [ObjectRef],
    /// Whether volumes that somebody still wants are left alone.
    pub keeps_volumes: bool,
}

/// The steps. `before` must be over before a volume is detached, `claims` before Longhorn itself is touched.
pub fn removal(removal: &Removal, before: &[String], claims: &[String]) -> Result<Vec<Step>> {
    let lives = removal.facts.has_driver();
    let mut steps = Vec::new();
    if lives {
        steps.push(volumes(removal).after(claims));
    } else {
        steps.extend(removal.pods.map(pods));
        // Claims wait for their volumes, and nobody but us removes those.
        steps.extend(detachment(removal, before));
    }
    steps.extend(guards(removal).into_iter().map(|step| step.after(claims)));
    let until_here: Vec<String> = steps.iter().map(|step| step.id.clone()).filter(|id| !is_beside(id)).collect();
    steps.push(uninstall(removal)?.after(claims).after(until_here));
    steps.push(uninstall_objects(removal, &steps).after(["longhorn-uninstall"]));
    steps.push(stop(removal).after(["longhorn-uninstall"]));
    steps.push(namespace(removal).after(["longhorn-stop"]));
    steps.push(release(removal).after(["longhorn-uninstall"]));
    steps.push(definitions(removal).after(["longhorn-release"]));
    if lives {
        steps.extend(detachment(removal, &["longhorn-namespace".into()]));
    }
    steps.push(cluster_wide(removal).after(["longhorn-namespace", "longhorn-definitions"]));
    Ok(steps.into_iter().map(Step::lenient).collect())
}

/// The steps after which the others' work is done.
pub const ENDS: &[&str] =
    &["longhorn-uninstall-objects", "longhorn-cluster-wide", "longhorn-attachments", "longhorn-detach"];

/// Whether a step goes on beside the removal of Longhorn itself.
fn is_beside(id: &str) -> bool {
    matches!(id, "longhorn-pods" | "longhorn-attachments" | "longhorn-detach")
}

/// Pods go only after their volumes are unmounted, which Longhorn's driver does on each node while it lives.
fn pods(namespace: &str) -> Step {
    let title = "Let go of pods whose volumes nobody can unmount";
    Step::new("longhorn-pods", title, VOLUMES_TIMEOUT, Action::Reap { namespace: namespace.into() })
}

fn volumes(removal: &Removal) -> Step {
    let none = removal.facts.volumes.is_empty() && removal.facts.attachments.is_empty();
    let wanted = removal.keeps_volumes && removal.facts.volumes.iter().any(is_kept);
    let reason = match (none, wanted) {
        (true, _) => Some("there is none".into()),
        (_, true) => Some("those with a claim stay as objects; their data goes with Longhorn".into()),
        _ => None,
    };
    let target = WaitFor::VolumesGone { driver: DRIVER.into() };
    let title = "Wait until Longhorn has removed its volumes";
    Step::new("longhorn-volumes", title, VOLUMES_TIMEOUT, Action::Wait { target }).satisfied_by(reason)
}

/// What calls into the namespace and fails without it, and then keeps everything from being changed or ended.
fn guards(removal: &Removal) -> Vec<Step> {
    let (services, webhooks) = match removal.stuck {
        Some(stuck) => (stuck.own_api_services(), stuck.own_webhooks()),
        None => Default::default(),
    };
    let delete = |id: &str, title: &str, objects: Vec<ObjectRef>| {
        (!objects.is_empty()).then(|| Step::new(id, title, DELETE_TIMEOUT, Action::Delete { objects }))
    };
    let services = delete("longhorn-api-services", "Remove the API services that need its namespace", services);
    let webhooks = delete("longhorn-webhooks", "Remove the webhooks that need its namespace", webhooks);
    services.into_iter().chain(webhooks).collect()
}

/// The uninstall job, or why it is of no use.
fn uninstall(removal: &Removal) -> Result<Step> {
    let facts = removal.facts;
    let version = facts.version().map(|version| (version, Version::parse(version).ok()));
    let minor = removal.kubernetes.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    let (version, reason) = match version {
        _ if facts.resources.is_empty() && facts.workloads.is_empty() => (None, "there is nothing for it to do".into()),
        // Without a manager the job only takes finalizers off, never those of backups, for which it waits in vain.
        _ if !facts.has_manager() => {
            (None, "no manager lives, and without one it does no more than what follows".into())
        }
        _ if minor.is_some_and(|minor| minor >= FIRST_WITHOUT_POLICY) => {
            (None, format!("it does not run on Kubernetes {}", removal.kubernetes))
        }
        None => (None, "the installed version is not known".into()),
        Some((text, None)) => (None, format!("the installed version is {text}, of which we have no job")),
        Some((_, version @ Some(_))) => (version, String::new()),
    };
    let mut objects = version.map(manifest::uninstall).transpose()?.unwrap_or_default();
    for object in &mut objects {
        label(object, removal.lab);
        // The nodes have the manager's own image, wherever it came from.
        if let (Some(image), Some(wanted)) = (facts.manager_image(), object.pointer_mut(JOB_IMAGE)) {
            *wanted = image.into();
        }
    }
    let job = objects.iter().find(|object| object["kind"] == "Job").map(ObjectRef::of);
    let job = job.unwrap_or_else(|| traces::uninstall().swap_remove(0));
    let title = "Run the uninstall job of the installed Longhorn";
    Ok(Step::new("longhorn-uninstall", title, JOB_TIMEOUT, Action::RunJob { objects, job })
        .satisfied_by(version.is_none().then_some(reason)))
}

/// What the job needs is there when it ran, and may be there from before.
fn uninstall_objects(removal: &Removal, steps: &[Step]) -> Step {
    let runs = steps.iter().any(|step| step.id == "longhorn-uninstall" && step.satisfied.is_none());
    let objects: Vec<ObjectRef> =
        traces::uninstall().into_iter().filter(|object| runs || removal.beside.contains(object)).collect();
    let reason = objects.is_empty().then(|| "there is nothing of it".into());
    let title = "Remove what Longhorn's uninstall job needed";
    Step::new("longhorn-uninstall-objects", title, DELETE_TIMEOUT, Action::Delete { objects }).satisfied_by(reason)
}

/// Its pods have nothing to save when its volumes are gone, or when it is on its way out anyway.
fn stop(removal: &Removal) -> Step {
    let title = format!("Stop what still runs in the namespace {}", removal.namespace);
    let action = Action::Evacuate { namespace: removal.namespace.into() };
    Step::new("longhorn-stop", title, DELETE_TIMEOUT, action).satisfied_by(is_gone(removal))
}

fn is_gone(removal: &Removal) -> Option<String> {
    (removal.facts.namespace.is_none() && removal.stuck.is_none()).then(|| "it is not there".into())
}

fn namespace(removal: &Removal) -> Step {
    let objects = vec![ObjectRef::new("v1", "Namespace", None, removal.namespace)];
    let title = format!("Remove the namespace {} with all that is in it", removal.namespace);
    Step::new("longhorn-namespace", title, DELETE_TIMEOUT, Action::Delete { objects }).satisfied_by(is_gone(removal))
}

fn release(removal: &Removal) -> Step {
    let carries = |object: &&Value| {
        let finalizers = object["metadata"]["finalizers"].as_array();
        object["metadata"]["namespace"] == removal.namespace
            && finalizers.is_some_and(|all| all.iter().any(|one| one == FINALIZER))
    };
    let seen = removal.facts.resources.iter().filter(carries).map(ObjectRef::of).collect();
    let (namespace, finalizer) = (Some(removal.namespace.into()), FINALIZER.into());
    let action = Action::Release { namespace, finalizer, kinds: traces::kinds(), seen };
    let title = "Free what is held by Longhorn's finalizer";
    let none = removal.facts.definitions.is_empty();
    Step::new("longhorn-release", title, DELETE_TIMEOUT, action)
        .satisfied_by(none.then(|| "the cluster knows no kind of Longhorn's".into()))
}

fn definitions(removal: &Removal) -> Step {
    let elsewhere = removal.facts.resources.iter().find(|object| object["metadata"]["namespace"] != removal.namespace);
    let reason = match elsewhere {
        Some(object) => Some(format!("they stay: {} is of another namespace", ObjectRef::of(object))),
        None => removal.facts.definitions.is_empty().then(|| "there is none".into()),
    };
    let objects: Vec<ObjectRef> = removal.facts.definitions.iter().map(ObjectRef::of).collect();
    let title = "Remove the definitions of Longhorn's kinds";
    Step::new("longhorn-definitions", title, DELETE_TIMEOUT, Action::Delete { objects }).satisfied_by(reason)
}

/// Volumes and attachments that Longhorn did not remove itself, and beside it their freeing, which needs nobody who lives.
fn detachment(removal: &Removal, after: &[String]) -> [Step; 2] {
    let kept = |volume: &&Value| removal.keeps_volumes && is_kept(volume);
    let (kept, loose): (Vec<&Value>, Vec<&Value>) = removal.facts.volumes.iter().partition(|volume| kept(volume));
    let is_loose = |attachment: &&Value| {
        let volume = &attachment["spec"]["source"]["persistentVolumeName"];
        !kept.iter().any(|kept| kept["metadata"]["name"] == *volume)
    };
    let attachments = removal.facts.attachments.iter().filter(is_loose);
    let objects: Vec<ObjectRef> = attachments.chain(loose).map(ObjectRef::of).collect();
    let reason = objects.is_empty().then(|| "there is none".to_string());
    let release = Action::Release {
        namespace: None,
        finalizer: ATTACHER_FINALIZER.into(),
        kinds: ATTACHED_KINDS.iter().map(|kind| kind.to_string()).collect(),
        seen: objects.clone(),
    };
    let delete = Action::Delete { objects };
    [
        Step::new(
            "longhorn-attachments",
            "Remove Longhorn's volumes and attachments that are left",
            DELETE_TIMEOUT,
            delete,
        ),
        Step::new("longhorn-detach", "Free what is held by its attacher's finalizer", DELETE_TIMEOUT, release),
    ]
    .map(|step| step.satisfied_by(reason.clone()).after(after))
}

fn cluster_wide(removal: &Removal) -> Step {
    let kept = removal.facts.volumes.iter().find(|volume| removal.keeps_volumes && is_kept(volume));
    let mut objects = traces::cluster_wide();
    objects.retain(|object| removal.beside.contains(object));
    let reason = match kept {
        Some(volume) => Some(format!("it stays: {} is wanted by its claim", ObjectRef::of(volume))),
        None => objects.is_empty().then(|| "there is nothing of it".into()),
    };
    let title = "Remove what Longhorn leaves beside its namespace";
    let action = Action::Delete { objects };
    Step::new("longhorn-cluster-wide", title, DELETE_TIMEOUT, action).satisfied_by(reason)
}
