//! One requirement with its verdict, cause and hint.

use super::cmd::{Cmd, quoted};
use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The requirement holds.
    Ok,
    /// The lab works, with less than it should have.
    Warn,
    /// The lab cannot work: `up` stops before its first change.
    Fail,
}

/// One requirement and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is about, as a heading; empty for what is about the lab itself.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub topic: &'static str,
    /// What is required, as a short noun phrase.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was found.
    pub cause: String,
    /// The way out; none when the verdict is ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Commands that mend it, in order; none where the user has to decide or to do it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mend: Vec<Cmd>,
}

impl Check {
    /// A requirement that holds.
    pub fn ok(name: impl Into<String>, cause: impl Into<String>) -> Self {
        Check::new(name.into(), Verdict::Ok, cause.into(), None)
    }

    /// A requirement that is not met but can be lived with.
    pub fn warn(name: impl Into<String>, cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Check::new(name.into(), Verdict::Warn, cause.into(), Some(hint.into()))
    }

    /// A requirement without which the lab cannot work.
    pub fn fail(name: impl Into<String>, cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Check::new(name.into(), Verdict::Fail, cause.into(), Some(hint.into()))
    }

    fn new(name: String, verdict: Verdict, cause: String, hint: Option<String>) -> Self {
        Check { topic: "", name, verdict, cause, hint, mend: Vec::new() }
    }

    /// Puts it under a heading.
    #[must_use]
    pub fn about(mut self, topic: &'static str) -> Self {
        self.topic = topic;
        self
    }

    /// Adds the commands that mend it.
    #[must_use]
    pub fn mended_by(mut self, commands: impl IntoIterator<Item = Cmd>) -> Self {
        self.mend.extend(commands);
        self
    }

    /// The same as a warning: the user knows better, and takes what comes of it.
    #[must_use]
    pub fn ignored(self) -> Self {
        let hint = self.way_out().unwrap_or_default();
        Check {
            verdict: Verdict::Warn,
            cause: format!("ignored: {}", self.cause),
            hint: Some(hint),
            mend: Vec::new(),
            ..self
        }
    }

    /// The hint with the commands that mend it, as people type them.
    pub fn way_out(&self) -> Option<String> {
        let hint = self.hint.as_ref()?;
        let commands: Vec<String> = self.mend.iter().map(|cmd| format!("`{}`", typed(cmd))).collect();
        Some(if commands.is_empty() { hint.clone() } else { format!("{hint}: {}", commands.join(", then ")) })
    }
}

/// A command as one types it: sudo may ask there, and what it reads comes out of a pipe.
pub fn typed(cmd: &Cmd) -> String {
    let line = cmd.line();
    let line = line.strip_prefix("sudo -n ").map_or(line.clone(), |rest| format!("sudo {rest}"));
    match &cmd.stdin {
        None => line,
        Some(text) => {
            let lines: Vec<String> = text.lines().map(quoted).collect();
            format!("printf '%s\\n' {} | {line}", lines.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_can_be_typed() {
        let mend = [
            Cmd::new("apt-get", ["install", "-y", "open-iscsi"]).as_root(false),
            Cmd::new("tee", ["/etc/a.conf"]).reading("blacklist {\n}\n").as_root(false),
        ];
        let check = Check::fail("iscsiadm", "it is not installed", "install it").mended_by(mend);
        let typed = "install it: `sudo apt-get install -y open-iscsi`, then `printf '%s\\n' 'blacklist {' '}' | sudo tee /etc/a.conf`";
        assert_eq!(check.way_out().as_deref(), Some(typed));
        assert_eq!(Check::ok("iscsiadm", "2.1.5").way_out(), None);
    }
}
