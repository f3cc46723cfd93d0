//! `exec` and `port-forward` by WebSocket: the channels of a connection, and what is emulated at their ends.

use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::{Body, Request, answer};
use crate::sim::api::log;
use crate::sim::api::write::current;
use crate::sim::container::{Container, Io, Stream, Wire, serve_portal};
use crate::sim::status::Status;
use bytes::Bytes;
use futures::future::{join_all, select};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use http::Response;
use http::header::{self, HeaderValue};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::pin::pin;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// What the channels of `exec` carry.
mod channel {
    pub const INPUT: u8 = 0;
    pub const OUTPUT: u8 = 1;
    pub const ERRORS: u8 = 2;
    pub const STATUS: u8 = 3;
    pub const SIZE: u8 = 4;
    /// The second byte names a channel that has ended; only in the newer protocol.
    pub const CLOSE: u8 = 255;
}

/// Protocols of `exec`, the preferred one first. The older one cannot tell a program that its input is over.
const EXEC: &[&str] = &["v5.channel.k8s.io", "v4.channel.k8s.io"];
const PORT_FORWARD: &[&str] = &["v4.channel.k8s.io"];
/// Exit code of what is killed.
const KILLED: u8 = 137;

type Socket = WebSocketStream<TokioIo<Upgraded>>;
type Sink = SplitSink<Socket, Message>;
type Source = SplitStream<Socket>;

/// Runs an emulated program.
pub fn exec(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let container = running(api, request, target)?;
    let argv = request.params("command");
    let (terminal, reads) = (request.flag("tty"), request.flag("stdin"));
    upgrade(request, EXEC, move |socket| async move {
        let (mut sink, source) = socket.split();
        let status = run(&container, &argv, terminal, reads, &mut sink, source).await;
        if let Some(status) = status {
            // A client that has gone away needs no status.
            let _ = send(&mut sink, channel::STATUS, status.to_string().as_bytes()).await;
        }
        let _ = sink.close().await;
    })
}

/// Forwards connections to what is emulated at ports of a pod.
pub fn port_forward(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let container = running(api, request, target)?;
    let ports: Result<Vec<u16>, _> =
        request.params("ports").iter().flat_map(|list| list.split(',')).map(str::parse).collect();
    let ports = ports.map_err(|_| Status::bad_request("query parameter \"ports\" holds no port"))?;
    if ports.is_empty() {
        return Err(Status::bad_request("query parameter \"ports\" is required"));
    }
    upgrade(request, PORT_FORWARD, move |socket| async move {
        let (mut sink, source) = socket.split();
        tokio::select! {
            () = forward(&container, &ports, &mut sink, source) => {}
            // The pod takes its connections along.
            () = container.ended() => {}
        }
        let _ = sink.close().await;
    })
}

/// The container that is asked for, where it runs.
fn running(api: &Api, request: &Request, target: &Target) -> Result<Container, Status> {
    let pod = current(api, target)?;
    // Ports belong to a pod; here its first container is all there is of it.
    let first = pod["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned();
    let forwards = target.subresource.as_deref() == Some("portforward");
    let name = if forwards { first } else { log::container(request, target, &pod)? };
    if pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return Err(Status::bad_request(format!("pod {} does not have a host assigned", target.name())));
    }
    let missing = format!("unable to upgrade connection: container not found (\"{name}\")");
    Container::open(&api.store, &api.disks, pod, &name).ok_or_else(|| Status::internal(missing))
}

/// Takes the connection over.
fn upgrade<W: Future<Output = ()> + Send + 'static>(
    request: &Request,
    known: &[&'static str],
    work: impl FnOnce(Socket) -> W + Send + 'static,
) -> Result<Response<Body>, Status> {
    let (protocol, key, connection) = handshake(request, known)?;
    tokio::spawn(async move {
        // A client that went away before it was answered is served no more.
        if let Ok(upgraded) = connection.await {
            work(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await).await;
        }
    });
    let mut response = answer(101, "", "");
    let headers = response.headers_mut();
    headers.clear();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    Ok(response)
}

/// The protocol, the client's key and the connection, where the client speaks what is spoken here.
fn handshake<'a>(request: &'a Request, known: &[&'static str]) -> Result<(&'static str, &'a str, OnUpgrade), Status> {
    let wanted = request.header(header::UPGRADE);
    if wanted.is_empty() {
        return Err(Status::bad_request("Upgrade request required"));
    }
    let offered: Vec<&str> = request.header(header::SEC_WEBSOCKET_PROTOCOL).split(',').map(str::trim).collect();
    let protocol = known.iter().find(|protocol| offered.contains(*protocol)).copied();
    match (protocol, &request.upgrade) {
        (Some(protocol), Some(connection)) if wanted.eq_ignore_ascii_case("websocket") => {
            Ok((protocol, request.header(header::SEC_WEBSOCKET_KEY), connection.clone()))
        }
        _ => {
            let way = match request.path.last().map(String::as_str) {
                Some("portforward") => "use `iris-lab portal`",
                _ => "use `iris-lab session` or `iris-lab shell`, or kubectl 1.31 or newer",
            };
            let known = known.join(" and ");
            Err(Status::bad_request(format!("this simulated cluster speaks only {known} of WebSocket here: {way}")))
        }
    }
}

/// Runs a program until it ends, its container ends, or its client goes away. Returns how it ended; none when nobody listens.
async fn run(
    container: &Container,
    argv: &[String],
    terminal: bool,
    reads: bool,
    sink: &mut Sink,
    source: Source,
) -> Option<Value> {
    let Some((program, arguments)) = argv.split_first() else {
        return Some(Status::bad_request("you must specify at least 1 command for the container").to_json());
    };
    let Some(program) = container.program(program) else {
        let known = container.programs().join(", ");
        let missing = format!(
            "error executing command in container: exec: \"{program}\": executable file not found in $PATH (this container is simulated, \
             and has {known})"
        );
        return Some(Status::internal(missing).to_json());
    };
    let (mut io, Wire { input, mut output, size }) = Io::new(terminal);
    let written = async {
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
        // What it has written ends with it.
        drop(io);
        code
    };
    let read = async {
        let mut input = Some(input).filter(|_| reads);
        listen(source, |message| match message {
            [channel::INPUT, bytes @ ..] => drop(input.as_ref().map(|input| input.send(bytes.to_vec().into()))),
            [channel::SIZE, bytes @ ..] => {
                let asked: Value = serde_json::from_slice(bytes).unwrap_or_default();
                let part = |name: &str| asked[name].as_u64().and_then(|number| number.try_into().ok());
                if let (Some(width), Some(height)) = (part("Width"), part("Height")) {
                    size.send_replace((width, height));
                }
            }
            [channel::CLOSE, channel::INPUT] => input = None,
            _ => {}
        })
        .await;
    };
    let ends = async { futures::join!(runs, written).0 };
    tokio::select! {
        code = ends => Some(ended(code)),
        () = read => None,
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

/// Carries the data of each port, until both sides of all of them have ended.
async fn forward(container: &Container, ports: &[u16], sink: &mut Sink, source: Source) {
    let (out, mut messages) = mpsc::channel::<(u8, Bytes)>(16);
    let (mut writers, mut all) = (Vec::new(), Vec::new());
    for (number, &port) in (0_u8..).zip(ports) {
        let (data, errors) = (2 * number, 2 * number + 1);
        let (client, mut server) = tokio::io::duplex(64 * 1024);
        let (mut reader, writer) = tokio::io::split(client);
        writers.push(writer);
        let out = out.clone();
        all.push(async move {
            for channel in [data, errors] {
                let _ = out.send((channel, port.to_le_bytes().to_vec().into())).await;
            }
            if !container.answers(port) {
                let pod = container.pod_name();
                let why =
                    format!("error forwarding port {port} to pod {pod}: connection refused (this pod is simulated)");
                let _ = out.send((errors, why.into())).await;
                return server.shutdown().await.unwrap_or_default();
            }
            let answers = serve_portal(server, container);
            let carries = async {
                let mut buffer = vec![0; 16 * 1024];
                while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                    if out.send((data, Bytes::copy_from_slice(&buffer[..count]))).await.is_err() {
                        return;
                    }
                }
            };
            futures::join!(answers, carries);
        });
    }
    drop(out);
    let sends = async {
        while let Some((channel, bytes)) = messages.recv().await {
            if send(sink, channel, &bytes).await.is_err() {
                return;
            }
        }
    };
    let (inputs, mut received) = mpsc::unbounded_channel::<Vec<u8>>();
    let reads = listen(source, move |message| drop(inputs.send(message.to_vec())));
    let takes = async {
        while let Some(message) = received.recv().await {
            let port = message.first().map(|channel| usize::from(*channel));
            if let Some(writer) = port.filter(|port| port % 2 == 0).and_then(|port| writers.get_mut(port / 2)) {
                // What is closed takes no more.
                let _ = writer.write_all(&message[1..]).await;
            }
        }
        // The client has gone.
        for writer in &mut writers {
            let _ = writer.shutdown().await;
        }
    };
    let serves = async { futures::join!(join_all(all), sends) };
    let client = async { futures::join!(reads, takes) };
    select(pin!(serves), pin!(client)).await;
}

/// Hands on every message with data, until the client closes the connection.
async fn listen(mut source: Source, mut take: impl FnMut(&[u8])) {
    while let Some(Ok(message)) = source.next().await {
        match message {
            Message::Binary(bytes) => take(&bytes),
            Message::Close(_) => return,
            _ => {}
        }
    }
}

async fn send(sink: &mut Sink, channel: u8, bytes: &[u8]) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    sink.send(Message::binary(message)).await
}
