//! Where a lab is tried: the embedded simulator, the simulator as a cluster that was there before, or a real cluster.

use super::{PROGRAM, Reader, Scratch, skipped};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The kubeconfig of a real cluster for these tests.
const REAL: &str = "IRIS_LAB_E2E_KUBECONFIG";
/// Its context; the current one if it is not given.
const REAL_CONTEXT: &str = "IRIS_LAB_E2E_CONTEXT";
/// Runs on the real cluster what takes long, too.
const FULL: &str = "IRIS_LAB_E2E_FULL";

/// Where a lab is tried.
pub enum Place {
    /// `up` starts the simulator itself.
    Sim,
    /// A cluster that was there before.
    Existing(Existing),
}

/// A cluster that was there before.
pub struct Existing {
    pub kubeconfig: PathBuf,
    pub context: String,
    pub real: bool,
    /// Held by the tests on a real cluster, one at a time: the program itself allows one run on it.
    _turn: Option<File>,
    _server: Option<Server>,
}

impl Place {
    /// The simulator, started by `up`.
    pub fn sim() -> Place {
        Place::Sim
    }

    /// The simulator as an existing cluster, with a storage class and a load balancer like the real one.
    pub fn served() -> Place {
        Place::served_with(None)
    }

    /// The same with a file of faults.
    pub fn served_with(faults: Option<&str>) -> Place {
        let server = Server::start(faults);
        let kubeconfig = server.dir.path().join("kubeconfig");
        let context = current_context(&kubeconfig);
        if faults.is_none() {
            add_ons(&Reader::new(&kubeconfig, Some(&context)));
        }
        Place::Existing(Existing { kubeconfig, context, real: false, _turn: None, _server: Some(server) })
    }

    /// The real cluster, if one was named; else a line says that there is none.
    pub fn real() -> Option<Place> {
        let Some(kubeconfig) = std::env::var_os(REAL).map(PathBuf::from) else {
            skipped("no real cluster (set IRIS_LAB_E2E_KUBECONFIG)");
            return None;
        };
        let context = std::env::var(REAL_CONTEXT).unwrap_or_else(|_| current_context(&kubeconfig));
        let turn = File::create(std::env::temp_dir().join("iris-lab-e2e.lock")).unwrap();
        turn.lock().unwrap();
        Some(Place::Existing(Existing { kubeconfig, context, real: true, _turn: Some(turn), _server: None }))
    }

    /// The real cluster, if all that takes long on it was asked for.
    pub fn real_at_length() -> Option<Place> {
        if std::env::var_os(FULL).is_none() {
            skipped("what takes long on a real cluster (set IRIS_LAB_E2E_FULL)");
            return None;
        }
        Place::real()
    }

    /// The same cluster for a second lab; this one must live longer.
    pub fn again(&self) -> Place {
        let Place::Existing(there) = self else { panic!("a simulator that `up` starts belongs to one lab") };
        let (kubeconfig, context) = (there.kubeconfig.clone(), there.context.clone());
        Place::Existing(Existing { kubeconfig, context, real: there.real, _turn: None, _server: None })
    }

    /// Whether containers really run there.
    pub fn is_real(&self) -> bool {
        matches!(self, Place::Existing(existing) if existing.real)
    }

    /// Whether a test should go through every case, however long it takes.
    pub fn is_thorough(&self) -> bool {
        !self.is_real() || std::env::var_os(FULL).is_some()
    }
}

fn current_context(kubeconfig: &Path) -> String {
    let text = std::fs::read_to_string(kubeconfig).unwrap_or_else(|e| panic!("{}: {e}", kubeconfig.display()));
    let file: Value = iris_lab::yaml::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", kubeconfig.display()));
    file["current-context"].as_str().unwrap_or_default().to_string()
}

/// Gives a bare cluster what a ready-made one has, from the manifests that the program installs into its own clusters.
fn add_ons(reader: &Reader) {
    let manifests =
        [include_str!("../../manifests/add-ons/storage.yaml"), include_str!("../../manifests/add-ons/metallb.yaml")];
    for object in manifests.into_iter().flat_map(|text| iris_lab::yaml::documents(text).unwrap()) {
        let path = match object["kind"].as_str() {
            Some("Namespace") => "/api/v1/namespaces".to_string(),
            Some("StorageClass") => "/apis/storage.k8s.io/v1/storageclasses".to_string(),
            Some("ConfigMap") => "/api/v1/namespaces/metallb-system/configmaps".to_string(),
            other => panic!("no path for an add-on's {other:?}"),
        };
        reader.create(&path, &object);
    }
}

/// A simulator that a test serves itself.
struct Server {
    child: Child,
    dir: Scratch,
}

impl Server {
    fn start(faults: Option<&str>) -> Server {
        let dir = Scratch::new();
        let log = File::create(dir.path().join("log")).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["sim", "serve", "--speed", "instant", "--dir"]).arg(dir.path());
        if let Some(faults) = faults {
            command.arg("--faults").arg(dir.file("faults.yaml", faults));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut word = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut word).unwrap();
        let log = std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        assert_eq!(word.trim(), "ready", "the simulator does not serve: {log}");
        Server { child, dir }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
