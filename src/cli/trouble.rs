//! The arguments of the commands for labs that do not work.

use super::NameArg;
use clap::Args;
use std::path::PathBuf;

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
}

/// `support`.
#[derive(Debug, Args)]
pub struct SupportArgs {
    /// The file to write [default: iris-lab-support-NAME-TIME.tar.gz in this folder]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
}
