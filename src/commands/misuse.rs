//! Arguments that clap does not take: its own words for people, one document for programs that asked for one.

use crate::cli::{ColorWhen, OutputArgs, OutputFormat};
use crate::error::Failure;
use crate::ui::Ui;
use clap::ValueEnum;
use std::process::ExitCode;

/// Shows the error, or the help that was asked for, and ends with its exit code.
pub fn misuse(error: &clap::Error, args: impl Iterator<Item = String>) -> ExitCode {
    let format = format(&args.collect::<Vec<_>>());
    if format == OutputFormat::Table || !error.use_stderr() {
        error.exit();
    }
    let failure = failure(&error.render().to_string());
    let ui = Ui::new(&OutputArgs { output: format, quiet: false, no_progress: true, color: ColorWhen::Never });
    ui.failure(&failure);
    ExitCode::from(failure.kind.exit_code())
}

/// The format that was asked for; the arguments could not be parsed, so this looks for nothing but its flag.
fn format(args: &[String]) -> OutputFormat {
    let next = args.iter().skip(1).map(Some).chain([None]);
    let value = args.iter().zip(next).find_map(|(arg, next)| match arg.as_str() {
        "-o" | "--output" => next.map(String::as_str),
        arg => arg.strip_prefix("--output=").or_else(|| arg.strip_prefix("-o")),
    });
    value.and_then(|value| OutputFormat::from_str(value.trim_start_matches('='), false).ok()).unwrap_or_default()
}

fn failure(text: &str) -> Failure {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let mut failure = Failure::usage(first.strip_prefix("error: ").unwrap_or(first));
    failure.causes = lines.take_while(|line| !line.starts_with("For more information")).map(str::to_string).collect();
    failure.hint("see `iris-lab --help`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_found_in_any_spelling() {
        let of = |line: &str| format(&line.split(' ').map(str::to_string).collect::<Vec<_>>());
        for json in ["x -o json up --bad", "x up --bad -ojson", "x up -o=json", "x --output=json", "x --output json"] {
            assert_eq!(of(json), OutputFormat::Json, "{json}");
        }
        for table in ["x up", "x up -o", "x up -o table", "x up -o bogus", "x up --no-progress"] {
            assert_eq!(of(table), OutputFormat::Table, "{table}");
        }
    }

    #[test]
    fn the_words_of_the_error_are_kept() {
        let failure =
            failure("error: unrecognized subcommand 'upp'\n\n  tip: try 'up'\n\nFor more information, try '--help'.\n");
        assert_eq!(failure.message, "unrecognized subcommand 'upp'");
        assert_eq!(failure.causes, ["tip: try 'up'"]);
    }
}
