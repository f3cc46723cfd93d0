//! A program that goes on while a test looks at what it prints.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

/// A program and its lines, of both streams.
pub struct Live {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Live {
    pub fn start(mut command: Command) -> Live {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (send, lines) = channel();
        listen(child.stdout.take().unwrap(), send.clone());
        listen(child.stderr.take().unwrap(), send);
        Live { child, lines, seen: String::new() }
    }

    /// The next line that is wanted; those before it are passed over.
    #[track_caller]
    pub fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            match self.lines.recv_timeout(LIMIT.saturating_sub(start.elapsed())) {
                Ok(line) => {
                    self.seen += &format!("{line}\n");
                    if wanted(&line) {
                        return line;
                    }
                }
                Err(why) => panic!("no such line ({why}):\n{}", self.seen),
            }
        }
    }

    /// Presses Ctrl-C. Returns the exit code; none after a signal.
    pub fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.id();
        Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stream: impl Read + Send + 'static, send: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // The test may have ended: then nobody listens.
            let _ = send.send(line);
        }
    });
}
