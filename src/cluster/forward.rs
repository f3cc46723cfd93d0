//! Carries a connection of this host to a port of a pod.

use super::Cluster;
use super::error::ApiError;
use crate::error::Result;
use crate::model::ObjectRef;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a client that has said all may wait for the next byte of the answer.
const LINGER: Duration = Duration::from_secs(60);

/// A connection to a port of a pod.
pub struct Forward {
    forwarder: Portforwarder,
    port: u16,
}

impl Cluster {
    /// Connects to a port of a pod, patiently.
    pub async fn forward(&self, pod: &ObjectRef, port: u16) -> Result<Forward> {
        let pods: Api<Pod> = Api::namespaced(self.inner.client.clone(), pod.namespace.as_deref().unwrap_or("default"));
        let ports = [port];
        let connect = || async { pods.portforward(&pod.name, &ports).await.map_err(ApiError::of_upgrade) };
        let forwarder = self.patiently(connect).await;
        let forwarder = forwarder.map_err(|error| self.failure(&format!("connect to port {port} of {pod}"), &error))?;
        Ok(Forward { forwarder, port })
    }
}

impl Forward {
    /// Carries all that both sides say until one of them ends.
    ///
    /// # Errors
    /// Why nobody answers at the port. A side that goes away is no error.
    pub async fn carry(mut self, client: impl AsyncRead + AsyncWrite) -> std::result::Result<(), String> {
        let refused = self.forwarder.take_error(self.port);
        let refused = async {
            match refused {
                Some(refused) => match refused.await {
                    Some(why) => why,
                    None => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        };
        let Some(pod) = self.forwarder.take_stream(self.port) else { return Ok(()) };
        tokio::select! {
            // Both may be so at once: then the pod was reached, and said why it ends.
            biased;
            why = refused => Err(why),
            // A side that goes away in the middle concerns nobody but the two.
            _ = exchange(client, pod) => Ok(()),
        }
    }
}

/// Copies in both directions. A client that only has said all still gets its answer: to the server, its end would be that of the
/// connection.
async fn exchange(client: impl AsyncRead + AsyncWrite, pod: impl AsyncRead + AsyncWrite) -> io::Result<()> {
    let ((mut asks, mut hears), (mut answers, mut gets)) = (split(client), split(pod));
    let (said_all, woken) = (AtomicBool::new(false), Notify::new());
    let up = async {
        copy(&mut asks, &mut gets).await?;
        said_all.store(true, Ordering::Relaxed);
        woken.notify_one();
        std::future::pending::<io::Result<()>>().await
    };
    let down = async {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let read = answers.read(&mut buffer);
            let count = match said_all.load(Ordering::Relaxed) {
                true => timeout(LINGER, read).await.unwrap_or(Ok(0))?,
                false => tokio::select! {
                    count = read => count?,
                    () = woken.notified() => continue,
                },
            };
            if count == 0 {
                return hears.shutdown().await;
            }
            hears.write_all(&buffer[..count]).await?;
        }
    };
    let (up, down) = (pin!(up), pin!(down));
    futures::future::select(up, down).await.factor_first().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    #[tokio::test]
    async fn a_client_that_has_said_all_gets_its_answer() {
        let ((mut client, local), (remote, mut pod)) = (duplex(64), duplex(64));
        let carried = exchange(local, remote);
        let talk = async {
            client.write_all(b"question").await.unwrap();
            client.shutdown().await.unwrap();
            let mut asked = [0; 8];
            pod.read_exact(&mut asked).await.unwrap();
            pod.write_all(b"answer").await.unwrap();
            drop(pod);
            let mut heard = String::new();
            client.read_to_string(&mut heard).await.unwrap();
            heard
        };
        let (carried, heard) = futures::join!(carried, talk);
        assert_eq!((carried.is_ok(), heard.as_str()), (true, "answer"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_gone_does_not_hold_the_connection_for_ever() {
        let ((client, local), (remote, _pod)) = (duplex(64), duplex(64));
        drop(client);
        assert!(exchange(local, remote).await.is_ok());
    }
}
