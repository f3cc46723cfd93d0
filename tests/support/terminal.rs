//! A program in a pseudo-terminal: a test types, and sees what its user would see.

use pty_process::Size;
use pty_process::blocking::{Command as PtyCommand, Pty, open};
use rustix::termios::{LocalModes, tcgetattr};
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

/// A terminal of 80 columns and 24 rows, and the program in it.
pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    shown: Receiver<String>,
    /// All that was shown.
    screen: String,
    /// How much of it a test has looked at.
    looked: usize,
}

impl Terminal {
    pub fn start(command: Command) -> Terminal {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(24, 80)).unwrap();
        let child = PtyCommand::from(command).env("TERM", "xterm").spawn(pts).unwrap();
        let pty = Arc::new(pty);
        let (send, shown) = channel();
        let reader = pty.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // It ends with an error when the program has closed the terminal.
            while let Ok(count @ 1..) = (&*reader).read(&mut buffer) {
                let _ = send.send(String::from_utf8_lossy(&buffer[..count]).into_owned());
            }
        });
        Terminal { pty, child, shown, screen: String::new(), looked: 0 }
    }

    /// Types these keys.
    pub fn types(&mut self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    /// Waits until this is shown, after what was waited for before.
    #[track_caller]
    pub fn shows(&mut self, text: &str) {
        self.shows_one_of(&[text]);
    }

    /// Waits until one of these is shown, and returns which.
    #[track_caller]
    pub fn shows_one_of(&mut self, texts: &[&str]) -> usize {
        let start = Instant::now();
        loop {
            let rest = &self.screen[self.looked..];
            let found =
                texts.iter().enumerate().filter_map(|(number, text)| Some((rest.find(text)? + text.len(), number)));
            if let Some((end, number)) = found.min() {
                self.looked += end;
                return number;
            }
            match self.shown.recv_timeout(LIMIT.saturating_sub(start.elapsed())) {
                Ok(more) => self.screen += &more,
                Err(why) => panic!("{texts:?} is not shown ({why}):\n{}", self.screen),
            }
        }
    }

    /// Whether what is typed is shown by the terminal itself and handed over line by line, as before the program took it over.
    pub fn is_as_before(&self) -> bool {
        let modes = tcgetattr(&*self.pty).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Ends the program by a signal, such as `TERM`.
    pub fn signal(&mut self, name: &str) {
        let pid = self.child.id();
        Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
    }

    /// Waits for the end of the program. Returns its exit code and all that was shown.
    pub fn end(&mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        while let Ok(more) = self.shown.recv_timeout(Duration::from_millis(200)) {
            self.screen += &more;
        }
        (code, self.screen.clone())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
