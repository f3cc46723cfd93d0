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

/// Asks on the terminal for what is not to be shown.
pub(super) fn secret_on_terminal(
    question: &str,
    check: impl Fn(&str) -> std::result::Result<(), &'static str>,
    err: &mut impl Write,
) -> Result<Option<String>> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    secret(question, check, || console::Term::stderr().read_secure_line(), err).map(Some)
}

/// Asks until the answer is allowed and was given the same twice; nothing needs no second time.
fn secret(
    question: &str,
    check: impl Fn(&str) -> std::result::Result<(), &'static str>,
    mut read: impl FnMut() -> std::io::Result<String>,
    err: &mut impl Write,
) -> Result<String> {
    let mut ask = |text: &str| {
        let asked = err.write_all(text.as_bytes()).and_then(|()| err.flush());
        let answer = asked.and_then(|()| read());
        answer.map_err(|error| Failure::usage("the password cannot be asked for").caused_by(error))
    };
    let mut first = ask(&format!("{question}: "))?;
    loop {
        let again = match check(&first) {
            Err(why) => format!("{why}; {}: ", lower(question)),
            Ok(()) if first.is_empty() || ask("The same again: ")? == first => return Ok(first),
            Ok(()) => format!("It was not the same; {}: ", lower(question)),
        };
        first = ask(&again)?;
    }
}

/// A question in the middle of a line.
fn lower(question: &str) -> String {
    let mut letters = question.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
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
    fn a_secret_is_asked_for_until_it_is_allowed_and_the_same_twice() {
        let said = |answers: &[&str]| {
            let mut answers = answers.iter().map(|text| Ok(text.to_string()));
            let mut err = Vec::new();
            let check = |text: &str| if text.len() == 2 { Err("it is too short") } else { Ok(()) };
            let answer = secret("New password", check, || answers.next().unwrap(), &mut err).unwrap();
            (answer, String::from_utf8(err).unwrap())
        };
        assert_eq!(said(&[""]), (String::new(), "New password: ".into()));
        let questions = "New password: it is too short; new password: The same again: It was not the same; new password: \
                         The same again: ";
        assert_eq!(said(&["ab", "secret", "secrte", "secret", "secret"]), ("secret".into(), questions.into()));
    }

    #[test]
    fn without_a_terminal_the_flag_is_named() {
        let failure = no_terminal("This deletes 4 volumes");
        assert_eq!(failure.kind, Kind::Usage);
        assert!(failure.hints[0].contains("--yes"));
    }
}
