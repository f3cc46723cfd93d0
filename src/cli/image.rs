//! The arguments of `image`: what is built, pushed and listed.

use super::{BuildArgs, TimeoutArg, help};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `image`.
#[derive(Debug, Args)]
pub struct ImageArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ImageCommand,
}

/// What to do with images.
#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Build an image with Docker, unless it is there
    #[command(after_help = help::IMAGE_BUILD)]
    Build(ImageSource),
    /// Push an image to a registry, unless it is there, and build it first where it has to be
    #[command(after_help = help::IMAGE_PUSH)]
    Push(ImageSource),
    /// List the images that iris-lab has built, and what the registry has
    #[command(after_help = help::IMAGE_LIST)]
    List {
        /// The registry
        #[arg(long, value_name = "HOST:PORT", default_value = "localhost:32000")]
        registry: String,
    },
}

/// What an image is made from.
#[derive(Debug, Args)]
pub struct ImageSource {
    /// The build context: a folder, or the name of a built-in one (simple)
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Name of the image, and its tag, to which the content is added [default: the name of the folder]
    #[arg(long, short, value_name = "NAME[:TAG]", help_heading = "Image")]
    pub tag: Option<String>,
    /// The Dockerfile, in the context
    #[arg(long, short, value_name = "FILE", default_value = "Dockerfile", help_heading = "Image")]
    pub file: String,
    /// What it is built with.
    #[command(flatten)]
    pub build: BuildArgs,
    /// Deadline of the whole run.
    #[command(flatten)]
    pub deadline: TimeoutArg,
}
