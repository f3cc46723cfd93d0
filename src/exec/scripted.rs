//! A host out of a script: what each command prints, what each file holds. For tests, and for hosts that were recorded.

use super::machine::{Machine, Output};
use crate::error::{Failure, Result};
use crate::model::Cmd;
use futures::FutureExt;
use futures::future::{LocalBoxFuture, ready};
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The script, as it stands in a YAML or JSON file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Script {
    /// What each command does, by its whole line: the answers in turn, the last one again and again.
    pub commands: BTreeMap<String, Vec<Answer>>,
    /// Files and what they hold.
    pub files: BTreeMap<String, String>,
    /// Folders and devices that are there.
    pub paths: Vec<String>,
    /// Variables of the environment.
    pub variables: BTreeMap<String, String>,
    /// Addresses at which somebody answers.
    pub answering: Vec<Ipv4Addr>,
}

/// What a command does once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The host. A program is installed when a command of the script begins with it, or when it is among the paths below /usr/bin.
#[derive(Default)]
pub struct Scripted {
    script: Script,
    /// Every command that was run, as shell text, in order.
    pub log: RefCell<Vec<String>>,
    turns: RefCell<BTreeMap<String, usize>>,
}

impl Scripted {
    /// A host that follows the script.
    pub fn new(script: Script) -> Self {
        Scripted { script, ..Scripted::default() }
    }

    /// A host on which each of these commands exits with a code and prints this, one time after the other where it stands twice.
    pub fn saying(commands: &[(&str, i32, &str, &str)]) -> Self {
        let mut script = Script::default();
        for (line, code, out, err) in commands {
            let answer = Answer { code: *code, out: out.to_string(), err: err.to_string() };
            script.commands.entry(line.to_string()).or_default().push(answer);
        }
        Scripted::new(script)
    }

    fn answer(&self, cmd: &Cmd) -> Result<Output> {
        self.log.borrow_mut().push(cmd.to_string());
        let line = cmd.line();
        let Some(answers) = self.script.commands.get(&line).filter(|answers| !answers.is_empty()) else {
            return match self.find(&cmd.program) {
                None => Err(Failure::requirement(format!("{} is not installed, or not on PATH", cmd.program))),
                Some(_) => Err(Failure::step(format!("the script has no answer to `{line}`"))),
            };
        };
        let mut turns = self.turns.borrow_mut();
        let turn = turns.entry(line).or_default();
        let answer = &answers[(*turn).min(answers.len() - 1)];
        *turn += 1;
        Ok(Output { code: Some(answer.code), stdout: answer.out.clone(), stderr: answer.err.clone() })
    }
}

impl Machine for Scripted {
    fn run<'a>(&'a self, cmd: &'a Cmd, line: &'a dyn Fn(&str)) -> LocalBoxFuture<'a, Result<Output>> {
        let output = self.answer(cmd);
        if let Ok(output) = &output {
            output.text().lines().for_each(line);
        }
        ready(output).boxed_local()
    }

    fn read(&self, path: &str) -> Result<Option<String>> {
        Ok(self.script.files.get(path).cloned())
    }

    fn exists(&self, path: &str) -> bool {
        let below = format!("{}/", path.trim_end_matches('/'));
        let mut paths = self.script.paths.iter().chain(self.script.files.keys());
        paths.any(|known| known == path || known.starts_with(&below))
    }

    fn find(&self, program: &str) -> Option<String> {
        let begins = |line: &String| {
            let named = line.split(' ').find(|word| !matches!(*word, "sudo" | "-n"));
            named == Some(program) || line.split(' ').next() == Some(program)
        };
        let path = format!("/usr/bin/{program}");
        (self.script.commands.keys().any(begins) || self.script.paths.contains(&path)).then_some(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.script.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn answering<'a>(&'a self, addresses: &'a [Ipv4Addr]) -> LocalBoxFuture<'a, Result<Vec<Ipv4Addr>>> {
        let there = addresses.iter().copied().filter(|address| self.script.answering.contains(address));
        ready(Ok(there.collect())).boxed_local()
    }
}
