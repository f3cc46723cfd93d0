//! The whole work as data: a graph of titled steps, each with its needs, its deadline and its action.

use super::cmd::Cmd;
use super::facts::Facts;
use super::host::HostObject;
use super::image::ImageBuild;
use super::longhorn::NodeName;
use super::object::ObjectRef;
use super::sim::SimSettings;
use super::target::WaitFor;
use super::verb::Verb;
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// The whole work. Steps may run side by side where their needs allow it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What it is for.
    pub verb: Verb,
    /// The lab's name.
    pub lab: String,
    /// The namespace that it frees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The provider's name.
    pub provider: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// The steps, each after those that it needs.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Whether the run goes on after a failed step: removing does, making does not.
    pub fn goes_on(&self) -> bool {
        let stops = [Verb::Up, Verb::Stop, Verb::Start, Verb::Resize, Verb::ImageBuild, Verb::ImagePush];
        !stops.contains(&self.verb)
    }

    /// Names of what it removes from this host in these steps.
    pub fn unmade(&self, steps: &[String]) -> Vec<String> {
        let objects = self.steps.iter().filter(|step| steps.contains(&step.id)).filter_map(|step| match &step.action {
            Action::Unmake { object, .. } => Some(object.to_string()),
            _ => None,
        });
        objects.collect()
    }

    /// What it would install on this host: each command and download, as people read it.
    pub fn installs(&self) -> Vec<String> {
        let open = self.steps.iter().filter(|step| step.satisfied.is_none());
        let lines = open.map(|step| match &step.action {
            Action::Make { object: HostObject::Snap { .. } | HostObject::Member { .. }, commands, .. } => {
                commands.iter().map(Cmd::line).collect()
            }
            Action::Download { url, path, .. } => vec![format!("download {url} to {}", path.display())],
            _ => Vec::new(),
        });
        lines.flatten().collect()
    }

    /// Names of those that it deletes among the objects that were removed, in its order.
    pub fn deleted(&self, removed: &[ObjectRef]) -> Vec<String> {
        let objects = self.steps.iter().filter_map(|step| match &step.action {
            Action::Delete { objects } => Some(objects),
            _ => None,
        });
        objects.flatten().filter(|object| removed.contains(object)).map(ToString::to_string).collect()
    }
}

/// One titled unit of work.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Unique in its plan; short and kebab-case.
    pub id: String,
    /// What the user reads: an imperative phrase.
    pub title: String,
    /// Ids of the steps that must have succeeded.
    pub needs: Vec<String>,
    /// The deadline, from the step's start.
    #[serde(rename = "timeoutSeconds", serialize_with = "seconds")]
    pub timeout: Duration,
    /// Whether it runs only after everything that it needs has succeeded. In a plan that goes on after failures, a step
    /// that is not strict runs as soon as its needs are over.
    pub strict: bool,
    /// Why there is nothing to do, when the facts say so already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub satisfied: Option<String>,
    /// Its effect.
    pub action: Action,
}

impl Step {
    /// A strict step without needs.
    pub fn new(id: impl Into<String>, title: impl Into<String>, timeout: Duration, action: Action) -> Self {
        let (id, title) = (id.into(), title.into());
        Step { id, title, needs: Vec::new(), timeout, strict: true, satisfied: None, action }
    }

    /// A strict step that applies objects; satisfied when the facts show each of them as it should be.
    pub fn apply(id: &str, title: impl Into<String>, timeout: Duration, objects: Vec<Value>, facts: &Facts) -> Self {
        let current = facts.show(&objects).then(|| "it is there as it should be".into());
        Self::new(id, title, timeout, Action::Apply { objects }).satisfied_by(current)
    }

    /// Adds needs.
    #[must_use]
    pub fn after<I: IntoIterator<Item = S>, S: Into<String>>(mut self, needs: I) -> Self {
        self.needs.extend(needs.into_iter().map(Into::into));
        self
    }

    /// Says why there is nothing to do, if there is a reason.
    #[must_use]
    pub fn satisfied_by(mut self, reason: Option<String>) -> Self {
        self.satisfied = reason;
        self
    }

    /// Lets it run even if what it needs has failed.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.strict = false;
        self
    }
}

/// The effect of a step, as data.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "do")]
pub enum Action {
    /// Starts the embedded cluster as a background process and writes our kubeconfig for it.
    StartSim(SimSettings),
    /// Writes our kubeconfig: one context of the user's, alone.
    WriteKubeconfig {
        /// The context that the user named.
        context: String,
    },
    /// Makes something on this host with the host's own tools: looks whether it is there, writes it down in the journal, runs the
    /// commands, looks again. What a tool says of its success does not count.
    Make {
        /// What is to be there.
        object: HostObject,
        /// The commands, in order.
        commands: Vec<Cmd>,
        /// Words in what a command says, in whatever case, after which it is tried again: races that are known to pass.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        passing: Vec<String>,
    },
    /// Removes something from this host: looks whether it is there, runs the commands, looks again.
    Unmake {
        /// What is to go.
        object: HostObject,
        /// The commands, in order.
        commands: Vec<Cmd>,
    },
    /// Runs commands that may be repeated, unless another one finds that there is nothing to do.
    Run {
        /// It exits with 0 when there is nothing to do; none when that is never known.
        #[serde(skip_serializing_if = "Option::is_none")]
        unless: Option<Cmd>,
        /// The commands, in order.
        commands: Vec<Cmd>,
    },
    /// Downloads a program into our cache, unless it is there.
    Download {
        /// Where from.
        url: String,
        /// What its bytes must be.
        sha256: String,
        /// Where to.
        path: PathBuf,
    },
    /// Builds an image with Docker, unless Docker or the image's registry has it.
    BuildImage(ImageBuild),
    /// Pushes an image to its registry, unless that has it, and reads it back from there.
    PushImage {
        /// The image as pods name it.
        image: String,
        /// Whether its registry is made by this plan, and may take its time.
        comes: bool,
    },
    /// Proves that the lab's pods run what the registry has, and nothing else of the same name.
    ProveImage {
        /// The image as pods name it.
        image: String,
        /// The namespace of the pods.
        namespace: String,
    },
    /// Writes a file of ours on this host.
    WriteFile {
        /// Where.
        path: PathBuf,
        /// What.
        content: String,
    },
    /// Writes our kubeconfig: what a command prints, and waits until its server answers.
    TakeKubeconfig {
        /// The command.
        command: Cmd,
    },
    /// Makes the objects what they should be, by server-side apply.
    Apply {
        /// Whole objects, in order.
        objects: Vec<Value>,
    },
    /// Waits, by watch, until something holds.
    Wait {
        /// What must hold.
        #[serde(rename = "for")]
        target: WaitFor,
    },
    /// Makes a route on this host to the pods of each node that takes volumes, by way of the node. Which addresses these are is only
    /// known when the nodes are there.
    RoutePods {
        /// Whether we are root already.
        is_root: bool,
    },
    /// Deletes objects and waits until they are gone.
    Delete {
        /// The objects, in order.
        objects: Vec<ObjectRef>,
    },
    /// Sets the number of pods of a StatefulSet of this lab, if there is one. With none, it returns when they are gone and nothing
    /// has their volumes attached any more.
    Scale {
        /// The StatefulSet.
        set: ObjectRef,
        /// Number of pods.
        replicas: u32,
    },
    /// Asks for larger volumes, and waits until they are; a file system may follow when its volume is mounted the next time.
    Grow {
        /// Their claims.
        claims: Vec<ObjectRef>,
        /// The size that each shall have, as a quantity.
        size: String,
    },
    /// Makes a StatefulSet what it should be, its claim templates too: these cannot be changed, so the old one goes, without its
    /// pods, and the new one takes them over.
    Replace {
        /// The whole StatefulSet.
        object: Value,
    },
    /// Waits until the claims have the size, and looks in each pod whether its file systems have it.
    Measure {
        /// The pods.
        pods: Vec<ObjectRef>,
        /// Where the volumes are mounted in each.
        paths: Vec<String>,
        /// The claims.
        claims: Vec<ObjectRef>,
        /// The size, as a quantity.
        size: String,
    },
    /// Sets a password in one running instance by its hash, and looks whether the instance takes the password.
    SetPassword {
        /// The pod.
        pod: ObjectRef,
        /// The accounts.
        accounts: Vec<String>,
        /// The hash, as IRIS takes it.
        hash: String,
        /// The file on this host with the password: it is in no plan and no record.
        file: PathBuf,
    },
    /// Proves that a storage driver works on one node: makes a claim and a pod there that writes and reads it back, and removes
    /// both again, whatever came of it.
    Canary {
        /// The node.
        node: NodeName,
        /// The claim and the pod.
        objects: Vec<Value>,
        /// The ConfigMap in which the proof is kept.
        record: ObjectRef,
    },
    /// Applies the objects of a Job and waits for its end; a Job that failed is a failure with the end of its log.
    RunJob {
        /// Everything that it needs, and the Job itself, in order.
        objects: Vec<Value>,
        /// The Job.
        job: ObjectRef,
    },
    /// Lets go of the lab's pods that have ended and stay only because nobody can unmount their volumes any more, until none of
    /// its pods is left.
    Reap {
        /// The namespace of the pods.
        namespace: String,
    },
    /// Takes a finalizer off objects that are already being deleted, and off nothing else, until none of these kinds carries it.
    Release {
        /// The namespace, whose end is begun by somebody else; none for kinds that belong to no namespace, of which only the
        /// objects in `seen` are touched.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        /// The finalizer, whole.
        finalizer: String,
        /// The kinds, children before parents: `replicas.longhorn.io`.
        kinds: Vec<String>,
        /// The objects that were seen with it when the plan was made.
        seen: Vec<ObjectRef>,
    },
    /// Stops everything that runs in a namespace that is about to end, and lets go of pods that do not stop.
    Evacuate {
        /// The namespace.
        namespace: String,
    },
    /// Ends a namespace that is being deleted and in which nothing is left, by its `finalize` subresource.
    Finalize {
        /// The namespace.
        namespace: String,
    },
    /// Reads the cluster again and fails if anything of these traces is left.
    Prove {
        /// What to look for.
        of: Vec<Trace>,
    },
    /// Ends the embedded cluster's process and proves that it is gone.
    StopSim,
    /// Removes what the journal says we made on this host.
    RemoveHostFiles,
}

impl Action {
    /// The whole objects that it applies; none for other actions.
    pub fn applies(&self) -> Option<&[Value]> {
        match self {
            Action::Apply { objects } | Action::Canary { objects, .. } | Action::RunJob { objects, .. } => {
                Some(objects)
            }
            _ => None,
        }
    }
}

/// Something of which nothing may be left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "trace")]
pub enum Trace {
    /// Every object of whatever kind with the label of the lab.
    Label,
    /// One object.
    Object(ObjectRef),
    /// The definitions of custom resources of an API group.
    Group {
        /// The group.
        group: String,
    },
    /// The volumes and attachments of a storage driver.
    Driver {
        /// The driver.
        driver: String,
    },
}

fn seconds<S: serde::Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}
