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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::mock::{Answer, cluster};
    use serde_json::json;

    #[tokio::test]
    async fn logs_of_both_runs_are_read_and_what_may_not_be_read_is_noted() {
        let (cluster, _) = cluster(|asked| match asked.path.rsplit('/').next() {
            Some("events") => Answer::error(403, "Forbidden", "bob cannot list"),
            Some("services") => Answer::list(
                vec![
                    json!({ "metadata": { "name": "web" }, "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.9" }] } } }),
                ],
                "1",
            ),
            Some("log") if asked.query.contains("previous=true") => Answer::error(400, "BadRequest", "not found"),
            Some("log") => Answer::Now(200, "a line".into()),
            _ => Answer::missing(),
        });
        let ran = json!([{ "name": "iris", "state": { "running": {} }, "lastState": { "terminated": {} } }]);
        let fresh = json!([{ "name": "iris", "state": { "waiting": {} }, "lastState": {} }]);
        let pod = |name: &str, statuses: &Value| json!({ "metadata": { "name": name }, "status": { "containerStatuses": statuses } });
        let mut facts = Facts { pods: vec![pod("data-0", &ran), pod("data-2", &fresh)], ..Facts::default() };
        details(&cluster, "lab", &mut facts).await;
        let read: Vec<_> = facts.details.logs.iter().map(|log| (log.source(), log.text.as_str())).collect();
        assert_eq!(read[1], ("log of data-0/iris, the run before".to_string(), ""));
        assert!(read.len() == 2 && read[0].1.contains("a line"), "{read:?}");
        assert_eq!(facts.details.addresses.as_deref(), Some(&["10.0.0.9".to_string()][..]));
        assert_eq!(facts.details.unread, ["not allowed to list events in namespace lab: bob cannot list"]);
    }
}
