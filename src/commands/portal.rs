//! `iris-lab portal`: the portal of each pod, and Longhorn's UI, at ports of this host for as long as this runs.

use super::here::has_longhorn;
use super::pods::LabPods;
use crate::cli::PortalArgs;
use crate::cluster::{Cluster, Pods, Selector};
use crate::error::{Failure, Result};
use crate::exec;
use crate::lab::accounts::is_of_iris;
use crate::model::ObjectRef;
use crate::model::longhorn;
use crate::model::status::PORTAL_PATH;
use crate::ui::{PortalPage, Ui, portal_line, portal_text};
use crate::workload::{STATEFUL_SET, WEB_PORT};
use futures::FutureExt;
use futures::future::select_all;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// The local port of the first pod's portal.
const FIRST_PORT: u16 = 9092;
/// The local port of Longhorn's UI, which is also that of its pod.
const LONGHORN_PORT: u16 = 8000;
/// How many ports are tried before giving up.
const TRIES: u16 = 100;
/// How long a client that cannot be served may take to ask.
const ASKING: Duration = Duration::from_secs(5);

/// A page that is forwarded.
struct Door {
    page: PortalPage,
    namespace: String,
    pods: Pods,
    port: u16,
    listener: TcpListener,
    /// What was last said to be wrong with a connection.
    complaint: String,
}

/// Forwards until Ctrl-C, which is its normal end.
pub async fn portal(ui: &Ui, args: &PortalArgs) -> Result<()> {
    let lab = LabPods::find(args.lab.name.as_deref()).await?;
    let mut doors = doors(ui, &lab, args.address).await?;
    if !args.address.is_loopback() {
        ui.note(format!(
            "warning: whoever reaches {} reaches these pages too, and what is typed there is not encrypted",
            args.address
        ));
    }
    let pages: Vec<PortalPage> = doors.iter().map(|door| door.page.clone()).collect();
    let simulated = lab.here.provider.is_simulated();
    ui.items(|look| portal_text(&lab.here.name, &pages, simulated, look), &pages)?;
    let listen = |kind| signal(kind).map_err(|e| Failure::step("cannot listen for signals").caused_by(e));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut open = args.open;
    let serving = doors.iter_mut().map(|door| {
        let browse = std::mem::take(&mut open);
        door.serve(ui, &lab.cluster, browse).boxed_local()
    });
    tokio::select! {
        // They end only with a failure, or when nobody reads what is printed.
        ended = select_all(serving) => ended.0,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

/// A door for each pod that the lab is to have, and one for Longhorn where the lab has it.
async fn doors(ui: &Ui, lab: &LabPods, address: IpAddr) -> Result<Vec<Door>> {
    let mut doors = Vec::new();
    let password = lab.here.dir.password();
    let password_file = password.exists().then(|| password.display().to_string());
    let facts = lab.here.facts(Some(&lab.cluster)).await?;
    // Those of an application need not get into the portal.
    let users: Vec<String> = lab.here.logins(&facts).into_iter().filter(|name| is_of_iris(name)).collect();
    for ordinal in 0..lab.replicas {
        let name = format!("{STATEFUL_SET}-{ordinal}");
        let wanted = FIRST_PORT.saturating_add(u16::try_from(ordinal).unwrap_or(u16::MAX));
        let (listener, local) = listen(ui, &name, address, wanted).await?;
        let selector = Selector::fields(format!("metadata.name={name}"));
        let page = PortalPage {
            name,
            url: format!("http://{local}{PORTAL_PATH}"),
            ready: false,
            why: String::new(),
            users: users.clone(),
            password_file: password_file.clone(),
        };
        doors.push(Door::new(lab, page, &lab.namespace, selector, WEB_PORT, listener).await?);
    }
    if has_longhorn(&facts) {
        let name = "Longhorn".to_string();
        let (listener, local) = listen(ui, &name, address, LONGHORN_PORT).await?;
        let url = format!("http://{local}");
        let page = PortalPage { name, url, ready: false, why: String::new(), users: Vec::new(), password_file: None };
        let selector = Selector::labels("app=longhorn-ui");
        doors.push(Door::new(lab, page, longhorn::NAMESPACE, selector, LONGHORN_PORT, listener).await?);
    }
    Ok(doors)
}

/// Listens at the port that is wanted, or at the next one that is free, and says so.
async fn listen(ui: &Ui, name: &str, address: IpAddr, wanted: u16) -> Result<(TcpListener, SocketAddr)> {
    let failed = |error: std::io::Error| Failure::requirement(format!("cannot listen on {address}")).caused_by(error);
    for port in (wanted..=u16::MAX).take(TRIES.into()) {
        match TcpListener::bind((address, port)).await {
            Ok(listener) => {
                if port != wanted {
                    ui.note(format!("{name} is at port {port}, because {wanted} is taken on this host"));
                }
                let local = listener.local_addr().map_err(failed)?;
                return Ok((listener, local));
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(failed(error).hint("--address takes an address of this host")),
        }
    }
    Err(Failure::requirement(format!("no port is free for {name} on {address}"))
        .cause(format!("{wanted} and the {TRIES} after it are taken")))
}

impl Door {
    async fn new(
        lab: &LabPods,
        page: PortalPage,
        namespace: &str,
        selector: Selector,
        port: u16,
        listener: TcpListener,
    ) -> Result<Door> {
        let pods = lab.cluster.pods(namespace, selector).await?;
        let mut door = Door { page, namespace: namespace.into(), pods, port, listener, complaint: String::new() };
        door.look();
        Ok(door)
    }

    /// The pod that answers, if one does.
    fn pod(&self) -> Option<ObjectRef> {
        let ready = self.pods.all().into_iter().find(|pod| pod.ready)?;
        Some(ObjectRef::new("v1", "Pod", Some(&self.namespace), &ready.name))
    }

    /// Takes in how its pod stands now. Returns whether that is something new.
    fn look(&mut self) -> bool {
        let all = self.pods.all();
        let ready = all.iter().any(|pod| pod.ready);
        let why = match all.first() {
            _ if ready => String::new(),
            Some(pod) => pod.why.clone(),
            None => "there is no pod".into(),
        };
        let before = (self.page.ready, std::mem::replace(&mut self.page.why, why));
        self.page.ready = ready;
        before != (self.page.ready, self.page.why.clone())
    }

    /// Takes connections and follows the pod.
    async fn serve(&mut self, ui: &Ui, cluster: &Cluster, mut browse: bool) -> Result<()> {
        let mut connections = JoinSet::new();
        loop {
            if self.page.ready && std::mem::take(&mut browse) {
                open(ui, &self.page.url);
            }
            tokio::select! {
                accepted = self.listener.accept() => {
                    // A failed accept is the client's loss (it is gone) or passes (too many open files).
                    let Ok((client, _)) = accepted else { tokio::task::yield_now().await; continue };
                    match self.pod() {
                        Some(pod) => drop(connections.spawn(carry(cluster.clone(), pod, self.port, client))),
                        None => {
                            let (name, why) = (self.page.name.clone(), self.page.why.clone());
                            connections.spawn(async move {
                                apologize(client, &name, &why).await;
                                Ok(())
                            });
                        }
                    }
                }
                change = self.pods.changed() => {
                    change?;
                    if self.look() {
                        self.complaint.clear();
                        ui.items(|look| portal_line(&self.page, look), std::slice::from_ref(&self.page))?;
                        if ui.closed() {
                            return Ok(());
                        }
                    }
                }
                Some(ended) = connections.join_next() => {
                    if let Ok(Err(failure)) = ended {
                        self.complain(ui, &failure);
                    }
                }
            }
        }
    }

    /// Says what is wrong with a connection; once, however many there are.
    fn complain(&mut self, ui: &Ui, failure: &Failure) {
        let complaint = failure.to_string();
        if complaint != self.complaint {
            ui.note(format!("{}: {complaint}", self.page.name));
            self.complaint = complaint;
        }
    }
}

/// Carries one connection to its end.
async fn carry(cluster: Cluster, pod: ObjectRef, port: u16, client: TcpStream) -> Result<()> {
    // Small answers wait for nothing; without it they are only slower.
    let _ = client.set_nodelay(true);
    let forward = cluster.forward(&pod, port).await?;
    let refused = |why: String| Failure::step(format!("nobody answers at port {port} of {pod}")).cause(why);
    forward.carry(client).await.map_err(refused)
}

/// Tells a browser that it has to wait, and for what; it asks again by itself.
async fn apologize(mut client: TcpStream, name: &str, why: &str) {
    let mut asked = [0; 4096];
    // Whatever is asked for, the answer is the same. An answer before the question would be lost.
    let _ = tokio::time::timeout(ASKING, client.read(&mut asked)).await;
    let text = format!("{name} is not ready: {why}\nThis page asks again by itself.\n");
    let head = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRefresh: 2\r\nRetry-After: 2\r\nConnection: close";
    let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    // A client that is gone needs no answer.
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.shutdown().await;
}

fn open(ui: &Ui, url: &str) {
    if let Err(failure) = exec::browse(url) {
        ui.note(format!("warning: {failure}; open {url} yourself"));
    }
}
