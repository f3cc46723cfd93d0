//! One request to the API server: sent, its answer read, and sent again while only a passing trouble is in the way.

use super::{Cluster, error::ApiError};
use backon::{ExponentialBuilder, Retryable};
use http::{Method, Request, header};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long one attempt may stay without an answer: less than the patience, so that a dead connection is replaced.
const ANSWER: Duration = Duration::from_secs(15);
/// The longest pause that a server may ask for with `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Media type of server-side apply.
pub(super) const APPLY: &str = "application/apply-patch+yaml";
/// Media type of a merge patch.
pub(super) const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json";

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
    content: &'static str,
    accept: &'static str,
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Call { method, path: path.into(), body: None, content: JSON, accept: JSON }
    }

    /// Reads.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Creates.
    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Call { body: Some(body), ..Self::new(Method::POST, path) }
    }

    /// Replaces.
    pub(super) fn put(path: impl Into<String>, body: Value) -> Self {
        Call { body: Some(body), ..Self::new(Method::PUT, path) }
    }

    /// Patches.
    pub(super) fn patch(path: impl Into<String>, content: &'static str, body: Value) -> Self {
        Call { body: Some(body), content, ..Self::new(Method::PATCH, path) }
    }

    /// Deletes, with its options.
    pub(super) fn delete(path: impl Into<String>, options: Value) -> Self {
        Call { body: Some(options), ..Self::new(Method::DELETE, path) }
    }

    /// Asks for another representation of the answer.
    pub(super) fn accept(self, accept: &'static str) -> Self {
        Call { accept, ..self }
    }

    fn request(&self) -> Result<Request<Body>, ApiError> {
        let body = self.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string().into_bytes()));
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(header::ACCEPT, self.accept)
            .header(header::USER_AGENT, concat!("iris-lab/", env!("CARGO_PKG_VERSION")));
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, self.content);
        }
        request.body(body).map_err(|error| ApiError::unreadable(format!("{} is no valid address: {error}", self.path)))
    }
}

impl Cluster {
    /// Sends a request and reads the whole answer as text.
    pub(super) async fn text(&self, call: &Call) -> Result<String, ApiError> {
        self.patiently(|| async {
            let body = self.answer(call).await?;
            let bytes = timeout(ANSWER, body.collect()).await.map_err(|_| ApiError::silent(ANSWER))?;
            let bytes = bytes.map_err(|error| ApiError::transport(&error))?.to_bytes();
            String::from_utf8(bytes.to_vec()).map_err(|_| ApiError::unreadable("the answer is not UTF-8 text".into()))
        })
        .await
    }

    /// Sends a request and reads the answer as JSON.
    pub(super) async fn send(&self, call: &Call) -> Result<Value, ApiError> {
        let text = self.text(call).await?;
        serde_json::from_str(&text).map_err(|error| ApiError::unreadable(format!("the answer is not JSON: {error}")))
    }

    /// Sends a request that may be answered with "not found".
    pub(super) async fn find(&self, call: &Call) -> Result<Option<Value>, ApiError> {
        match self.send(call).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a stream, whose lines come as they are written.
    pub(super) async fn open(&self, call: &Call) -> Result<Body, ApiError> {
        self.patiently(|| self.answer(call)).await
    }

    /// Tries again, with growing and jittered pauses, as long as the trouble may pass.
    pub(super) async fn patiently<T, F: Future<Output = Result<T, ApiError>>>(
        &self,
        attempt: impl FnMut() -> F,
    ) -> Result<T, ApiError> {
        let start = Instant::now();
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.inner.patience / 400)
            .with_max_delay(self.inner.patience / 10)
            .with_jitter()
            .without_max_times();
        attempt
            .retry(pauses)
            .when(|error: &ApiError| {
                start.elapsed() < self.inner.patience
                    && error.may_pass(self.inner.answered.load(Ordering::Relaxed))
                    && error.pause().is_none_or(|pause| pause <= LONGEST_PAUSE)
            })
            .adjust(|error, pause| pause.map(|pause| pause.max(error.pause().unwrap_or_default())))
            .await
    }

    /// One attempt, up to the head of the answer.
    async fn answer(&self, call: &Call) -> Result<Body, ApiError> {
        self.inner.requests.fetch_add(1, Ordering::Relaxed);
        let answer = timeout(ANSWER, self.inner.client.send(call.request()?)).await;
        let answer = answer.map_err(|_| ApiError::silent(ANSWER))?.map_err(|error| ApiError::transport(&error))?;
        self.inner.answered.store(true, Ordering::Relaxed);
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let (head, body) = answer.into_parts();
        let pause = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = timeout(ANSWER, body.collect()).await.map_err(|_| ApiError::silent(ANSWER))?;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Err(ApiError::status(head.status, &body, pause.map(Duration::from_secs)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster};
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn passing_troubles_are_sat_out() {
        let (cluster, log) = cluster(|asked| match asked.before {
            0 => Answer::Later(0),
            1 => Answer::error(500, "InternalError", "etcd leader changed"),
            2 => Answer::Lost,
            3 => Answer::Now(503, json!("not ready")),
            _ => Answer::ok(json!({ "kind": "Pod" })),
        });
        assert_eq!(cluster.send(&Call::get("/api/v1/pods")).await.unwrap()["kind"], "Pod");
        assert_eq!(log.lock().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn a_lasting_trouble_ends_with_the_last_answer() {
        let (cluster, log) = cluster(|_| Answer::error(503, "ServiceUnavailable", "the server is overloaded"));
        let error = cluster.send(&Call::get("/x")).await.unwrap_err();
        let failure = cluster.failure("list pods", &error);
        assert_eq!(failure.message, "cannot list pods: the API server keeps failing");
        assert_eq!(failure.causes, ["last answer: 503: the server is overloaded"]);
        assert!(log.lock().unwrap().len() > 1);
    }

    #[tokio::test]
    async fn what_cannot_pass_is_asked_once() {
        for (code, asked) in [(400, 1), (403, 1), (404, 1), (409, 1), (422, 1)] {
            let (cluster, log) = cluster(move |_| Answer::error(code, "No", "no"));
            assert_eq!(cluster.send(&Call::get("/x")).await.unwrap_err().code(), Some(code));
            assert_eq!(log.lock().unwrap().len(), asked, "{code}");
        }
    }

    #[tokio::test]
    async fn a_pause_beyond_all_patience_is_not_waited_for() {
        let (cluster, log) = cluster(|_| Answer::Later(3600));
        assert_eq!(cluster.send(&Call::get("/x")).await.unwrap_err().code(), Some(429));
        assert_eq!(log.lock().unwrap().len(), 1);
    }
}
