//! The arguments of the commands that remove something.

use super::{NameArg, TimeoutArg};
use crate::model::longhorn::NAMESPACE;
use clap::Args;

/// `down`.
#[derive(Debug, Args)]
pub struct DownArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Remove the volumes too: the data is lost
    #[arg(long, help_heading = "Run")]
    pub delete_data: bool,
    /// Remove Longhorn too, where the lab installed it
    #[arg(long, help_heading = "Run")]
    pub longhorn: bool,
    /// Answer yes to every question
    #[arg(short, long, help_heading = "Run")]
    pub yes: bool,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
}

/// `stop` and `start`.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
}

/// `reset`.
#[derive(Debug, Args)]
pub struct ResetArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Remove Longhorn too when it was not installed by iris-lab
    #[arg(long, help_heading = "Run")]
    pub adopt: bool,
    /// Remove what is kept for the next lab, too: the snap that iris-lab installed, node images
    #[arg(long, help_heading = "Run")]
    pub purge: bool,
    /// Answer yes to every question: the data is lost
    #[arg(short, long, help_heading = "Run")]
    pub yes: bool,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
}

/// `unstick`.
#[derive(Debug, Args)]
pub struct UnstickArgs {
    /// The namespace
    #[arg(value_name = "NAMESPACE", default_value = NAMESPACE)]
    pub namespace: String,
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Context of a cluster in your kubeconfig, instead of a lab's
    #[arg(long, value_name = "CONTEXT", help_heading = "Cluster", conflicts_with = "name")]
    pub context: Option<String>,
    /// Take every finalizer off objects of this kind, such as widgets.example.com, once they are deleted (repeatable)
    #[arg(long, value_name = "KIND.GROUP", help_heading = "Run")]
    pub strip: Vec<String>,
    /// End the namespace by its finalize subresource, when nothing is left in it
    #[arg(long, help_heading = "Run")]
    pub force: bool,
    /// Print exactly what would be touched and stop
    #[arg(long, help_heading = "Run")]
    pub dry_run: bool,
    /// Answer yes to every question
    #[arg(short, long, help_heading = "Run")]
    pub yes: bool,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
}
