//! kind: the program, and its clusters. Whether one is there is seen as Docker has its nodes, which needs no kind.

use super::docker;
use crate::error::Result;
use crate::exec::{Machine, Output, ask};
use crate::model::host::Kind;
use std::path::Path;

/// Whether any node of a cluster is there. kind marks its containers with the cluster's name.
pub(super) async fn has(machine: &dyn Machine, name: &str) -> Result<bool> {
    let filter = format!("label=io.x-k8s.kind.cluster={name}");
    lists(machine, &["ps", "--all", "--quiet", "--filter", &filter]).await
}

/// Whether the control plane of a cluster runs.
pub(super) async fn runs(machine: &dyn Machine, name: &str) -> Result<bool> {
    let cluster = format!("label=io.x-k8s.kind.cluster={name}");
    let role = "label=io.x-k8s.kind.role=control-plane";
    lists(machine, &["ps", "--quiet", "--filter", &cluster, "--filter", role]).await
}

/// Whether Docker lists any container.
async fn lists(machine: &dyn Machine, args: &[&str]) -> Result<bool> {
    if machine.find("docker").is_none() {
        return Ok(false);
    }
    let output = ask(machine, "docker", args).await?;
    match output.ok() {
        true => Ok(!output.stdout.trim().is_empty()),
        false => Err(docker::failure(&output, args)),
    }
}

/// What it says of itself: the one on PATH, or the one that we downloaded.
pub(super) async fn kind(machine: &dyn Machine, cache: &Path) -> Result<Option<Kind>> {
    let cached = Kind::cached(cache).display().to_string();
    let program = match machine.find("kind") {
        Some(_) => "kind".to_string(),
        None if machine.exists(&cached) => cached,
        None => return Ok(None),
    };
    let (version, clusters) =
        futures::try_join!(ask(machine, &program, &["version"]), ask(machine, &program, &["get", "clusters"]))?;
    let (clusters, unreadable) = match clusters.ok() {
        true => (names(&clusters), None),
        false => (Vec::new(), Some(clusters.text())),
    };
    Ok(Some(Kind { program, version: release(&version), clusters, unreadable }))
}

/// `kind v0.22.0 go1.20.13 linux/amd64`
fn release(output: &Output) -> String {
    output.stdout.split_whitespace().find(|word| word.starts_with('v')).unwrap_or_default().to_string()
}

/// One name a line. That there is none is said on the other stream.
fn names(output: &Output) -> Vec<String> {
    output.stdout.lines().map(str::trim).filter(|line| !line.is_empty()).map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::scripted::{Answer, Script, Scripted};

    async fn seen(commands: &[(&str, i32, &str, &str)]) -> Option<Kind> {
        kind(&Scripted::saying(commands), Path::new("/cache")).await.unwrap()
    }

    const VERSION: (&str, i32, &str, &str) = ("kind version", 0, "kind v0.22.0 go1.20.13 linux/amd64\n", "");

    #[tokio::test]
    async fn that_there_is_no_cluster_is_said_on_stderr() {
        let none = seen(&[VERSION, ("kind get clusters", 0, "", "No kind clusters found.\n")]).await.unwrap();
        assert_eq!((none.version.as_str(), none.clusters.len(), none.unreadable), ("v0.22.0", 0, None));
        let two = seen(&[VERSION, ("kind get clusters", 0, "kind\ntwo-pod\n", "")]).await.unwrap();
        assert_eq!(two.clusters, ["kind", "two-pod"]);
    }

    #[tokio::test]
    async fn without_docker_its_clusters_are_unknown_and_not_absent() {
        let said = "ERROR: failed to list clusters: command \"docker ps -a --filter label=io.x-k8s.kind.cluster --format \
                    '{{.Label \"io.x-k8s.kind.cluster\"}}'\" failed with error: exit status 1\n\nCommand Output: Cannot connect to \
                    the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n";
        let dead = seen(&[VERSION, ("kind get clusters", 1, "", said)]).await.unwrap();
        assert!(dead.unreadable.unwrap().contains("Cannot connect to the Docker daemon"));
    }

    #[tokio::test]
    async fn one_in_our_cache_is_taken_where_none_is_installed() {
        assert_eq!(seen(&[]).await, None);
        let program = "/cache/kind-v0.22.0";
        let mut script = Script::default();
        script.files.insert(program.into(), String::new());
        let answer = |out: &str| vec![Answer { out: out.into(), ..Answer::default() }];
        script.commands.insert(format!("{program} version"), answer("kind v0.22.0 go1.20.13 linux/amd64\n"));
        script.commands.insert(format!("{program} get clusters"), answer(""));
        let seen = kind(&Scripted::new(script), Path::new("/cache")).await.unwrap().unwrap();
        assert_eq!(seen.program, program);
    }
}
