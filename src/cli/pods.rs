//! The arguments of the commands that reach into the pods.

use super::NameArg;
use crate::model::log::Level;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};

/// `session` and `shell`.
#[derive(Debug, Args)]
pub struct SessionArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// The pod [default: the first that is ready]
    #[arg(value_name = "POD")]
    pub pod: Option<String>,
    /// Run this instead
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Only these pods
    #[arg(value_name = "POD")]
    pub pods: Vec<String>,
    /// Go on until Ctrl-C, also when a pod is started again
    #[arg(short, long)]
    pub follow: bool,
    /// Only lines as bad as this or worse: info, warn, error or fatal
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub level: Option<Level>,
    /// Only the last N lines of each pod
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Read messages.log of IRIS, which also has what former pods wrote
    #[arg(long)]
    pub messages: bool,
}

/// `portal`.
#[derive(Debug, Args)]
pub struct PortalArgs {
    /// Which of several labs.
    #[command(flatten)]
    pub lab: NameArg,
    /// Address of this host on which to listen
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub address: IpAddr,
    /// Show the first page in a browser
    #[arg(long)]
    pub open: bool,
}

fn level(text: &str) -> Result<Level, String> {
    Level::ALL
        .into_iter()
        .find(|level| level.name() == text)
        .ok_or_else(|| "expected info, warn, error or fatal".into())
}
