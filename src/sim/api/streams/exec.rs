//! `exec`: the channels of a WebSocket, and an emulated program at their ends.

use super::{Sink, Source, close, running, send, upgrade};
use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::{Body, Request};
use crate::sim::api::log;
use crate::sim::container::{Container, Io, Stream, Wire};
use crate::sim::status::Status;
use bytes::Bytes;
use futures::StreamExt;
use http::Response;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;

/// What the channels carry.
mod channel {
    pub const INPUT: u8 = 0;
    pub const OUTPUT: u8 = 1;
    pub const ERRORS: u8 = 2;
    pub const STATUS: u8 = 3;
    pub const SIZE: u8 = 4;
    /// The second byte names a channel that has ended; only in the newer protocol.
    pub const CLOSE: u8 = 255;
}

/// The preferred protocol first. The older one cannot tell a program that its input is over.
const PROTOCOLS: &[&str] = &["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// Exit code of what is killed.
const KILLED: u8 = 137;

/// What is to be run, and how.
struct Wanted {
    argv: Vec<String>,
    terminal: bool,
    reads: bool,
}

/// Runs an emulated program.
pub fn exec(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let container = running(api, target, |pod| log::container(request, target, pod))?;
    let wanted =
        Wanted { argv: request.params("command"), terminal: request.flag("tty"), reads: request.flag("stdin") };
    upgrade(request, PROTOCOLS, move |socket| async move {
        let (mut sink, source) = socket.split();
        // A client that has gone away needs no status.
        if let Some(status) = run(&container, &wanted, &mut sink, source).await {
            let _ = send(&mut sink, channel::STATUS, status.to_string().as_bytes()).await;
        }
        close(&mut sink).await;
    })
}

/// Runs a program until it ends, its container ends, or its client goes away. Returns how it ended; none when nobody listens.
async fn run(container: &Container, wanted: &Wanted, sink: &mut Sink, source: Source) -> Option<Value> {
    let Some((name, arguments)) = wanted.argv.split_first() else {
        return Some(Status::bad_request("you must specify at least 1 command for the container").to_json());
    };
    let Some(program) = container.program(name) else {
        let known = container.programs().join(", ");
        let missing = format!(
            "error executing command in container: exec: \"{name}\": executable file not found in $PATH (this container is simulated, \
             and has {known})"
        );
        return Some(Status::internal(missing).to_json());
    };
    let (mut io, Wire { input, mut output, size }) = Io::new(wanted.terminal);
    let writes = async {
        while let Some((stream, bytes)) = output.recv().await {
            let to = if stream == Stream::Out { channel::OUTPUT } else { channel::ERRORS };
            if send(sink, to, &bytes).await.is_err() {
                return;
            }
        }
    };
    let runs = async {
        let code = tokio::select! {
            code = program(container, arguments, &mut io) => code,
            () = container.ended() => KILLED,
        };
        // Its output ends with it.
        drop(io);
        code
    };
    tokio::select! {
        (code, ()) = async { futures::join!(runs, writes) } => Some(ended(code)),
        () = listen(source, Some(input).filter(|_| wanted.reads), size) => None,
    }
}

/// Hands on what the client types, until it closes the connection.
async fn listen(mut source: Source, mut input: Option<mpsc::UnboundedSender<Bytes>>, size: watch::Sender<(u16, u16)>) {
    while let Some(Ok(message)) = source.next().await {
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return,
            _ => continue,
        };
        match &bytes[..] {
            [channel::INPUT, ..] => {
                // A program that has ended reads no more.
                let _ = input.as_ref().map(|input| input.send(bytes.slice(1..)));
            }
            [channel::SIZE, asked @ ..] => {
                let asked: Value = serde_json::from_slice(asked).unwrap_or_default();
                let part = |name: &str| asked[name].as_u64().and_then(|number| u16::try_from(number).ok());
                if let (Some(columns), Some(rows)) = (part("Width"), part("Height")) {
                    size.send_replace((columns, rows));
                }
            }
            [channel::CLOSE, channel::INPUT] => input = None,
            _ => {}
        }
    }
}

/// How a program ended, in the words of a kubelet.
fn ended(code: u8) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: error executing command in container: exit code {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}
