//! `iris-lab completions`: a completion script for a shell.

use crate::cli::Cli;
use crate::error::Result;
use crate::ui::Ui;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Prints the script.
pub fn completions(ui: &Ui, shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "iris-lab", &mut script);
    ui.data(&String::from_utf8_lossy(&script))
}
