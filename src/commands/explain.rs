//! `iris-lab explain`: what is wrong with a lab, why, and what mends it.

use super::here::Here;
use super::status::{Found, find};
use crate::cli::ExplainArgs;
use crate::error::{Failure, Result};
use crate::model::Diagnosis;
use crate::ui::{Ui, diagnosis_text};

/// Explains once. It looks, and changes nothing.
pub async fn explain(ui: &Ui, args: &ExplainArgs) -> Result<()> {
    let here = Here::find(args.lab.name.as_deref())?;
    let found = find(&here).await?;
    let diagnosis = diagnose(&here, &found).await?;
    ui.result(|look| diagnosis_text(&diagnosis, look), &diagnosis)?;
    match diagnosis.findings.len() {
        0 => Ok(()),
        1 => Err(Failure::step("1 thing is wrong")),
        many => Err(Failure::step(format!("{many} things are wrong"))),
    }
}

/// What is wrong with a lab that was found.
pub(super) async fn diagnose(here: &Here, found: &Found) -> Result<Diagnosis> {
    let facts = here.facts_in_detail(found.cluster.as_ref()).await?;
    let mut diagnosis = Diagnosis::of(&found.identity, &facts);
    diagnosis.notes.extend(found.moved.clone());
    Ok(diagnosis)
}
