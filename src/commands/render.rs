//! `iris-lab render`: the Kubernetes YAML that `up` would apply, of a whole lab or of Longhorn alone.

use super::credentials;
use super::request::Request;
use super::up;
use crate::addon::longhorn::manifest::{self, DEFAULT_SIDECARS, Settings};
use crate::addon::longhorn::version::Version;
use crate::cli::{LabArgs, RenderArgs, RenderCommand, RenderLonghornArgs};
use crate::engine::journal::Journal;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::model::{Facts, Plan};
use crate::plan;
use crate::ui::Ui;
use crate::workload::accounts;
use crate::yaml;
use serde_json::{Value, json};

/// Prints the objects.
pub async fn render(ui: &Ui, args: &RenderArgs) -> Result<()> {
    match &args.command {
        Some(RenderCommand::Longhorn(args)) => longhorn(ui, args),
        None => lab(ui, &args.lab, args.step.as_deref()).await,
    }
}

/// The password whose hash the objects hold is kept where `up` keeps it, so that it is known to somebody.
async fn lab(ui: &Ui, args: &LabArgs, step: Option<&str>) -> Result<()> {
    let request = Request::new(args, &System).await?;
    request.dir.create()?;
    let mut journal = Journal::read(&request.dir)?;
    let hash = credentials::ensure(&request.lab, &request.dir, &mut journal, &Facts::default())?;
    let objects = match step {
        // What it applies may depend on the cluster.
        Some(id) => of_step(&up::plan_with(&request, &hash).await?, id)?,
        None => plan::objects(&request.wanted(&hash, false))?,
    };
    let names = accounts::logins(&request.lab).join(", ");
    ui.note(format!("the password of {names} is in {}", request.dir.password().display()));
    print(ui, &objects)
}

fn of_step(plan: &Plan, id: &str) -> Result<Vec<Value>> {
    let objects = plan.steps.iter().filter_map(|step| step.action.applies().map(|objects| (&step.id, objects)));
    let all: Vec<(&String, &[Value])> = objects.collect();
    all.iter().find(|(step, _)| *step == id).map(|(_, objects)| objects.to_vec()).ok_or_else(|| {
        let steps: Vec<&str> = all.iter().map(|(id, _)| id.as_str()).collect();
        Failure::usage(format!("no step {id:?} of this plan applies objects"))
            .hint(format!("name one of {}", steps.join(", ")))
    })
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
