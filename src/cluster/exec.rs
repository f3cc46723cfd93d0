//! Runs a command in a container of a pod, by the API server and its kubelet; no tool on this host is needed.

use super::Cluster;
use super::error::ApiError;
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess, TerminalSize};
use std::convert::Infallible;
use std::future::pending;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy};

/// What the connection holds back for a reader or writer that is slower.
const BUFFER: usize = 32 * 1024;

/// Servers before Kubernetes 1.30 cannot tell a command that its input is over. There the input goes in pieces, each after a line
/// with its length, to this script, which puts them together again; a length of 0 is the end. A command that ends before its input
/// takes the reader of the pieces along, and what is under way is read for a second: the server tells no exit code while it is not.
const REASSEMBLE: &str = r#"exec 3<&0; { sh -c 'echo $PPID'; while read -r size && [ "$size" -gt 0 ]; do
  dd bs="$size" count=1 iflag=fullblock 2>/dev/null || break
done; } | { read -r reader; "$@" 3<&-; code=$?; kill -s PIPE "$reader" 2>/dev/null && {
  cat <&3 >/dev/null & sleep 1; kill $!; } 2>/dev/null; exit "$code"; }"#;

/// How a command in a container ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executed {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it printed as errors.
    pub stderr: String,
}

/// A command and where it is to run.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// The pod.
    pub pod: &'a ObjectRef,
    /// The container.
    pub container: &'a str,
    /// The program and its arguments.
    pub argv: &'a [&'a str],
}

/// What a command reads and writes while it runs.
pub struct Streams<I, O, E> {
    /// What it reads, to its end.
    pub input: Option<I>,
    /// Where its output goes; on a terminal its errors too.
    pub output: O,
    /// Where its errors go.
    pub errors: E,
    /// Columns and rows of its terminal, the first at once; none when it gets no terminal.
    pub terminal: Option<BoxStream<'static, (u16, u16)>>,
}

/// How it came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exited(i32),
    /// It could not be started: why.
    NotStarted(String),
    /// The connection ended first; nobody knows about the command.
    CutOff,
    /// Nobody reads its output any more.
    Unread,
}

impl Cluster {
    /// Runs a command to its end and reads all that it prints. The caller sets the deadline.
    ///
    /// # Errors
    /// The pod or its container is not there or does not run, or the program is not in the image. A command that ends with
    /// another code than 0 is no error.
    pub async fn exec(&self, pod: &ObjectRef, container: &str, argv: &[&str], input: Option<&str>) -> Result<Executed> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let input = input.map(str::as_bytes);
        let streams = Streams { input, output: &mut stdout, errors: &mut stderr, terminal: None };
        let end = self.run(&Command { pod, container, argv }, streams).await?;
        let what = || format!("the command {} in {pod}", argv.join(" "));
        match end {
            End::Exited(code) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                Ok(Executed { code, stdout: text(&stdout), stderr: text(&stderr) })
            }
            End::NotStarted(why) => Err(Failure::step(format!("cannot run {}", what())).cause(why)),
            End::CutOff | End::Unread => {
                Err(Failure::step(format!("{} was cut off", what()))
                    .cause("the connection ended before the command did"))
            }
        }
    }

    /// Runs a command with streams that live as long as it does.
    ///
    /// # Errors
    /// The pod or its container is not there, or does not run; the output cannot be written.
    pub async fn run<I, O, E>(&self, command: &Command<'_>, streams: Streams<I, O, E>) -> Result<End>
    where
        I: AsyncRead + Unpin,
        O: AsyncWrite + Unpin,
        E: AsyncWrite + Unpin,
    {
        let Streams { mut input, mut output, mut errors, terminal } = streams;
        let pieces = input.is_some() && terminal.is_none() && !self.inner.ends_input;
        let params =
            AttachParams::default().container(command.container).stdin(input.is_some()).tty(terminal.is_some());
        let params = params.stderr(terminal.is_none()).max_stdin_buf_size(BUFFER).max_stdout_buf_size(BUFFER);
        let argv: Vec<&str> = match pieces {
            true => ["sh", "-c", REASSEMBLE, "sh"].iter().chain(command.argv).copied().collect(),
            false => command.argv.to_vec(),
        };
        let mut process = self.attach(command, &argv, &params).await?;
        let (mut stdin, out, err, status) =
            (process.stdin(), process.stdout(), process.stderr(), process.take_status());
        let writes = async {
            if let (Some(input), Some(stdin)) = (&mut input, &mut stdin) {
                // A command that ends without reading everything is judged by how it ended.
                let _ = feed(input, stdin, pieces).await;
                if self.inner.ends_input {
                    let _ = stdin.shutdown().await;
                }
            }
            // Without its end the input stays open: an older server would take its end for that of the connection.
            pending::<Infallible>().await
        };
        let mut sizes = process.terminal_size();
        let resizes = async {
            if let (Some(mut terminal), Some(sizes)) = (terminal, &mut sizes) {
                while let Some((width, height)) = terminal.next().await {
                    use futures::SinkExt;
                    let _ = sizes.send(TerminalSize { width, height }).await;
                }
            }
            pending::<Infallible>().await
        };
        let ends = async {
            futures::try_join!(drain(out, &mut output), drain(err, &mut errors))?;
            Ok::<_, io::Error>(match status {
                Some(status) => status.await,
                None => None,
            })
        };
        let status = tokio::select! {
            status = ends => status,
            never = writes => match never {},
            never = resizes => match never {},
        };
        match status {
            Ok(None) => Ok(End::CutOff),
            Ok(Some(status)) => Ok(match exit_code(&status) {
                Some(code) => End::Exited(code),
                None => End::NotStarted(status.message.unwrap_or_default()),
            }),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(End::Unread),
            Err(error) => Err(Failure::step(format!("cannot write what {} prints", argv.join(" "))).caused_by(error)),
        }
    }

    /// Starts a command in a container.
    async fn attach(&self, command: &Command<'_>, argv: &[&str], params: &AttachParams) -> Result<AttachedProcess> {
        let Command { pod, .. } = command;
        let pods: Api<Pod> = Api::namespaced(self.inner.client.clone(), pod.namespace.as_deref().unwrap_or("default"));
        let process = pods.exec(&pod.name, argv.iter().copied(), params).await;
        let what = || format!("run {} in {pod}", command.argv.join(" "));
        process.map_err(|error| self.failure(&what(), &ApiError::of_upgrade(error)))
    }
}

/// Hands the input on, in pieces where its end cannot be told otherwise.
async fn feed(
    input: &mut (impl AsyncRead + Unpin),
    stdin: &mut (impl AsyncWrite + Unpin),
    pieces: bool,
) -> io::Result<()> {
    if !pieces {
        return copy(input, stdin).await.map(drop);
    }
    let mut buffer = vec![0; BUFFER / 2];
    loop {
        let count = input.read(&mut buffer).await?;
        stdin.write_all(format!("{count}\n").as_bytes()).await?;
        if count == 0 {
            return Ok(());
        }
        stdin.write_all(&buffer[..count]).await?;
    }
}

/// Writes all of a stream, each part as soon as it comes.
async fn drain(stream: Option<impl AsyncRead + Unpin>, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let Some(mut stream) = stream else { return Ok(()) };
    let mut buffer = vec![0; BUFFER];
    // What was read until the connection broke is all there is; the missing status tells that it broke.
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        to.write_all(&buffer[..count]).await?;
        to.flush().await?;
    }
    Ok(())
}

/// The exit code that a status stands for; none when the command could not be started.
fn exit_code(status: &Status) -> Option<i32> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    let mut codes = causes.filter(|cause| cause.reason.as_deref() == Some("ExitCode"));
    codes.next()?.message.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn exit_codes_of_statuses() {
        let code = |status| exit_code(&serde_json::from_value(status).unwrap());
        let ended = json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}});
        assert_eq!(code(json!({"status": "Success"})), Some(0));
        assert_eq!(code(ended), Some(3));
        assert_eq!(code(json!({"status": "Failure", "message": "no such file"})), None);
    }

    #[tokio::test]
    async fn input_in_pieces_tells_its_own_end() {
        let mut written = Vec::new();
        feed(&mut "set ^x=1\n".as_bytes(), &mut written, true).await.unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "9\nset ^x=1\n0\n");
    }

    /// What a container's shell makes of the pieces, tried with this host's.
    #[test]
    fn a_shell_puts_the_pieces_together_again() {
        use std::io::{Read, Write};
        use std::process::{Command, Stdio};
        let run = |pieces: &str, argv: &[&str]| {
            let mut command = Command::new("sh");
            command.args(["-c", REASSEMBLE, "sh"]).args(argv).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(pieces.as_bytes()).unwrap();
            // The input stays open, as that of an older server does.
            let code = child.wait().unwrap().code();
            drop(stdin);
            let mut said = String::new();
            child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
            (code, said)
        };
        assert_eq!(run("4\na\nb\n3\n\n0\n0\n", &["cat"]), (Some(0), "a\nb\n\n0\n".into()));
        assert_eq!(run("0\n", &["sh", "-c", "cat; exit 3"]), (Some(3), String::new()));
        assert_eq!(run("2\na\n", &["sh", "-c", "read -r x; echo \"<$x>\"; exit 7"]), (Some(7), "<a>\n".into()));
    }
}
