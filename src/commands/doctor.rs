//! `iris-lab doctor`: what the lab needs and what there is, before anything exists; with --fix the commands that mend it.

use super::probe::probe_nodes;
use super::request::Request;
use super::run::run;
use super::{again, up};
use crate::cli::DoctorArgs;
use crate::engine::Session;
use crate::engine::journal::Journal;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::lab::AddOnName;
use crate::model::{Action, Check, Cmd, Plan, Verdict};
use crate::plan as planner;
use crate::provider;
use crate::ui::{DoctorReport, Ui};

/// Checks once; with --fix it mends, and checks again.
pub async fn doctor(ui: &Ui, args: &DoctorArgs) -> Result<()> {
    let (request, mut report) = examine(ui, args).await?;
    let mut failed = Vec::new();
    if args.fix {
        let plan = planner::mend(&request.lab.metadata.name, request.provider, &report.checks);
        if plan.steps.is_empty() {
            ui.note("there is nothing that iris-lab can mend");
        } else {
            failed = mend(ui, args, &request, &plan).await?;
            (_, report) = examine(ui, args).await?;
        }
    }
    ui.result(|look| report.text(look), &report)?;
    verdict(&report, failed)
}

/// The checks of `up` on what is there now.
async fn examine(ui: &Ui, args: &DoctorArgs) -> Result<(Request, DoctorReport)> {
    let request = Request::new(&args.lab, &System).await?;
    up::announce(ui, &request);
    let found = up::look(&request, up::connect(&request).await?).await?;
    let mut checks: Vec<Check> = simulated(&request).into_iter().collect();
    checks.extend(up::checks(&request, &found));
    if args.probe {
        checks.extend(probed(ui, args, &request, &found).await?);
    }
    let word = provider::word(request.provider.name());
    let mut report = DoctorReport::new(&request.lab.metadata.name, word, &request.reason, checks);
    report.fix = report.checks.iter().any(|check| !check.mend.is_empty()).then(|| again::fix(&args.lab));
    Ok((request, report))
}

/// The checks on the nodes of a cluster that is there.
async fn probed(ui: &Ui, args: &DoctorArgs, request: &Request, found: &up::Found) -> Result<Vec<Check>> {
    if !request.lab.has(AddOnName::Longhorn) {
        return Err(Failure::usage("--probe looks for what Longhorn needs, and the lab has no Longhorn")
            .hint("add --longhorn, or leave --probe out: IRIS itself needs nothing of the nodes"));
    }
    let Some(cluster) = &found.cluster else {
        return Err(Failure::requirement("there is no cluster whose nodes can be looked at")
            .hint("name one with --context NAME; this machine itself is looked at without --probe"));
    };
    probe_nodes(ui, request, cluster, &found.facts, args.probe_image.as_deref(), args.yes).await
}

/// What a rehearsal does not need, the real thing does.
fn simulated(request: &Request) -> Option<Check> {
    request.provider.is_simulated().then(|| {
        let hint = "see what a real cluster needs with `iris-lab doctor --provider microk8s` or `--provider kind`";
        Check::warn("provider", "sim: it rehearses the lab, and nothing real is made", hint)
    })
}

/// Shows the commands, asks, and runs them. What failed comes back: the checks after it say what that means.
async fn mend(ui: &Ui, args: &DoctorArgs, request: &Request, plan: &Plan) -> Result<Vec<String>> {
    let commands: Vec<&Cmd> = plan
        .steps
        .iter()
        .flat_map(|step| match &step.action {
            Action::Run { commands, .. } => commands.as_slice(),
            _ => &[],
        })
        .collect();
    let user = &request.host.user;
    if commands.iter().any(|cmd| cmd.program == "sudo") && !user.sudo {
        return Err(Failure::requirement("this needs root; nothing was changed")
            .cause(format!("sudo asks {} for a password, or is not there", user.name))
            .hint("let it ask now, in this terminal, and try again: `sudo -v`"));
    }
    let lines: Vec<String> = commands.iter().map(ToString::to_string).collect();
    match args.yes {
        true => lines.iter().for_each(|line| ui.note(format!("it runs `{line}`"))),
        false => ui.confirm_typed(&format!("This changes this machine: `{}`", lines.join("`, then `")), "yes")?,
    }
    let journal = Journal::read(&request.dir)?;
    let session = Session::new(&request.lab.metadata.name, &request.state, journal, None, None, &System);
    let outcome = run(ui, plan, &session, args.deadline.timeout).await;
    if outcome.cancelled {
        outcome.into_result()?;
        return Ok(Vec::new());
    }
    Ok(outcome.failures.into_iter().map(|(_, failure)| failure.to_string()).collect())
}

/// The report is on the screen already: only its exit code is left to say, and what could not be mended.
fn verdict(report: &DoctorReport, failed: Vec<String>) -> Result<()> {
    let missing = report.count(Verdict::Fail);
    if missing == 0 && failed.is_empty() {
        return Ok(());
    }
    let mut failure = match missing {
        0 => Failure::step("not everything could be mended"),
        1 => Failure::requirement("a requirement is missing"),
        many => Failure::requirement(format!("{many} requirements are missing")),
    };
    failure.causes = failed;
    Err(failure)
}
