//! Questions before something that cannot be undone.

use super::look::Look;
use super::table::wrap;
use crate::error::{Failure, Kind, Result};
use std::io::{BufRead, IsTerminal, Write};

/// Asks on the terminal.
pub(super) fn ask_on_terminal(what: &str, word: &str, look: &Look, err: &mut impl Write) -> Result<()> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(no_terminal(what));
    }
    ask(what, word, look, &mut std::io::stdin().lock(), err)
}

fn no_terminal(what: &str) -> Failure {
    Failure::usage("this needs a confirmation, and there is no terminal to ask on")
        .cause(what)
        .hint("add `--yes` if that is what you want")
}

fn ask(what: &str, word: &str, look: &Look, input: &mut impl BufRead, err: &mut impl Write) -> Result<()> {
    let question = format!("{}Type {} to go on, anything else to cancel: ", wrap(what, look.width, 0), look.bold(word));
    let mut answer = String::new();
    err.write_all(question.as_bytes())
        .and_then(|()| err.flush())
        .and_then(|()| input.read_line(&mut answer))
        .map_err(|error| Failure::usage("the question cannot be asked").caused_by(error).hint("add `--yes`"))?;
    if answer.trim() == word {
        return Ok(());
    }
    if !answer.ends_with('\n') {
        // The end of the input came instead of a line: the next output must not stand behind the question.
        let _ = err.write_all(b"\n");
    }
    Err(Failure::new(Kind::Cancelled, "cancelled, nothing was changed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> (Result<()>, String) {
        let mut err = Vec::new();
        let result = ask("This deletes 4 volumes", "two-pod", &Look::plain(), &mut text.as_bytes(), &mut err);
        (result, String::from_utf8(err).unwrap())
    }

    #[test]
    fn only_the_word_itself_goes_on() {
        let (result, question) = answer("two-pod\n");
        assert!(result.is_ok());
        assert_eq!(question, "This deletes 4 volumes\nType two-pod to go on, anything else to cancel: ");
        for other in ["yes\n", "\n", "", "two-po"] {
            assert_eq!(answer(other).0.unwrap_err().kind, Kind::Cancelled, "{other:?}");
        }
    }

    #[test]
    fn without_a_terminal_the_flag_is_named() {
        let failure = no_terminal("This deletes 4 volumes");
        assert_eq!(failure.kind, Kind::Usage);
        assert!(failure.hints[0].contains("--yes"));
    }
}
