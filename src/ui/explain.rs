//! What is wrong with a lab: each cause with where it was read and what mends it, and under it what follows from it.

use super::look::{Look, Mark, clean};
use super::table::wrap;
use crate::model::Diagnosis;
use crate::model::diagnosis::{Evidence, Finding};

/// Lines of evidence that one cause shows; a program gets all.
const SHOWN: usize = 6;

/// All of it for people.
pub fn diagnosis_text(diagnosis: &Diagnosis, look: &Look) -> String {
    let mut text = head(diagnosis, look);
    for finding in &diagnosis.findings {
        text += &format!("\n{}", cause(finding, look));
        for follows in &finding.follows {
            let line = wrap(&clean(&format!("so {}", follows.head())), look.width.saturating_sub(2), 4);
            text += &format!("  {} {}", look.mark(Mark::Same), line.trim_start());
        }
    }
    if diagnosis.findings.iter().any(|finding| finding.mend.contains("`kubectl ")) {
        text += &look.dim("\nkubectl needs: export KUBECONFIG=\"$(iris-lab kubeconfig)\"\n");
    }
    let notes = diagnosis.notes.iter().map(|note| format!("Note: {note}"));
    let unread = diagnosis.unread.iter().map(|what| format!("Not looked at: {what}"));
    let rest: String = notes.chain(unread).map(|line| wrap(&clean(&line), look.width, 0)).collect();
    if rest.is_empty() { text } else { format!("{text}\n{rest}") }
}

fn head(diagnosis: &Diagnosis, look: &Look) -> String {
    let lab = &diagnosis.lab;
    let (mark, said) = match diagnosis.findings.len() {
        0 if diagnosis.unread.is_empty() => (Mark::Good, format!("Lab {lab} is healthy: nothing is wrong")),
        0 => (Mark::Warn, format!("Lab {lab}: nothing wrong was found, but not all could be looked at")),
        1 => (Mark::Bad, format!("Lab {lab}: 1 thing is wrong")),
        many => (Mark::Bad, format!("Lab {lab}: {many} things are wrong")),
    };
    let simulated = if diagnosis.simulated { ", simulated: nothing real was made" } else { "" };
    format!("{} {}{}\n", look.mark(mark), look.bold(&said), look.yellow(simulated))
}

fn cause(finding: &Finding, look: &Look) -> String {
    let mark = look.mark(if finding.broken { Mark::Bad } else { Mark::Warn });
    let head = wrap(&clean(&finding.head()), look.width.saturating_sub(2), 2);
    let mut text = format!("{mark} {}", head.trim_start());
    for Evidence { source, line } in finding.evidence.iter().take(SHOWN) {
        text += &look.dim(&wrap(&clean(&format!("{source}: {line}")), look.width, 4));
    }
    let more = finding.evidence.len().saturating_sub(SHOWN);
    if more > 0 {
        text += &look.dim(&format!("    and {more} more\n"));
    }
    text + &wrap(&format!("hint: {}", clean(&finding.mend)), look.width, 4).replacen("hint:", &look.cyan("hint:"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diagnosis::fixture::{broken, facts, identity, waiting};
    use crate::model::facts::{Details, Log};

    #[test]
    fn a_cause_has_its_line_its_command_and_what_follows() {
        let mut facts = facts();
        facts.pods[1] = broken("Running", &waiting("CrashLoopBackOff", ""));
        let text = "[INFO] Starting\nInvalid Community Edition license, may have exceeded core limit.\n".into();
        let log = Log { pod: "data-1".into(), container: "iris".into(), previous: true, text };
        facts.details =
            Details { logs: vec![log], unread: vec!["not allowed to list events".into()], ..Details::default() };
        let text = diagnosis_text(&Diagnosis::of(&identity(), &facts), &Look::plain());
        assert_eq!(
            text,
            "\
✗ Lab two-pod: 1 thing is wrong

✗ pod data-1: the image's built-in Community licence has ended, it lasts a
    year from the release
    log of data-1/iris, the run before: Invalid Community Edition license, may
      have exceeded core limit.
    hint: take a newer one with `iris-lab up --image IMAGE`
  · so pod data-1: container iris ended with an unknown end (restart 3)

Not looked at: not allowed to list events
"
        );
    }

    #[test]
    fn a_healthy_lab_is_one_line() {
        let text = diagnosis_text(&Diagnosis::of(&identity(), &facts()), &Look::plain());
        assert_eq!(text, "✓ Lab two-pod is healthy: nothing is wrong\n");
    }
}
