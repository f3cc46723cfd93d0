//! One run of a program: its exact output and exit code, within a deadline, and killed where a test wants it.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What a program did.
pub struct Run {
    /// The command line, without the folder of the program.
    pub line: String,
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    pub elapsed: Duration,
}

/// How a test ends a run before its time.
#[derive(Clone, Copy)]
pub enum End {
    /// SIGKILL.
    Kill,
    /// SIGINT, as by Ctrl-C.
    Interrupt,
}

enum Said {
    Out(String),
    Line(String),
    EndOfErrors,
}

impl Run {
    /// Runs it to its end.
    pub fn of(command: Command, deadline: Duration) -> Run {
        Run::until(command, deadline, End::Kill, |_| false)
    }

    /// Runs it to its end, with this as its input.
    pub fn fed(command: Command, input: File, deadline: Duration) -> Run {
        Run::with(command, input.into(), deadline, End::Kill, |_| false)
    }

    /// Runs it until `stop` says yes to a line of its stderr: then it is ended in that way.
    pub fn until(command: Command, deadline: Duration, how: End, stop: impl FnMut(&str) -> bool) -> Run {
        Run::with(command, Stdio::null(), deadline, how, stop)
    }

    fn with(
        mut command: Command,
        input: Stdio,
        deadline: Duration,
        how: End,
        mut stop: impl FnMut(&str) -> bool,
    ) -> Run {
        let line = line_of(&command);
        let start = Instant::now();
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start `{line}`: {error}"));
        let said = listen(&mut child);
        let (mut out, mut err, mut open) = (String::new(), String::new(), 2);
        while open > 0 {
            match said.recv_timeout(deadline.saturating_sub(start.elapsed())) {
                Ok(Said::Out(text)) => (out, open) = (text, open - 1),
                Ok(Said::EndOfErrors) => open -= 1,
                Ok(Said::Line(text)) => {
                    if stop(text.trim_end()) {
                        end(&mut child, how);
                    }
                    err += &text;
                }
                Err(_) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    panic!("`{line}` did not end within {deadline:?}\nstdout:\n{out}\nstderr:\n{err}");
                }
            }
        }
        let code = child.wait().unwrap().code();
        Run { line, code, out, err, elapsed: start.elapsed() }
    }

    /// Fails the test, with all that was printed, unless it ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Run {
        assert!(self.code == Some(code), "expected exit code {code}\n{}", self.transcript());
        self
    }

    /// Fails the test unless stdout, or else stderr, holds this.
    #[track_caller]
    pub fn says(self, what: &str) -> Run {
        let found = self.out.contains(what) || self.err.contains(what);
        assert!(found, "expected {what:?}\n{}", self.transcript());
        self
    }

    /// The one document on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON: {error}\n{}", self.transcript()))
    }

    /// The events on stderr.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON: {error}: {line}\n{}", self.transcript()))
        };
        self.err.lines().map(parse).collect()
    }

    /// All of it, as a person would paste it.
    pub fn transcript(&self) -> String {
        let code = self.code.map_or("killed by a signal".into(), |code| format!("exit code {code}"));
        let part = |name: &str, text: &str| {
            if text.is_empty() { String::new() } else { format!("--- {name}\n{}\n", text.trim_end_matches('\n')) }
        };
        format!("$ {}\n{}{}--- {code}\n", self.line, part("stdout", &self.out), part("stderr", &self.err))
    }
}

fn end(child: &mut Child, how: End) {
    // It may have ended already.
    let _ = match how {
        End::Kill => child.kill(),
        End::Interrupt => Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().map(|_| ()),
    };
}

/// Reads both streams to their ends, each in a thread of its own: a full pipe must not stop the program.
fn listen(child: &mut Child) -> Receiver<Said> {
    let (out, said) = channel();
    let err = out.clone();
    let (mut stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stdout.read_to_end(&mut bytes);
        // The test may have failed already: then nobody listens.
        let _ = out.send(Said::Out(String::from_utf8_lossy(&bytes).into_owned()));
    });
    thread::spawn(move || {
        let mut reader = BufReader::new(stderr);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
            let _ = err.send(Said::Line(String::from_utf8_lossy(&bytes).into_owned()));
            bytes.clear();
        }
        let _ = err.send(Said::EndOfErrors);
    });
    said
}

fn line_of(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let mut line = name.into_owned();
    for argument in command.get_args() {
        let text = argument.to_string_lossy();
        let plain = !text.is_empty() && !text.contains([' ', '\'', '"', '\n', '$']);
        line += &if plain { format!(" {text}") } else { format!(" '{text}'") };
    }
    line
}
