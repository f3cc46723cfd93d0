//! What the program may ask of a host: run a command, read a file, find a program. The real host and a scripted one answer alike.

use crate::error::{Failure, Result};
use crate::model::Cmd;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use std::fs::File;
use std::io::Write;
use std::net::Ipv4Addr;

/// How a command ended, and all that it printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Lines of a command's output that a failure shows.
const TAIL: usize = 10;

impl Output {
    /// Whether it exited with 0.
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// Both streams, for looking for words in them.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.stdout.trim_end(), self.stderr.trim_end()).trim().to_string()
    }

    /// The failure of this command: its exit code and the end of what it said.
    pub fn failure(&self, cmd: &Cmd) -> Failure {
        let code = self.code.map_or("was ended by a signal".into(), |code| format!("exited with {code}"));
        let text = self.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let failure = Failure::step(format!("`{}` {code}", cmd.line()));
        if lines.is_empty() { failure } else { failure.cause(lines[lines.len().saturating_sub(TAIL)..].join("\n")) }
    }
}

/// A host.
pub trait Machine {
    /// Runs a command to its end. `line` gets each line of its output as it comes. A future that is dropped ends the command and
    /// everything that it started. A program that is not there is a failure; one that fails is not.
    fn run<'a>(&'a self, cmd: &'a Cmd, line: &'a dyn Fn(&str)) -> LocalBoxFuture<'a, Result<Output>>;

    /// The same for one whose standard output is no text: it goes into a file, from where that stands on.
    fn pour<'a>(&'a self, cmd: &'a Cmd, mut into: File) -> LocalBoxFuture<'a, Result<Output>> {
        async move {
            let output = self.run(cmd, &|_| {}).await?;
            let poured = into.write_all(output.stdout.as_bytes());
            poured.map_err(|e| Failure::step(format!("cannot keep what `{}` prints", cmd.line())).caused_by(e))?;
            Ok(Output { stdout: String::new(), ..output })
        }
        .boxed_local()
    }

    /// The text of a file; none when there is no such file.
    fn read(&self, path: &str) -> Result<Option<String>>;

    /// Whether there is a file, folder or device.
    fn exists(&self, path: &str) -> bool;

    /// The path of a program, if it is installed.
    fn find(&self, program: &str) -> Option<String>;

    /// A variable of the environment; none when it is empty.
    fn variable(&self, name: &str) -> Option<String>;

    /// Those of these addresses, all of a network that this host is in, at which some other host answers.
    fn answering<'a>(&'a self, addresses: &'a [Ipv4Addr]) -> LocalBoxFuture<'a, Result<Vec<Ipv4Addr>>>;
}

/// Runs a command whose output is only read at its end.
pub async fn ask(machine: &dyn Machine, program: &str, args: &[&str]) -> Result<Output> {
    machine.run(&Cmd::new(program, args.iter().copied()), &|_| {}).await
}
