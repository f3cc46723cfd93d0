//! The report of `doctor`: every check in a line under its heading, and under it the way out where it does not hold.

use super::look::{Look, Mark, clean};
use super::table::wrap;
use crate::model::check::typed;
use crate::model::{Check, Verdict};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

/// What was found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// The lab.
    pub lab: String,
    /// Its provider.
    pub provider: String,
    /// Why this provider.
    pub reason: String,
    /// The worst of the checks.
    pub verdict: Verdict,
    /// All of them, in their order.
    pub checks: Vec<Check>,
    /// The command that mends what can be mended; none where nothing can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Columns before the name of a check: the indent, the mark and a space.
const BEFORE: usize = 4;

impl DoctorReport {
    /// A report; its verdict is that of the worst check.
    pub fn new(lab: &str, provider: &str, reason: &str, checks: Vec<Check>) -> Self {
        let is = |verdict: Verdict| checks.iter().any(|check| check.verdict == verdict);
        let verdict = match () {
            () if is(Verdict::Fail) => Verdict::Fail,
            () if is(Verdict::Warn) => Verdict::Warn,
            () => Verdict::Ok,
        };
        DoctorReport { lab: lab.into(), provider: provider.into(), reason: reason.into(), verdict, checks, fix: None }
    }

    /// How many checks ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    /// One screen.
    pub fn text(&self, look: &Look) -> String {
        let counts = [(Verdict::Fail, "failed"), (Verdict::Warn, "warned"), (Verdict::Ok, "ok")];
        let counts = counts.map(|(verdict, word)| (self.count(verdict), word));
        let counts: Vec<_> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        let head = look.bold(&format!("{} on {}", self.lab, self.provider));
        let mut text = format!("{head}: {}\n", counts.join(", "));
        let column = BEFORE + 2 + self.checks.iter().map(|check| check.name.width()).max().unwrap_or(0);
        let mut topics: Vec<&str> = Vec::new();
        for check in &self.checks {
            if !topics.contains(&check.topic) {
                topics.push(check.topic);
            }
        }
        for topic in topics {
            let title = if topic.is_empty() { "Lab" } else { topic };
            text += &format!("\n{}\n", look.bold(title));
            self.checks
                .iter()
                .filter(|check| check.topic == topic)
                .for_each(|check| text += &line(check, column, look));
        }
        if let Some(fix) = &self.fix {
            let count = self.checks.iter().filter(|check| !check.mend.is_empty()).count();
            text += &format!("\n{}", wrap(&format!("{count} of them can be mended by `{fix}`"), look.width, 0));
        }
        text
    }
}

fn line(check: &Check, column: usize, look: &Look) -> String {
    let mark = look.mark(match check.verdict {
        Verdict::Ok => Mark::Good,
        Verdict::Warn => Mark::Warn,
        Verdict::Fail => Mark::Bad,
    });
    let name = format!("{}{}", check.name, " ".repeat(column - BEFORE - check.name.width()));
    let cause = block(&clean(&check.cause), column, look.width);
    let mut text = format!("  {mark} {name}{}", cause.trim_start());
    if let Some(hint) = &check.hint {
        text += &hanging(&format!("hint: {}", clean(hint)), look);
    }
    // A command is there to be copied: it has a line of its own, however long.
    check.mend.iter().for_each(|cmd| text += &format!("      $ {}\n", clean(&typed(cmd))));
    text
}

/// A hint, from the name's column on: commands need the room.
fn hanging(text: &str, look: &Look) -> String {
    wrap(text, look.width, BEFORE).replacen("hint:", &look.cyan("hint:"), 1)
}

/// A text whose lines all begin in one column.
fn block(text: &str, column: usize, width: usize) -> String {
    let lines = wrap(text, width - column.min(width / 2) + 2, 0);
    lines.lines().map(|line| format!("{}{}\n", " ".repeat(column), line.trim_start())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cmd;

    #[test]
    fn every_check_is_under_its_heading_and_says_the_way_out() {
        let mend = [Cmd::new("apt-get", ["install", "-y", "open-iscsi"]).as_root(false)];
        let checks = vec![
            Check::ok("licence", "valid"),
            Check::ok("memory", "8 GiB").about("Machine"),
            Check::fail("iscsiadm", "it is not installed", "install it").mended_by(mend).about("Longhorn"),
        ];
        let mut report = DoctorReport::new("two-pod", "microk8s", "it was asked for", checks);
        report.fix = Some("iris-lab doctor --fix".into());
        assert_eq!(
            report.text(&Look::plain()),
            "two-pod on microk8s: 1 failed, 2 ok\n\n\
             Lab\n  ✓ licence   valid\n\n\
             Machine\n  ✓ memory    8 GiB\n\n\
             Longhorn\n  ✗ iscsiadm  it is not installed\n    \
             hint: install it\n      $ sudo apt-get install -y open-iscsi\n\n\
             1 of them can be mended by `iris-lab doctor --fix`\n"
        );
        assert_eq!(report.verdict, Verdict::Fail);
    }
}
