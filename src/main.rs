//! The binary: arguments in, exit code out.

use clap::Parser;
use iris_lab::{cli::Cli, commands};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => commands::misuse(&error, std::env::args()),
    }
}
