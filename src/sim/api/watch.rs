//! The stream of changes that a watch gets.

use crate::sim::api::http::{Body, stream_answer};
use crate::sim::api::selectors::Selector;
use crate::sim::api::view::View;
use crate::sim::status::Status;
use crate::sim::store::{EventKind, Resource, Store, StoreEvent};
use bytes::Bytes;
use futures::stream;
use http::Response;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long a watch lasts when the client does not say.
const LIFETIME: Duration = Duration::from_secs(45 * 60);
/// How often a quiet watch hears how far it is.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// Which objects are watched.
#[derive(Clone)]
pub struct Filter {
    /// Their kind.
    pub resource: Resource,
    /// Their namespace; none means all.
    pub namespace: Option<String>,
    /// Their selectors.
    pub selector: Selector,
}

impl Filter {
    fn matches(&self, object: &Value) -> bool {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        self.namespace.as_ref().is_none_or(|wanted| wanted == namespace) && self.selector.matches(object)
    }
}

/// What a client may say about its watch.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Start after this revision; none means with the state of now.
    pub since: Option<u64>,
    /// How long it lasts.
    pub timeout: Option<Duration>,
    /// Whether bookmarks are wanted.
    pub bookmarks: bool,
}

/// Decides, before each piece, whether the stream breaks here.
pub type Cut = Arc<dyn Fn() -> bool + Send + Sync>;

struct Watcher {
    store: Store,
    filter: Filter,
    view: View,
    bookmarks: bool,
    cut: Cut,
    changed: watch::Receiver<u64>,
    /// Everything up to here was sent.
    since: u64,
    /// Sent before all else.
    initial: Vec<Arc<Value>>,
    /// Whether nothing was sent yet.
    first: bool,
    deadline: Instant,
    next_bookmark: Instant,
    ended: bool,
}

/// Starts a watch.
pub fn start(store: &Store, filter: Filter, view: View, settings: &Settings, cut: Cut) -> Response<Body> {
    let changed = store.changed();
    let (initial, since) = match settings.since {
        Some(since) => (Vec::new(), since),
        None => {
            let (mut objects, revision) = store.snapshot(&filter.resource, filter.namespace.as_deref());
            objects.retain(|object| filter.matches(object));
            (objects, revision)
        }
    };
    let now = Instant::now();
    let watcher = Watcher {
        store: store.clone(),
        filter,
        view,
        bookmarks: settings.bookmarks,
        cut,
        changed,
        since,
        initial,
        first: true,
        deadline: now + settings.timeout.unwrap_or(LIFETIME),
        next_bookmark: now + BOOKMARK_EVERY,
        ended: false,
    };
    stream_answer(stream::unfold(watcher, next))
}

async fn next(mut watcher: Watcher) -> Option<(io::Result<Bytes>, Watcher)> {
    loop {
        if watcher.ended {
            return None;
        }
        // A stream breaks in its middle: what breaks before is a request that fails.
        let begun = !watcher.first;
        let piece = watcher.piece();
        if !piece.is_empty() {
            if begun && (watcher.cut)() {
                watcher.ended = true;
                return Some((Err(io::ErrorKind::ConnectionReset.into()), watcher));
            }
            return Some((Ok(piece.into()), watcher));
        }
        tokio::select! {
            _ = watcher.changed.changed() => {}
            () = sleep_until(watcher.deadline) => return None,
            () = sleep_until(watcher.next_bookmark), if watcher.bookmarks => {
                watcher.next_bookmark = Instant::now() + BOOKMARK_EVERY;
                let bookmark = watcher.view.bookmark(watcher.since);
                return Some((Ok(line("BOOKMARK", &bookmark).into()), watcher));
            }
        }
    }
}

impl Watcher {
    /// All that happened since the last piece.
    fn piece(&mut self) -> String {
        let mut text = String::new();
        for object in std::mem::take(&mut self.initial) {
            self.push(&mut text, "ADDED", &object);
        }
        self.changed.borrow_and_update();
        match self.store.events_since(self.since) {
            Ok(events) => {
                for event in &events {
                    self.since = event.revision;
                    self.push_event(&mut text, event);
                }
            }
            Err(status) => {
                self.ended = true;
                text.push_str(&line("ERROR", &status.to_json()));
            }
        }
        text
    }

    /// An object that begins or ceases to match is one that comes or goes.
    fn push_event(&mut self, text: &mut String, event: &StoreEvent) {
        if event.resource != self.filter.resource {
            return;
        }
        let matched = event.previous.as_ref().is_some_and(|previous| self.filter.matches(previous));
        let matches = event.kind != EventKind::Deleted && self.filter.matches(&event.object);
        match (matched, matches) {
            (false, true) => self.push(text, "ADDED", &event.object),
            (true, true) => self.push(text, "MODIFIED", &event.object),
            (true, false) => self.push(text, "DELETED", &event.object),
            (false, false) => {}
        }
    }

    fn push(&mut self, text: &mut String, kind: &str, object: &Value) {
        let object = self.view.event(object, self.first);
        self.first = false;
        text.push_str(&line(kind, &object));
    }
}

fn line(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

/// Reads the revision at which a watch starts.
pub fn parse_revision(text: &str) -> Result<u64, Status> {
    let bad = |_| Status::bad_request(format!("invalid resource version \"{text}\""));
    text.parse().map_err(bad)
}
