//! A failure as text and as a document: what failed, why, what to do.

use super::look::{Look, clean};
use crate::error::Failure;
use serde::Serialize;

/// `error:`, the causes indented, and after a blank line the hints.
pub(super) fn text(failure: &Failure, look: &Look) -> String {
    let mut text = format!("{} {}\n", look.red("error:"), clean(&failure.message));
    for cause in &failure.causes {
        let cause = clean(cause);
        for (number, line) in cause.trim_end().lines().enumerate() {
            // The lines after the first of a cause belong to it (a log tail): they stand one level deeper.
            let indent = if number == 0 { "  " } else { "    " };
            text += &format!("{indent}{line}\n");
        }
    }
    if !failure.hints.is_empty() {
        text.push('\n');
    }
    for hint in &failure.hints {
        let hint = clean(hint).replace('\n', "\n      ");
        text += &format!("{} {hint}\n", look.cyan("hint:"));
    }
    text
}

/// The document of a command that has no other result.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    error: Error<'a>,
}

/// The event of a failure that comes after the document was printed.
#[derive(Serialize)]
pub(super) struct FailureEvent<'a> {
    event: &'static str,
    error: Error<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Error<'a> {
    kind: &'static str,
    message: &'a str,
    causes: &'a [String],
    hints: &'a [String],
    exit_code: u8,
}

/// A failure as the one document.
pub(super) fn document(failure: &Failure) -> Document<'_> {
    Document { error: error(failure) }
}

/// A failure as an event.
pub(super) fn event(failure: &Failure) -> FailureEvent<'_> {
    FailureEvent { event: "failure", error: error(failure) }
}

fn error(failure: &Failure) -> Error<'_> {
    Error {
        kind: failure.kind.name(),
        message: &failure.message,
        causes: &failure.causes,
        hints: &failure.hints,
        exit_code: failure.kind.exit_code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_what_why_and_what_to_do() {
        let failure = Failure::not_ready("pod data-0 is not ready after 5m")
            .cause("CrashLoopBackOff: exit code 1, the last log lines are\n[ERROR] Error=-13\nbye\n")
            .hint("see the log: `kubectl logs data-0`")
            .hint("remove the lab: `iris-lab reset`");
        assert_eq!(
            text(&failure, &Look::plain()),
            "error: pod data-0 is not ready after 5m\n  \
             CrashLoopBackOff: exit code 1, the last log lines are\n    \
             [ERROR] Error=-13\n    \
             bye\n\n\
             hint: see the log: `kubectl logs data-0`\n\
             hint: remove the lab: `iris-lab reset`\n"
        );
    }

    #[test]
    fn a_program_reads_kind_and_exit_code() {
        let document = serde_json::to_value(document(&Failure::requirement("no cluster"))).unwrap();
        let error = &document["error"];
        assert_eq!(error["kind"], "RequirementMissing");
        assert_eq!(error["exitCode"], 3);
    }
}
