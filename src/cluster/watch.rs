//! Follows a set of objects: lists them, then watches, opens the watch again when it ends and lists again when it is too old.

use super::discovery::Resource;
use super::error::ApiError;
use super::{Cluster, Selector, read::listing, request::Call};
use crate::error::Failure;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long the server keeps one watch open.
const WATCH_SECONDS: u64 = 60;
/// A watch that the server should have closed by now is dead.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 15);
/// A watch that lasted longer may be opened again without a pause.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The connection of a watch.
enum Stream {
    Closed,
    /// Being opened: kept here, so that dropping `changed` does not ask again.
    Opening(BoxFuture<'static, Result<Body, ApiError>>),
    Open(Body),
}

/// A live view of some objects of one kind.
pub(super) struct Follow {
    cluster: Cluster,
    resource: Resource,
    namespace: Option<String>,
    selector: Selector,
    items: BTreeMap<(String, String), Value>,
    version: String,
    /// Whether the cluster serves the kind no more: its definition is gone, and with it every object.
    gone: bool,
    stream: Stream,
    /// Bytes of a line that has not ended yet.
    partial: Vec<u8>,
    /// Watches in a row that ended at once and without an event.
    fruitless: u32,
    opened: Instant,
}

impl Cluster {
    /// Follows the objects of a kind that a selector picks. They are listed when this returns.
    pub(super) async fn follow(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        selector: Selector,
    ) -> crate::error::Result<Follow> {
        let (version, items) = self.list_all(&resource, namespace, &selector).await?;
        Ok(Follow {
            cluster: self.clone(),
            resource,
            namespace: namespace.map(Into::into),
            selector,
            items: items.into_iter().map(|item| (key(&item), item)).collect(),
            version,
            gone: false,
            stream: Stream::Closed,
            partial: Vec::new(),
            fruitless: 0,
            opened: Instant::now(),
        })
    }
}

fn key(object: &Value) -> (String, String) {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_string();
    (text("/metadata/namespace"), text("/metadata/name"))
}

impl Follow {
    /// The objects as last seen.
    pub(super) fn items(&self) -> impl Iterator<Item = &Value> {
        self.items.values()
    }

    /// The only object, when the selector names one.
    pub(super) fn only(&self) -> Option<&Value> {
        self.items.values().next()
    }

    /// Waits until something changed; for ever, once the kind is gone. May be dropped and called again at any point.
    pub(super) async fn changed(&mut self) -> crate::error::Result<()> {
        if self.gone {
            std::future::pending::<()>().await;
        }
        loop {
            match &mut self.stream {
                Stream::Closed if self.version.is_empty() => {
                    self.relist().await?;
                    return Ok(());
                }
                Stream::Closed => self.stream = Stream::Opening(self.opening()),
                Stream::Opening(opening) => match opening.await {
                    Ok(stream) => self.stream = Stream::Open(stream),
                    Err(error) => {
                        self.stream = Stream::Closed;
                        self.version.clear();
                        match error.code() {
                            Some(404) => {
                                self.end();
                                return Ok(());
                            }
                            // Too old to go on from there: what is true now is read anew.
                            Some(410) => {}
                            _ => return Err(self.failure(&error)),
                        }
                    }
                },
                Stream::Open(stream) => match timeout(SILENCE, stream.frame()).await {
                    Ok(Some(Ok(frame))) => {
                        let data = frame.into_data().unwrap_or_default();
                        if self.read(&data) {
                            return Ok(());
                        }
                    }
                    // It ended, broke or died: the next one goes on from the last version seen.
                    Ok(None | Some(Err(_))) | Err(_) => {
                        self.stream = Stream::Closed;
                        if self.opened.elapsed() > AT_ONCE {
                            self.fruitless = 0;
                        }
                    }
                },
            }
        }
    }

    /// Opens the watch; after a pause, when the last ones brought nothing.
    fn opening(&mut self) -> BoxFuture<'static, Result<Body, ApiError>> {
        let call = Call::get(format!(
            "{}?{}watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={}",
            self.resource.path(self.namespace.as_deref()),
            self.selector.query(),
            self.version
        ));
        let pause = (self.fruitless > 0).then(|| Duration::from_millis(50 << self.fruitless.min(5)));
        self.fruitless += 1;
        self.opened = Instant::now();
        self.partial.clear();
        let cluster = self.cluster.clone();
        Box::pin(async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            cluster.open(&call).await
        })
    }

    async fn relist(&mut self) -> crate::error::Result<()> {
        let namespace = self.namespace.as_deref();
        let Some((version, items)) = self.cluster.list_served(&self.resource, namespace, &self.selector).await? else {
            self.end();
            return Ok(());
        };
        self.items = items.into_iter().map(|item| (key(&item), item)).collect();
        self.version = version;
        Ok(())
    }

    fn end(&mut self) {
        self.items.clear();
        self.gone = true;
    }

    fn failure(&self, error: &ApiError) -> Failure {
        let what = listing(&self.resource, self.namespace.as_deref()).replacen("list", "watch", 1);
        self.cluster.failure(&what, error)
    }

    /// Takes in what came; tells whether an object changed.
    fn read(&mut self, data: &[u8]) -> bool {
        self.partial.extend_from_slice(data);
        let Some(end) = self.partial.iter().rposition(|&byte| byte == b'\n') else { return false };
        let rest = self.partial.split_off(end + 1);
        let lines = std::mem::replace(&mut self.partial, rest);
        let mut changed = false;
        for event in lines.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()) {
            changed |= self.take(event);
        }
        changed
    }

    fn take(&mut self, mut event: Value) -> bool {
        let object = event["object"].take();
        let kind = event["type"].as_str().unwrap_or_default();
        if kind == "ERROR" {
            // Too old, or worse: what is true now is read anew.
            self.version.clear();
            self.stream = Stream::Closed;
            return false;
        }
        self.fruitless = 0;
        if let Some(version) = object.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
            self.version = version.to_string();
        }
        match kind {
            "ADDED" | "MODIFIED" => self.items.insert(key(&object), object).is_none() || kind == "MODIFIED",
            "DELETED" => self.items.remove(&key(&object)).is_some(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster, event, quiet};
    use crate::model::WaitFor;
    use serde_json::{Value, json};

    fn node(version: &str, ready: &str) -> Value {
        json!({ "metadata": { "name": "lab-1", "resourceVersion": version },
            "status": { "conditions": [{ "type": "Ready", "status": ready, "message": "no network" }] } })
    }

    #[tokio::test]
    async fn a_watch_cut_anywhere_goes_on_from_the_last_version() {
        let (cluster, log) = cluster(|asked| match (asked.watches(), asked.before) {
            (false, _) => Answer::list(vec![node("1", "False")], "1"),
            // Half a line after a whole one, then an error, then nothing at all.
            (true, 0) => Answer::Cut(event("MODIFIED", &node("5", "False")) + "{\"type\":\"MODIF"),
            (true, 1) => Answer::Lost,
            (true, 2) => Answer::Cut(String::new()),
            _ => Answer::Open(event("MODIFIED", &node("6", "True"))),
        });
        assert_eq!(cluster.wait(&WaitFor::NodesReady { count: 1 }, &quiet).await.unwrap(), "1 node is Ready");
        let log = log.lock().unwrap();
        assert!(log[2..].iter().all(|asked| asked.query.contains("resourceVersion=5")), "{log:?}");
        assert_eq!(log.iter().filter(|asked| !asked.watches()).count(), 1, "listed once");
    }

    #[tokio::test]
    async fn a_version_that_is_too_old_is_listed_again() {
        let gone = json!({ "kind": "Status", "code": 410, "reason": "Expired" });
        let (cluster, _) = cluster(move |asked| match (asked.watches(), asked.before) {
            (false, 0) => Answer::list(vec![node("1", "False")], "1"),
            (true, 0) => Answer::Open(event("ERROR", &gone)),
            (false, 1) => Answer::list(vec![node("8", "False")], "8"),
            (true, 1) => Answer::Now(410, gone.clone()),
            _ => Answer::list(vec![node("9", "True")], "9"),
        });
        assert_eq!(cluster.wait(&WaitFor::NodesReady { count: 1 }, &quiet).await.unwrap(), "1 node is Ready");
    }
}
