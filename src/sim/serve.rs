//! Starting and ending the embedded cluster: listener, TLS, token and kubeconfig.

use super::api::route;
use super::{bootstrap, controllers, pki};
use crate::error::{Failure, Result};
use crate::sim::api::chaos::{Chaos, Fate};
use crate::sim::api::context::{Api, USER};
use crate::sim::api::http::{Body, Request, answer, error_answer};
use crate::sim::clock::Clock;
use crate::sim::container::Disks;
use crate::sim::faults::Faults;
use crate::sim::kinds::Kinds;
use crate::sim::status::Status;
use crate::sim::store::{Store, random_bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::{Response, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// The largest body that a real API server takes.
const LARGEST_BODY: usize = 3 * 1024 * 1024;
/// The only context of the kubeconfig.
pub const CONTEXT: &str = "iris-lab-sim";

/// How the embedded cluster is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the kubeconfig goes.
    pub dir: Option<PathBuf>,
    /// Number of nodes.
    pub nodes: u32,
    /// Kubernetes version that it reports, such as `1.24.17`.
    pub kubernetes: String,
    /// How much faster than real time it runs; none means instantly.
    pub speed: Option<f64>,
    /// A file of faults.
    pub faults: Option<PathBuf>,
}

/// A running embedded cluster. It ends when this is dropped.
pub struct Sim {
    /// `https://127.0.0.1:PORT`.
    pub server: String,
    /// A whole kubeconfig with token and certificate.
    pub kubeconfig: String,
    /// Its objects.
    pub store: Store,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Starts an embedded cluster in this process.
pub async fn start(options: Options) -> Result<Sim> {
    let failed =
        |error: io::Error| Failure::step("the embedded cluster could not listen on 127.0.0.1").caused_by(error);
    let faults = options.faults.as_deref().map(Faults::read).transpose()?.unwrap_or_default();
    let pki = pki::make(faults.api.expired_certificate)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let version = format!("v{}", options.kubernetes.trim_start_matches('v'));
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(24);
    let token: String = random_bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    let server = format!("https://{address}");
    let kubeconfig = kubeconfig(&server, &pki.authority, &token);

    let store = Store::new();
    bootstrap::fill(&store, address.port());
    controllers::bootstrap(&store, options.nodes, &version);
    let chaos = Arc::new(Chaos::new(faults.api.clone()));
    let forbidden = faults.api.forbid.iter().map(|rule| (rule.verb.clone(), rule.resource.clone()));
    let cutter = chaos.clone();
    let api = Api {
        store: store.clone(),
        kinds: Kinds::new(store.clone(), minor),
        version,
        minor,
        address: address.to_string(),
        forbidden: forbidden.collect(),
        disks: Disks::default(),
        cut: Arc::new(move || cutter.cuts_watch()),
    };
    let door = Arc::new(Door { api, token: format!("Bearer {token}"), chaos });
    let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(pki.server), door));
    let clock = Clock { speed: options.speed };
    let controlling = tokio::spawn(controllers::run(store.clone(), clock, faults));
    Ok(Sim { server, kubeconfig, store, tasks: vec![accepting, controlling] })
}

/// Runs an embedded cluster until a signal ends it. Its kubeconfig exists exactly while it serves.
pub async fn serve(options: Options, ready: impl FnOnce()) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error: io::Error| Failure::step("the embedded cluster could not be started").caused_by(error);
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?);
    let directory = options.dir.clone();
    let sim = start(options).await?;
    let path = directory.map(|directory| directory.join("kubeconfig"));
    if let Some(path) = &path {
        write_private(path, &sim.kubeconfig)
            .map_err(|error| Failure::step(format!("{} could not be written", path.display())).caused_by(error))?;
    }
    ready();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // Another cluster may have put its own file there.
    if let Some(path) = path.filter(|path| std::fs::read_to_string(path).is_ok_and(|text| text == sim.kubeconfig)) {
        // Whoever removed it in between wanted the same.
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

/// Writes a file that only its owner may read, and that is never seen half-written.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let partial = path.with_extension("partial");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&partial, path)
}

fn kubeconfig(server: &str, authority: &str, token: &str) -> String {
    let authority = STANDARD.encode(authority);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {CONTEXT}\npreferences: {{}}\nclusters:\n- name: {CONTEXT}\n  cluster:\n    \
         server: {server}\n    certificate-authority-data: {authority}\ncontexts:\n- name: {CONTEXT}\n  context:\n    \
         cluster: {CONTEXT}\n    user: {USER}\nusers:\n- name: {USER}\n  user:\n    token: {token}\n"
    )
}

/// Who is let in, and to what.
struct Door {
    api: Api,
    token: String,
    chaos: Arc<Chaos>,
}

/// Takes connections until it is dropped, and then drops them too.
async fn accept(listener: TcpListener, tls: TlsAcceptor, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A failed accept is the client's loss (it is gone) or passes (too many open files).
                let Ok((stream, _)) = accepted else { tokio::task::yield_now().await; continue };
                connections.spawn(connection(stream, tls.clone(), door.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, door: Arc<Door>) {
    // Small answers wait for nothing; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let door = door.clone();
        async move { door.open(request).await }
    });
    // A connection that breaks concerns its client alone.
    let _ =
        auto::Builder::new(TokioExecutor::new()).serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}

impl Door {
    async fn open(&self, request: http::Request<Incoming>) -> io::Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let given = parts.headers.get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
        let public = ["/healthz", "/livez", "/readyz", "/version"].contains(&parts.uri.path());
        if given != Some(self.token.as_bytes()) && !(given.is_none() && public) {
            return Ok(error_answer(&Status::unauthorized()));
        }
        let body = match collect(body).await {
            Ok(body) => body,
            Err(status) => return Ok(error_answer(&status)),
        };
        let mut response = self.answer(&Request::new(&parts, body)).await?;
        if parts.method == http::Method::HEAD {
            response = answer(response.status().as_u16(), "application/json", "");
        }
        Ok(response)
    }
}

impl Door {
    /// Answers a request, unless faults have something else in mind.
    async fn answer(&self, request: &Request) -> io::Result<Response<Body>> {
        let latency = self.chaos.latency();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let dropped = || Err(io::ErrorKind::ConnectionReset.into());
        match self.chaos.fate() {
            Fate::Answer => Ok(route::handle(&self.api, request)),
            Fate::Fail(status) => Ok(error_answer(&status)),
            Fate::DropBefore => dropped(),
            Fate::DropAfter => {
                drop(route::handle(&self.api, request));
                dropped()
            }
        }
    }
}

/// Reads a whole body. One that is too large is read too, and forgotten: the client listens only after it has spoken.
async fn collect(mut body: Incoming) -> std::result::Result<Bytes, Status> {
    let mut collected = BytesMut::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Status::bad_request(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= LARGEST_BODY {
            collected.extend_from_slice(&data);
        }
    }
    if size > LARGEST_BODY { Err(Status::too_large()) } else { Ok(collected.freeze()) }
}
