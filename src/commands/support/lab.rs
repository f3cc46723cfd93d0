//! The part about the lab: its file as it was applied, the plan, the record of the last run, the journal, and what is wrong with it.

use super::archive::Archive;
use super::{cluster, read};
use crate::cli::{Cli, Command, LabArgs};
use crate::cluster::Cluster;
use crate::commands::here::Here;
use crate::commands::request::Request;
use crate::commands::status::{Found, find};
use crate::commands::up;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::lab::{self, Lab};
use crate::model::{Diagnosis, ObjectRef, Status};
use crate::plan::RECORD;
use crate::provider;
use crate::ui::{DoctorReport, Look, diagnosis_text, plan_text, status_text};
use clap::Parser;

/// Adds it, and what is in the cluster.
pub(super) async fn gather(archive: &mut Archive, here: &Here) {
    for (name, path) in [
        ("lab/journal.jsonl", here.dir.journal()),
        ("lab/last-run.jsonl", here.dir.last_run()),
        ("lab/simulator.log", here.dir.sim().join("log")),
    ] {
        if path.exists() {
            archive.text(name, read(path));
        }
    }
    match find(here).await {
        Ok(found) => of_found(archive, here, &found).await,
        Err(failure) => archive.lacks("cluster/", &failure),
    }
}

async fn of_found(archive: &mut Archive, here: &Here, found: &Found) {
    match &found.cluster {
        Some(live) => {
            let record = record(live, &found.identity.namespace).await;
            match record {
                Ok(text) => {
                    planned(archive, here, &text).await;
                    archive.text("lab/lab.yaml", Ok(text));
                }
                Err(failure) => archive.lacks("lab/lab.yaml", &failure),
            }
            explained(archive, here, found).await;
            cluster::gather(archive, live, &found.identity.namespace).await;
        }
        None => {
            archive.lacks("cluster/", &"the cluster does not run");
            explained(archive, here, found).await;
        }
    }
}

/// What is wrong, for people and for programs.
async fn explained(archive: &mut Archive, here: &Here, found: &Found) {
    match here.facts_in_detail(found.cluster.as_ref()).await {
        Ok(facts) => {
            let (status, diagnosis) = (Status::of(&found.identity, &facts), Diagnosis::of(&found.identity, &facts));
            archive.text("lab/status.txt", Ok(status_text(&status, &Look::plain())));
            archive.text("lab/explain.txt", Ok(diagnosis_text(&diagnosis, &Look::plain())));
            archive.json("lab/explain.json", Ok(diagnosis));
            for log in facts.details.logs {
                let run = if log.previous { ".previous" } else { "" };
                archive.text(&format!("logs/{}/{}{run}.log", log.pod, log.container), Ok(log.text));
            }
            facts.details.unread.iter().for_each(|what| archive.lacks("logs/", what));
        }
        Err(failure) => archive.lacks("lab/explain.txt", &failure),
    }
}

/// The lab's file as it was applied.
async fn record(cluster: &Cluster, namespace: &str) -> Result<String> {
    let record = ObjectRef::new("v1", "ConfigMap", Some(namespace), RECORD);
    let live = cluster.get(&record).await?;
    let text = live.as_ref().and_then(|live| live["data"]["lab.yaml"].as_str());
    text.map(Into::into).ok_or_else(|| Failure::step(format!("{record} is not there, or names no lab")))
}

/// The plan as it is now, and the checks before it.
async fn planned(archive: &mut Archive, here: &Here, text: &str) {
    let request = match request(here, text).await {
        Ok(request) => request,
        Err(failure) => {
            archive.lacks("lab/plan.txt", &failure);
            return archive.lacks("host/doctor.txt", &failure);
        }
    };
    let found = async { up::look(&request, up::connect(&request).await?).await }.await;
    match found {
        Ok(found) => {
            let checks = up::checks(&request, &found);
            let word = provider::word(request.provider.name());
            let report = DoctorReport::new(&here.name, word, &request.reason, checks);
            archive.text("host/doctor.txt", Ok(report.text(&Look::plain())));
            let plan = request.shown_hash().and_then(|hash| up::planned(&request, &found, &hash));
            archive.text("lab/plan.txt", plan.map(|plan| plan_text(&plan, &Look::plain())));
        }
        Err(failure) => archive.lacks("lab/plan.txt", &failure),
    }
}

/// The request of the `up` that made this lab, as far as it is known.
async fn request(here: &Here, text: &str) -> Result<Request> {
    let lab: Lab = lab::load(text, "the lab as it was applied")?;
    Request::of(lab, &args(here)?, &System).await
}

fn args(here: &Here) -> Result<LabArgs> {
    let mut line = vec!["iris-lab".to_string(), "up".into(), "--name".into(), here.name.clone()];
    if let Some(context) = &here.target()?.context {
        line.extend(["--context".into(), context.clone()]);
    }
    match Cli::try_parse_from(line).map(|cli| cli.command) {
        Ok(Command::Up(args)) => Ok(args.lab),
        _ => Err(Failure::step("the lab's own arguments cannot be read")),
    }
}
