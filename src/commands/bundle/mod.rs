//! `iris-lab bundle`: what a lab needs from outside, in one file, for a machine without network.

mod get;
mod load;
mod save;

use super::run::interrupted;
use crate::bundle::{Content, Reader};
use crate::cli::BundleCommand;
use crate::error::{Failure, Kind, Result};
use crate::model::bundle::Head;
use crate::model::{Event, StepEnd};
use crate::ui::{BundleLine, BundleSummary, Ui};
use std::cell::RefCell;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

/// Runs the sub-command.
pub async fn bundle(ui: &Ui, command: &BundleCommand) -> Result<()> {
    match command {
        BundleCommand::Save(args) => until(ui, args.timeout, save::save(ui, args)).await,
        BundleCommand::Load(args) => until(ui, args.timeout, load::load(ui, args)).await,
        BundleCommand::List { file } => {
            let reader = Reader::open(file)?;
            let summary = summary(file, &reader.head, &reader.contents);
            ui.result(|look| summary.text(look), &summary)
        }
    }
}

/// Work that tells of its steps: to its end, its deadline or Ctrl-C, whatever comes first.
async fn until(ui: &Ui, limit: Duration, work: impl Future<Output = Result<()>>) -> Result<()> {
    let (mut work, mut interrupted) = (pin!(work), pin!(interrupted()));
    let mut late = pin!(tokio::time::sleep(limit));
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            result = &mut work => return result,
            () = &mut interrupted => {
                let again = "run it again: what is done is not done twice";
                return Err(Failure::new(Kind::Cancelled, "cancelled").hint(again));
            }
            () = &mut late => {
                let after = humantime::format_duration(limit);
                return Err(Failure::not_ready(format!("the bundle was not done within {after}"))
                    .hint("give it more time with --timeout, and run it again"));
            }
            _ = second.tick() => ui.tick(),
        }
    }
}

/// One step of such work: it is told as the steps of a plan are. What it gives goes on beside its end.
async fn step<T>(
    ui: &Ui,
    step: String,
    title: String,
    work: impl AsyncFnOnce(&dyn Fn(String)) -> Result<(StepEnd, T)>,
) -> Result<T> {
    let start = Instant::now();
    ui.event(&Event::StepStarted { step: step.clone(), title: title.clone() });
    let last = RefCell::new(String::new());
    let progress = |message: String| {
        if *last.borrow() != message {
            last.replace(message.clone());
            ui.event(&Event::StepProgress { step: step.clone(), message });
        }
    };
    let result = work(&progress).await;
    let end = match &result {
        Ok((end, _)) => end.clone(),
        Err(failure) => StepEnd::Failed(failure.to_string().lines().next().unwrap_or_default().into()),
    };
    ui.event(&Event::StepFinished { step: step.clone(), title, end, seconds: start.elapsed().as_secs_f64() });
    result.map(|(_, value)| value)
}

/// The whole of such work: its steps, with what is said before the first and after the last.
async fn steps(ui: &Ui, verb: &str, lab: &str, ids: Vec<String>, work: impl Future<Output = Result<()>>) -> Result<()> {
    let start = Instant::now();
    let (verb, lab) = (verb.to_string(), lab.to_string());
    ui.event(&Event::PlanStarted { verb, lab, namespace: None, simulated: false, steps: ids });
    let result = work.await;
    ui.event(&Event::PlanFinished { ok: result.is_ok(), seconds: start.elapsed().as_secs_f64() });
    result
}

fn summary(file: &Path, head: &Head, contents: &[Content]) -> BundleSummary {
    let line = |content: &Content| BundleLine {
        kind: content.item.kind().into(),
        name: content.item.name().into(),
        size: content.size,
        sha256: content.sha256.clone(),
    };
    BundleSummary {
        file: file.display().to_string(),
        size: std::fs::metadata(file).map_or(0, |data| data.len()),
        lab: head.lab.clone(),
        provider: head.provider.clone(),
        arch: head.arch.to_string(),
        created: head.created.clone(),
        entries: contents.iter().map(line).collect(),
        done: None,
    }
}
