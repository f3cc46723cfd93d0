//! `iris`: what the lab's commands and its users ask of an instance. A subcommand is one file here and one line in [`COMMANDS`].

mod accounts;
mod globals;
mod merge;
mod qlist;
mod session;
mod values;

use super::{Container, Io};
use futures::future::BoxFuture;

/// What a subcommand does with its arguments, without `iris` and its own name.
type Command = for<'a> fn(&'a Container, &'a [String], &'a mut Io) -> BoxFuture<'a, u8>;

/// Every subcommand that is emulated.
const COMMANDS: &[(&str, Command)] = &[("merge", merge::run), ("qlist", qlist::run), ("session", session::run)];

/// The name of the only instance.
const INSTANCE: &str = "IRIS";

/// Runs a subcommand.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        let wanted = arguments.first().map(String::as_str).unwrap_or_default();
        match COMMANDS.iter().find(|(name, _)| *name == wanted) {
            Some((_, run)) => run(container, &arguments[1..], io).await,
            None => {
                let names: Vec<String> = COMMANDS.iter().map(|(name, _)| format!("`iris {name}`")).collect();
                io.complain(&format!("iris: only {} are emulated\n", names.join(", "))).await;
                1
            }
        }
    })
}

/// Whether an instance of that name is there.
fn is_instance(name: &str) -> bool {
    name.eq_ignore_ascii_case(INSTANCE)
}
