//! Looks at the nodes of a cluster that is there, when the user agrees: by a short-lived pod on each, which is removed whatever
//! happens.

use super::request::Request;
use super::run::{interrupted, lock, release};
use crate::cluster::{Cluster, Probed};
use crate::error::{Failure, Kind, Result};
use crate::exec::scripted::{Script, Scripted};
use crate::host;
use crate::model::object::{FIELD_MANAGER, MANAGED_BY, is_ready};
use crate::model::{Check, Facts, HostFacts};
use crate::plan::{Case, probe};
use crate::ui::Ui;
use crate::yaml;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// The longest time until every node has been looked at: its image may have to be pulled.
const LIMIT: Duration = Duration::from_secs(180);
/// The longest time until the pods are gone.
const REMOVAL: Duration = Duration::from_secs(120);

/// The checks on every node. Nothing is made unless the user agrees.
pub async fn probe_nodes(
    ui: &Ui,
    request: &Request,
    cluster: &Cluster,
    facts: &Facts,
    image: Option<&str>,
    yes: bool,
) -> Result<Vec<Check>> {
    let objects = probe::objects(&request.lab.metadata.name, image)?;
    if !yes && !request.provider.is_simulated() {
        let count = facts.nodes.iter().filter(|node| is_ready(node)).count();
        let image = probe::image(&objects);
        let what = format!(
            "This runs a privileged pod of {image} on each of the {count} nodes of {}, which reads what Longhorn needs there and \
             is removed again",
            cluster.server()
        );
        ui.confirm_typed(&what, "yes")?;
    }
    let held = lock(cluster, request.provider, "probe").await?;
    let probed = probed(ui, cluster, &objects).await;
    release(ui, held).await;
    let mut checks = Vec::new();
    for (node, report) in probed? {
        match recorded(report).await {
            Ok(host) => {
                let case = Case {
                    lab: &request.lab,
                    provider: request.provider.name(),
                    kubernetes: cluster.version(),
                    host: &host,
                    made: &[],
                };
                checks.extend(probe::checks(&node, &case));
            }
            Err(failure) => checks.push(probe::unseen(&node, &failure.to_string())),
        }
    }
    Ok(checks)
}

/// What matters of a node, as its pod recorded it.
async fn recorded(report: std::result::Result<String, String>) -> Result<HostFacts> {
    host::node(&machine(&report.map_err(Failure::step)?)?).await
}

fn machine(log: &str) -> Result<Scripted> {
    yaml::parse::<Script>(probe::printed(log)).map(Scripted::new)
}

/// What each pod printed. They are removed before this returns, after Ctrl-C too.
async fn probed(ui: &Ui, cluster: &Cluster, objects: &[Value]) -> Result<Vec<Probed>> {
    remove(cluster).await?;
    let progress = |line: String| ui.note(line);
    let work = async {
        match timeout(LIMIT, cluster.probe(objects, &progress)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::not_ready(format!("the nodes were not looked at within {} s", LIMIT.as_secs()))
                .cause(format!("image {}", probe::image(objects)))
                .hint("name an image that the nodes have with --probe-image, such as one with BusyBox")),
        }
    };
    let result = tokio::select! {
        result = work => result,
        () = interrupted() => Err(Failure::new(Kind::Cancelled, "cancelled; the probe is removed")),
    };
    let removed = remove(cluster).await;
    let found = result?;
    removed.map(|()| found)
}

/// Removes the probe, of this run or of one that was killed, if it is ours.
async fn remove(cluster: &Cluster) -> Result<()> {
    let namespace = probe::namespace();
    let Some(live) = cluster.get(&namespace).await? else { return Ok(()) };
    if live["metadata"]["labels"][MANAGED_BY] != FIELD_MANAGER {
        return Err(Failure::requirement(format!("{namespace} is there, and not ours"))
            .hint(format!("if nobody needs it, remove it with `kubectl delete namespace {}`", namespace.name)));
    }
    let left = || {
        Failure::new(Kind::Left, format!("{namespace} is not gone within {} s", REMOVAL.as_secs()))
            .hint(format!("see what holds it with `iris-lab unstick {} --dry-run`", namespace.name))
    };
    timeout(REMOVAL, cluster.delete(std::slice::from_ref(&namespace), &|_| {})).await.map_err(|_| left())?.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file, path, program and command that the readers of a node ask for stands in the script of the probe: what it did not
    /// record would look as if it were not there.
    #[tokio::test]
    async fn the_probe_records_all_that_is_read_of_a_node() {
        let script = include_str!("../../manifests/probe.yaml");
        let log = "commands:\n  \"uname -srm\":\n  - code: 0\n    out: |4\n        Linux 5.15.0-105-generic x86_64\n\
                   files:\n  \"/proc/modules\": |6\n        iscsi_tcp 32768 0 - Live 0x0\npaths:\n- /\n- /usr/bin/systemctl\n";
        let recorded = Recorded { inner: machine(log).unwrap(), asked: Default::default() };
        let _ = host::node(&recorded).await;
        for asked in recorded.asked.into_inner() {
            assert!(script.contains(&asked), "{asked} is read, and not recorded");
        }
    }

    /// Notes what is asked of a machine that has every program.
    struct Recorded {
        inner: Scripted,
        asked: std::cell::RefCell<std::collections::BTreeSet<String>>,
    }

    impl crate::exec::Machine for Recorded {
        fn run<'a>(
            &'a self,
            cmd: &'a crate::model::Cmd,
            _: &'a dyn Fn(&str),
        ) -> futures::future::LocalBoxFuture<'a, Result<crate::exec::Output>> {
            // Which folder is looked at is the script's own to find.
            let line = if cmd.program == "df" { "df -PT".into() } else { cmd.line() };
            self.asked.borrow_mut().insert(line);
            Box::pin(std::future::ready(Ok(crate::exec::Output { code: Some(0), ..Default::default() })))
        }

        fn read(&self, path: &str) -> Result<Option<String>> {
            self.asked.borrow_mut().insert(path.into());
            self.inner.read(path)
        }

        fn exists(&self, path: &str) -> bool {
            self.asked.borrow_mut().insert(path.into());
            self.inner.exists(path)
        }

        fn find(&self, program: &str) -> Option<String> {
            self.asked.borrow_mut().insert(program.into());
            Some(format!("/usr/bin/{program}"))
        }

        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn answering<'a>(
            &'a self,
            _: &'a [std::net::Ipv4Addr],
        ) -> futures::future::LocalBoxFuture<'a, Result<Vec<std::net::Ipv4Addr>>> {
            Box::pin(std::future::ready(Ok(Vec::new())))
        }
    }
}
