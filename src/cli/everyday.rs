//! The arguments of the everyday commands on a lab that is up: its users, their password, room for its volumes.

use super::{NameArg, TimeoutArg};
use crate::model::Quantity;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `users`.
#[derive(Debug, Args)]
pub struct UsersArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Print the lab's password, too
    #[arg(long)]
    pub show_password: bool,
}

/// `password`.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Account whose password it is [default: SuperUser, _SYSTEM, Admin and those in spec.iris.users]
    #[arg(long, value_name = "ACCOUNT")]
    pub user: Option<String>,
    /// A file whose first line is the password, - for the input [default: ask, or make one where there is no terminal]
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub password_file: Option<PathBuf>,
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
}

/// `resize`.
#[derive(Debug, Args)]
pub struct ResizeArgs {
    /// Size that each volume shall have, such as 10Gi
    #[arg(value_name = "SIZE", value_parser = size, allow_hyphen_values = true)]
    pub size: String,
    /// Which volumes: data (the databases), mgr (the instance itself) or all
    #[arg(long, value_name = "VOLUME", default_value = "data", hide_possible_values = true)]
    pub volume: VolumeChoice,
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Print the plan and stop
    #[arg(long, help_heading = "Run")]
    pub dry_run: bool,
    /// Answer yes to every question
    #[arg(short, long, help_heading = "Run")]
    pub yes: bool,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
}

/// Which volumes of each pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VolumeChoice {
    /// The one with the databases.
    Data,
    /// The one with the instance itself.
    Mgr,
    /// Both.
    All,
}

impl VolumeChoice {
    /// As it is typed.
    pub fn word(self) -> &'static str {
        match self {
            VolumeChoice::Data => "data",
            VolumeChoice::Mgr => "mgr",
            VolumeChoice::All => "all",
        }
    }
}

/// A size above nothing, as the API server writes it.
fn size(text: &str) -> Result<String, &'static str> {
    match (Quantity::parse(text), Quantity::canonical(text)) {
        (Some(quantity), Some(size)) if quantity.is_positive() => Ok(size),
        (Some(_), _) => Err("it must be more than 0"),
        _ => Err("expected a Kubernetes quantity such as 10Gi or 500M"),
    }
}
