//! The part about what `up` would do: the checks before it, and the plan of the lab as it was applied.

use super::archive::Archive;
use crate::cli::{Cli, Command, LabArgs};
use crate::commands::here::Here;
use crate::commands::request::Request;
use crate::commands::{load, up};
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::lab;
use crate::provider;
use crate::ui::{DoctorReport, Look, plan_text};
use clap::Parser;

/// Adds it. `applied` is the lab's file; without it, the checks are those of the default lab where this one was, and there is no plan.
pub(super) async fn gather(archive: &mut Archive, here: Option<&Here>, applied: Option<&str>) {
    let request = match request(here, applied).await {
        Ok(request) => request,
        Err(failure) => return archive.lacks("host/doctor.txt", &failure),
    };
    let found = async {
        let cluster = if applied.is_some() { up::connect(&request).await? } else { None };
        up::look(&request, cluster).await
    };
    let found = match found.await {
        Ok(found) => found,
        Err(failure) => return archive.lacks("host/doctor.txt", &failure),
    };
    let word = provider::word(request.provider.name());
    let report = DoctorReport::new(&request.lab.metadata.name, word, &request.reason, up::checks(&request, &found));
    archive.text("host/doctor.txt", Ok(report.text(&Look::plain())));
    if applied.is_some() {
        let plan = request.shown_hash().and_then(|hash| up::planned(&request, &found, &hash));
        archive.text("lab/plan.txt", plan.map(|plan| plan_text(&plan, &Look::plain())));
    }
}

async fn request(here: Option<&Here>, applied: Option<&str>) -> Result<Request> {
    let args = args(here)?;
    let lab = match applied {
        Some(text) => lab::load(text, "the lab as it was applied")?,
        None => load(&args)?,
    };
    Request::of(lab, &args, &System).await
}

/// The arguments that name the lab and its cluster.
fn args(here: Option<&Here>) -> Result<LabArgs> {
    let mut line = vec!["iris-lab".to_string(), "up".into()];
    if let Some(here) = here {
        let target = here.target()?;
        line.extend(["--name".into(), here.name.clone(), "--namespace".into(), target.namespace.clone()]);
        line.extend(match &target.context {
            Some(context) => ["--context".into(), context.clone()],
            None => ["--provider".into(), target.provider.clone()],
        });
    }
    match Cli::try_parse_from(line).map(|cli| cli.command) {
        Ok(Command::Up(args)) => Ok(args.lab),
        _ => Err(Failure::step("the lab's own arguments cannot be read")),
    }
}
