//! The only place that prints. Data goes to stdout, everything else to stderr; how it looks is decided once, at the start.

mod accounts;
mod bundle;
mod doctor;
mod explain;
mod failure;
mod image;
mod logs;
mod look;
mod plan;
mod portal;
mod progress;
mod prompt;
mod resize;
mod status;
mod summary;
mod support;
mod table;
mod terminal;
mod timeline;

pub use accounts::{AccountRow, PasswordSummary, UsersReport};
pub use bundle::{BundleDone, BundleLine, BundleSummary, bytes};
pub use doctor::DoctorReport;
pub use explain::diagnosis_text;
pub use image::{ImageRow, ImageSummary, image_table};
pub use logs::log_line;
pub use look::{Look, Mark, elapsed};
pub use plan::plan_text;
pub use portal::{PortalPage, portal_line, portal_text};
pub use resize::ResizeSummary;
pub use status::status_text;
pub use summary::{DownSummary, PauseSummary, ResetSummary, UnstickSummary, UpSummary};
pub use support::SupportSummary;
pub use table::{Table, fields, wrap};
pub use terminal::RawTerminal;
pub use timeline::{timeline_page, timeline_text};

use crate::cli::{ColorWhen, OutputArgs, OutputFormat};
use crate::error::{Failure, Result};
use crate::model::Event;
use progress::Progress;
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Prints results, events and failures in the way that the user asked for.
pub struct Ui {
    format: OutputFormat,
    out_is_terminal: bool,
    out_look: Look,
    err_look: Look,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    progress: Progress,
    /// Whether a document was printed: a failure must not add a second one.
    printed: bool,
    /// Whether nobody reads stdout any more.
    closed: bool,
    /// What the last frame of a watch showed.
    frame: Option<String>,
}

impl Ui {
    /// Decides how to print, from the flags, the environment and where the streams lead.
    pub fn new(args: &OutputArgs) -> Self {
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = |terminal: bool| match args.color {
            ColorWhen::Auto => terminal && !dumb && !no_color,
            ColorWhen::Always => true,
            ColorWhen::Never => false,
        };
        let live = err && !dumb && !args.no_progress;
        let ui = Ui::with_streams(args, Box::new(std::io::stdout()), Box::new(std::io::stderr()));
        let err_look = Look::detect(color(err), err.then(|| look::width_of(std::io::stderr())).flatten());
        if live {
            ui.state().progress.make_live(&err_look);
        }
        let out_look = Look::detect(color(out), out.then(|| look::width_of(std::io::stdout())).flatten());
        Ui { out_is_terminal: out && !dumb, out_look, err_look, ..ui }
    }

    /// Prints to these streams, plainly: for tests, and the base of [`Ui::new`].
    pub fn with_streams(args: &OutputArgs, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        let progress = match (args.quiet, args.output) {
            (true, _) => Progress::Silent,
            (false, OutputFormat::Json) => Progress::Json,
            (false, _) => Progress::lines(),
        };
        Ui {
            format: args.output,
            out_is_terminal: false,
            out_look: Look::plain(),
            err_look: Look::plain(),
            state: Mutex::new(State { out, err, progress, printed: false, closed: false, frame: None }),
        }
    }

    /// Shows an event of a run on stderr.
    pub fn event(&self, event: &Event) {
        let state = &mut *self.state();
        state.progress.event(event, &self.err_look, &mut state.err);
    }

    /// To be called about once a second while a plan runs: reasons that last are printed where nothing is drawn.
    pub fn tick(&self) {
        let state = &mut *self.state();
        state.progress.tick(&self.err_look, &mut state.err);
    }

    /// A line of information on stderr; an event in JSON.
    pub fn note(&self, text: impl Into<String>) {
        self.event(&Event::Note { text: text.into() });
    }

    /// Prints a result on stdout: the text for people, or one document. The text needs no line break at its end.
    pub fn result<T: Serialize>(&self, table: impl FnOnce(&Look) -> String, value: &T) -> Result<()> {
        let text = match self.format {
            OutputFormat::Table => table(&self.out_look),
            format => document(format, value)?,
        };
        self.data(&text)
    }

    /// Prints text on stdout as it is, whatever the format. A reader that has gone away is no error.
    pub fn data(&self, text: &str) -> Result<()> {
        let mut state = self.state();
        state.progress.clear();
        state.printed = true;
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        state.write_out(&format!("{text}{end}"))
    }

    /// Prints some of many values that come one after the other: a text for all of them, or one document each, of one line in JSON.
    pub fn items<T: Serialize>(&self, table: impl FnOnce(&Look) -> String, values: &[T]) -> Result<()> {
        match self.format {
            OutputFormat::Table => self.data(&table(&self.out_look)),
            format => values.iter().try_for_each(|value| self.data(&line(format, value)?)),
        }
    }

    /// Shows one state of a watch, if it differs from the last one: drawn over it on a terminal, printed after it elsewhere.
    pub fn frame<T: Serialize>(&self, table: impl FnOnce(&Look) -> String, value: &T) -> Result<()> {
        let text = match self.format {
            OutputFormat::Table => table(&self.out_look).trim_end().to_string(),
            format => line(format, value)?,
        };
        let mut state = self.state();
        if state.frame.as_ref() == Some(&text) {
            return Ok(());
        }
        let redraw = self.out_is_terminal && self.format == OutputFormat::Table;
        let shown = match (redraw, self.format, state.frame.is_none()) {
            // Each line is cleared to its end and then the rest of the screen: a redraw without flicker.
            (true, _, first) => {
                let clear = if first { "\x1b[2J" } else { "" };
                let text = look::fit_screen(&text, std::io::stdout());
                format!("{clear}\x1b[H{}\x1b[K\n\x1b[J", text.replace('\n', "\x1b[K\n"))
            }
            (false, OutputFormat::Table, false) => format!("\n{text}\n"),
            _ => format!("{}\n", text.trim_end()),
        };
        state.frame = Some(text);
        state.printed = true;
        state.write_out(&shown)
    }

    /// Whether nobody reads stdout any more: a watch ends then.
    pub fn closed(&self) -> bool {
        self.state().closed
    }

    /// Shows a failure: text on stderr, or the one document on stdout if none was printed before.
    pub fn failure(&self, failure: &Failure) {
        let mut state = self.state();
        state.progress.clear();
        let document_due = self.format != OutputFormat::Table && !state.printed;
        if document_due {
            state.printed = true;
            // The run failed already: there is nobody left to tell that stdout cannot be written.
            let _ = document(self.format, &failure::document(failure)).and_then(|text| state.write_out(&text));
        } else if self.format == OutputFormat::Json {
            state.write_err(&progress::json_line(&failure::event(failure)));
        } else {
            state.write_err(&failure::text(failure, &self.err_look));
        }
    }

    /// Asks for a word before something that cannot be undone. Not on a terminal, it is a failure that names `--yes`.
    /// Call it before the run installs its signal handlers, so that Ctrl-C ends it.
    pub fn confirm_typed(&self, what: &str, word: &str) -> Result<()> {
        let mut state = self.state();
        state.progress.clear();
        prompt::ask_on_terminal(what, word, &self.err_look, &mut state.err)
    }

    /// Asks for something that is not shown while it is typed, until it is what `check` takes and was typed the same twice; none when
    /// there is no terminal to ask on. Call it before the run installs its signal handlers, so that Ctrl-C ends it.
    pub fn ask_secret(
        &self,
        question: &str,
        check: impl Fn(&str) -> std::result::Result<(), &'static str>,
    ) -> Result<Option<String>> {
        let mut state = self.state();
        state.progress.clear();
        prompt::secret_on_terminal(question, check, &mut state.err)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write_out(&mut self, text: &str) -> Result<()> {
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Failure::step("the result cannot be written to stdout").caused_by(error)),
        }
    }

    fn write_err(&mut self, text: &str) {
        // Without stderr there is no place to report that it is gone.
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

/// One valid document with a line break at its end.
fn document<T: Serialize>(format: OutputFormat, value: &T) -> Result<String> {
    match format {
        OutputFormat::Yaml => serde_json::to_value(value).map(|value| crate::yaml::to_string(&value)),
        OutputFormat::Json | OutputFormat::Table => serde_json::to_string_pretty(value).map(|text| text + "\n"),
    }
    .map_err(unwritable)
}

/// One of several documents.
fn line<T: Serialize>(format: OutputFormat, value: &T) -> Result<String> {
    match format {
        OutputFormat::Yaml => Ok(format!("---\n{}", document(format, value)?)),
        OutputFormat::Json | OutputFormat::Table => serde_json::to_string(value).map_err(unwritable),
    }
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::step("the result cannot be written").caused_by(error)
}

#[cfg(test)]
mod tests;
