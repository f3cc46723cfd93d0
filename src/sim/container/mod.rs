//! Containers that do not run: what `exec` and `port-forward` find in them. A program is one file here and one line in [`PROGRAMS`];
//! it reads and writes by [`Io`], and its files are those of the pod's volumes ([`Container::read`], [`Container::write`]).

mod cat;
mod dd;
mod df;
mod disk;
mod hostname;
mod io;
mod iris;
mod portal;
mod rm;
mod sh;
mod stty;
mod tail;

pub use disk::Disks;
pub use io::{Io, Line, Stream, Wire};
pub use portal::serve as serve_portal;

use crate::sim::controllers::object::{annotation, core, items, name, namespace, text, uid};
use crate::sim::controllers::{is_iris, messages};
use crate::sim::store::Store;
use futures::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;

/// What an emulated program does with its arguments (without its name) and its streams. It returns its exit code.
type Program = for<'a> fn(&'a Container, &'a [String], &'a mut Io) -> BoxFuture<'a, u8>;

/// Every program that is emulated.
const PROGRAMS: &[(&str, Program)] = &[
    ("cat", cat::run),
    ("dd", dd::run),
    ("df", df::run),
    ("hostname", hostname::run),
    ("iris", iris::run),
    ("rm", rm::run),
    ("sh", sh::run),
    ("stty", stty::run),
    ("tail", tail::run),
];

/// Where IRIS keeps its own data when nothing else is said.
const INSTALLATION: &str = "/usr/irissys";
/// The portal's port.
const WEB_PORT: u16 = 52773;
/// The port of Longhorn's UI.
const LONGHORN_UI: (&str, u16) = ("longhorn-ui", 8000);

/// One container of a pod, as a program in it sees it.
#[derive(Clone)]
pub struct Container {
    store: Store,
    disks: Disks,
    pod: Arc<Value>,
    name: String,
}

impl Container {
    /// The container of this name; none when it does not run.
    pub fn open(store: &Store, disks: &Disks, pod: Arc<Value>, name: &str) -> Option<Container> {
        disks.forget_lost(store);
        let container = Container { store: store.clone(), disks: disks.clone(), pod, name: name.into() };
        container.status(&container.pod)?["state"]["running"].is_object().then_some(container)
    }

    /// Its program of that name, if it is emulated.
    pub fn program(&self, program: &str) -> Option<Program> {
        let base = program.rsplit('/').next().unwrap_or(program);
        let found = PROGRAMS.iter().find(|(name, _)| *name == base)?;
        (base != "iris" || self.is_iris()).then_some(found.1)
    }

    /// The names of its programs.
    pub fn programs(&self) -> Vec<&'static str> {
        PROGRAMS.iter().map(|(name, _)| *name).filter(|name| *name != "iris" || self.is_iris()).collect()
    }

    /// The name of its pod.
    pub fn pod_name(&self) -> &str {
        name(&self.pod)
    }

    /// Its image.
    pub fn image(&self) -> &str {
        text(self.spec(), "/image")
    }

    /// Whether IRIS would run in it.
    pub fn is_iris(&self) -> bool {
        is_iris(self.image())
    }

    /// Whether anything answers at a port of it.
    pub fn answers(&self, port: u16) -> bool {
        let ui = text(&self.pod, "/metadata/labels/app") == LONGHORN_UI.0 && port == LONGHORN_UI.1;
        ui || (self.is_iris() && port == WEB_PORT)
    }

    /// A variable of its environment that the pod's specification gives a plain value.
    pub fn variable(&self, name: &str) -> Option<&str> {
        items(self.spec(), "/env").iter().find(|one| one["name"] == name)?["value"].as_str()
    }

    /// The folder of IRIS's own data: durable %SYS.
    pub fn data_directory(&self) -> &str {
        self.variable("ISC_DATA_DIRECTORY").unwrap_or(INSTALLATION)
    }

    /// The content of a file. Those of a volume live as long as the volume, all others as long as the container.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        if self.is_iris() && path == format!("{}/mgr/messages.log", self.data_directory()) {
            let pod = self.now()?;
            return Some(messages(&pod, &self.name).into_bytes());
        }
        self.mounted(path).or_else(|| self.disks.read(&self.disk(path)?, path))
    }

    /// Writes a whole file.
    pub fn write(&self, path: &str, content: impl Into<Vec<u8>>) {
        if let Some(disk) = self.disk(path) {
            self.disks.write(&disk, path, content.into());
        }
    }

    /// Removes a file; false when there is none.
    pub fn remove(&self, path: &str) -> bool {
        self.disk(path).is_some_and(|disk| self.disks.remove(&disk, path))
    }

    /// The size of the volume behind a path, as its claim says; none for what is not on a volume of its own.
    pub fn capacity(&self, path: &str) -> Option<String> {
        Some(text(&*self.claim_of(path)?, "/status/capacity/storage").to_string())
    }

    /// An annotation of its pod.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        annotation(&self.pod, key)
    }

    /// The name of the PersistentVolume behind a path; none for what is not on a volume of its own.
    pub fn volume_of(&self, path: &str) -> Option<String> {
        let claim = self.claim_of(path)?;
        Some(text(&claim, "/spec/volumeName").to_string()).filter(|volume| !volume.is_empty())
    }

    /// Returns when this run of it is over: its pod is gone, or it was started again.
    pub async fn ended(&self) {
        let mut changed = self.store.changed();
        while self.now().is_some() && changed.changed().await.is_ok() {}
    }

    /// Tells of changes of anything in the cluster from now on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.store.changed()
    }

    /// The pod as it is now; none once this run of the container is over.
    fn now(&self) -> Option<Arc<Value>> {
        let pod = self.store.get(&core("pods"), namespace(&self.pod), name(&self.pod))?;
        let id = |pod: &Value| self.status(pod).map(|status| status["containerID"].clone());
        let runs = self.status(&pod)?["state"]["running"].is_object();
        (uid(&pod) == uid(&self.pod) && runs && id(&pod) == id(&self.pod)).then_some(pod)
    }

    fn spec(&self) -> &Value {
        let specs = items(&self.pod, "/spec/containers").iter().chain(items(&self.pod, "/spec/initContainers"));
        specs.into_iter().find(|one| one["name"] == *self.name).unwrap_or(&Value::Null)
    }

    fn status<'a>(&self, pod: &'a Value) -> Option<&'a Value> {
        let of = |field| items(pod, field).iter();
        let mut all = of("/status/containerStatuses").chain(of("/status/initContainerStatuses"));
        all.find(|one| one["name"] == *self.name)
    }

    /// The claim behind a path.
    fn claim_of(&self, path: &str) -> Option<Arc<Value>> {
        let claim = text(self.source(path)?, "/persistentVolumeClaim/claimName");
        self.store.get(&core("persistentvolumeclaims"), namespace(&self.pod), claim)
    }

    /// The volume of the pod that is mounted at a path or above it.
    fn source(&self, path: &str) -> Option<&Value> {
        let below = |mount: &&Value| {
            let rest = path.strip_prefix(text(mount, "/mountPath"));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mounts = items(self.spec(), "/volumeMounts").iter().filter(below);
        let mount = mounts.max_by_key(|mount| text(mount, "/mountPath").len())?;
        items(&self.pod, "/spec/volumes").iter().find(|volume| volume["name"] == mount["name"])
    }

    /// A file of a ConfigMap that is mounted.
    fn mounted(&self, path: &str) -> Option<Vec<u8>> {
        let map = text(self.source(path)?, "/configMap/name");
        let map = self.store.get(&core("configmaps"), namespace(&self.pod), map)?;
        let content = map["data"][path.rsplit('/').next()?].as_str()?;
        Some(content.as_bytes().to_vec())
    }

    /// Which disk a path is on: that of a volume, else the container's own.
    fn disk(&self, path: &str) -> Option<String> {
        let own = || text(self.status(&self.pod)?, "/containerID").to_string().into();
        self.volume_of(path).map(|volume| disk::of_volume(&volume)).or_else(own)
    }
}
