//! Reads a whole cluster with a client of its own, so that the program's own reading is not what proves the program right.

use futures::future::join_all;
use http::Request;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Reads that fail for a reason that passes (an API server with faults) are tried so often.
const TRIES: u32 = 60;
/// What is waited for by watch comes within this time, or not at all.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// Objects of every kind.
pub type Objects = BTreeMap<Id, Value>;

/// A client for one kubeconfig.
pub struct Reader {
    runtime: Runtime,
    client: kube::Client,
}

impl Reader {
    pub fn new(kubeconfig: &Path, context: Option<&str>) -> Reader {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = KubeConfigOptions { context: context.map(Into::into), ..Default::default() };
        let file = Kubeconfig::read_from(kubeconfig).unwrap_or_else(|e| panic!("{}: {e}", kubeconfig.display()));
        let config = runtime.block_on(Config::from_custom_kubeconfig(file, &options)).unwrap();
        let client = runtime.block_on(async { kube::Client::try_from(config) }).unwrap();
        Reader { runtime, client }
    }

    /// An answer; none for 404.
    pub fn get(&self, path: &str) -> Option<Value> {
        self.runtime.block_on(self.read(path))
    }

    async fn read(&self, path: &str) -> Option<Value> {
        let mut last = String::new();
        for _ in 0..TRIES {
            let request = Request::get(path).body(Vec::new()).unwrap();
            match self.client.request::<Value>(request).await {
                Ok(value) => return Some(value),
                Err(kube::Error::Api(status)) if status.code == 404 => return None,
                Err(error) => last = error.to_string(),
            }
        }
        panic!("GET {path}: {last}");
    }

    /// Sends an object and fails the test if it is refused.
    pub fn create(&self, path: &str, object: &Value) -> Value {
        let body = serde_json::to_vec(object).unwrap();
        let request = Request::post(path).header("Content-Type", "application/json").body(body).unwrap();
        self.runtime.block_on(self.client.request(request)).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// Changes an object by a patch of that type, in the name of `manager`, whatever others say.
    pub fn patch(&self, path: &str, kind: &str, manager: &str, patch: &Value) -> Value {
        let force = if kind.contains("apply") { "&force=true" } else { "" };
        let uri = format!("{path}?fieldManager={manager}{force}");
        let body = serde_json::to_vec(patch).unwrap();
        let request = Request::patch(uri).header("Content-Type", kind).body(body).unwrap();
        self.runtime.block_on(self.client.request(request)).unwrap_or_else(|error| panic!("PATCH {path}: {error}"))
    }

    /// Applies an object in the name of `manager`, whatever others say.
    pub fn apply(&self, object: &Value, manager: &str) -> Value {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let (version, kind) = (text("/apiVersion"), text("/kind"));
        let base = if version == "v1" { "/api/v1".to_string() } else { format!("/apis/{version}") };
        let known = self.get(&base).unwrap_or_default();
        let mut resources = known["resources"].as_array().into_iter().flatten();
        let is_kind =
            |one: &&Value| one["kind"] == kind && one["name"].as_str().is_some_and(|name| !name.contains('/'));
        let resource = resources.find(is_kind).unwrap_or_else(|| panic!("no kind {kind} in {version}"));
        let plural = resource["name"].as_str().unwrap_or_default();
        let place = match text("/metadata/namespace") {
            "" => plural.to_string(),
            namespace => format!("namespaces/{namespace}/{plural}"),
        };
        self.patch(
            &format!("{base}/{place}/{}", text("/metadata/name")),
            "application/apply-patch+yaml",
            manager,
            object,
        )
    }

    /// Deletes an object that may be absent.
    pub fn delete(&self, path: &str) {
        let request = Request::delete(path).body(Vec::new()).unwrap();
        match self.runtime.block_on(self.client.request::<Value>(request)) {
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => panic!("DELETE {path}: {error}"),
            Ok(_) => {}
        }
    }

    /// Reads until the path is gone, following it by watch.
    pub fn wait_until_gone(&self, collection: &str, name: &str) {
        let start = Instant::now();
        while let Some(object) = self.get(&format!("{collection}/{name}")) {
            self.wait_for_change(collection, name, &object, start);
        }
    }

    /// Reads until the object is as wanted, following it by watch.
    pub fn wait_until(&self, path: &str, wanted: impl Fn(&Value) -> bool) {
        let (collection, name) = path.rsplit_once('/').unwrap();
        let start = Instant::now();
        loop {
            let object = self.get(path).unwrap_or_else(|| panic!("{path} is not there"));
            if wanted(&object) {
                return;
            }
            self.wait_for_change(collection, name, &object, start);
        }
    }

    /// Reads until there are at least so many, following them by watch.
    pub fn wait_for_count(&self, collection: &str, count: usize) {
        let start = Instant::now();
        loop {
            let list = self.get(collection).unwrap_or_else(|| panic!("{collection} is not there"));
            if list["items"].as_array().map_or(0, Vec::len) >= count {
                return;
            }
            self.watch_once(collection, "", &list, start);
        }
    }

    /// Reads until another object of that name than the one with this uid is as wanted, following them by watch.
    pub fn wait_for_next(&self, collection: &str, name: &str, before: &Value, wanted: impl Fn(&Value) -> bool) {
        let is_next = |one: &Value| one["metadata"]["name"] == name && one["metadata"]["uid"] != *before && wanted(one);
        let start = Instant::now();
        loop {
            let list = self.get(collection).unwrap_or_else(|| panic!("{collection} is not there"));
            if list["items"].as_array().is_some_and(|items| items.iter().any(is_next)) {
                return;
            }
            self.watch_once(collection, "", &list, start);
        }
    }

    /// Returns when the object has changed since, at the latest after 20 seconds. Fails the test when all that began too long ago.
    fn wait_for_change(&self, collection: &str, name: &str, since: &Value, start: Instant) {
        self.watch_once(collection, &format!("fieldSelector=metadata.name%3D{name}&"), since, start);
    }

    fn watch_once(&self, collection: &str, selector: &str, since: &Value, start: Instant) {
        assert!(start.elapsed() < PATIENCE, "{collection} is not as wanted after {PATIENCE:?}: {since:#}");
        let version = since["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        let selector = format!("{selector}resourceVersion={version}&timeoutSeconds=20");
        let request = Request::get(format!("{collection}?watch=1&{selector}")).body(Vec::new()).unwrap();
        // The watch ends with its first event or by itself; what is so then is read again.
        let _ = self.runtime.block_on(async {
            use futures::AsyncBufReadExt;
            let stream = self.client.request_stream(request).await.ok()?;
            let mut stream = std::pin::pin!(stream);
            let mut line = String::new();
            stream.read_line(&mut line).await.ok()
        });
    }

    /// Every object of every kind that can be listed, without what moves by itself (events, node leases and heartbeats).
    pub fn all(&self) -> Objects {
        self.runtime.block_on(async {
            let groups = self.read("/apis").await.unwrap_or_default();
            let preferred = groups["groups"].as_array().into_iter().flatten().map(|group| {
                let version = group["preferredVersion"]["groupVersion"].as_str().unwrap_or_default();
                (format!("/apis/{version}"), version.to_string())
            });
            let versions = [("/api/v1".to_string(), "v1".to_string())].into_iter().chain(preferred);
            let found = join_all(versions.map(|(base, version)| self.of_version(base, version))).await;
            let mut objects = Objects::new();
            for (object, version, kind) in found.into_iter().flatten() {
                keep(&mut objects, object, &version, &kind);
            }
            objects
        })
    }

    /// The objects of one version of a group, each with that version and its kind.
    async fn of_version(&self, base: String, version: String) -> Vec<(Value, String, String)> {
        let resources = self.read(&base).await.unwrap_or_default();
        let listable = resources["resources"].as_array().into_iter().flatten().filter(|resource| listable(resource));
        let lists = listable.map(|resource| async {
            let plural = resource["name"].as_str().unwrap_or_default();
            let kind = resource["kind"].as_str().unwrap_or_default().to_string();
            let list = self.read(&format!("{base}/{plural}")).await.unwrap_or_default();
            let items = list["items"].as_array().cloned().unwrap_or_default();
            items.into_iter().map(|object| (object, version.clone(), kind.clone())).collect::<Vec<_>>()
        });
        join_all(lists).await.into_iter().flatten().collect()
    }
}

fn listable(resource: &Value) -> bool {
    let verbs = resource["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"));
    verbs && resource["name"].as_str().is_some_and(|name| !name.contains('/') && name != "componentstatuses")
}

fn keep(objects: &mut Objects, mut object: Value, version: &str, kind: &str) {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_string();
    let id = Id { kind: kind.into(), namespace: text("/metadata/namespace"), name: text("/metadata/name") };
    let moves = kind == "Event" || (kind == "Lease" && id.namespace == "kube-node-lease");
    if moves {
        return;
    }
    object["apiVersion"] = version.into();
    object["kind"] = kind.into();
    if kind == "Node"
        && let Some(node) = object.as_object_mut()
    {
        node.remove("status");
    }
    objects.insert(id, object);
}
