//! The command line: clap types and help texts, nothing else. What the commands do is in `commands`.

mod bundle;
mod doctor;
mod everyday;
mod help;
mod image;
mod lab;
mod pods;
mod removal;
mod trouble;

pub use bundle::{BundleArgs, BundleCommand, LoadArgs, SaveArgs};
pub use doctor::DoctorArgs;
pub use everyday::{PasswordArgs, ResizeArgs, UsersArgs, VolumeChoice};
pub use image::{ImageArgs, ImageCommand, ImageSource};
pub use lab::{BuildArgs, LabArgs, SimSpeed};
pub use pods::{LogsArgs, PortalArgs, SessionArgs};
pub use removal::{DownArgs, PauseArgs, ResetArgs, UnstickArgs};
pub use trouble::{ExplainArgs, SupportArgs};

use crate::model::longhorn::version;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;

/// Kubernetes labs for InterSystems IRIS on a laptop
#[derive(Debug, Parser)]
#[command(name = "iris-lab", version, after_help = help::TOP, max_term_width = 100)]
pub struct Cli {
    /// What is printed, and how.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What is printed, and how.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Format of the result: table, json or yaml
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "table", hide_possible_values = true)]
    pub output: OutputFormat,
    /// Print nothing but the result and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print plain lines instead of a live display
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Colours: auto (on a terminal, without NO_COLOR), always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: ColorWhen,
}

/// Format of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Table,
    /// One JSON document; progress as JSON lines on stderr.
    Json,
    /// One YAML document.
    Yaml,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring a lab up
    #[command(after_help = help::UP)]
    Up(UpArgs),
    /// Show every step that `up` would take
    #[command(after_help = help::PLAN)]
    Plan(PlanArgs),
    /// Check what the lab needs of this machine, before anything is made
    #[command(after_help = help::DOCTOR)]
    Doctor(DoctorArgs),
    /// Show what runs, where, and whether it is healthy
    #[command(after_help = help::STATUS)]
    Status(StatusArgs),
    /// Say what is wrong, why, and what mends it
    #[command(after_help = help::EXPLAIN)]
    Explain(ExplainArgs),
    /// Pack all that helps others to help you into one file
    #[command(after_help = help::SUPPORT)]
    Support(SupportArgs),
    /// Open the portal of each pod, and Longhorn's, on this host
    #[command(after_help = help::PORTAL)]
    Portal(PortalArgs),
    /// Open a prompt of IRIS in a pod
    #[command(after_help = help::SESSION)]
    Session(SessionArgs),
    /// Open a shell in a pod
    #[command(after_help = help::SHELL)]
    Shell(SessionArgs),
    /// Print the logs of all pods
    #[command(after_help = help::LOGS)]
    Logs(LogsArgs),
    /// Show who can log in where
    #[command(after_help = help::USERS)]
    Users(UsersArgs),
    /// Set a new password
    #[command(after_help = help::PASSWORD)]
    Password(PasswordArgs),
    /// Give the volumes more room
    #[command(after_help = help::RESIZE)]
    Resize(ResizeArgs),
    /// Show the last run: what ran when, beside what, and for how long
    #[command(after_help = help::TIMELINE)]
    Timeline(TimelineArgs),
    /// Remove the IRIS pods, keep their volumes
    #[command(after_help = help::DOWN)]
    Down(DownArgs),
    /// Stop the cluster, keep all that is in it
    #[command(after_help = help::STOP)]
    Stop(PauseArgs),
    /// Start a cluster that was stopped
    #[command(after_help = help::START)]
    Start(PauseArgs),
    /// Remove everything: back to before the first `up`
    #[command(after_help = help::RESET)]
    Reset(ResetArgs),
    /// Free a namespace that does not end
    #[command(after_help = help::UNSTICK)]
    Unstick(UnstickArgs),
    /// List, print and check labs
    #[command(after_help = help::LABS, disable_help_subcommand = true)]
    Labs(LabsArgs),
    /// Build, push and list images of your own
    #[command(after_help = help::IMAGE, disable_help_subcommand = true)]
    Image(ImageArgs),
    /// Print the Kubernetes YAML that `up` would apply
    #[command(after_help = help::RENDER, disable_help_subcommand = true)]
    Render(RenderArgs),
    /// Carry what a lab needs to a machine without network
    #[command(after_help = help::BUNDLE, disable_help_subcommand = true)]
    Bundle(BundleArgs),
    /// Print the path of the lab's kubeconfig
    #[command(after_help = help::KUBECONFIG)]
    Kubeconfig(KubeconfigArgs),
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// The embedded cluster
    #[command(hide = true, disable_help_subcommand = true)]
    Sim(SimArgs),
}

/// `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Which lab.
    #[command(flatten)]
    pub lab: LabArgs,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
    /// Print the plan and stop
    #[arg(long, help_heading = "Run")]
    pub dry_run: bool,
    /// Answer yes to every question
    #[arg(short, long, help_heading = "Run")]
    pub yes: bool,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Print it as shell commands, to read and to try out
    #[arg(long)]
    pub shell: bool,
    /// Which lab.
    #[command(flatten)]
    pub lab: LabArgs,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
}

/// `render`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RenderArgs {
    /// Something else than a lab.
    #[command(subcommand)]
    pub command: Option<RenderCommand>,
    /// Which lab.
    #[command(flatten)]
    pub lab: LabArgs,
    /// Print only what this step of the plan applies
    #[arg(long, value_name = "ID")]
    pub step: Option<String>,
}

/// What is rendered besides labs.
#[derive(Debug, Subcommand)]
pub enum RenderCommand {
    /// Print the YAML of Longhorn alone
    #[command(after_help = help::RENDER_LONGHORN)]
    Longhorn(RenderLonghornArgs),
}

/// `render longhorn`.
#[derive(Debug, Args)]
pub struct RenderLonghornArgs {
    /// Release, 1.2.1 to 1.2.6
    #[arg(long, value_name = "VERSION", default_value = version::DEFAULT.name())]
    pub version: String,
    /// Copies of each volume (1 to 20)
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20), allow_negative_numbers = true)]
    pub replicas: u32,
    /// Print the job that removes Longhorn instead
    #[arg(long)]
    pub uninstall: bool,
}

/// Deadline of a whole run.
#[derive(Clone, Copy, Debug, Args)]
pub struct TimeoutArg {
    /// Longest time for the whole run, such as 90s or 15m
    #[arg(long, value_name = "DURATION", default_value = "15m", help_heading = "Run", value_parser = duration, allow_hyphen_values = true)]
    pub timeout: Duration,
}

/// Which of several labs.
#[derive(Clone, Debug, Args)]
pub struct NameArg {
    /// Name of the lab [default: the only one that is there]
    #[arg(long, value_name = "NAME", help_heading = "Lab")]
    pub name: Option<String>,
}

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Go on until Ctrl-C, and show every change
    #[arg(short, long)]
    pub watch: bool,
}

/// `timeline`.
#[derive(Debug, Args)]
pub struct TimelineArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Write a page for a browser, too
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `labs`.
#[derive(Debug, Args)]
pub struct LabsArgs {
    /// What to do with them; none lists them.
    #[command(subcommand)]
    pub command: Option<LabsCommand>,
}

/// What to do with labs.
#[derive(Debug, Subcommand)]
pub enum LabsCommand {
    /// Print a built-in lab
    #[command(after_help = "Examples:\n  iris-lab labs show two-pod > my.yaml")]
    Show {
        /// Name of the lab
        name: String,
    },
    /// Check a lab file and report every error in it
    #[command(after_help = "Examples:\n  iris-lab labs check my.yaml")]
    Check {
        /// The lab file
        file: PathBuf,
    },
    /// Print the JSON Schema of lab files, for editors
    #[command(after_help = "Examples:\n  iris-lab labs schema > lab.schema.json")]
    Schema,
}

/// `kubeconfig`.
#[derive(Debug, Args)]
pub struct KubeconfigArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Print the content instead of the path
    #[arg(long)]
    pub print: bool,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// `sim`.
#[derive(Debug, Args)]
pub struct SimArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SimCommand,
}

/// What to do with the embedded cluster.
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// Serve the embedded cluster in the foreground
    #[command(after_help = "Examples:\n  iris-lab sim serve --dir sim --nodes 3 --speed instant")]
    Serve {
        /// Directory of its state, certificates and kubeconfig
        #[arg(long)]
        dir: PathBuf,
        /// Number of nodes
        #[arg(long, value_name = "N", default_value_t = 3)]
        nodes: u32,
        /// Kubernetes version that it reports
        #[arg(long, value_name = "VERSION", default_value = "1.24.17")]
        kubernetes: String,
        /// How much faster than real time it runs: a factor, or `instant`
        #[arg(long, value_name = "FACTOR", default_value = "1")]
        speed: SimSpeed,
        /// A file of faults
        #[arg(long, value_name = "FILE")]
        faults: Option<PathBuf>,
    },
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error} (examples: 90s, 15m, 1h)"))
}

#[cfg(test)]
mod tests;
