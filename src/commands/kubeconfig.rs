//! `iris-lab kubeconfig`: where our kubeconfig is, or its content.

use super::here::Here;
use crate::cli::KubeconfigArgs;
use crate::error::{Failure, Result};
use crate::ui::Ui;
use crate::yaml;
use serde_json::{Value, json};

/// Prints the path or the content.
pub fn kubeconfig(ui: &Ui, args: &KubeconfigArgs) -> Result<()> {
    let here = Here::find(args.lab.name.as_deref())?;
    let path = here.dir.kubeconfig();
    let text = std::fs::read_to_string(&path).map_err(|e| {
        Failure::requirement(format!("the lab {} has no kubeconfig", here.name))
            .cause(format!("{}: {e}", path.display()))
            .hint(format!("bring it up with `iris-lab up --name {}`", here.name))
    })?;
    if args.print {
        return ui.result(|_| text.clone(), &yaml::parse::<Value>(&text)?);
    }
    ui.result(|_| format!("{}\n", path.display()), &json!({ "path": path }))
}
