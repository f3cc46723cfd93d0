//! One call of a program: its argument vector, as data. No shell ever reads it; people do, written as shell text.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A program with its arguments and, where it reads one, its standard input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cmd {
    /// The program: a name that is looked for on PATH, or a path.
    pub program: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// What it reads; nothing otherwise, so that no question can be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
}

impl Cmd {
    /// A call without standard input.
    pub fn new<I: IntoIterator<Item = S>, S: Into<String>>(program: impl Into<String>, args: I) -> Self {
        Cmd { program: program.into(), args: args.into_iter().map(Into::into).collect(), stdin: None }
    }

    /// Gives it something to read.
    #[must_use]
    pub fn reading(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// The same as root: by sudo, which must not ask for a password, unless this user is root.
    #[must_use]
    pub fn as_root(mut self, is_root: bool) -> Self {
        if !is_root {
            let program = std::mem::replace(&mut self.program, "sudo".into());
            self.args.splice(0..0, ["-n".to_string(), program]);
        }
        self
    }

    /// The program and its arguments in one line.
    pub fn line(&self) -> String {
        std::iter::once(&self.program).chain(&self.args).map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// As a shell would take it, with what it reads below.
impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stdin {
            Some(text) => f.write_str(&heredoc(&self.line(), "", text)),
            None => f.write_str(&self.line()),
        }
    }
}

/// A command that reads a text, which stands below it up to a line that is no line of the text. `tail` ends the command's line.
pub fn heredoc(command: &str, tail: &str, text: &str) -> String {
    let mut end = "END".to_string();
    while text.lines().any(|line| line == end) {
        end += "_";
    }
    let break_ = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{command} <<'{end}'{tail}\n{text}{break_}{end}")
}

/// As a shell reads it as one word.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_as_shell_text() {
        let cmd = Cmd::new("docker", ["build", "-t", "it's", "-"]).reading("FROM a\n");
        assert_eq!(cmd.to_string(), "docker build -t 'it'\\''s' - <<'END'\nFROM a\nEND");
        let cmd = Cmd::new("cat", ["-"]).reading("a\nEND\nrm -rf b\n");
        assert_eq!(cmd.to_string(), "cat - <<'END_'\na\nEND\nrm -rf b\nEND_", "a text does not end itself");
        assert_eq!(Cmd::new("snap", ["list"]).as_root(false).line(), "sudo -n snap list");
        assert_eq!(Cmd::new("snap", ["list"]).as_root(true).line(), "snap list");
    }
}
