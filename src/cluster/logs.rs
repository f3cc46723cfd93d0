//! Reads what containers have printed.

use super::{Cluster, request::Call};
use crate::error::Result;

/// Log lines that a failure shows.
const TAIL: usize = 10;
/// The most lines and bytes that are read of a log to look through it.
const MOST: (usize, usize) = (20_000, 4 << 20);

/// How the kubelet's answer begins when it has no log any more.
const GONE: &str = "unable to retrieve container logs";

/// The address of a container's log.
pub(super) fn path(namespace: &str, pod: &str, query: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?{query}")
}

impl Cluster {
    /// The end of the log of a container's last run; empty when there is none (yet or any more).
    pub(super) async fn log(&self, namespace: &str, pod: &str, container: &str) -> String {
        self.last_lines(namespace, pod, &format!("container={container}&tailLines={TAIL}&limitBytes=16384")).await
    }

    /// The same, as a query says; of a pod with one container, when it names none.
    pub(super) async fn last_lines(&self, namespace: &str, pod: &str, query: &str) -> String {
        let text = self.text(&Call::get(path(namespace, pod, query))).await.unwrap_or_default();
        if text.starts_with(GONE) {
            return String::new();
        }
        text.trim_end().to_string()
    }

    /// What a container has printed, or its run before: all of it but the beginning of a very long log. Empty when the node has
    /// removed it.
    pub async fn whole_log(&self, namespace: &str, pod: &str, container: &str, previous: bool) -> Result<String> {
        let (lines, bytes) = MOST;
        let query = format!("container={container}&previous={previous}&tailLines={lines}&limitBytes={bytes}");
        let answer = self.text(&Call::get(path(namespace, pod, &query))).await;
        match answer {
            Ok(text) if text.starts_with(GONE) => Ok(String::new()),
            Ok(text) => Ok(text),
            // There was a run before, and nothing is kept of it.
            Err(error) if previous && error.code() == Some(400) => Ok(String::new()),
            Err(error) => Err(self.failure(&format!("read the log of {pod}/{container}"), &error)),
        }
    }
}
