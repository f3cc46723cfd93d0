//! Downloads over https. What comes is worth nothing before its sha256 is compared: a caller knows which one it must have.

use crate::error::{Failure, Result};
use crate::model::address;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig};

/// Longest answer, in bytes. The largest thing that is downloaded, a binary of kind, has less than half of it.
const MAX_BYTES: u64 = 16 << 20;
/// For the whole download, redirects included.
const TIMEOUT: Duration = Duration::from_secs(120);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The bytes at an address, which must be https (or http on this host). Redirects are followed, to https only; proxies are taken
/// from the environment, trusted authorities from the operating system.
pub fn fetch(url: &str) -> Result<Vec<u8>> {
    let failed = |cause: String| Failure::requirement(format!("cannot download {url}")).cause(cause);
    if !address::is_safe(url) {
        return Err(failed("only addresses that begin with https:// are downloaded from".into()));
    }
    let hint = "download it yourself, where that works, and name the file instead";
    let mut response = agent(url).get(url).call().map_err(|error| failed(reason(error)).hint(hint))?;
    let body = response.body_mut().with_config().limit(MAX_BYTES).read_to_vec();
    body.map_err(|error| failed(reason(error)).hint(hint))
}

/// The bytes at an address, if they have this sha256.
pub fn verified(url: &str, sha256: &str) -> Result<Vec<u8>> {
    let bytes = fetch(url)?;
    let sum = self::sha256(&bytes);
    if sum == sha256 {
        return Ok(bytes);
    }
    Err(Failure::step(format!("what is at {url} is not what it should be"))
        .cause(format!("its sha256 is {sum}, and not {sha256}"))
        .hint("a proxy may have changed it: try another network, or install it yourself"))
}

/// The sha256 of some bytes, as 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How what is encrypted is trusted: by the operating system's authorities.
pub fn tls() -> TlsConfig {
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}

fn agent(url: &str) -> Agent {
    let encrypted = url.starts_with("https://");
    let config = Config::builder();
    // What is not encrypted is on this host, where no proxy leads to.
    let config = if encrypted { config } else { config.proxy(None) };
    config
        .https_only(encrypted)
        .tls_config(tls())
        .timeout_global(Some(TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .user_agent(concat!("iris-lab/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// Why it failed, in words for people.
fn reason(error: ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(code) => format!("the server answered with status {code}"),
        ureq::Error::HostNotFound => "the host is not known: is there a network?".into(),
        ureq::Error::Timeout(ureq::Timeout::Connect) => {
            format!("the server did not answer within {} s", CONNECT_TIMEOUT.as_secs())
        }
        ureq::Error::Timeout(_) => format!("it was not there within {} s", TIMEOUT.as_secs()),
        ureq::Error::BodyExceedsLimit(_) => format!("it has more than {} MiB", MAX_BYTES >> 20),
        ureq::Error::RequireHttpsOnly(to) => format!("it redirects to {to}, which is not https"),
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
