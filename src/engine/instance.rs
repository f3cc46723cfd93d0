//! The actions on volumes and instances that run: growing, measuring, and a new password.

use super::Session;
use crate::cluster::{Applied, Progress};
use crate::error::{Failure, Result};
use crate::model::{ObjectRef, Quantity, StepEnd};
use crate::workload::{CONTAINER, accounts};
use futures::future::try_join_all;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Of a volume's size, what a file system must have at the least: its own tables take the rest.
const LEAST_PERCENT: i128 = 90;

impl Session<'_> {
    pub(super) async fn grow(&self, claims: &[ObjectRef], size: &str, progress: Progress<'_>) -> Result<StepEnd> {
        Ok(match self.connected().await?.grow(claims, size, progress).await? {
            true => StepEnd::Changed(format!("they have {size}")),
            false => StepEnd::Changed(format!("they have {size}, which they were asked to have before")),
        })
    }

    pub(super) async fn replace(&self, object: &Value) -> Result<StepEnd> {
        self.ours(&ObjectRef::of(object)).await?;
        Ok(match self.connected().await?.replace(object).await? {
            Applied::Unchanged => StepEnd::Unchanged("it is there as it should be".into()),
            _ => StepEnd::Changed("it has it".into()),
        })
    }

    /// A file system on a directory of a node may show the whole disk: only too small is wrong.
    pub(super) async fn measure(
        &self,
        pods: &[ObjectRef],
        paths: &[String],
        (claims, size): (&[ObjectRef], &str),
        progress: Progress<'_>,
    ) -> Result<StepEnd> {
        let cluster = self.connected().await?;
        cluster.has_grown(claims, size, progress).await?;
        let wanted = Quantity::parse(size).unwrap_or_default().nanos() / 1_000_000_000;
        let places = pods.iter().flat_map(|pod| paths.iter().map(move |path| (pod, path)));
        let look = places.map(|(pod, path)| async move {
            let room = cluster.room(pod, CONTAINER, path).await?;
            let line = format!("{} sees {} at {path}", pod.name, gibibytes(room));
            if i128::from(room) * 100 < wanted * LEAST_PERCENT {
                return Err(Failure::step(format!("the volumes have {size}, and a pod does not see it"))
                    .cause(line)
                    .hint(format!("start it anew, so that its file system grows: `kubectl delete pod {}`", pod.name)));
            }
            Ok(line)
        });
        Ok(StepEnd::Unchanged(try_join_all(look).await?.join(", ")))
    }

    pub(super) async fn set_password(
        &self,
        pod: &ObjectRef,
        names: &[String],
        hash: &str,
        file: &Path,
    ) -> Result<StepEnd> {
        let cluster = self.connected().await?;
        let merged = cluster.merge(pod, CONTAINER, &accounts::merge_file(names, hash)).await;
        merged.map_err(|failure| without(hash, failure))?;
        let password = fs::read_to_string(file)
            .map_err(|error| Failure::step(format!("cannot read {}", file.display())).caused_by(error))?;
        let questions = accounts::questions(false, Some((names, password.trim_end_matches('\n'))));
        let tried = accounts::answers(&cluster.session(pod, CONTAINER, &questions).await?).tried;
        let refused: Vec<&str> = tried.iter().filter(|(_, theirs)| !theirs).map(|(name, _)| name.as_str()).collect();
        // One that is not there is passed over.
        let is_there = |name: &&str| tried.is_empty() || tried.iter().any(|(one, _)| one == name);
        let (there, missing): (Vec<&str>, Vec<&str>) = names.iter().map(String::as_str).partition(is_there);
        let mut done = format!("set for {}", there.join(", "));
        if !missing.is_empty() {
            done = format!("{done}; it has no account {}", missing.join(", "));
        }
        match (refused.as_slice(), tried.as_slice()) {
            ([], []) => Ok(StepEnd::Changed(format!("{done}; its instance does not say whether it takes it"))),
            ([], _) => Ok(StepEnd::Changed(format!("{done}; tried, and it is theirs"))),
            (refused, _) => Err(Failure::step(format!("{} does not take the new password", pod.name)).cause(format!(
                "it merged the hash, and the password is not that of {} all the same",
                refused.join(", ")
            ))),
        }
    }
}

/// A failure that repeats no hash.
fn without(hash: &str, mut failure: Failure) -> Failure {
    for text in failure.causes.iter_mut().chain([&mut failure.message]) {
        *text = text.replace(hash, "...");
    }
    failure
}

/// `9.8 GiB`
fn gibibytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10) >> 30;
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_down() {
        assert_eq!(gibibytes(10_218_772 * 1024), "9.7 GiB");
        assert_eq!(gibibytes(5 << 30), "5.0 GiB");
    }

    #[test]
    fn a_failure_does_not_repeat_the_hash() {
        let failure = without("aa,bb", Failure::step("x").cause("ERROR #507: PasswordHash=\"aa,bb\""));
        assert_eq!(failure.causes, ["ERROR #507: PasswordHash=\"...\""]);
    }
}
