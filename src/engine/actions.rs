//! What each action of a plan does to the world: the cluster, the embedded cluster's process, our files on this host.

use super::Perform;
use super::journal::{Change, Journal};
use super::simulator;
use crate::cluster::{Applied, Cluster, Lock, Release, Selector, kubeconfig};
use crate::error::{Failure, Result};
use crate::exec::Machine;
use crate::host;
use crate::model::object::{LAB_LABEL, is_of};
use crate::model::{Action, NodeName, ObjectRef, Step, StepEnd, WaitFor, longhorn};
use crate::paths::{LabDir, StateDir, unwritable, write_private};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, try_join_all};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fs;
use tokio::sync::OnceCell;

/// One run on one lab: its files, its journal and, as soon as it answers, its cluster.
pub struct Session<'a> {
    pub(super) lab: String,
    state: StateDir,
    pub(super) dir: LabDir,
    journal: RefCell<Journal>,
    pub(super) cluster: OnceCell<Cluster>,
    lock: Option<&'a Lock>,
    pub(super) machine: &'a dyn Machine,
    pub(super) removed: RefCell<Vec<ObjectRef>>,
}

impl<'a> Session<'a> {
    /// A session; the lab's folder must exist. `cluster` is none when the plan makes it first; `lock` is none where the lock on
    /// the lab's folder is enough.
    pub fn new(
        lab: &str,
        state: &StateDir,
        journal: Journal,
        cluster: Option<Cluster>,
        lock: Option<&'a Lock>,
        machine: &'a dyn Machine,
    ) -> Self {
        Session {
            lab: lab.into(),
            state: state.clone(),
            dir: state.lab(lab),
            journal: RefCell::new(journal),
            cluster: OnceCell::new_with(cluster),
            lock,
            machine,
            removed: RefCell::default(),
        }
    }

    /// The lab's folder.
    pub fn dir(&self) -> &LabDir {
        &self.dir
    }

    /// The cluster, if it was reached.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.get()
    }

    /// The objects that its steps removed. Those that a plan names and somebody else removed first are not among them.
    pub fn removed(&self) -> Vec<ObjectRef> {
        self.removed.borrow().clone()
    }

    pub(super) async fn connected(&self) -> Result<&Cluster> {
        let path = self.dir.kubeconfig();
        self.cluster.get_or_try_init(|| Cluster::connect(&path, None)).await
    }

    /// Whether it is a lab's: its journal says where that lab lives.
    pub(super) fn is_lab(&self) -> bool {
        self.journal.borrow().target().is_some()
    }

    pub(super) fn record(&self, change: Change) -> Result<()> {
        self.journal.borrow_mut().record(change)
    }

    async fn act(&self, action: &Action, progress: &dyn Fn(String)) -> Result<StepEnd> {
        if self.lock.as_ref().is_some_and(|lock| !lock.held()) {
            return Err(Failure::step("the lock of this run was lost")
                .cause("it could not be renewed in time, and another run may be at work")
                .hint("run the command again"));
        }
        match action {
            Action::StartSim(settings) => {
                self.record(Change::Sim { dir: self.dir.sim() })?;
                self.record(Change::File { path: self.dir.kubeconfig() })?;
                simulator::start(&self.dir, settings).await
            }
            Action::WriteKubeconfig { context } => self.write_kubeconfig(context),
            Action::Make { object, commands, passing } => self.make(object, commands, passing, progress).await,
            Action::Unmake { object, commands } => self.unmake(object, commands, progress).await,
            Action::Run { unless, commands } => self.run_commands(unless.as_ref(), commands, progress).await,
            Action::Download { url, sha256, path } => self.download(url, sha256, path).await,
            Action::BuildImage(build) => self.build_image(build, progress).await,
            Action::PushImage { image, comes } => self.push_image(image, *comes, progress).await,
            Action::ProveImage { image, namespace } => self.prove_image(image, namespace).await,
            Action::WriteFile { path, content } => self.write_file(path, content),
            Action::TakeKubeconfig { command } => self.take_kubeconfig(command, progress).await,
            Action::Apply { objects } => self.apply(objects).await,
            Action::Wait { target: target @ WaitFor::Served { .. } } => {
                // It came with the definitions, whose step says whether they are new.
                Ok(StepEnd::Unchanged(self.connected().await?.wait(target, progress).await?))
            }
            Action::Wait { target } => Ok(StepEnd::Changed(self.connected().await?.wait(target, progress).await?)),
            Action::Delete { objects } => self.delete(objects, progress).await,
            Action::RunJob { objects, job } => self.run_job(objects, job, progress).await,
            Action::Reap { namespace } => self.reap(namespace, progress).await,
            Action::RoutePods { is_root } => self.route_pods(*is_root, progress).await,
            Action::Release { namespace, finalizer, kinds, seen } => {
                self.release(&Release { namespace: namespace.as_deref(), finalizer, kinds, seen }, progress).await
            }
            Action::Evacuate { namespace } => self.evacuate(namespace, progress).await,
            Action::Finalize { namespace } => self.finalize(namespace).await,
            Action::Canary { node, objects, record } => self.canary(node, objects, record, progress).await,
            Action::Scale { set, replicas } => self.scale(set, *replicas, progress).await,
            Action::Grow { claims, size } => self.grow(claims, size, progress).await,
            Action::Replace { object } => self.replace(object).await,
            Action::Measure { pods, paths, claims, size } => self.measure(pods, paths, (claims, size), progress).await,
            Action::SetPassword { pod, accounts, hash, file } => self.set_password(pod, accounts, hash, file).await,
            Action::Prove { of } => self.prove(of).await,
            Action::StopSim => simulator::stop(&self.dir).await,
            Action::RemoveHostFiles => self.remove_files().await,
        }
    }

    /// What an interrupted run left of a canary is removed first, if it is ours.
    async fn canary(
        &self,
        node: &NodeName,
        objects: &[Value],
        record: &ObjectRef,
        progress: &dyn Fn(String),
    ) -> Result<StepEnd> {
        let cluster = self.connected().await?;
        for object in objects {
            self.ours(&ObjectRef::of(object)).await?;
        }
        let number = match node {
            NodeName::Known(name) => {
                return cluster.canary(name, objects, record, progress).await.map(StepEnd::Changed);
            }
            NodeName::Number(number) => *number,
        };
        let mut nodes = cluster.list("v1", "Node", None, &Selector::default()).await?;
        nodes.retain(longhorn::takes_volumes);
        let Some(node) = nodes.get(number - 1) else {
            return Err(Failure::step(format!("there is no node {number} that takes volumes"))
                .cause(format!("the cluster has {} of them", nodes.len())));
        };
        let (meta, mut objects) = (&node["metadata"], objects.to_vec());
        for selector in objects.iter_mut().filter_map(|object| object.pointer_mut("/spec/nodeSelector")) {
            *selector = json!({ longhorn::HOST_NAME: meta["labels"][longhorn::HOST_NAME] });
        }
        let name = meta["name"].as_str().unwrap_or_default();
        cluster.canary(name, &objects, record, progress).await.map(StepEnd::Changed)
    }

    /// A StatefulSet that is not there, or somebody else's, is left as it is.
    async fn scale(&self, set: &ObjectRef, replicas: u32, progress: &dyn Fn(String)) -> Result<StepEnd> {
        let cluster = self.connected().await?;
        let Some(live) = cluster.get(set).await?.filter(|live| is_of(live, &self.lab)) else {
            return Ok(StepEnd::Unchanged("the lab is down: it has no pods".into()));
        };
        Ok(match cluster.scale(set, &live, replicas, progress).await? {
            true if replicas == 0 => StepEnd::Changed("its pods are gone, its volumes are kept".into()),
            true => StepEnd::Changed(format!("{replicas} pods are asked for")),
            false => StepEnd::Unchanged("it is so already".into()),
        })
    }

    fn write_kubeconfig(&self, context: &str) -> Result<StepEnd> {
        let text = kubeconfig::extract(&kubeconfig::users(), context)?;
        let path = self.dir.kubeconfig();
        self.record(Change::File { path: path.clone() })?;
        write_private(&path, &text)?;
        Ok(StepEnd::Changed(path.display().to_string()))
    }

    /// Namespaces first, because the other objects may be in them; the rest side by side.
    async fn apply(&self, objects: &[Value]) -> Result<StepEnd> {
        let (namespaces, rest): (Vec<&Value>, Vec<&Value>) = objects.iter().partition(|o| o["kind"] == "Namespace");
        let mut ends = try_join_all(namespaces.into_iter().map(|object| self.apply_one(object))).await?;
        ends.extend(try_join_all(rest.into_iter().map(|object| self.apply_one(object))).await?);
        let count = |wanted: Applied| ends.iter().filter(|end| **end == wanted).count();
        let (created, configured) = (count(Applied::Created), count(Applied::Configured));
        Ok(match (created, configured) {
            (0, 0) => StepEnd::Unchanged("it is there as it should be".into()),
            (0, n) => StepEnd::Changed(format!("{n} changed")),
            (n, 0) => StepEnd::Changed(format!("{n} made")),
            (n, m) => StepEnd::Changed(format!("{n} made, {m} changed")),
        })
    }

    /// Applies an object that is absent or ours. What is somebody else's is never taken over: reset would delete it.
    async fn apply_one(&self, object: &Value) -> Result<Applied> {
        let cluster = self.connected().await?;
        let name = ObjectRef::of(object);
        if !self.ours(&name).await? {
            return Ok(Applied::Unchanged);
        }
        if name.kind == "Namespace" && name.name == longhorn::NAMESPACE {
            self.record(Change::Longhorn)?;
        }
        cluster.apply(object).await
    }

    /// Whether an object may be changed: it is absent or ours. A namespace of somebody else is used as it is; anything else of
    /// somebody else is an error.
    pub(super) async fn ours(&self, name: &ObjectRef) -> Result<bool> {
        let Some(live) = self.connected().await?.get(name).await? else { return Ok(true) };
        if is_of(&live, &self.lab) {
            return Ok(true);
        }
        if name.kind == "Namespace" {
            return Ok(false);
        }
        let owner = live["metadata"]["labels"][LAB_LABEL].as_str();
        let cause = owner.map_or("it was not made by iris-lab".into(), |lab| format!("it belongs to the lab {lab}"));
        let hint = match name.namespace.as_deref() {
            None | Some(longhorn::NAMESPACE) => "remove it yourself, if nobody needs it",
            Some(_) => "use another namespace with --namespace NAME, or remove it yourself",
        };
        Err(Failure::step(format!("{name} exists and is not this lab's")).cause(cause).hint(hint))
    }

    /// Gives the lock in the cluster back: what comes may end the cluster.
    pub(super) async fn release_lock(&self) -> Result<()> {
        match self.lock {
            Some(lock) => lock.release().await,
            None => Ok(()),
        }
    }

    /// Our files say where the lab is: they go last, after our lock in the cluster, so that a killed run leaves no lock that
    /// nobody knows of.
    async fn remove_files(&self) -> Result<StepEnd> {
        self.release_lock().await?;
        for path in self.journal.borrow().paths() {
            remove(&path)?;
        }
        remove(self.dir.path())?;
        self.state.remove_if_empty();
        Ok(StepEnd::Changed(self.dir.path().display().to_string()))
    }
}

impl Perform for Session<'_> {
    fn perform<'a>(&'a self, step: &'a Step, progress: &'a dyn Fn(String)) -> LocalBoxFuture<'a, Result<StepEnd>> {
        self.act(&step.action, progress).boxed_local()
    }

    fn why<'a>(&'a self, step: &'a Step) -> LocalBoxFuture<'a, Vec<String>> {
        async move {
            match (&step.action, self.cluster.get()) {
                (Action::Wait { target }, Some(cluster)) => explain(cluster, target).await,
                (Action::Delete { objects }, Some(cluster)) => cluster.why_stuck(objects).await,
                (Action::RunJob { job, .. }, Some(cluster)) => self.log_of(cluster, job).await,
                (Action::Make { object, .. }, _) => host::why_absent(self.machine, object).await,
                _ => Vec::new(),
            }
        }
        .boxed_local()
    }
}

async fn explain(cluster: &Cluster, target: &WaitFor) -> Vec<String> {
    cluster.why(target).await.unwrap_or_else(|failure| vec![failure.to_string()])
}

/// Removes a file or folder; one that is gone already is fine.
fn remove(path: &std::path::Path) -> Result<()> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(unwritable(path, e)),
        _ => Ok(()),
    }
}
