//! What an explanation looks at beyond a status: every warning, the logs, the addresses that are given, and what is in Longhorn's way.

use super::{lb_ranges, load_balancer};
use crate::cluster::{Cluster, Selector};
use crate::error::Result;
use crate::model::facts::{Details, Log};
use crate::model::longhorn::chain;
use crate::model::object::{list, name, text};
use crate::model::{Facts, WaitFor};
use futures::future::join_all;
use serde_json::Value;

/// Adds it to the facts of a lab, read side by side. What cannot be read is noted there, and no failure.
pub async fn details(cluster: &Cluster, namespace: &str, facts: &mut Facts) {
    let selector = Selector::fields("type=Warning");
    let (warnings, given, balancer, ranges, logs, longhorn) = futures::join!(
        cluster.list("v1", "Event", Some(namespace), &selector),
        given(cluster),
        load_balancer(cluster, &facts.nodes),
        lb_ranges(cluster),
        logs(cluster, namespace, &facts.pods),
        in_longhorns_way(cluster, facts),
    );
    let mut unread = Vec::new();
    let (logs, silent): (Vec<_>, Vec<_>) = logs.into_iter().partition(Result::is_ok);
    unread.extend(silent.into_iter().filter_map(Result::err).map(|failure| failure.to_string()));
    facts.warnings = kept(warnings, &mut unread).unwrap_or_default();
    facts.load_balancer = kept(balancer, &mut unread).flatten();
    facts.lb_ranges = kept(ranges, &mut unread).flatten();
    facts.details = Details {
        logs: logs.into_iter().flatten().collect(),
        addresses: kept(given, &mut unread),
        longhorn: kept(longhorn, &mut unread).unwrap_or_default(),
        unread,
    };
}

fn kept<T>(read: Result<T>, unread: &mut Vec<String>) -> Option<T> {
    read.map_err(|failure| unread.push(failure.to_string())).ok()
}

/// The addresses that Services have.
async fn given(cluster: &Cluster) -> Result<Vec<String>> {
    let services = cluster.list("v1", "Service", None, &Selector::default()).await?;
    let ingress = services.iter().flat_map(|service| list(service, "/status/loadBalancer/ingress"));
    Ok(ingress.map(|ingress| text(ingress, "/ip").to_string()).filter(|address| !address.is_empty()).collect())
}

/// The logs of all containers that ever ran, and of their runs before.
pub async fn logs(cluster: &Cluster, namespace: &str, pods: &[Value]) -> Vec<Result<Log>> {
    let runs =
        pods.iter().flat_map(|pod| runs(pod).into_iter().map(move |(container, previous)| (pod, container, previous)));
    let reads = runs.map(|(pod, container, previous)| async move {
        let text = cluster.whole_log(namespace, name(pod), &container, previous).await?;
        Ok(Log { pod: name(pod).into(), container, previous, text })
    });
    join_all(reads).await
}

/// The runs of a pod's containers that may have printed something: the container, and whether it is the one before.
fn runs(pod: &Value) -> Vec<(String, bool)> {
    let statuses = list(pod, "/status/initContainerStatuses").chain(list(pod, "/status/containerStatuses"));
    let of = |status: &Value| {
        let ran = |state: &str| status[state]["terminated"].is_object() || status[state]["running"].is_object();
        let own = text(status, "/name").to_string();
        [("state", false), ("lastState", true)]
            .into_iter()
            .filter(move |(state, _)| ran(state))
            .map(move |(_, previous)| (own.clone(), previous))
            .collect::<Vec<_>>()
    };
    statuses.flat_map(of).collect()
}

/// Why Longhorn is not usable, in words; nothing while it is, or is on its way out.
async fn in_longhorns_way(cluster: &Cluster, facts: &Facts) -> Result<Vec<String>> {
    let Some(seen) = facts.longhorn.as_ref().filter(|seen| !seen.is_terminating()) else { return Ok(Vec::new()) };
    match chain::broken(seen, &facts.storage_classes) {
        Some((link, _)) => cluster.why(&WaitFor::Longhorn { link }).await,
        None => Ok(Vec::new()),
    }
}
