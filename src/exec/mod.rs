//! The only door to processes: running a command, starting a process in the background, asking whether one lives, ending one.

pub mod machine;
pub mod neighbours;
pub mod scripted;
mod system;

pub use machine::{Machine, Output, ask};
pub use system::System;

use crate::error::{Failure, Result};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// A process that goes on after ours has ended.
pub struct Background<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: &'a [String],
    /// Its standard input: a file that it keeps open, and with it the lock on that file, for as long as it lives.
    pub lock: File,
    /// Where its messages go.
    pub log: File,
}

impl Background<'_> {
    /// Starts it, in a process group of its own, and returns when it closes its standard output or writes a line there: the
    /// text that it wrote, empty if it ended without a word.
    pub async fn start(self) -> Result<String> {
        let name = self.program.display().to_string();
        let failed = |e: std::io::Error| Failure::step(format!("cannot start {name}")).caused_by(e);
        let (reader, writer) = std::io::pipe().map_err(failed)?;
        // What our caller left open, such as a lock of its own or the pipe that somebody reads to its end, is not for a process that
        // outlives us. What it needs is given to it as its three streams.
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        let command = duct::cmd(self.program, self.arguments)
            .stdin_file(self.lock)
            .stdout_file(writer)
            .stderr_file(self.log)
            .unchecked()
            .before_spawn(|command| {
                command.process_group(0);
                Ok(())
            });
        // The handle is let go: the process is meant to outlive us. `command` goes too, and with it our end of its pipe.
        drop(command.start().map_err(failed)?);
        drop(command);
        let mut output = Receiver::from_owned_fd(reader.into()).map_err(failed)?;
        let (mut text, mut buffer) = (String::new(), [0; 256]);
        while !text.contains('\n') {
            match output.read(&mut buffer).await.map_err(failed)? {
                0 => break,
                read => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            }
        }
        Ok(text)
    }
}

/// Whether a process of this host lives.
pub fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// Asks a process to end.
pub fn terminate(pid: u32) {
    signal(pid, Signal::TERM);
}

/// Ends a process without asking.
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // A process that is gone already is what was wanted; the caller looks whether it is.
        let _ = kill_process(pid, signal);
    }
}

/// Shows an address in the user's browser, which goes on after us.
pub fn browse(url: &str) -> Result<()> {
    open::that_detached(url).map_err(|e| Failure::step("no browser could be started").caused_by(e))
}

/// The name of the user who runs this.
pub fn user() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    user.unwrap_or_else(|_| format!("uid-{}", rustix::process::getuid().as_raw()))
}

/// The name of this host.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
