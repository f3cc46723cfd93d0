//! `iris-lab labs`: list, print, check; the schema for editors.

use crate::cli::LabsCommand;
use crate::error::{Failure, Result};
use crate::lab::{self, Builtin};
use crate::ui::{Table, Ui};
use crate::yaml;
use serde_json::{Value, json};

/// Runs the sub-command; without one, lists the labs.
pub fn labs(ui: &Ui, command: Option<LabsCommand>) -> Result<()> {
    match command {
        None => list(ui),
        Some(LabsCommand::Show { name }) => {
            let text = find(&name)?.text;
            ui.result(|_| text.into(), &yaml::parse::<Value>(text)?)
        }
        Some(LabsCommand::Schema) => ui.result(|_| format!("{:#}", lab::schema()), &lab::schema()),
        Some(LabsCommand::Check { file }) => {
            let origin = file.display().to_string();
            let lab = lab::load(&yaml::read_file(&file)?, &origin)?;
            let name = &lab.metadata.name;
            ui.result(
                |_| format!("{origin}: the lab {name} is valid\n"),
                &json!({ "file": origin, "lab": name, "valid": true }),
            )
        }
    }
}

fn list(ui: &Ui) -> Result<()> {
    let table = || {
        let mut table = Table::new(&["NAME", "DESCRIPTION"]);
        lab::builtin().iter().for_each(|lab| table.row([lab.name.to_string(), lab.description.to_string()]));
        table.text(0)
    };
    let labs: Vec<Value> =
        lab::builtin().iter().map(|lab| json!({ "name": lab.name, "description": lab.description })).collect();
    ui.result(|_| table(), &labs)
}

/// The built-in lab with that name.
pub fn find(name: &str) -> Result<&'static Builtin> {
    lab::builtin().iter().find(|lab| lab.name == name).ok_or_else(|| {
        let names: Vec<&str> = lab::builtin().iter().map(|lab| lab.name).collect();
        Failure::usage(format!("there is no lab {name:?}"))
            .cause(format!("it is neither a file nor one of the built-in labs: {}", names.join(", ")))
            .hint("list the built-in labs with `iris-lab labs`")
    })
}
