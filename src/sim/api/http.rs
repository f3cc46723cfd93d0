//! Requests as the handlers see them, and their answers on the wire.

use crate::sim::api::protobuf;
use crate::sim::status::Status;
use crate::yaml;
use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use hyper::upgrade::OnUpgrade;
use serde_json::Value;
use std::io;

/// A body that may be cut.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A request without its transport.
#[derive(Clone, Debug)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Decoded segments of the path.
    pub path: Vec<String>,
    /// Decoded query.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// The connection itself, for a client that wants to speak something else than HTTP on it.
    pub upgrade: Option<OnUpgrade>,
}

/// The form in which objects are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whole objects.
    Object,
    /// Rows for people.
    Table,
    /// Only the metadata.
    Metadata,
}

impl Request {
    /// Takes a request apart.
    pub fn new(parts: &http::request::Parts, body: Bytes) -> Self {
        let path = parts.uri.path().split('/').filter(|segment| !segment.is_empty()).map(decode).collect();
        let query = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let query = query.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        });
        Request {
            method: parts.method.clone(),
            path,
            query: query.collect(),
            headers: parts.headers.clone(),
            body,
            upgrade: parts.extensions.get().cloned(),
        }
    }

    /// The first value of a query parameter, if it is not empty.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Every value of a query parameter.
    pub fn params(&self, name: &str) -> Vec<String> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Whether a query parameter is true.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.param(name), Some("true" | "1"))
    }

    /// A header, empty when it is not there.
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The media type of the body, without its parameters.
    pub fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim()
    }

    /// Who changes an object: the named field manager, else the first word of the program's name.
    pub fn manager(&self) -> String {
        let agent = || self.header(header::USER_AGENT).split('/').next().filter(|agent| !agent.is_empty());
        self.param("fieldManager").or_else(agent).unwrap_or("unknown").to_owned()
    }

    /// The first acceptable form; 406 when only formats are accepted that are not served.
    pub fn form(&self) -> Result<Form, Status> {
        let accept = self.header(header::ACCEPT);
        if accept.is_empty() {
            return Ok(Form::Object);
        }
        accept.split(',').find_map(acceptable).ok_or_else(Status::not_acceptable)
    }

    /// The object in the body, JSON or YAML.
    pub fn object(&self) -> Result<Value, Status> {
        if self.content_type() == protobuf::MEDIA_TYPE {
            return protobuf::decode(&self.body);
        }
        let not_json = match serde_json::from_slice(&self.body) {
            Ok(object) => return Ok(object),
            Err(error) => error.to_string(),
        };
        let text = std::str::from_utf8(&self.body).ok().filter(|_| self.content_type().ends_with("yaml"));
        let wrong = |why: String| Status::bad_request(format!("the object provided is unrecognized: {why}"));
        match text {
            Some(text) => yaml::parse(text).map_err(|error| wrong(error.to_string())),
            None => Err(wrong(format!("must be of type JSON: {not_json}"))),
        }
    }
}

fn acceptable(range: &str) -> Option<Form> {
    let mut parts = range.split(';').map(str::trim);
    if !["application/json", "application/*", "*/*"].contains(&parts.next()?) {
        return None;
    }
    let parameters: Vec<&str> = parts.collect();
    let form = match parameters.iter().find_map(|parameter| parameter.strip_prefix("as=")) {
        None => return Some(Form::Object),
        Some("Table") => Form::Table,
        Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Form::Metadata,
        Some(_) => return None,
    };
    (parameters.contains(&"g=meta.k8s.io")).then_some(form)
}

/// Undoes percent encoding.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A JSON answer.
pub fn json_answer(code: u16, value: &Value) -> Response<Body> {
    answer(code, "application/json", Bytes::from(value.to_string()))
}

/// An answer of any type.
pub fn answer(code: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}

/// An error answer.
pub fn error_answer(status: &Status) -> Response<Body> {
    if *status == Status::no_such_path() {
        return answer(404, "text/plain; charset=utf-8", "404 page not found\n");
    }
    let mut response = json_answer(status.code, &status.to_json());
    if let Some(seconds) = status.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    response
}

/// An answer that goes on.
pub fn stream_answer(chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Response<Body> {
    use futures::StreamExt;
    let mut response =
        Response::new(BodyExt::boxed_unsync(StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data)))));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, accept: &str) -> Request {
        let built = http::Request::builder().uri(uri).header("accept", accept).body(()).unwrap();
        Request::new(&built.into_parts().0, Bytes::new())
    }

    #[test]
    fn queries_are_decoded() {
        let request = request("/api/v1/pods?labelSelector=a%20in+%28b%2Cc%29&watch=true&limit=", "");
        assert_eq!(request.path, ["api", "v1", "pods"]);
        assert_eq!(request.param("labelSelector"), Some("a in (b,c)"));
        assert!(request.flag("watch") && request.param("limit").is_none());
    }

    #[test]
    fn the_first_acceptable_form_is_taken() {
        let form = |accept| request("/", accept).form();
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(form(kubectl), Ok(Form::Table));
        assert_eq!(form("application/json, */*"), Ok(Form::Object));
        assert_eq!(form("application/vnd.kubernetes.protobuf,application/json"), Ok(Form::Object));
        let discovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
        assert_eq!(form(discovery), Ok(Form::Object));
        assert_eq!(form("application/vnd.kubernetes.protobuf").unwrap_err().code, 406);
    }
}
