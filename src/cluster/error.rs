//! What can be wrong with a request to the API server, and how a user reads it.

use super::Cluster;
use crate::error::Failure;
use http::StatusCode;
use rustls::CertificateError;
use serde_json::Value;
use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// Why a request was not answered as wished.
#[derive(Clone, Debug)]
pub(super) enum ApiError {
    /// The server answered with an error.
    Status {
        /// HTTP status.
        code: u16,
        /// The Kubernetes Status object; only a message when the answer was none.
        status: Value,
        /// `Retry-After`.
        pause: Option<Duration>,
    },
    /// No connection could be made.
    Connect(String),
    /// The server's certificate was refused: why, and what to do.
    Certificate(String, &'static str),
    /// The connection broke, or nobody answered on it.
    Broken(String),
    /// The answer made no sense, or the request could not be made: trying again does not help.
    Unreadable(String),
}

impl ApiError {
    /// An answer with an error status.
    pub(super) fn status(code: StatusCode, body: &[u8], pause: Option<Duration>) -> Self {
        let status = serde_json::from_slice::<Value>(body).ok().filter(|body| body["kind"] == "Status");
        let status = status.unwrap_or_else(|| {
            let text = String::from_utf8_lossy(&body[..body.len().min(400)]).trim().to_string();
            serde_json::json!({ "message": if text.is_empty() { code.to_string() } else { text } })
        });
        ApiError::Status { code: code.as_u16(), status, pause }
    }

    /// An error below HTTP.
    pub(super) fn transport(error: &kube::Error) -> Self {
        let mut texts: Vec<String> = Vec::new();
        let (mut connecting, mut torn) = (false, false);
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(refusal) = rustls_error(error).and_then(certificate) {
                return refusal;
            }
            connecting |= error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|e| e.is_connect());
            torn |= hung_up(error);
            texts.push(error.to_string());
            next = error.source();
        }
        // The outer errors repeat the inner ones behind the names of their types.
        let text = texts.pop().unwrap_or_default().replace("deadline has elapsed", "no connection within 5 s");
        // Somebody is there who hung up: another try may succeed, even the first time.
        if connecting && !torn {
            return ApiError::Connect(text);
        }
        match error {
            kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => ApiError::Broken(text),
            _ => ApiError::Unreadable(text),
        }
    }

    /// Why a connection was not handed over for something else than HTTP.
    pub(super) fn of_upgrade(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let code = status.code;
                ApiError::Status { code, status: serde_json::to_value(status).unwrap_or_default(), pause: None }
            }
            error => ApiError::transport(&error),
        }
    }

    /// No answer in time.
    pub(super) fn silent(limit: Duration) -> Self {
        ApiError::Broken(format!("no answer within {} s", limit.as_secs()))
    }

    /// Something that trying again does not help.
    pub(super) fn unreadable(text: String) -> Self {
        ApiError::Unreadable(text)
    }

    /// The HTTP status, if there was an answer.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            ApiError::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The pause that the server asked for.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            ApiError::Status { pause, .. } => *pause,
            _ => None,
        }
    }

    /// Whether the same request may succeed a little later. A server that never answered is not waited for.
    pub(super) fn may_pass(&self, answered_before: bool) -> bool {
        match self {
            // Servers up to 1.20 answer 500 to a manifest that server-side apply cannot read.
            ApiError::Status { code: 500, .. } => !self.text().starts_with("failed to create typed patch object"),
            ApiError::Status { code, .. } => matches!(code, 429 | 502 | 503 | 504),
            ApiError::Connect(_) => answered_before,
            ApiError::Broken(_) => true,
            ApiError::Certificate(..) | ApiError::Unreadable(_) => false,
        }
    }

    /// `causes` of a Status: reason, field, message.
    pub(super) fn causes(&self) -> Vec<(String, String, String)> {
        let ApiError::Status { status, .. } = self else { return Vec::new() };
        let causes = status.pointer("/details/causes").and_then(Value::as_array);
        let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_string();
        causes
            .into_iter()
            .flatten()
            .map(|cause| (text(cause, "reason"), text(cause, "field"), text(cause, "message")))
            .collect()
    }

    /// Whether it is refused because its namespace is on its way out.
    pub(super) fn namespace_terminates(&self) -> bool {
        self.code() == Some(403)
            && (self.causes().iter().any(|(reason, ..)| reason == "NamespaceTerminating")
                || self.text().contains("because it is being terminated"))
    }

    /// One line.
    pub(super) fn text(&self) -> String {
        match self {
            ApiError::Status { code, status, .. } => match status["message"].as_str() {
                Some(message) if !message.is_empty() => message.to_string(),
                _ => format!("the API server answered {code}"),
            },
            ApiError::Certificate(text, _)
            | ApiError::Connect(text)
            | ApiError::Broken(text)
            | ApiError::Unreadable(text) => text.clone(),
        }
    }
}

/// Whether a peer ended a connection, which I/O errors may carry inside.
fn hung_up(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => true,
        _ => error.get_ref().is_some_and(|inner| hung_up(inner)),
    })
}

/// A TLS error, which I/O errors carry inside instead of naming as their source.
fn rustls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let inner = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    rustls_error(inner)
}

/// The words for a certificate that was refused.
fn certificate(error: &rustls::Error) -> Option<ApiError> {
    let renew = "renew the cluster's certificates; until then nothing can talk to this cluster safely";
    let ca = "take the kubeconfig from the cluster again: its certificate authority has changed since";
    let (text, hint) = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ("the server's certificate has expired".to_string(), renew)
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                "the server's certificate is not valid yet".into(),
                "compare the clocks of this machine and the server",
            ),
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                ("the server's certificate is signed by an authority that the kubeconfig does not name".into(), ca)
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                "the server's certificate is not for this host name".into(),
                "use a name that the certificate holds, or set tls-server-name in the kubeconfig",
            ),
            other => (format!("the server's certificate is not valid: {other}"), ca),
        },
        rustls::Error::InvalidMessage(_) => {
            ("the server does not speak TLS".into(), "check the server's address and port in the kubeconfig")
        }
        _ => return None,
    };
    Some(ApiError::Certificate(text, hint))
}

impl Cluster {
    /// A failed request as the user reads it: `what` is an imperative that failed, such as "list nodes".
    pub(super) fn failure(&self, what: &str, error: &ApiError) -> Failure {
        let text = error.text();
        match error {
            ApiError::Status { code: 401, .. } => self.unauthorized(),
            ApiError::Status { .. } if error.namespace_terminates() => {
                let name = text
                    .split_once("in namespace ")
                    .map_or("", |(_, rest)| rest.split([' ', ',']).next().unwrap_or_default());
                Failure::step(format!("cannot {what}: namespace {name} is being deleted"))
                    .cause(&text)
                    .hint(format!("wait until `kubectl get namespace {name}` finds nothing, then run it again"))
            }
            ApiError::Status { code: 403, .. } => Failure::requirement(format!("not allowed to {what}"))
                .cause(text)
                .hint("ask an administrator of the cluster for this right, or name another context with --context"),
            ApiError::Status { code: code @ (429 | 500..=599), .. } if error.may_pass(true) => {
                Failure::step(format!("cannot {what}: the API server keeps failing"))
                    .cause(format!("last answer: {code}: {text}"))
                    .hint("run it again when the cluster is well: what was done stays done")
            }
            ApiError::Status { .. } => Failure::step(format!("cannot {what}")).cause(text),
            ApiError::Certificate(_, hint) => {
                Failure::requirement(format!("no trust in the API server {}", self.server())).cause(text).hint(*hint)
            }
            ApiError::Connect(_) => Failure::requirement(format!("cannot reach the API server {}", self.server()))
                .cause(text)
                .hint("start the cluster, or name another one with --context"),
            ApiError::Broken(_) => {
                Failure::step(format!("cannot {what}: the API server {} does not answer", self.server()))
                    .cause(text)
                    .hint("run it again when the cluster is well: what was done stays done")
            }
            ApiError::Unreadable(_) => Failure::step(format!("cannot {what}")).cause(text),
        }
    }

    /// The server does not know us: the reason is in what we showed it.
    fn unauthorized(&self) -> Failure {
        let failure =
            Failure::requirement(format!("the API server {} does not accept these credentials", self.server()));
        match self.inner.client_expires {
            Some(end) if end < jiff::Timestamp::now() => failure
                .cause(format!("the client certificate in the kubeconfig expired on {}", end.strftime("%Y-%m-%d")))
                .hint("take a new kubeconfig from the cluster, then run it again"),
            Some(_) => failure
                .cause("its client certificate is not signed by an authority that the cluster trusts")
                .hint("take a new kubeconfig from the cluster: it was probably made anew since"),
            None => failure
                .cause("the token is missing, wrong or expired")
                .hint("log in to the cluster again, or take a new kubeconfig from it"),
        }
    }
}
