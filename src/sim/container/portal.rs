//! The page that stands for the management portal, or for Longhorn's UI: it says that it is simulated, and in which pod.

use super::Container;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::io::{AsyncRead, AsyncWrite};

/// Answers every request of a connection with the page.
pub async fn serve(connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, container: &Container) {
    let page = page(container);
    let service = service_fn(move |request: Request<Incoming>| {
        let page = page.clone();
        async move {
            drop(request);
            let mut response = Response::new(Full::new(Bytes::from(page)));
            let html = header::HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            Ok::<_, Infallible>(response)
        }
    });
    // A connection that breaks concerns its client alone.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

fn page(container: &Container) -> String {
    let what = if container.is_iris() { "The management portal of IRIS" } else { "The UI of Longhorn" };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{pod}, simulated</title></head>\n\
         <body><h1>{pod}</h1><p>Simulated by iris-lab: no container runs here. {what} would answer.</p></body></html>\n",
        pod = container.pod_name()
    )
}
