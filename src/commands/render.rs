//! `iris-lab render`: the Kubernetes YAML that `up` would apply.

use super::credentials;
use super::request::Request;
use crate::cli::LabArgs;
use crate::engine::journal::Journal;
use crate::error::Result;
use crate::model::Facts;
use crate::plan;
use crate::ui::Ui;
use crate::yaml;
use serde_json::json;

/// Prints the objects. The password whose hash they hold is kept where `up` keeps it, so that it is known to somebody.
pub fn render(ui: &Ui, args: &LabArgs) -> Result<()> {
    let request = Request::new(args)?;
    request.dir.create()?;
    let mut journal = Journal::read(&request.dir)?;
    let hash = credentials::ensure(&request.lab, &request.dir, &mut journal, &Facts::default())?;
    let objects = plan::objects(&request.wanted(&hash, false))?;
    ui.note(format!("the password of SuperUser and _SYSTEM is in {}", request.dir.password().display()));
    // In one document, as a list that kubectl takes too.
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    ui.result(|_| yaml::to_documents(&objects), &list)
}
