//! microk8s. Its exit codes are not to be trusted: `status` exits with 0 when it is stopped, and after a time-out. What it prints is
//! read, in each of the forms that its releases have.

use super::snap;
use crate::error::{Failure, Result};
use crate::exec::{Machine, Output, ask};
use crate::model::Cmd;
use crate::model::host::{Microk8s, User};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// How long it may take to say how it is.
const ANSWER: Duration = Duration::from_secs(60);
/// The add-on for storage was renamed in 1.24; its old name stayed as an alias.
const STORAGE: [&str; 2] = ["hostpath-storage", "storage"];

/// What `status` says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Status {
    /// It runs, with these add-ons, each enabled or not.
    Running(BTreeMap<String, bool>),
    /// It does not run; in its own words.
    Stopped(String),
    /// Neither.
    Unreadable(String),
}

/// Whether it runs.
pub(super) async fn runs(machine: &dyn Machine) -> Result<bool> {
    match status(machine).await? {
        None | Some(Status::Stopped(_)) => Ok(false),
        Some(Status::Running(_)) => Ok(true),
        Some(Status::Unreadable(said)) => Err(unreadable(&said)),
    }
}

/// What it says while it does not run.
pub(super) async fn why_not(machine: &dyn Machine) -> Result<Option<String>> {
    Ok(match status(machine).await? {
        None | Some(Status::Running(_)) => None,
        Some(Status::Stopped(said) | Status::Unreadable(said)) => Some(format!("`microk8s status` says: {said}")),
    })
}

/// Whether an add-on is enabled. While it does not run, that is unknown.
pub(super) async fn is_enabled(machine: &dyn Machine, name: &str) -> Result<bool> {
    match status(machine).await? {
        None => Ok(false),
        Some(Status::Running(add_ons)) => Ok(enabled(&add_ons, name)),
        Some(Status::Stopped(said)) => Err(Failure::not_ready("microk8s does not run").cause(said)),
        Some(Status::Unreadable(said)) => Err(unreadable(&said)),
    }
}

fn enabled(add_ons: &BTreeMap<String, bool>, name: &str) -> bool {
    let is = |name: &str| add_ons.get(name) == Some(&true);
    if STORAGE.contains(&name) { STORAGE.into_iter().any(is) } else { is(name) }
}

/// What it says of itself.
pub(super) async fn microk8s(machine: &dyn Machine) -> Result<Option<Microk8s>> {
    let Some((version, channel)) = snap::listed(machine, "microk8s").await? else { return Ok(None) };
    let mut seen = Microk8s { version, channel, ..Microk8s::default() };
    match status(machine).await? {
        Some(Status::Running(add_ons)) => (seen.running, seen.add_ons) = (true, add_ons),
        Some(Status::Unreadable(said)) => seen.unreadable = Some(said),
        None | Some(Status::Stopped(_)) => {}
    }
    Ok(Some(seen))
}

fn unreadable(said: &str) -> Failure {
    super::explained(Failure::requirement("microk8s does not say whether it runs").cause(said))
}

/// None where it is not installed.
async fn status(machine: &dyn Machine) -> Result<Option<Status>> {
    if machine.find("microk8s").is_none() {
        return Ok(None);
    }
    let (number, groups) = futures::try_join!(ask(machine, "id", &["-u"]), ask(machine, "id", &["-Gn"]))?;
    let groups = groups.stdout.split_whitespace().map(Into::into).collect();
    let user = User { is_root: number.stdout.trim() == "0", groups, ..User::default() };
    let cmd = user.microk8s(["status", "--format", "short"]);
    Ok(match timeout(ANSWER, machine.run(&cmd, &|_| {})).await {
        Ok(output) => read(&cmd, &output?),
        Err(_) => Some(Status::Unreadable(format!("`{}` did not answer within {} s", cmd.line(), ANSWER.as_secs()))),
    })
}

/// Reads what `status` printed, in whatever form: short (`dns: enabled`, from 1.24 on `core/dns: enabled`), yaml or pretty.
fn read(cmd: &Cmd, output: &Output) -> Option<Status> {
    let text = output.text();
    if text.contains("microk8s: command not found") || text.contains("microk8s: not found") {
        return None;
    }
    let mut add_ons = BTreeMap::new();
    let (mut section, mut named) = (None, None);
    for line in text.lines() {
        let line = line.trim().trim_start_matches("- ").trim_start();
        match line.split_once(':').map(|(key, value)| (key.trim(), value.trim())) {
            Some(("enabled", "")) => section = Some(true),
            Some(("disabled", "")) => section = Some(false),
            Some(("name", name)) => named = Some(name),
            Some(("status", state)) => add_ons.extend(named.take().map(|name| (name.into(), state == "enabled"))),
            Some((name, state @ ("enabled" | "disabled"))) => add_ons.extend([(short(name), state == "enabled")]),
            _ => {
                let name = line.split_once('#').map(|(name, _)| name.trim().to_string());
                add_ons.extend(name.zip(section));
            }
        }
    }
    let says = |words: &str| text.contains(words);
    let first = || text.lines().next().unwrap_or("nothing").to_string();
    Some(if says("microk8s is not running") || says("running: False") {
        Status::Stopped(first())
    } else if says("microk8s is running") || says("running: True") || !add_ons.is_empty() {
        Status::Running(add_ons)
    } else {
        Status::Unreadable(output.failure(cmd).to_string())
    })
}

/// The name without its repository.
fn short(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).into()
}

#[cfg(test)]
#[path = "microk8s_tests.rs"]
mod tests;
