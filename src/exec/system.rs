//! The real host: commands by duct, each in a process group of its own that ends with its future.

use super::machine::{Machine, Output};
use crate::error::{Failure, Result};
use crate::model::Cmd;
use futures::future::{Either, LocalBoxFuture, select};
use futures::{FutureExt, future::join};
use rustix::process::{Pid, Signal, kill_process_group};
use std::cell::RefCell;
use std::fs::File;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// How long a command that is broken off has to end before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How long the rest of a command's output is read after its end: what it left running may keep the pipe open for ever.
const REST: Duration = Duration::from_secs(1);

/// Where snapd puts the programs of its packages: on Debian and Ubuntu, and on Fedora.
const SNAPS: &str = "/snap/bin:/var/lib/snapd/snap/bin";

/// This host.
pub struct System;

impl Machine for System {
    fn run<'a>(&'a self, cmd: &'a Cmd, line: &'a dyn Fn(&str)) -> LocalBoxFuture<'a, Result<Output>> {
        run(cmd, None, line).boxed_local()
    }

    fn pour<'a>(&'a self, cmd: &'a Cmd, into: File) -> LocalBoxFuture<'a, Result<Output>> {
        run(cmd, Some(into), &|_| {}).boxed_local()
    }

    fn read(&self, path: &str) -> Result<Option<String>> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(Failure::requirement(format!("cannot read {path}")).caused_by(e)),
        }
    }

    fn exists(&self, path: &str) -> bool {
        std::fs::metadata(path).is_ok()
    }

    fn find(&self, program: &str) -> Option<String> {
        find(program).map(|path| path.display().to_string())
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn answering<'a>(&'a self, addresses: &'a [Ipv4Addr]) -> LocalBoxFuture<'a, Result<Vec<Ipv4Addr>>> {
        super::neighbours::answering(addresses).boxed_local()
    }
}

/// A program on PATH. Where snapd is, there is a folder more: a login has it on its PATH only from the next one on.
fn find(program: &str) -> Option<PathBuf> {
    let of_snaps = || which::which("snap").ok().and_then(|_| which::which_in(program, Some(SNAPS), ".").ok());
    which::which(program).ok().or_else(of_snaps)
}

/// The program and its arguments as they are run. sudo looks on a PATH of its own, so it gets the whole path.
fn resolved(cmd: &Cmd) -> (PathBuf, Vec<String>) {
    let path = |program: &str| find(program).unwrap_or_else(|| program.into());
    let mut args = cmd.args.clone();
    if let ("sudo", [flag, program, ..]) = (cmd.program.as_str(), args.as_mut_slice())
        && flag == "-n"
    {
        *program = path(program).display().to_string();
    }
    (path(&cmd.program), args)
}

/// Its standard output goes into a file where one is given.
async fn run(cmd: &Cmd, into: Option<File>, line: &dyn Fn(&str)) -> Result<Output> {
    let failed = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound => Failure::requirement(format!("{} is not installed, or not on PATH", cmd.program)),
        _ => Failure::step(format!("cannot run `{}`", cmd.line())).caused_by(e),
    };
    let (out, out_writer) = std::io::pipe().map_err(failed)?;
    let (err, err_writer) = std::io::pipe().map_err(failed)?;
    let (program, args) = resolved(cmd);
    let expression = duct::cmd(program, args);
    let expression = match &cmd.stdin {
        Some(text) => expression.stdin_bytes(text.as_bytes()),
        None => expression.stdin_null(),
    };
    let expression = expression
        // What is read off the output is read in English.
        .env("LC_ALL", "C")
        .stdout_file(into.map_or(OwnedFd::from(out_writer), OwnedFd::from))
        .stderr_file(err_writer)
        .unchecked()
        .before_spawn(|command| {
            command.process_group(0);
            Ok(())
        });
    let handle = Arc::new(expression.start().map_err(failed)?);
    // With it go our ends of its pipes.
    drop(expression);
    let mut group = Group { handle: handle.clone(), ended: false };
    let (stdout, stderr) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let reading = join(
        read(Receiver::from_owned_fd(out.into()).map_err(failed)?, &stdout, line),
        read(Receiver::from_owned_fd(err.into()).map_err(failed)?, &stderr, line),
    );
    let mut reading = pin!(reading);
    let end = tokio::task::spawn_blocking(move || handle.wait().map(|output| output.status.code()));
    let code = match select(end, reading.as_mut()).await {
        Either::Left((code, reading)) => {
            // What is not read by then belongs to something that goes on by itself.
            let _ = tokio::time::timeout(REST, reading).await;
            code
        }
        Either::Right((_, end)) => end.await,
    };
    group.ended = true;
    let code = code.map_err(|e| Failure::step(format!("cannot run `{}`", cmd.line())).caused_by(e))?.map_err(failed)?;
    let text = |bytes: &RefCell<Vec<u8>>| String::from_utf8_lossy(&bytes.borrow()).into_owned();
    drop(group);
    Ok(Output { code, stdout: text(&stdout), stderr: text(&stderr) })
}

/// Reads a stream to its end and tells each line; a carriage return ends one, too, as progress displays use it.
async fn read(mut stream: Receiver, all: &RefCell<Vec<u8>>, line: &dyn Fn(&str)) {
    let (mut buffer, mut begun) = ([0; 4096], Vec::new());
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        all.borrow_mut().extend(&buffer[..count]);
        for byte in &buffer[..count] {
            match byte {
                b'\n' | b'\r' => {
                    let text = String::from_utf8_lossy(&begun).trim().to_string();
                    begun.clear();
                    if !text.is_empty() {
                        line(&text);
                    }
                }
                byte => begun.push(*byte),
            }
        }
    }
}

/// A command and all that it started: ended when it is let go before its end.
struct Group {
    handle: Arc<duct::Handle>,
    ended: bool,
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let groups = || self.handle.pids().into_iter().filter_map(|pid| Pid::from_raw(pid.try_into().ok()?));
        for (signal, wait) in [(Signal::TERM, GRACE), (Signal::KILL, Duration::ZERO)] {
            for group in groups() {
                // One that is gone already is what was wanted.
                let _ = kill_process_group(group, signal);
            }
            if let Ok(Some(_)) = self.handle.wait_timeout(wait) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(script: &str) -> Cmd {
        Cmd::new("sh", ["-c", script])
    }

    #[tokio::test]
    async fn a_command_is_read_line_by_line_and_to_its_end() {
        let lines = RefCell::new(Vec::new());
        let cmd = shell("echo one; printf 'two\\rthree\\n'; cat; echo no >&2; exit 7").reading("four\n");
        let output = System.run(&cmd, &|line| lines.borrow_mut().push(line.to_string())).await.unwrap();
        assert_eq!((output.code, output.stderr.as_str()), (Some(7), "no\n"));
        assert_eq!(output.stdout, "one\ntwo\rthree\nfour\n");
        let mut lines = lines.into_inner();
        lines.retain(|line| line != "no");
        assert_eq!(lines, ["one", "two", "three", "four"]);
        assert!(output.failure(&shell("x")).to_string().contains("exited with 7"));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let failure = System.run(&Cmd::new("no-such-program", ["x"]), &|_| {}).await.unwrap_err();
        assert!(failure.message.contains("no-such-program is not installed"), "{failure}");
    }

    #[tokio::test]
    async fn what_a_command_leaves_running_does_not_hold_it_up() {
        let output = System.run(&shell("sleep 60 & echo $!"), &|_| {}).await.unwrap();
        let pid: u32 = output.stdout.trim().parse().unwrap();
        assert!(super::super::is_alive(pid));
        super::super::kill(pid);
    }

    #[tokio::test]
    async fn a_command_that_is_let_go_ends_with_its_children() {
        let start = Instant::now();
        let pid = RefCell::new(0);
        let cmd = shell("sleep 60 & echo $!; wait");
        let told = |line: &str| *pid.borrow_mut() = line.parse().unwrap();
        let running = System.run(&cmd, &told);
        let seen = async {
            while *pid.borrow() == 0 {
                tokio::task::yield_now().await;
            }
        };
        match select(running, pin!(seen)).await {
            Either::Left((output, _)) => panic!("{output:?}"),
            Either::Right(((), running)) => drop(running),
        }
        assert!(start.elapsed() < GRACE, "it was asked to end, and did");
        // A process that has ended and that nobody has collected yet still has its number; one that was told to end may still be at it.
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", pid.borrow())).unwrap_or_default();
        let has_ended = |state: &str| state.is_empty() || state.contains(") Z ");
        while !has_ended(&state()) && start.elapsed() < GRACE {
            tokio::task::yield_now().await;
        }
        assert!(has_ended(&state()), "{}", state());
    }
}
