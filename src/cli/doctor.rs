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
    /// Look at the nodes of an existing cluster for Longhorn, by a short-lived privileged pod on each, after a question
    #[arg(long, help_heading = "Run", conflicts_with = "fix")]
    pub probe: bool,
    /// Image of those pods, with BusyBox in it [default: busybox:1.36]
    #[arg(long, value_name = "IMAGE", help_heading = "Run", requires = "probe")]
    pub probe_image: Option<String>,
    /// Answer yes to the question
    #[arg(short, long, help_heading = "Run")]
    pub yes: bool,
}
