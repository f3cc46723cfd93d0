//! The arguments of `doctor`.

use super::{LabArgs, TimeoutArg};
use clap::Args;

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Which lab.
    #[command(flatten)]
    pub lab: LabArgs,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
    /// Run the commands that mend what is missing, after a question
    #[arg(long, help_heading = "Run")]
    pub fix: bool,
    /// Answer yes to the question
    #[arg(short, long, help_heading = "Run", requires = "fix")]
    pub yes: bool,
}
