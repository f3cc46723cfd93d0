//! The embedded cluster's process: starting it, finding it again, ending it.
//!
//! The process inherits a locked file as its standard input, so the lock is held from before its first instruction until after
//! its last: whether it runs is never a guess, and no other process is ever taken for it.

use super::lock::try_lock;
use crate::error::{Failure, Result};
use crate::exec::{self, Background};
use crate::model::{SimSettings, StepEnd};
use crate::paths::{LabDir, unwritable, write_private};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the process prints when it serves.
pub const READY: &str = "ready";
/// How long it has to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// Starts the process, unless it runs, and writes our kubeconfig for it.
pub async fn start(dir: &LabDir, settings: &SimSettings) -> Result<StepEnd> {
    let sim = dir.sim();
    fs::create_dir_all(&sim).map_err(|e| unwritable(&sim, e))?;
    let lock = match try_lock(&lock_path(&sim))? {
        Some(lock) => lock,
        None if sim.join("kubeconfig").exists() => {
            copy_kubeconfig(dir)?;
            return Ok(StepEnd::Unchanged("it runs already".into()));
        }
        None => {
            // The run that started it was killed before it served: nobody knows how far it came.
            stop(dir).await?;
            let busy = || Failure::step("the simulated cluster was started by another run at the same time");
            try_lock(&lock_path(&sim))?.ok_or_else(busy)?
        }
    };
    // What a killed one left behind: each of them must be the new one's when it appears.
    for stale in [pid_path(&sim), sim.join("kubeconfig")] {
        let _ = fs::remove_file(stale);
    }
    let log_path = sim.join("log");
    let log = File::create(&log_path).map_err(|e| unwritable(&log_path, e))?;
    let program = std::env::current_exe().map_err(|e| Failure::step("cannot find our own program").caused_by(e))?;
    let arguments = arguments(&sim, settings);
    let word = Background { program: &program, arguments: &arguments, lock, log }.start().await?;
    if word.trim() != READY {
        let text = fs::read_to_string(&log_path).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(5).collect();
        let mut failure = Failure::step("the simulated cluster did not start");
        failure.causes = tail.into_iter().rev().map(str::to_string).collect();
        return Err(failure);
    }
    copy_kubeconfig(dir)?;
    Ok(StepEnd::Changed("it serves on this host only".into()))
}

/// Whether the process runs.
pub fn runs(dir: &LabDir) -> Result<bool> {
    let sim = dir.sim();
    Ok(sim.is_dir() && try_lock(&lock_path(&sim))?.is_none())
}

/// Ends the process and waits until it is gone.
pub async fn stop(dir: &LabDir) -> Result<StepEnd> {
    if !runs(dir)? {
        return Ok(StepEnd::Unchanged("it does not run".into()));
    }
    let sim = dir.sim();
    for end in [exec::terminate, exec::kill] {
        // It writes its id first of all: an empty file means that it has only just been started.
        if let Some(pid) = fs::read_to_string(pid_path(&sim)).ok().and_then(|text| text.trim().parse().ok()) {
            end(pid);
        }
        if gone(&sim, GRACE).await? {
            return Ok(StepEnd::Changed("its process is gone".into()));
        }
    }
    Err(Failure::step("the simulated cluster does not end").cause(format!("its folder is {}", sim.display())))
}

/// Called by the process itself, first of all.
pub fn announce(sim: &Path) -> Result<()> {
    write_private(&pid_path(sim), &format!("{}\n", std::process::id()))
}

/// Waits until the lock is free, which is when the process has ended.
async fn gone(sim: &Path, within: Duration) -> Result<bool> {
    let path = lock_path(sim);
    let file = File::open(&path).map_err(|e| unwritable(&path, e))?;
    let wait = tokio::task::spawn_blocking(move || file.lock());
    Ok(tokio::time::timeout(within, wait).await.is_ok())
}

fn copy_kubeconfig(dir: &LabDir) -> Result<()> {
    let made = dir.sim().join("kubeconfig");
    let text = fs::read_to_string(&made);
    let text = text.map_err(|e| Failure::step(format!("cannot read {}", made.display())).caused_by(e))?;
    write_private(&dir.kubeconfig(), &text)
}

fn arguments(sim: &Path, settings: &SimSettings) -> Vec<String> {
    let mut list = vec!["sim".into(), "serve".into(), "--dir".into(), sim.display().to_string()];
    list.extend(["--nodes".into(), settings.nodes.to_string(), "--kubernetes".into(), settings.kubernetes.clone()]);
    list.extend(["--speed".into(), settings.speed.map_or("instant".into(), |speed| speed.to_string())]);
    if let Some(faults) = &settings.faults {
        list.extend(["--faults".into(), faults.display().to_string()]);
    }
    list
}

fn lock_path(sim: &Path) -> PathBuf {
    sim.join("lock")
}

fn pid_path(sim: &Path) -> PathBuf {
    sim.join("pid")
}
