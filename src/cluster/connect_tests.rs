//! Tests of connecting: kubeconfig files, certificates, credentials, and servers that are none.

use super::mock::{Answer, cluster};
use super::{Cluster, kubeconfig};
use crate::error::{Failure, Kind};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A directory of its own that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("iris-lab-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn config(name: &str, server: &str, cluster: &str, user: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Config, current-context: {name}, clusters: [{{name: c-{name}, cluster: {{server: '{server}'{cluster}}}}}],\n\
         users: [{{name: u-{name}, user: {{{user}}}}}], contexts: [{{name: {name}, context: {{cluster: c-{name}, user: u-{name}}}}}]}}\n"
    )
}

async fn refused(folder: &Folder, text: &str, context: Option<&str>) -> Failure {
    let failure = Cluster::connect(&folder.file("config", text), context).await.err().unwrap();
    assert_eq!(failure.kind, Kind::Requirement, "{failure}");
    assert!(!failure.hints.is_empty(), "{failure}");
    failure
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_kubeconfig_is_named() {
    let folder = Folder::new("files");
    let failure = Cluster::connect(&folder.0.join("none"), None).await.err().unwrap();
    assert!(failure.message.starts_with("cannot read the kubeconfig"), "{failure}");
    assert!(refused(&folder, "{ a: [b", None).await.causes[0].starts_with("it is no valid kubeconfig"));
    assert_eq!(refused(&folder, "", None).await.causes, ["there is no context at all"]);
}

#[tokio::test]
async fn an_unknown_context_lists_the_known_ones_and_the_nearest() {
    let folder = Folder::new("context");
    let failure = refused(&folder, &config("rig", "https://127.0.0.1:1", "", ""), Some("rog")).await;
    assert_eq!(failure.causes, ["known contexts: rig"]);
    assert_eq!(failure.hints, ["did you mean --context rig?"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_waited_for() {
    let folder = Folder::new("refused");
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = refused(&folder, &config("x", &format!("https://{free}"), "", ""), None).await;
    assert_eq!(failure.message, format!("cannot reach the API server https://{free}"));
    assert!(failure.causes[0].contains("refused"), "{failure}");
}

#[tokio::test]
async fn a_server_that_is_no_api_server_is_said_to_be_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    });
    let failure = refused(&Folder::new("none"), &config("x", &server, "", ""), None).await;
    assert_eq!(failure.message, format!("{server} is no Kubernetes API server"));
}

#[tokio::test]
async fn a_server_that_hangs_up_first_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        drop(listener.accept().await);
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 25\r\n\r\n{\"gitVersion\": \"v1.20.2\"}").await;
        let _ = stream.read(&mut [0; 1]).await;
    });
    let folder = Folder::new("hangs-up");
    let file = folder.file("config", &config("x", &server, "", ""));
    assert_eq!(Cluster::connect(&file, None).await.unwrap().version(), "v1.20.2");
}

/// A TLS server whose certificate ends in this year, and the kubeconfig entry that trusts it.
async fn tls_server(year: i32) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_string()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    (address, format!(", certificate-authority-data: {}", BASE64_STANDARD.encode(certificate.pem())))
}

#[tokio::test]
async fn an_expired_or_unknown_server_certificate_is_said_to_be_so() {
    let folder = Folder::new("tls");
    let (server, ca) = tls_server(2020).await;
    let failure = refused(&folder, &config("x", &server, &ca, ""), None).await;
    assert_eq!(failure.message, format!("no trust in the API server {server}"));
    assert_eq!(failure.causes, ["the server's certificate has expired"]);
    let (_, other) = tls_server(2090).await;
    let (server, _) = tls_server(2090).await;
    let failure = refused(&folder, &config("x", &server, &other, ""), None).await;
    assert!(failure.causes[0].ends_with("an authority that the kubeconfig does not name"), "{failure}");
}

#[tokio::test]
async fn refused_credentials_are_explained_by_the_certificate() {
    let (mut cluster, _) = cluster(|_| Answer::error(401, "Unauthorized", "Unauthorized"));
    let cases = [
        (Some("2024-03-04T00:00:00Z"), "the client certificate in the kubeconfig expired on 2024-03-04"),
        (Some("2090-03-04T00:00:00Z"), "its client certificate is not signed by an authority that the cluster trusts"),
        (None, "the token is missing, wrong or expired"),
    ];
    for (end, cause) in cases {
        Arc::get_mut(&mut cluster.inner).unwrap().client_expires = end.map(|end| end.parse().unwrap());
        let failure = cluster.labelled(None).await.unwrap_err();
        assert_eq!((failure.kind, failure.causes), (Kind::Requirement, vec![cause.to_string()]));
    }
}

#[test]
fn a_context_is_taken_out_alone_with_the_content_of_its_files() {
    let folder = Folder::new("extract");
    folder.file("ca.crt", "authority");
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: get-token, args: [a]}";
    let first = folder.file("first", &config("one", "https://one", ", certificate-authority: ca.crt", exec));
    let second = folder.file("second", &config("two", "https://two", "", "token: t"));
    let again = folder.file("again", &config("one", "https://other", "", ""));
    let paths = [first.clone(), folder.0.join("absent"), second, again];
    let before = std::fs::read_to_string(&first).unwrap();

    let one: serde_json::Value = serde_json::from_str(&kubeconfig::extract(&paths, "one").unwrap()).unwrap();
    let cluster = &one["clusters"][0]["cluster"];
    assert_eq!(cluster["server"], "https://one", "the first file wins");
    assert_eq!(cluster["certificate-authority-data"], BASE64_STANDARD.encode("authority"));
    assert!(cluster["certificate-authority"].is_null());
    assert_eq!(one["users"][0]["user"]["exec"]["command"], "get-token");
    assert_eq!((one["contexts"].as_array().unwrap().len(), &one["current-context"]), (1, &"one".into()));
    assert_eq!(std::fs::read_to_string(&first).unwrap(), before);

    let two: serde_json::Value = serde_json::from_str(&kubeconfig::extract(&paths, "two").unwrap()).unwrap();
    assert_eq!(two["users"][0]["user"]["token"], "t");
    let failure = kubeconfig::extract(&paths, "twp").unwrap_err();
    assert_eq!((failure.kind, &failure.causes[0][..]), (Kind::Requirement, "known contexts: one, two"));
}
