//! Runs a command in a container of a pod, by the API server and its kubelet; no tool on this host is needed.

use super::Cluster;
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

/// How a command in a container ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executed {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it printed as errors.
    pub stderr: String,
}

impl Cluster {
    /// Runs a command to its end and reads all that it prints. `input` is what it reads; servers before Kubernetes 1.30 do not tell
    /// it that the input is over, so that it has to end by what it has read. The caller sets the deadline.
    ///
    /// # Errors
    /// The pod or its container is not there or does not run, or the program is not in the image. A command that ends with
    /// another code than 0 is no error.
    pub async fn exec(&self, pod: &ObjectRef, container: &str, argv: &[&str], input: Option<&str>) -> Result<Executed> {
        let params = AttachParams::default().container(container).stdin(input.is_some());
        let mut process = self.attach(pod, argv, &params).await?;
        let (stdin, out, err) = (process.stdin(), process.stdout(), process.stderr());
        let status = process.take_status();
        let write = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // A command that ends without reading everything is judged by how it ended.
                let _ = stdin.write_all(input.as_bytes()).await;
                let _ = stdin.shutdown().await;
            }
        };
        let (stdout, stderr, ()) = futures::join!(all(out), all(err), write);
        let status = match status {
            Some(status) => status.await,
            None => None,
        };
        let what = || format!("the command {} in {pod}", argv.join(" "));
        let status = status.ok_or_else(|| {
            Failure::step(format!("{} was cut off", what())).cause("the connection ended before the command did")
        })?;
        let code = exit_code(&status)
            .ok_or_else(|| Failure::step(format!("cannot run {}", what())).cause(status.message.unwrap_or_default()))?;
        Ok(Executed { code, stdout, stderr })
    }

    /// Starts a command in a container.
    pub(super) async fn attach(
        &self,
        pod: &ObjectRef,
        argv: &[&str],
        params: &AttachParams,
    ) -> Result<AttachedProcess> {
        let pods: Api<Pod> = Api::namespaced(self.inner.client.clone(), pod.namespace.as_deref().unwrap_or("default"));
        let process = pods.exec(&pod.name, argv.iter().copied(), params).await;
        process.map_err(|error| Failure::step(format!("cannot run {} in {pod}", argv.join(" "))).caused_by(error))
    }
}

async fn all(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What was read until the connection broke is all there is; the missing status tells that it broke.
        let _ = stream.read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The exit code that a status stands for; none when the command could not be started.
pub(super) fn exit_code(status: &Status) -> Option<i32> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    let mut codes = causes.filter(|cause| cause.reason.as_deref() == Some("ExitCode"));
    codes.next()?.message.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn exit_codes_of_statuses() {
        let code = |status| exit_code(&serde_json::from_value(status).unwrap());
        let ended = json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}});
        assert_eq!(code(json!({"status": "Success"})), Some(0));
        assert_eq!(code(ended), Some(3));
        assert_eq!(code(json!({"status": "Failure", "message": "no such file"})), None);
    }
}
