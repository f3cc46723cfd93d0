//! What is asked of an IRIS instance, by commands in its container: a merge, a session, how large its file systems are.

use super::{Cluster, Executed};
use crate::error::{Failure, Result};
use crate::model::ObjectRef;

/// Name of the instance in every image.
const INSTANCE: &str = "IRIS";
/// Where a merge file is for as long as it is merged.
const MERGE_FILE: &str = "/tmp/iris-lab-merge.cpf";

impl Cluster {
    /// Merges a text into the configuration of a running instance, at once. The text is on no command line.
    ///
    /// # Errors
    /// The instance says that it could not do all of it. What it says may repeat the text.
    pub async fn merge(&self, pod: &ObjectRef, container: &str, text: &str) -> Result<()> {
        // It ends by itself: servers before Kubernetes 1.30 do not tell a command that its input is over.
        let (file, count) = (format!("of={MERGE_FILE}"), format!("count={}", text.len()));
        let written = self.exec(pod, container, &["dd", &file, "bs=1", &count], Some(text)).await?;
        succeeded(pod, "write a merge file", &written)?;
        let merged = self.exec(pod, container, &["iris", "merge", INSTANCE, MERGE_FILE], None).await;
        // What the merge says comes first: a file that stays goes with the pod.
        let _ = self.exec(pod, container, &["rm", "-f", MERGE_FILE], None).await;
        let merged = merged?;
        succeeded(pod, "merge", &merged)?;
        match said(&merged).lines().find(|line| line.contains("ERROR #")) {
            Some(line) => Err(Failure::step(format!("{} did not merge all of it", pod.name)).cause(line.trim())),
            None => Ok(()),
        }
    }

    /// What a session in the namespace %SYS prints for these lines, each of which is carried out as if it were typed; the last one has
    /// to end the session. It needs no password: whoever may run a command in the container is its owner.
    pub async fn session(&self, pod: &ObjectRef, container: &str, lines: &str) -> Result<String> {
        let executed = self.exec(pod, container, &["iris", "session", INSTANCE, "-U", "%SYS"], Some(lines)).await?;
        Ok(executed.stdout)
    }

    /// Size of the file system at a path, in bytes.
    pub async fn room(&self, pod: &ObjectRef, container: &str, path: &str) -> Result<u64> {
        let executed = self.exec(pod, container, &["df", "-P", "-k", path], None).await?;
        succeeded(pod, "look at its file systems", &executed)?;
        blocks(&executed.stdout).map(|blocks| blocks * 1024).ok_or_else(|| {
            Failure::step(format!("{} does not say how large {path} is", pod.name)).cause(said(&executed))
        })
    }
}

/// The 1024-byte blocks in the one line of `df -P -k` below its head.
fn blocks(output: &str) -> Option<u64> {
    output.lines().nth(1)?.split_whitespace().nth(1)?.parse().ok()
}

fn succeeded(pod: &ObjectRef, what: &str, executed: &Executed) -> Result<()> {
    match executed.code {
        0 => Ok(()),
        code => Err(Failure::step(format!("cannot {what} in {}: the command ended with {code}", pod.name))
            .cause(said(executed))),
    }
}

/// What a command printed, errors first.
fn said(executed: &Executed) -> String {
    let text = format!("{}\n{}", executed.stderr.trim(), executed.stdout.trim());
    text.trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_gnu_and_busybox_alike() {
        let head = "Filesystem     1024-blocks   Used Available Capacity Mounted on\n";
        assert_eq!(
            blocks(&format!("{head}/dev/longhorn/pvc-1    10218772  24  10202364       1% /vol-data\n")),
            Some(10_218_772)
        );
        assert_eq!(blocks("df: /x: can't find mount point\n"), None);
    }
}
