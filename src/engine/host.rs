//! The actions on this host: what a lab makes with the host's own tools, and removes again. Each looks, acts, and looks again: the
//! word of a tool does not count.

use super::Session;
use super::journal::Change;
use crate::cluster::{Cluster, Progress, Selector, kubeconfig};
use crate::download;
use crate::error::{Failure, Kind, Result};
use crate::exec::Output;
use crate::host;
use crate::model::longhorn::takes_volumes;
use crate::model::{Cmd, HostObject, StepEnd};
use crate::paths::{uncached, write_private};
use backon::{ExponentialBuilder, Retryable};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// How soon, and then how often at most, something is tried again that is known to pass or that no tool announces.
pub(super) fn again() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(3))
        .without_max_times()
}

impl Session<'_> {
    pub(super) async fn make(
        &self,
        object: &HostObject,
        commands: &[Cmd],
        passing: &[String],
        progress: Progress<'_>,
    ) -> Result<StepEnd> {
        if self.look(object, false, progress).await? {
            return Ok(StepEnd::Unchanged("it is there".into()));
        }
        self.record(Change::Host { object: object.clone() })?;
        let mut last = None;
        for cmd in commands {
            last = Some((cmd, self.run_patiently(cmd, passing, progress).await?));
        }
        if self.look(object, object.comes_later(), progress).await? {
            return Ok(StepEnd::Changed(object.to_string()));
        }
        let failure = Failure::step(format!("there is no {object}, and no command of this step has failed"));
        Err(match last {
            Some((cmd, output)) => failure.cause(format!("`{}` said: {}", cmd.line(), output.text())),
            None => failure,
        })
    }

    /// Whether it is there. A tool that cannot say so yet is asked again until the deadline of the step, and `comes` means that what
    /// is not there is on its way.
    async fn look(&self, object: &HostObject, comes: bool, progress: Progress<'_>) -> Result<bool> {
        let once = || async {
            match host::has(self.machine, object).await? {
                false if comes => Err(Failure::not_ready(format!("there is no {object} yet"))),
                found => Ok(found),
            }
        };
        let passes = |failure: &Failure| {
            let yet = failure.kind == Kind::NotReady;
            if yet {
                progress(failure.message.clone());
            }
            yet
        };
        once.retry(again()).when(passes).await
    }

    pub(super) async fn unmake(
        &self,
        object: &HostObject,
        commands: &[Cmd],
        progress: Progress<'_>,
    ) -> Result<StepEnd> {
        if !self.look(object, false, progress).await? {
            return Ok(StepEnd::Unchanged("it is gone".into()));
        }
        if object.holds_the_cluster() {
            self.release_lock().await?;
        }
        // Only the look at the end decides: some tools fail after they have done their work.
        let mut failed = Vec::new();
        for cmd in commands {
            failed.extend(self.run_patiently(cmd, &[], progress).await.err());
        }
        if !self.look(object, false, progress).await? {
            return Ok(StepEnd::Changed(object.to_string()));
        }
        let mut failure = Failure::step(format!("the {object} is still there"));
        if failed.is_empty() {
            let lines: Vec<String> = commands.iter().map(Cmd::line).collect();
            failure = failure.cause(format!("after `{}`", lines.join("`, `")));
        }
        for one in failed {
            failure.hints.extend(one.hints);
            failure.causes.extend([one.message].into_iter().chain(one.causes));
        }
        Err(failure)
    }

    pub(super) async fn run_commands(
        &self,
        unless: Option<&Cmd>,
        commands: &[Cmd],
        progress: Progress<'_>,
    ) -> Result<StepEnd> {
        if let Some(unless) = unless
            && self.machine.run(unless, &|_| {}).await?.ok()
        {
            return Ok(StepEnd::Unchanged("there is nothing to do".into()));
        }
        for cmd in commands {
            self.run_patiently(cmd, &[], progress).await?;
        }
        Ok(StepEnd::Changed(match commands {
            [one] => format!("`{}`", one.line()),
            many => format!("{} commands", many.len()),
        }))
    }

    /// Runs a command to success: again and again as long as it fails with words that are known to pass.
    async fn run_patiently(&self, cmd: &Cmd, passing: &[String], progress: Progress<'_>) -> Result<Output> {
        let tell = |line: &str| progress(line.to_string());
        let once = || async {
            let output = self.machine.run(cmd, &tell).await?;
            if output.ok() { Ok(output) } else { Err(host::explained(output.failure(cmd))) }
        };
        let passes = |failure: &Failure| {
            let text = failure.to_string().to_lowercase();
            passing.iter().any(|words| text.contains(&words.to_lowercase()))
        };
        once.retry(again()).when(passes).await
    }

    pub(super) async fn download(&self, url: &str, sha256: &str, path: &Path) -> Result<StepEnd> {
        let there = fs::read(path).is_ok_and(|bytes| download::sha256(&bytes) == sha256);
        if there {
            return Ok(StepEnd::Unchanged("it is in our cache".into()));
        }
        let (address, sum) = (url.to_string(), sha256.to_string());
        let fetched = tokio::task::spawn_blocking(move || download::verified(&address, &sum)).await;
        let bytes = fetched.map_err(|e| Failure::step(format!("cannot download {url}")).caused_by(e))??;
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            // Whole or not at all: a run that is killed in between leaves nothing that looks like it.
            let part = path.with_extension("part");
            fs::write(&part, &bytes)?;
            fs::set_permissions(&part, fs::Permissions::from_mode(0o755))?;
            fs::rename(part, path)
        };
        write().map_err(|e| uncached(path, e))?;
        Ok(StepEnd::Changed(path.display().to_string()))
    }

    pub(super) fn write_file(&self, path: &Path, content: &str) -> Result<StepEnd> {
        if fs::read_to_string(path).is_ok_and(|text| text == content) {
            return Ok(StepEnd::Unchanged("it is there as it should be".into()));
        }
        self.record(Change::File { path: path.into() })?;
        write_private(path, content)?;
        Ok(StepEnd::Changed(path.display().to_string()))
    }

    /// What a command prints becomes our kubeconfig, once its server answers: a cluster that has only just begun may take its time.
    pub(super) async fn take_kubeconfig(&self, command: &Cmd, progress: Progress<'_>) -> Result<StepEnd> {
        let output = self.machine.run(command, &|_| {}).await?;
        if !output.ok() {
            return Err(host::explained(output.failure(command)));
        }
        let text = kubeconfig::alone(&output.stdout).map_err(|failure| {
            failure.cause(format!("`{}` said: {}", command.line(), output.text().lines().next().unwrap_or_default()))
        })?;
        let path = self.dir.kubeconfig();
        let known = fs::read_to_string(&path).is_ok_and(|there| there == text);
        self.record(Change::File { path: path.clone() })?;
        write_private(&path, &text)?;
        progress("its API server does not answer yet".into());
        let cluster = Cluster::awaited(&text).await?;
        // Another step may have been first: it is the same cluster.
        let _ = self.cluster.set(cluster);
        Ok(if known { StepEnd::Unchanged("it answers".into()) } else { StepEnd::Changed(path.display().to_string()) })
    }

    /// A node without a range of its own has no route: whether its volumes work all the same is the canary's to say.
    pub(super) async fn route_pods(&self, is_root: bool, progress: Progress<'_>) -> Result<StepEnd> {
        let mut nodes = self.connected().await?.list("v1", "Node", None, &Selector::default()).await?;
        nodes.retain(takes_volumes);
        let (mut made, mut without) = (Vec::new(), Vec::new());
        for node in &nodes {
            let addresses = node["status"]["addresses"].as_array();
            let own = addresses.and_then(|all| all.iter().find(|one| one["type"] == "InternalIP"));
            match (node["spec"]["podCIDR"].as_str(), own.and_then(|own| own["address"].as_str())) {
                (Some(to), Some(via)) => {
                    let cmd = Cmd::new("ip", ["-4", "route", "add", to, "via", via]).as_root(is_root);
                    let route = HostObject::Route { to: to.into(), via: via.into() };
                    if let StepEnd::Changed(line) = self.make(&route, &[cmd], &[], progress).await? {
                        made.push(line);
                    }
                }
                _ => without.push(node["metadata"]["name"].as_str().unwrap_or_default()),
            }
        }
        Ok(match (made.is_empty(), without.is_empty()) {
            (false, _) => StepEnd::Changed(made.join(", ")),
            (true, true) => StepEnd::Unchanged("they are there".into()),
            (true, false) => StepEnd::Unchanged(format!("{} have no pod range of their own", without.join(", "))),
        })
    }
}
