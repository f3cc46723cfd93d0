//! Tests of what reaches stdout and stderr.

use super::*;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Clone, Default)]
struct Pipe {
    text: Arc<Mutex<Vec<u8>>>,
    error: Option<ErrorKind>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.error {
            Some(kind) => Err(kind.into()),
            None => self.text.lock().unwrap().write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Pipe {
    fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }
}

fn ui(format: OutputFormat, out: &Pipe, err: &Pipe) -> Ui {
    let args = OutputArgs { output: format, quiet: false, no_progress: false, color: ColorWhen::Auto };
    Ui::with_streams(&args, Box::new(out.clone()), Box::new(err.clone()))
}

fn streams() -> (Pipe, Pipe) {
    Default::default()
}

#[test]
fn a_result_is_text_or_one_document() {
    for (format, expected) in [
        (OutputFormat::Table, "NAME\ndemo\n"),
        (OutputFormat::Json, "{\n  \"name\": \"demo\"\n}\n"),
        (OutputFormat::Yaml, "name: demo\n"),
    ] {
        let (out, err) = streams();
        let ui = ui(format, &out, &err);
        ui.note("a note");
        ui.result(|_| "NAME\ndemo".into(), &json!({"name": "demo"})).unwrap();
        assert_eq!(out.text(), expected);
        assert!(err.text().contains("a note"));
    }
}

#[test]
fn a_failure_is_the_document_only_if_there_is_no_other() {
    let (out, err) = streams();
    let first = ui(OutputFormat::Json, &out, &err);
    first.failure(&Failure::usage("no such lab"));
    let document: Value = serde_json::from_str(&out.text()).unwrap();
    assert_eq!(document["error"]["exitCode"], 2);
    assert_eq!(err.text(), "");

    let (out, err) = streams();
    let second = ui(OutputFormat::Json, &out, &err);
    second.result(|_| String::new(), &json!([])).unwrap();
    second.failure(&Failure::not_ready("the lab is not healthy"));
    assert_eq!(out.text(), "[]\n");
    let event: Value = serde_json::from_str(&err.text()).unwrap();
    assert_eq!(event["event"], "failure");
}

#[test]
fn a_failure_for_people_goes_to_stderr() {
    let (out, err) = streams();
    ui(OutputFormat::Table, &out, &err).failure(&Failure::usage("no such lab"));
    assert_eq!((out.text(), err.text()), (String::new(), "error: no such lab\n".into()));
}

#[test]
fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
    let (_, err) = streams();
    let gone = ui(OutputFormat::Table, &Pipe { error: Some(ErrorKind::BrokenPipe), ..Pipe::default() }, &err);
    gone.data("text").unwrap();
    assert!(gone.closed());
    let full = ui(OutputFormat::Table, &Pipe { error: Some(ErrorKind::StorageFull), ..Pipe::default() }, &err);
    assert_eq!(full.data("text").unwrap_err().kind.exit_code(), 1);
    let silent = ui(OutputFormat::Table, &Pipe::default(), &Pipe { error: Some(ErrorKind::BrokenPipe), ..err });
    silent.note("nobody reads this");
}

#[test]
fn a_watch_prints_each_change_once() {
    let (out, err) = streams();
    let ui = ui(OutputFormat::Json, &out, &err);
    for ready in [1, 1, 2] {
        ui.frame(|_| String::new(), &json!({"ready": ready})).unwrap();
    }
    assert_eq!(out.text(), "{\"ready\":1}\n{\"ready\":2}\n");
}
