//! The actions that remove what does not go by being deleted, and the proof at the end.

use super::Session;
use super::journal::Change;
use crate::cluster::{Cluster, JobEnd, Labelled, Progress, Release, Selector};
use crate::error::{Failure, Kind, Result};
use crate::model::object::{FIELD_MANAGER, LAB_LABEL, MANAGED_BY};
use crate::model::{ObjectRef, StepEnd, Trace};
use crate::paths::write_private;
use serde_json::Value;

/// Lines of a log that a failure shows.
const TAIL: usize = 10;

impl Session<'_> {
    pub(super) async fn delete(&self, objects: &[ObjectRef], progress: Progress<'_>) -> Result<StepEnd> {
        let removed = self.connected().await?.delete(objects, progress).await?;
        let end = match removed.as_slice() {
            [] => StepEnd::Unchanged("nothing of it is there".into()),
            [one] if objects.len() == 1 => StepEnd::Changed(format!("{} {}", one.kind, one.name)),
            all if all.len() == objects.len() => StepEnd::Changed(format!("{} objects", all.len())),
            some => StepEnd::Changed(format!("{} of {} objects", some.len(), objects.len())),
        };
        self.removed.borrow_mut().extend(removed);
        Ok(end)
    }

    pub(super) async fn run_job(&self, objects: &[Value], job: &ObjectRef, progress: Progress<'_>) -> Result<StepEnd> {
        let cluster = self.connected().await?;
        match cluster.run_job(objects, job, progress).await? {
            JobEnd::Complete => Ok(StepEnd::Changed(format!("{} has done its work", job.name))),
            JobEnd::Failed { why, log } => {
                let mut failure = Failure::step(format!("{job} failed")).cause(why);
                failure.causes.extend(self.kept_log(job, &log));
                Err(failure)
            }
        }
    }

    /// The end of a Job's log as it is now, and where all of it is kept.
    pub(super) async fn log_of(&self, cluster: &Cluster, job: &ObjectRef) -> Vec<String> {
        match cluster.job_log(job).await {
            Ok(log) => self.kept_log(job, &log),
            Err(failure) => vec![format!("its log cannot be read: {failure}")],
        }
    }

    fn kept_log(&self, job: &ObjectRef, log: &str) -> Vec<String> {
        if log.is_empty() {
            return vec!["it has no log".into()];
        }
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
        let path = self.dir.path().join(format!("{}.log", job.name));
        let keep = || {
            self.dir.create()?;
            if self.is_lab() {
                self.record(Change::File { path: path.clone() })?;
            }
            write_private(&path, log)
        };
        let kept = match keep() {
            Ok(()) => format!("its whole log is in {}", path.display()),
            Err(failure) => format!("its log could not be kept: {failure}"),
        };
        vec![format!("the end of its log:\n{tail}"), kept]
    }

    pub(super) async fn reap(&self, namespace: &str, progress: Progress<'_>) -> Result<StepEnd> {
        let ours = Selector::labels(format!("{MANAGED_BY}={FIELD_MANAGER},{LAB_LABEL}={}", self.lab));
        Ok(match self.connected().await?.reap(namespace, ours, progress).await? {
            0 => StepEnd::Unchanged("they ended by themselves".into()),
            1 => StepEnd::Changed("1 pod let go".into()),
            count => StepEnd::Changed(format!("{count} pods let go")),
        })
    }

    pub(super) async fn evacuate(&self, namespace: &str, progress: Progress<'_>) -> Result<StepEnd> {
        Ok(match self.connected().await?.evacuate(namespace, progress).await? {
            0 => StepEnd::Unchanged("nothing ran there".into()),
            1 => StepEnd::Changed("1 pod is gone".into()),
            count => StepEnd::Changed(format!("{count} pods are gone")),
        })
    }

    pub(super) async fn release(&self, what: &Release<'_>, progress: Progress<'_>) -> Result<StepEnd> {
        Ok(match self.connected().await?.release(what, progress).await? {
            0 => StepEnd::Unchanged(format!("nothing was held by {}", what.finalizer)),
            1 => StepEnd::Changed(format!("1 object freed of {}", what.finalizer)),
            count => StepEnd::Changed(format!("{count} objects freed of {}", what.finalizer)),
        })
    }

    pub(super) async fn finalize(&self, namespace: &str) -> Result<StepEnd> {
        Ok(match self.connected().await?.finalize(namespace).await? {
            true => StepEnd::Changed(format!("the namespace {namespace} was empty and is ended")),
            false => StepEnd::Unchanged(format!("the namespace {namespace} is gone")),
        })
    }

    pub(super) async fn prove(&self, of: &[Trace]) -> Result<StepEnd> {
        let Labelled { objects, unseen } = self.connected().await?.traces(&self.lab, of).await?;
        let unseen = match unseen.is_empty() {
            true => String::new(),
            false => format!("; not looked at, because their server is dead: {}", unseen.join(", ")),
        };
        if objects.is_empty() {
            return Ok(StepEnd::Unchanged(format!("nothing is left{unseen}")));
        }
        let count = if objects.len() == 1 { "1 object is".into() } else { format!("{} objects are", objects.len()) };
        let mut failure = Failure::new(Kind::Left, format!("{count} left in the cluster{unseen}"));
        failure.causes = objects.iter().map(ToString::to_string).collect();
        Err(failure.hint("`kubectl describe` on one of them shows what holds it"))
    }
}
