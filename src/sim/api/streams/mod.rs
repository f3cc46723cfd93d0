//! What takes a connection over from HTTP, by WebSocket: `exec` and `port-forward`.

mod exec;
mod forward;

pub use exec::exec;
pub use forward::port_forward;

use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::{Body, Request, answer};
use crate::sim::api::write::current;
use crate::sim::container::Container;
use crate::sim::status::Status;
use futures::SinkExt;
use futures::stream::{SplitSink, SplitStream};
use http::Response;
use http::header::{self, HeaderValue};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error, Message};

type Socket = WebSocketStream<TokioIo<Upgraded>>;
type Sink = SplitSink<Socket, Message>;
type Source = SplitStream<Socket>;

/// The container of a pod that `name` names, where it runs.
fn running(
    api: &Api,
    target: &Target,
    name: impl FnOnce(&Value) -> Result<String, Status>,
) -> Result<Container, Status> {
    let pod = current(api, target)?;
    let name = name(&pod)?;
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

/// Ends the connection as one that has done its work: clients take any other end for a failure.
async fn close(sink: &mut Sink) {
    let done = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    // A client that has gone away needs no end.
    let _ = sink.send(Message::Close(Some(done))).await;
    let _ = sink.close().await;
}

async fn send(sink: &mut Sink, channel: u8, bytes: &[u8]) -> Result<(), Error> {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    sink.send(Message::binary(message)).await
}
