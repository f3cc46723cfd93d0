//! `sh`: runs the emulated programs, a line each. It knows quotes and `exit`, and nothing else of a shell.

use super::{Container, Io, Line};
use futures::future::BoxFuture;

const NOT_FOUND: u8 = 127;
const INTERRUPTED: u8 = 130;

/// Runs lines: that of `-c`, or those of its input.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        if let [flag, line, ..] = arguments
            && flag == "-c"
        {
            let mut code = 0;
            return run_line(container, line, io, &mut code).await.unwrap_or(code);
        }
        if io.is_terminal() {
            let programs = container.programs().join(", ");
            io.print(&format!("(emulated by iris-lab: no container runs here; there is {programs}, exit)\n")).await;
        }
        let mut code = 0;
        loop {
            if io.is_terminal() {
                io.print("$ ").await;
            }
            match io.line().await {
                Line::End => return code,
                Line::Interrupt => code = INTERRUPTED,
                Line::Text(line) => {
                    if let Some(end) = run_line(container, &line, io, &mut code).await {
                        return end;
                    }
                }
            }
        }
    })
}

/// Runs one line, and notes its exit code. Returns the code with which the shell is to end, if it is.
async fn run_line(container: &Container, line: &str, io: &mut Io, code: &mut u8) -> Option<u8> {
    let words = words(line);
    let (program, arguments) = words.split_first()?;
    if program == "exit" {
        return Some(arguments.first().and_then(|code| code.parse().ok()).unwrap_or(*code));
    }
    *code = match container.program(program) {
        Some(run) => run(container, arguments, io).await,
        None => {
            let known = container.programs().join(", ");
            io.complain(&format!("sh: {program}: not found (emulated are {known})\n")).await;
            NOT_FOUND
        }
    };
    None
}

/// The words of a line: separated by blanks, kept together by quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_split_at_blanks_outside_of_quotes() {
        assert_eq!(words("  iris qlist 'a b' \"\" c\"d e\"f "), ["iris", "qlist", "a b", "", "cd ef"]);
        assert!(words(" ").is_empty());
    }
}
