//! `iris-lab image`: build, push and list images, with a lab or without.

use super::built::{content, overrides, seen, too_large};
use super::purge::NO_LAB;
use super::run::run;
use super::up::stopped;
use crate::cli::{ImageCommand, ImageSource};
use crate::engine::Session;
use crate::engine::journal::Journal;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::host;
use crate::image;
use crate::lab::{self, Overrides};
use crate::model::image::{BUILD, PUSH, pushed_as, registry as registry_of};
use crate::model::{Check, ImageFacts, Plan, RegistrySeen, Step, Verb};
use crate::paths::{self, StateDir};
use crate::plan::image::{docker, to_registry};
use crate::ui::{ImageRow, ImageSummary, Ui, image_table};
use crate::workload::image as steps;
use serde_json::Value;
use std::path::Path;

/// Runs the sub-command.
pub async fn image(ui: &Ui, command: ImageCommand) -> Result<()> {
    match command {
        ImageCommand::Build(source) => make(ui, &source, false).await,
        ImageCommand::Push(source) => make(ui, &source, true).await,
        ImageCommand::List { registry } => list(ui, &registry).await,
    }
}

/// Builds it, and pushes it where that is wanted; what is there is left.
async fn make(ui: &Ui, source: &ImageSource, push: bool) -> Result<()> {
    let flags = overrides(Some(&source.dir), source.tag.as_deref(), &source.build)?;
    let file = ("spec.iris.build.file".to_string(), source.file.clone());
    let lab = lab::load_with("kind: Lab\n", "the image", &Overrides { set: vec![file], ..flags })?;
    let (build, context) = content(&lab, Path::new(""), push, &paths::cache()?)?;
    too_large(&build, &context).into_iter().for_each(|warning| ui.note(warning));
    let seen = seen(build, &System).await?;
    let mut checks: Vec<Check> = docker(&seen).into_iter().collect();
    checks.extend(push.then(|| to_registry(&seen, false)));
    if let Some(failure) = stopped(&checks) {
        return Err(failure);
    }
    let state = StateDir::resolve()?;
    state.create()?;
    let plan = planned(&seen, push);
    let session = Session::new(NO_LAB, &state, Journal::kept(&state)?, None, None, &System);
    let outcome = run(ui, &plan, &session, source.deadline.timeout).await;
    state.remove_if_empty();
    let changed = |step: &str| outcome.changed.iter().any(|id| id == step);
    let (built, pushed, seconds) = (changed(BUILD), changed(PUSH), outcome.elapsed.as_secs_f64());
    outcome.into_result()?;
    let mut summary = ImageSummary { image: seen.build.image.clone(), built, pushed, digest: None, seconds };
    if push {
        summary.digest = self::seen(seen.build, &System).await?.registry.digest().map(Into::into);
    }
    ui.result(|look| summary.text(look), &summary)
}

fn planned(seen: &ImageFacts, push: bool) -> Plan {
    let mut all: Vec<Step> = vec![steps::build(seen)];
    all.extend(push.then(|| steps::push(seen, false)));
    Plan {
        verb: if push { Verb::ImagePush } else { Verb::ImageBuild },
        lab: registry_of(&seen.build.image).1.into(),
        namespace: None,
        provider: "none".into(),
        simulated: false,
        steps: all,
    }
}

/// What Docker has of ours, and what the registry has of anybody's. One of the two may be missing.
async fn list(ui: &Ui, host: &str) -> Result<()> {
    let asked = image::list(host).await?;
    let no_docker = host::no_docker(&System).await?;
    let why = match &asked {
        Err(RegistrySeen::Silent(why) | RegistrySeen::Other(why)) => Some(format!("the registry {host}: {why}")),
        _ => None,
    };
    if let (Some(why), Some((cause, hint))) = (&why, &no_docker) {
        return Err(Failure::requirement("there is nobody to ask for images").cause(cause).cause(why).hint(hint));
    }
    why.into_iter().for_each(|why| ui.note(format!("warning: {why}")));
    if let Some((cause, hint)) = &no_docker {
        ui.note(format!("warning: docker: {cause}; {hint}"));
    }
    let mut rows: Vec<ImageRow> = Vec::new();
    if no_docker.is_none() {
        rows.extend(host::built_images(&System).await?.iter().filter_map(of_docker));
    }
    // What is pushed by address has two names.
    let by_address = |row: &ImageRow| Some(pushed_as(&row.image)).filter(|name| *name != row.image);
    let twins: Vec<String> = rows.iter().filter_map(by_address).collect();
    rows.retain(|row| !twins.contains(&row.image));
    for tagged in asked.unwrap_or_default() {
        match rows.iter_mut().find(|row| row.image == tagged.image) {
            Some(row) => row.digest = tagged.digest,
            None => rows.push(ImageRow { image: tagged.image, digest: tagged.digest, ..ImageRow::default() }),
        }
    }
    rows.sort_by(|one, other| one.image.cmp(&other.image));
    ui.result(|_| image_table(&rows), &rows)
}

/// An image as Docker's own list has it; none for one that has lost its name.
fn of_docker(seen: &Value) -> Option<ImageRow> {
    let text = |key: &str| seen[key].as_str().map(String::from).filter(|text| text != "<none>");
    let image = format!("{}:{}", text("Repository")?, text("Tag")?);
    Some(ImageRow { image, id: text("ID"), size: text("Size"), digest: None })
}
