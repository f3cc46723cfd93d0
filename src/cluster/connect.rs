//! Connects to the one cluster that a kubeconfig's context names.

use super::error::ApiError;
use super::request::Call;
use super::{Cluster, Inner, certificate, kubeconfig};
use crate::error::{Failure, Result};
use crate::model::sim::COMPILER;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The minor release of Kubernetes since which the input of a command in a container has an end.
const STREAMS_END: u32 = 30;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request is tried again while nothing comes of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a server is waited for that has only just been started: its caller's deadline is shorter.
const BEGINNING: Duration = Duration::from_secs(60 * 60);

impl Cluster {
    /// Connects by a kubeconfig's context, or its current one, and asks for the version: one request.
    pub async fn connect(kubeconfig: &Path, context: Option<&str>) -> Result<Cluster> {
        let origin = kubeconfig.display().to_string();
        Self::connect_with(kubeconfig::read(kubeconfig)?, context, &origin, false).await
    }

    /// The same by the text of a kubeconfig, such as [`kubeconfig::extract`] makes it.
    pub async fn from_text(text: &str) -> Result<Cluster> {
        Self::connect_with(kubeconfig::parse(text)?, None, "your kubeconfig", false).await
    }

    /// The same for a cluster that has only just been started: its server is waited for.
    pub async fn awaited(text: &str) -> Result<Cluster> {
        Self::connect_with(kubeconfig::parse(text)?, None, "the new kubeconfig", true).await
    }

    async fn connect_with(file: Kubeconfig, context: Option<&str>, origin: &str, begins: bool) -> Result<Cluster> {
        let context = kubeconfig::context(&file, context, origin)?;
        let unusable = |error: anyhow::Error| {
            let failure = Failure::requirement(format!("the context {context} in {origin} is not usable"))
                .cause(error.root_cause());
            match error.downcast_ref() {
                Some(kube::Error::ProxyProtocolDisabled { .. } | kube::Error::ProxyProtocolUnsupported { .. }) => {
                    failure.hint("connections through a proxy are not supported: put the server's host into NO_PROXY")
                }
                _ => failure.hint("take a new kubeconfig from the cluster"),
            }
        };
        let config = config(file, &context).await.map_err(&unusable)?;
        let server = config.cluster_url.to_string().trim_end_matches('/').to_string();
        let expires = client_certificate(&config).and_then(|der| certificate::not_after(&der));
        let client = ClientBuilder::try_from(config).map_err(|error| unusable(error.into()))?;
        Self::greet(client.build(), server, expires, begins).await
    }

    /// Asks for the server's version, so that what is wrong shows before anything else is tried.
    async fn greet(
        client: Client,
        server: String,
        client_expires: Option<jiff::Timestamp>,
        begins: bool,
    ) -> Result<Cluster> {
        let patience = if begins { BEGINNING } else { PATIENCE };
        let mut cluster = Cluster::over(client, server, client_expires, patience);
        cluster.inner.answered.store(begins, Ordering::Relaxed);
        let version = cluster.send(&Call::get("/version")).await;
        let version = version.map_err(|error| match error.code() {
            Some(code @ (400 | 404..=428)) => cluster.stranger(&format!("it answered {code}: {}", error.text())),
            _ if matches!(error, ApiError::Unreadable(_)) => cluster.stranger(&error.text()),
            _ => cluster.failure("read the server's version", &error),
        })?;
        let ends_input = version["compiler"] == COMPILER || minor(&version) >= STREAMS_END;
        let Some(version) = version["gitVersion"].as_str() else {
            return Err(cluster.stranger("its answer to /version holds no gitVersion"));
        };
        let inner = Arc::get_mut(&mut cluster.inner).map(|inner| {
            inner.version = version.to_string();
            inner.ends_input = ends_input;
            inner.patience = PATIENCE;
        });
        debug_assert!(inner.is_some(), "nobody else holds it yet");
        Ok(cluster)
    }

    fn stranger(&self, cause: &str) -> Failure {
        Failure::requirement(format!("{} is no Kubernetes API server", self.server()))
            .cause(cause)
            .hint("check the server's address in the kubeconfig")
    }

    pub(super) fn over(
        client: Client,
        server: String,
        client_expires: Option<jiff::Timestamp>,
        patience: Duration,
    ) -> Cluster {
        let inner = Inner {
            client,
            server,
            version: String::new(),
            ends_input: false,
            client_expires,
            patience,
            answered: AtomicBool::default(),
            requests: Default::default(),
            kinds: Default::default(),
        };
        Cluster { inner: Arc::new(inner) }
    }
}

/// The minor release of a server: 24 of `v1.24.17`, 0 when it tells none.
fn minor(version: &Value) -> u32 {
    let numbers = version["gitVersion"].as_str().and_then(|version| version.split('.').nth(1));
    numbers.and_then(|minor| minor.parse().ok()).unwrap_or_default()
}

async fn config(file: Kubeconfig, context: &str) -> anyhow::Result<Config> {
    let proxy = file.clusters.iter().find_map(|named| {
        let of_context = file.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
        (named.name == of_context.cluster).then(|| named.cluster.as_ref()?.proxy_url.clone()).flatten()
    });
    let options = KubeConfigOptions { context: Some(context.to_string()), ..Default::default() };
    let mut config = Config::from_custom_kubeconfig(file, &options).await?;
    config.connect_timeout = Some(CONNECT);
    config.default_retry = false;
    // A proxy of the environment cannot reach what runs on this machine or what NO_PROXY names.
    if proxy.is_none_or(|proxy| proxy.is_empty()) && direct(config.cluster_url.host().unwrap_or_default()) {
        config.proxy_url = None;
    }
    Ok(config)
}

/// Whether a host is reached without the proxy of the environment.
fn direct(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    if bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()) {
        return true;
    }
    let list = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let suffix = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || bare == suffix || bare.strip_suffix(suffix).is_some_and(|front| front.ends_with('.'))
    })
}

fn client_certificate(config: &Config) -> Option<Vec<u8>> {
    use base64::Engine;
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let auth = &config.auth_info;
    let pem = match (&auth.client_certificate_data, &auth.client_certificate) {
        (Some(data), _) => base64::prelude::BASE64_STANDARD.decode(data.trim()).ok()?,
        (None, Some(path)) => std::fs::read(path).ok()?,
        (None, None) => return None,
    };
    CertificateDer::from_pem_slice(&pem).ok().map(|der| der.to_vec())
}
