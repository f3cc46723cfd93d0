//! The arguments of `bundle`.

use super::{LabArgs, duration, help};
use crate::model::Arch;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// `bundle`.
#[derive(Debug, Args)]
pub struct BundleArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: BundleCommand,
}

/// What to do with a bundle.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Write all that a lab needs from outside, images and programs, into one file
    #[command(after_help = help::BUNDLE_SAVE)]
    Save(Box<SaveArgs>),
    /// Load what is in it, so that `up` pulls nothing
    #[command(after_help = help::BUNDLE_LOAD)]
    Load(LoadArgs),
    /// Show what is in it
    #[command(after_help = help::BUNDLE_LIST)]
    List {
        /// The bundle
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// `bundle save`.
#[derive(Debug, Args)]
pub struct SaveArgs {
    /// The file that is written
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Which lab.
    #[command(flatten)]
    pub lab: LabArgs,
    /// The processor that it is for, amd64 or arm64 [default: this machine's]
    #[arg(long, value_name = "ARCH", help_heading = "Bundle", hide_possible_values = true)]
    pub arch: Option<Arch>,
    /// A registry that has the images of all others, to pull from
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Bundle", value_parser = registry)]
    pub mirror: Option<String>,
    /// Leave programs such as kind out
    #[arg(long, help_heading = "Bundle")]
    pub images_only: bool,
    /// Longest time for the whole run, such as 90s or 15m
    #[arg(long, value_name = "DURATION", default_value = "2h", help_heading = "Run", value_parser = duration, allow_hyphen_values = true)]
    pub timeout: Duration,
}

/// `bundle load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Longest time for the whole run, such as 90s or 15m
    #[arg(long, value_name = "DURATION", default_value = "2h", help_heading = "Run", value_parser = duration, allow_hyphen_values = true)]
    pub timeout: Duration,
}

/// A host with a port or without, as it stands before the path of an image.
fn registry(text: &str) -> Result<String, &'static str> {
    let (host, port) = text.split_once(':').unwrap_or((text, "1"));
    let name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let sound =
        !host.is_empty() && host.chars().all(name) && !host.starts_with(['-', '.']) && port.parse::<u16>().is_ok();
    if sound { Ok(text.into()) } else { Err("expected HOST or HOST:PORT, such as registry.local:5000") }
}
