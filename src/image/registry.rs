//! An image registry, by its HTTP API (version 2): whether it answers, what it has of an image, and what it holds. It is only read: docker
//! pushes.

use crate::download::tls;
use crate::error::{Failure, Result};
use crate::model::RegistrySeen;
use crate::model::image::{pushed_as, registry};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::ErrorKind;
use std::time::Duration;
use ureq::Agent;
use ureq::config::Config;

/// For one question.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer, in bytes: a manifest has a few thousand.
const MAX_BYTES: u64 = 4 << 20;
/// The kinds of manifest that clusters pull: of an image, and of one that has an image for each platform.
const MANIFESTS: &str = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json";

/// What a registry holds, or what it is instead.
pub type Listed = std::result::Result<Vec<Tagged>, RegistrySeen>;

/// A tag in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// The image, as pods name it.
    pub image: String,
    /// The digest of its manifest.
    pub digest: Option<String>,
}

/// Looks for an image in its registry.
pub async fn look(image: &str) -> Result<RegistrySeen> {
    let image = image.to_string();
    aside(move || look_now(&image)).await
}

/// All that a registry holds, by name and tag; what it is instead, where it does not say.
pub async fn list(host: &str) -> Result<Listed> {
    let host = host.to_string();
    aside(move || list_now(&host)).await
}

/// Asks beside everything else that runs: the questions block until there is an answer.
async fn aside<T: Send + 'static>(ask: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let answer = tokio::task::spawn_blocking(ask).await;
    answer.map_err(|error| Failure::step("cannot ask the image registry").caused_by(error))
}

fn look_now(image: &str) -> RegistrySeen {
    let server = Server::of(image);
    if let Err(seen) = server.answers() {
        return seen;
    }
    let name = registry(image).1;
    let (name, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
    match server.get(&format!("/v2/{name}/manifests/{tag}")) {
        Ok((200, body)) => {
            let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
            let manifest: Value = serde_json::from_slice(&body).unwrap_or_default();
            let config = manifest.pointer("/config/digest").and_then(Value::as_str).map(String::from);
            RegistrySeen::Answers { digest: Some(format!("sha256:{digest}")), config }
        }
        Ok((404, _)) => RegistrySeen::Answers { digest: None, config: None },
        Ok((status, _)) => {
            RegistrySeen::Other(format!("it answers with status {status} when it is asked for {name}:{tag}"))
        }
        Err(seen) => seen,
    }
}

fn list_now(host: &str) -> Listed {
    let server = Server::of(&format!("{host}/"));
    server.answers()?;
    let mut all = Vec::new();
    for name in texts(&server, "/v2/_catalog?n=1000", "repositories")? {
        for tag in texts(&server, &format!("/v2/{name}/tags/list"), "tags")? {
            let image = format!("{host}/{name}:{tag}");
            let digest = look_now(&image).digest().map(String::from);
            all.push(Tagged { image, digest });
        }
    }
    Ok(all)
}

/// A list of texts; none where it knows nothing of the kind.
fn texts(server: &Server, path: &str, key: &str) -> std::result::Result<Vec<String>, RegistrySeen> {
    let body = match server.get(path) {
        Ok((200, body)) => body,
        Ok((404, _)) => return Ok(Vec::new()),
        Ok((status, _)) => {
            return Err(RegistrySeen::Other(format!("it answers with status {status} when it is asked for {key}")));
        }
        Err(seen) => return Err(seen),
    };
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(answer[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect())
}

struct Server {
    base: String,
    agent: Agent,
}

impl Server {
    /// The server of an image's registry. On this host it is not encrypted, as docker and containerd take it.
    fn of(image: &str) -> Self {
        let address = pushed_as(image);
        let host = registry(&address).0;
        let local = host.starts_with("127.") || host.split(':').next() == Some("localhost");
        let config = Config::builder();
        let config = if local { config.proxy(None) } else { config };
        let agent = config
            .http_status_as_error(false)
            .https_only(!local)
            .tls_config(tls())
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("iris-lab/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Server { base: format!("{}://{host}", if local { "http" } else { "https" }), agent }
    }

    /// Whether a registry answers that lets us in.
    fn answers(&self) -> std::result::Result<(), RegistrySeen> {
        match self.get("/v2/") {
            // A registry answers with an empty object; a page of something else is none.
            Ok((200, body)) if body.trim_ascii().is_empty() || body.trim_ascii() == b"{}" => Ok(()),
            Ok((401 | 403, _)) => Err(RegistrySeen::Other("it wants a login, which iris-lab has not".into())),
            Ok((status, _)) => {
                Err(RegistrySeen::Other(format!("what answers there is no image registry (status {status} for /v2/)")))
            }
            Err(seen) => Err(seen),
        }
    }

    /// The status and the body of an answer; what there is instead.
    fn get(&self, path: &str) -> std::result::Result<(u16, Vec<u8>), RegistrySeen> {
        let answer = self.agent.get(format!("{}{path}", self.base)).header("Accept", MANIFESTS).call();
        let mut answer = answer.map_err(reason)?;
        let body = answer.body_mut().with_config().limit(MAX_BYTES).read_to_vec().map_err(reason)?;
        Ok((answer.status().as_u16(), body))
    }
}

fn reason(error: ureq::Error) -> RegistrySeen {
    RegistrySeen::Silent(match error {
        ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => "nothing listens there".into(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => "the host is not known".into(),
        ureq::Error::Timeout(_) => format!("it said nothing for {} s", TIMEOUT.as_secs()),
        other => return RegistrySeen::Other(format!("it does not speak HTTP as a registry does: {other}")),
    })
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
