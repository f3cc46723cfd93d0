//! `port-forward`: two channels of a WebSocket for each port, and an emulated page at their ends.

use super::{Sink, Source, close, handshake, running, send, upgrade};
use crate::sim::api::context::{Api, Target};
use crate::sim::api::http::{Body, Request};
use crate::sim::container::{Container, serve_portal};
use crate::sim::status::Status;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

const PROTOCOLS: &[&str] = &["v4.channel.k8s.io"];
const BUFFER: usize = 64 * 1024;

/// Bytes for the client, after the number of their channel.
type Out = mpsc::Sender<(u8, Bytes)>;

/// Forwards connections to what is emulated at ports of a pod.
pub fn port_forward(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    // Other protocols name the ports later.
    handshake(request, PROTOCOLS)?;
    // Ports belong to a pod; here its first container is all there is of it.
    let first =
        |pod: &serde_json::Value| Ok(pod["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned());
    let container = running(api, target, first)?;
    let ports = request.params("ports");
    let ports: Result<Vec<u16>, _> = ports.iter().flat_map(|list| list.split(',')).map(str::parse).collect();
    let ports = ports.map_err(|_| Status::bad_request("query parameter \"ports\" holds no port"))?;
    if ports.is_empty() {
        return Err(Status::bad_request("query parameter \"ports\" is required"));
    }
    upgrade(request, PROTOCOLS, move |socket| async move {
        let (mut sink, source) = socket.split();
        tokio::select! {
            () = forward(&container, &ports, &mut sink, source) => {}
            // The pod takes its connections along.
            () = container.ended() => {}
        }
        close(&mut sink).await;
    })
}

/// Carries the data of each port, until all of them have ended or the client goes away.
async fn forward(container: &Container, ports: &[u16], sink: &mut Sink, source: Source) {
    let (out, mut messages) = mpsc::channel(16);
    let (mut writers, mut all) = (Vec::new(), Vec::new());
    for (number, &port) in (0_u8..).zip(ports) {
        let (client, server) = duplex(BUFFER);
        let (reader, writer) = split(client);
        writers.push(writer);
        all.push(serve(container, port, 2 * number, server, reader, out.clone()));
    }
    drop(out);
    let sends = async {
        while let Some((channel, bytes)) = messages.recv().await {
            if send(sink, channel, &bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = async { futures::join!(join_all(all), sends) } => {}
        () = deliver(source, writers) => {}
    }
}

/// Answers at one port; its errors have the channel after that of its data.
async fn serve(
    container: &Container,
    port: u16,
    channel: u8,
    server: DuplexStream,
    mut answers: ReadHalf<DuplexStream>,
    out: Out,
) {
    // A client that has gone away is seen elsewhere.
    for channel in [channel, channel + 1] {
        let _ = out.send((channel, port.to_le_bytes().to_vec().into())).await;
    }
    if !container.answers(port) {
        let pod = container.pod_name();
        let why = format!("error forwarding port {port} to pod {pod}: connection refused (this pod is simulated)");
        let _ = out.send((channel + 1, why.into())).await;
        return;
    }
    let carries = async {
        let mut buffer = vec![0; BUFFER];
        while let Ok(count @ 1..) = answers.read(&mut buffer).await {
            let _ = out.send((channel, Bytes::copy_from_slice(&buffer[..count]))).await;
        }
    };
    futures::join!(serve_portal(server, container), carries);
}

/// Hands on what the client says, until it closes the connection.
async fn deliver(mut source: Source, mut writers: Vec<WriteHalf<DuplexStream>>) {
    while let Some(Ok(message)) = source.next().await {
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return,
            _ => continue,
        };
        let port = bytes.first().filter(|channel| *channel % 2 == 0).map(|channel| usize::from(channel / 2));
        if let Some(writer) = port.and_then(|port| writers.get_mut(port)) {
            // What has ended takes no more.
            let _ = writer.write_all(&bytes[1..]).await;
        }
    }
}
