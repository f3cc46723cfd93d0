//! Waits, by watch, for one link of the chain after which Longhorn is usable; names what is in the way, and gives up early on
//! what cannot come true.

use super::delete::say;
use super::discovery::Resource;
use super::{Cluster, Progress, Selector, watch::Follow};
use crate::error::{Failure, Result};
use crate::model::longhorn::{API_VERSION, KINDS, NAMESPACE};
use crate::model::pod::{self, State};
use crate::model::{Link, known};
use futures::future::{FutureExt, select_all, try_join_all};
use serde_json::Value;
use std::collections::BTreeMap;

/// Pods that one line names.
const NAMED: usize = 3;

/// The logs of pods that end again and again, each read once for every end: by pod, the number of restarts and the text.
type Logs = BTreeMap<String, (i64, String)>;

impl Cluster {
    /// Returns as soon as the link holds, with a line that says so.
    pub(super) async fn longhorn(&self, link: Link, progress: Progress<'_>) -> Result<String> {
        let kinds = link.kinds().iter().map(|(version, kind)| self.longhorn_kind(version, kind));
        let kinds = kinds.collect::<Result<Vec<_>>>()?;
        let mut followed =
            try_join_all(kinds.into_iter().map(|kind| self.follow(kind, Some(NAMESPACE), Selector::default()))).await?;
        // Pods and events are looked at only while it does not hold.
        let mut around: Option<(Follow, Follow)> = None;
        let (mut said, mut logs) = (String::new(), Logs::new());
        loop {
            let missing = match link.judge(&followed.iter().flat_map(Follow::items).collect::<Vec<_>>()) {
                Ok(line) => return Ok(line),
                Err(missing) => missing,
            };
            let Some((pods, events)) = &mut around else {
                let follow = |kind| async move {
                    self.follow(self.resource_of("v1", kind)?, Some(NAMESPACE), Selector::default()).await
                };
                around = Some(futures::try_join!(follow("Pod"), follow("Event"))?);
                continue;
            };
            let (seen, told) = (pods.items().collect::<Vec<_>>(), events.items().collect::<Vec<_>>());
            let pods_say = self.in_the_way(link, &seen, &told, &mut logs).await?;
            say(&mut said, [vec![missing], pods_say].concat().join("; "), progress);
            let all = followed.iter_mut().chain([pods, events]);
            select_all(all.map(|follow| follow.changed().boxed())).await.0?;
        }
    }

    /// Why a link does not hold, for the failure at its deadline.
    pub(super) async fn why_longhorn(&self, link: Link) -> Result<Vec<String>> {
        let list = |kind: Resource| async move {
            Ok::<_, Failure>(self.list_all(&kind, Some(NAMESPACE), &Selector::default()).await?.1)
        };
        let kinds = link.kinds().iter().map(|(version, kind)| self.longhorn_kind(version, kind));
        let kinds = kinds.chain([self.resource_of("v1", "Pod"), self.resource_of("v1", "Event")]);
        let mut lists = try_join_all(kinds.collect::<Result<Vec<_>>>()?.into_iter().map(list)).await?;
        let (events, pods) = (lists.pop().unwrap_or_default(), lists.pop().unwrap_or_default());
        let Err(missing) = link.judge(&lists.iter().flatten().collect::<Vec<_>>()) else {
            return Ok(vec!["it holds by now".into()]);
        };
        let (pods, events) = (pods.iter().collect::<Vec<_>>(), events.iter().collect::<Vec<_>>());
        Ok(match self.in_the_way(link, &pods, &events, &mut Logs::new()).await {
            Ok(lines) => [vec![missing], lines].concat(),
            Err(failure) => [vec![missing], failure.causes, failure.hints].concat(),
        })
    }

    /// What the link's pods that are not Ready wait for; a failure when one of them can never become Ready.
    async fn in_the_way(&self, link: Link, pods: &[&Value], events: &[&Value], logs: &mut Logs) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap_or_default().to_string();
        for pod in pods.iter().filter(|pod| link.waits_for(&name(pod))) {
            let place = match pod["spec"]["nodeName"].as_str() {
                Some(node) => format!("{} on node {node}", name(pod)),
                None => name(pod),
            };
            match pod::state(pod, events) {
                State::Ready(_) => {}
                State::Waiting(_, line) => lines.push(format!("{place}: {line}")),
                State::Doomed(_, why, _) => {
                    return Err(cannot().cause(format!("{place}: {why}")).hint(IMAGE_HINT));
                }
                State::Crashing(crash) => {
                    let log = match logs.get(&name(pod)) {
                        Some((restarts, log)) if *restarts == crash.restarts => log.clone(),
                        _ => self.log(NAMESPACE, &name(pod), &crash.container).await,
                    };
                    let line = format!("{place}: container {} ended with {}", crash.container, crash.end);
                    if let Some(fatal) = known::of_longhorn(&log) {
                        let failure = cannot().cause(line).cause(fatal.meaning);
                        return Err(failure.cause(format!("the end of its log:\n{log}")).hint(fatal.hint));
                    }
                    let end = log.lines().last().map(|last| format!(": {last}")).unwrap_or_default();
                    lines.push(line + &end);
                    logs.insert(name(pod), (crash.restarts, log));
                }
            }
        }
        lines.truncate(NAMED);
        Ok(lines)
    }

    /// A kind that a link looks at: built in, or one of Longhorn's.
    fn longhorn_kind(&self, version: &str, kind: &str) -> Result<Resource> {
        match KINDS.iter().find(|(_, name)| version == API_VERSION && *name == kind) {
            Some((plural, kind)) => Ok(Resource {
                api_version: API_VERSION.into(),
                kind: (*kind).into(),
                plural: (*plural).into(),
                namespaced: true,
                listable: true,
            }),
            None => self.resource_of(version, kind),
        }
    }
}

const IMAGE_HINT: &str =
    "see that the nodes can pull it (a proxy or a mirror may be needed), or load it into them; then run it again";

fn cannot() -> Failure {
    Failure::step("Longhorn cannot become usable")
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, cluster, event, quiet};
    use crate::model::{Link, WaitFor};
    use serde_json::{Value, json};
    use std::sync::Mutex;

    const WAIT: WaitFor = WaitFor::Longhorn { link: Link::Manager };

    fn set(ready: u64) -> Value {
        json!({ "kind": "DaemonSet", "metadata": { "name": "longhorn-manager", "namespace": "longhorn-system",
            "generation": 1, "resourceVersion": "1" }, "status": { "observedGeneration": 1, "numberReady": ready,
            "desiredNumberScheduled": 2, "updatedNumberScheduled": 2 } })
    }

    fn pod(state: Value) -> Value {
        json!({ "metadata": { "name": "longhorn-manager-x", "uid": "u" }, "spec": { "nodeName": "lab-2" }, "status": {
            "conditions": [{ "type": "PodScheduled", "status": "True" }],
            "containerStatuses": [{ "name": "longhorn-manager", "image": "m:1", "restartCount": 1, "state": state }] } })
    }

    fn server(asked: &Asked, pod: &Value, end: Option<Value>) -> Answer {
        match (asked.path.rsplit('/').next(), asked.watches()) {
            (Some("daemonsets"), false) => Answer::list(vec![set(1)], "1"),
            (Some("daemonsets"), true) => Answer::Open(end.map_or(String::new(), |set| event("MODIFIED", &set))),
            (Some("pods"), false) => Answer::list(vec![pod.clone()], "1"),
            (Some("log"), _) => {
                Answer::ok(json!("please make sure you have iscsiadm/open-iscsi installed on the host"))
            }
            (_, false) => Answer::list(vec![], "1"),
            (_, true) => Answer::Open(String::new()),
        }
    }

    #[tokio::test]
    async fn a_link_is_seen_with_one_request_when_it_holds_and_else_awaited_with_its_reason() {
        let (there, log) = cluster(|_| Answer::list(vec![set(2)], "1"));
        assert_eq!(there.wait(&WAIT, &quiet).await.unwrap(), "longhorn-manager is ready on 2 nodes");
        assert_eq!(log.lock().unwrap().len(), 1);
        let creating = pod(json!({ "waiting": { "reason": "ContainerCreating" } }));
        let (cluster, _) = cluster(move |asked| server(asked, &creating, Some(set(2))));
        let said = Mutex::new(Vec::new());
        cluster.wait(&WAIT, &|line| said.lock().unwrap().push(line)).await.unwrap();
        let line = "longhorn-manager is ready on 1 of 2 nodes; longhorn-manager-x on node lab-2: its containers are being created";
        assert_eq!(*said.lock().unwrap(), [line]);
    }

    #[tokio::test]
    async fn a_node_without_iscsi_ends_the_wait_with_its_name_and_what_to_install() {
        let crashed = pod(json!({ "terminated": { "exitCode": 1 } }));
        let (cluster, _) = cluster(move |asked| server(asked, &crashed, None));
        let failure = cluster.wait(&WAIT, &quiet).await.unwrap_err();
        assert_eq!(
            failure.causes[0],
            "longhorn-manager-x on node lab-2: container longhorn-manager ended with exit code 1"
        );
        assert!(failure.hints[0].starts_with("install open-iscsi on that node"), "{failure:?}");
        let why = cluster.why(&WAIT).await.unwrap();
        assert_eq!(why[0], "longhorn-manager is ready on 1 of 2 nodes");
        assert!(why.iter().any(|line| line.starts_with("the node has no iscsiadm")), "{why:?}");
    }
}
