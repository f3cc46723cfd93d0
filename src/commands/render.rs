//! `iris-lab render`: the Kubernetes YAML that `up` would apply, of a whole lab or of Longhorn alone.

use super::credentials;
use super::request::Request;
use crate::addon::longhorn::manifest::{self, DEFAULT_SIDECARS, Settings};
use crate::addon::longhorn::version::Version;
use crate::cli::{LabArgs, RenderArgs, RenderCommand, RenderLonghornArgs};
use crate::engine::journal::Journal;
use crate::error::Result;
use crate::exec::System;
use crate::model::Facts;
use crate::plan;
use crate::ui::Ui;
use crate::yaml;
use serde_json::{Value, json};

/// Prints the objects.
pub async fn render(ui: &Ui, args: &RenderArgs) -> Result<()> {
    match &args.command {
        Some(RenderCommand::Longhorn(args)) => longhorn(ui, args),
        None => lab(ui, &args.lab).await,
    }
}

/// The password whose hash the objects hold is kept where `up` keeps it, so that it is known to somebody.
async fn lab(ui: &Ui, args: &LabArgs) -> Result<()> {
    let request = Request::new(args, &System).await?;
    request.dir.create()?;
    let mut journal = Journal::read(&request.dir)?;
    let hash = credentials::ensure(&request.lab, &request.dir, &mut journal, &Facts::default())?;
    let objects = plan::objects(&request.wanted(&hash, false))?;
    ui.note(format!("the password of SuperUser and _SYSTEM is in {}", request.dir.password().display()));
    print(ui, &objects)
}

fn longhorn(ui: &Ui, args: &RenderLonghornArgs) -> Result<()> {
    let version = Version::parse(&args.version)?;
    if args.uninstall {
        return print(ui, &manifest::uninstall(version)?);
    }
    if let Some(warning) = version.warning() {
        ui.note(format!("warning: Longhorn {warning}"));
    }
    let settings = Settings { version, replicas: args.replicas, sidecars: DEFAULT_SIDECARS, kubelet_root: None };
    print(ui, &manifest::objects(&settings)?)
}

/// As documents, or in one document: as a list that kubectl takes too.
fn print(ui: &Ui, objects: &[Value]) -> Result<()> {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    ui.result(|_| yaml::to_documents(objects), &list)
}
