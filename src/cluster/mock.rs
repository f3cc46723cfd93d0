//! An API server for tests: a function from what is asked to what is answered, under the real client.

use super::Cluster;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::client::Body;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::BoxError;

/// What a test's server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub method: String,
    /// Path without the query.
    pub path: String,
    pub query: String,
    pub body: Value,
    /// How often the same was asked before; watches and lists count apart.
    pub before: usize,
}

impl Asked {
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    pub fn watches(&self) -> bool {
        self.query.contains("watch=true")
    }
}

/// What it answers.
pub(crate) enum Answer {
    /// A status and a body.
    Now(u16, Value),
    /// 429 with this many seconds.
    Later(u64),
    /// The request arrived, its answer did not.
    Lost,
    /// A watch that says this and ends.
    Cut(String),
    /// A watch that says this and stays open.
    Open(String),
}

impl Answer {
    pub fn ok(body: Value) -> Self {
        Answer::Now(200, body)
    }

    pub fn missing() -> Self {
        Answer::error(404, "NotFound", "not found")
    }

    pub fn error(code: u16, reason: &str, message: &str) -> Self {
        Answer::Now(code, json!({ "kind": "Status", "code": code, "reason": reason, "message": message }))
    }

    pub fn list(items: Vec<Value>, version: &str) -> Self {
        Answer::ok(json!({ "kind": "List", "metadata": { "resourceVersion": version }, "items": items }))
    }
}

/// One line of a watch.
pub(crate) fn event(kind: &str, object: &Value) -> String {
    json!({ "type": kind, "object": object }).to_string() + "\n"
}

/// What was asked, in order.
pub(crate) type Log = Arc<Mutex<Vec<Asked>>>;

/// A cluster over such a server.
pub(crate) fn cluster(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> (Cluster, Log) {
    let log = Log::default();
    let (answer, seen) = (Arc::new(answer), log.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (answer, seen) = (answer.clone(), seen.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect_bytes().await?;
            let mut asked = Asked {
                method: head.method.to_string(),
                path: head.uri.path().to_string(),
                query: head.uri.query().unwrap_or_default().to_string(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
                before: 0,
            };
            let mut seen = seen.lock().unwrap();
            let same = |old: &&Asked| old.is(&asked.method, &asked.path) && old.watches() == asked.watches();
            asked.before = seen.iter().filter(same).count();
            seen.push(asked.clone());
            respond(answer(&asked))
        }
    });
    let client = kube::Client::new(service, "default");
    (Cluster::over(client, "https://mock".into(), None, Duration::from_millis(400)), log)
}

fn respond(answer: Answer) -> Result<Response<UnsyncBoxBody<Bytes, BoxError>>, BoxError> {
    let (code, pause, text, open) = match answer {
        Answer::Now(code, body) => (code, None, body.to_string(), false),
        Answer::Later(seconds) => (429, Some(seconds), String::new(), false),
        Answer::Lost => return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()),
        Answer::Cut(text) => (200, None, text, false),
        Answer::Open(text) => (200, None, text, true),
    };
    let first = stream::iter([Ok::<_, BoxError>(Frame::data(Bytes::from(text)))]);
    let body = match open {
        true => StreamBody::new(first.chain(stream::pending())).boxed_unsync(),
        false => StreamBody::new(first).boxed_unsync(),
    };
    let mut response = Response::builder().status(code);
    if let Some(seconds) = pause {
        response = response.header("retry-after", seconds);
    }
    Ok(response.body(body)?)
}

/// A progress that nobody reads.
pub(crate) fn quiet(_: String) {}
