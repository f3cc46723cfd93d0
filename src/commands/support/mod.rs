//! `iris-lab support`: one archive with all that helps others to help, without secrets. A part that fails is missing, and said.

mod archive;
mod cluster;
mod host;
mod lab;
mod plan;

use super::here::Here;
use crate::cli::SupportArgs;
use crate::error::{Failure, Result};
use crate::model::redact::Redactor;
use crate::paths::{LabDir, StateDir};
use crate::ui::{SupportSummary, Ui};
use crate::yaml;
use archive::Archive;
use std::fs;
use std::path::PathBuf;

/// Gathers and writes.
pub async fn support(ui: &Ui, args: &SupportArgs) -> Result<()> {
    let here = match Here::find(args.lab.name.as_deref()) {
        Ok(here) => Some(here),
        // Without any lab there is still this host; of several labs, one must be named.
        Err(_) if args.lab.name.is_none() && StateDir::resolve()?.labs()?.is_empty() => None,
        Err(failure) => return Err(failure),
    };
    let mut archive = Archive::new(Redactor::new(here.as_ref().map(|here| secrets(&here.dir)).unwrap_or_default()));
    host::gather(&mut archive).await;
    match &here {
        Some(here) => {
            ui.note("reading the lab, its cluster and its logs");
            lab::gather(&mut archive, here).await;
        }
        None => {
            plan::gather(&mut archive, None, None).await;
            archive.lacks("lab/", &"there is no lab on this host");
        }
    }
    let name = here.as_ref().map_or("host", |here| here.name.as_str());
    let folder = format!("iris-lab-support-{name}-{}", jiff::Zoned::now().strftime("%Y%m%d-%H%M%S"));
    let file = args.file.clone().unwrap_or_else(|| PathBuf::from(format!("{folder}.tar.gz")));
    archive.text("README.txt", Ok(contents(&archive, &folder)));
    let bytes = archive.write(&file, &folder)?;
    let summary = SupportSummary {
        file: std::path::absolute(&file).unwrap_or(file).display().to_string(),
        bytes,
        lab: here.map(|here| here.name),
        files: archive.names(),
        missing: archive.missing(),
    };
    ui.result(|look| summary.text(look), &summary)
}

/// What is known to be secret of a lab: its password and that one's hash, and what its kubeconfig lets in.
fn secrets(dir: &LabDir) -> Vec<String> {
    let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    let hash = read(dir.password_hash());
    let kubeconfigs = [dir.kubeconfig(), dir.sim().join("kubeconfig")].map(read);
    let mut secrets = vec![read(dir.password()), hash.clone()];
    secrets.extend(hash.split(',').filter(|part| part.len() >= 32).map(Into::into));
    secrets.extend(
        kubeconfigs.iter().filter_map(|text| yaml::parse(text).ok()).flat_map(|file| Redactor::secrets_of(&file)),
    );
    secrets
}

/// What the archive has, for whoever opens it.
fn contents(archive: &Archive, folder: &str) -> String {
    let mut text = format!(
        "{folder}\n\nMade by iris-lab {}. Secrets are removed: where one was, it says {}.\n\nFiles:\n",
        env!("CARGO_PKG_VERSION"),
        crate::model::redact::GONE
    );
    archive.names().iter().for_each(|name| text += &format!("  {name}\n"));
    text += "\nMissing:\n";
    let missing = archive.missing();
    missing.iter().for_each(|line| text += &format!("  {line}\n"));
    if missing.is_empty() { text + "  nothing\n" } else { text }
}

/// A file of this host that may not be there.
fn read(path: PathBuf) -> Result<String> {
    fs::read_to_string(&path).map_err(|e| Failure::requirement(format!("cannot read {}", path.display())).caused_by(e))
}
