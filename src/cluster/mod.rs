//! The Kubernetes verbs: connect, apply, wait, delete, lock, and reading. Everything retries what may pass, watches instead of
//! polling, and fails in words that a user can act on.

mod access;
mod apply;
mod canary;
mod certificate;
mod changes;
mod connect;
mod delete;
mod discovery;
mod dump;
mod error;
mod evacuate;
mod exec;
mod finalize;
mod forward;
mod grow;
mod holds;
mod instance;
mod job;
mod kinds;
pub mod kubeconfig;
mod labelled;
mod lock;
mod log_lines;
mod logs;
mod longhorn;
mod pods;
mod probe;
mod read;
mod reap;
mod release;
mod replace;
mod request;
mod scale;
mod stuck;
mod traces;
mod volumes;
mod wait;
mod watch;

#[cfg(test)]
mod connect_tests;
#[cfg(test)]
pub(crate) mod mock;
#[cfg(test)]
mod wait_tests;

pub use apply::Applied;
pub use changes::Changes;
pub use dump::Dumped;
pub use exec::{Command, End, Executed, Streams};
pub use forward::Forward;
pub use job::JobEnd;
pub use labelled::Labelled;
pub use lock::{Holder, Lock};
pub use log_lines::{Log, LogLine, LogStream};
pub use pods::{Pods, Seen};
pub use probe::Probed;
pub use read::Selector;
pub use release::Release;

use discovery::Resource;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where a running verb says, in one line and when it changes, what it waits for.
pub type Progress<'a> = &'a dyn Fn(String);

/// A cluster that answered. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    client: kube::Client,
    server: String,
    version: String,
    /// Whether it tells a command in a container that its input is over.
    ends_input: bool,
    /// When the kubeconfig's client certificate ends.
    client_expires: Option<jiff::Timestamp>,
    /// How long a request is tried again.
    patience: Duration,
    /// Whether the server ever answered: only then an unreachable one is waited for.
    answered: AtomicBool,
    requests: AtomicUsize,
    /// Kinds that are not built in, by apiVersion.
    kinds: Mutex<HashMap<String, Vec<Resource>>>,
}

impl Cluster {
    /// The API server's URL.
    pub fn server(&self) -> &str {
        &self.inner.server
    }

    /// The server's version, such as `v1.20.2`.
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// Number of requests sent so far, repeated ones included.
    pub fn requests(&self) -> usize {
        self.inner.requests.load(Ordering::Relaxed)
    }
}
