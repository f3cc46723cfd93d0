//! Looks at the nodes themselves, by a pod on each that says what it saw and goes again. The caller removes them, whatever came of it.

use super::delete::say;
use super::logs;
use super::request::Call;
use super::watch::Follow;
use super::{Cluster, Progress, Selector};
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use crate::model::pod::{self, State};
use futures::future::{FutureExt, select_all};
use serde_json::Value;

/// The init container that looks: its pod is Ready when it has ended.
const CONTAINER: &str = "probe";
/// The most that is read of a log, in bytes.
const LOG_LIMIT: usize = 1 << 20;

/// One node, and what its pod printed or why it could not.
pub type Probed = (String, std::result::Result<String, String>);

impl Cluster {
    /// Applies the objects, the last of which is a DaemonSet, and returns when each of its pods has looked, or cannot.
    pub async fn probe(&self, objects: &[Value], progress: Progress<'_>) -> Result<Vec<Probed>> {
        for object in objects {
            self.apply(object).await?;
        }
        let set = objects.last().map(ObjectRef::of).ok_or_else(|| Failure::step("there is nothing to probe with"))?;
        let home = set.namespace.as_deref();
        let named = Selector::fields(format!("metadata.name={}", set.name));
        let (mut sets, mut pods, mut events) = futures::try_join!(
            self.follow(self.resource_of("apps/v1", "DaemonSet")?, home, named),
            self.follow(self.resource_of("v1", "Pod")?, home, Selector::default()),
            self.follow(self.resource_of("v1", "Event")?, home, Selector::default()),
        )?;
        let mut said = String::new();
        loop {
            let ends = ends(&pods, &events);
            let wanted = sets.only().and_then(wanted);
            let waiting =
                ends.iter().find_map(|(node, end)| Some(format!("{node}: {}", end.as_ref()?.as_ref().err()?)));
            if let Some(wanted) = wanted
                && ends.len() >= wanted
                && ends.iter().all(|(_, end)| end.is_some())
            {
                return self.reports(&pods, &events).await;
            }
            let done = ends.iter().filter(|(_, end)| end.is_some()).count();
            let line = format!("{done} of {} nodes have been looked at", wanted.unwrap_or_default());
            say(&mut said, waiting.map_or(line.clone(), |why| format!("{line}; {why}")), progress);
            select_all([&mut sets, &mut pods, &mut events].map(|follow| follow.changed().boxed())).await.0?;
        }
    }

    async fn reports(&self, pods: &Follow, events: &Follow) -> Result<Vec<Probed>> {
        let mut reports = Vec::new();
        for (pod, (node, end)) in pods.items().zip(ends(pods, events)) {
            let report = match end {
                Some(Ok(())) => Ok(self.printed(pod).await?),
                Some(Err(why)) => Err(self.explained(pod, why).await),
                None => Err("its pod has not come so far".into()),
            };
            reports.push((node, report));
        }
        reports.sort();
        Ok(reports)
    }

    /// Why a look failed, with the last line that it printed.
    async fn explained(&self, pod: &Value, why: String) -> String {
        let text = |path: &str| pod.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let query = format!("container={CONTAINER}&tailLines=1&limitBytes=1024");
        match self.last_lines(text("/metadata/namespace"), text("/metadata/name"), &query).await.trim() {
            "" => why,
            last => format!("{why}: {last}"),
        }
    }

    async fn printed(&self, pod: &Value) -> Result<String> {
        let text = |path: &str| pod.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let query = format!("container={CONTAINER}&limitBytes={LOG_LIMIT}");
        let answer = self.text(&Call::get(logs::path(namespace, name, &query))).await;
        answer.map_err(|error| self.failure(&format!("read the log of {name}"), &error))
    }
}

/// How many pods there are to be; none while its controller has not looked at it.
fn wanted(set: &Value) -> Option<usize> {
    let status = &set["status"];
    status["observedGeneration"].as_u64().filter(|seen| *seen > 0)?;
    status["desiredNumberScheduled"].as_u64()?.try_into().ok()
}

/// Each pod's node, and how its look ended; none while it has not.
fn ends(pods: &Follow, events: &Follow) -> Vec<(String, Option<std::result::Result<(), String>>)> {
    let events: Vec<&Value> = events.items().collect();
    let end = |pod: &Value| {
        // A DaemonSet's pod names its node before it is scheduled there by an affinity alone.
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default().to_string();
        let end = match pod::state(pod, &events) {
            State::Ready(_) => Some(Ok(())),
            State::Doomed(_, why, _) => Some(Err(why)),
            State::Crashing(crash) => Some(Err(format!("the look ended with {}", crash.end))),
            State::Waiting(..) => None,
        };
        (node, end)
    };
    pods.items().map(end).collect()
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, cluster, quiet};
    use super::*;
    use serde_json::json;

    fn objects() -> Vec<Value> {
        vec![json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": "probe", "namespace": "p" } })]
    }

    fn pod(node: &str, status: Value) -> Value {
        json!({ "metadata": { "name": format!("probe-{node}"), "namespace": "p" }, "spec": { "nodeName": node }, "status": status })
    }

    fn server(asked: &Asked) -> Answer {
        let scheduled = json!([{ "type": "PodScheduled", "status": "True" }]);
        let ready = json!({ "conditions": [{ "type": "Ready", "status": "True" }] });
        let broken = json!({ "conditions": scheduled, "initContainerStatuses": [{ "name": "probe", "restartCount": 1,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } }, "lastState": { "terminated": { "exitCode": 127 } } }] });
        let set = json!({ "metadata": { "name": "probe" }, "status": { "observedGeneration": 1, "desiredNumberScheduled": 2 } });
        match asked.path.rsplit('/').next() {
            Some("log") => Answer::Now(200, "commands: {}\n".into()),
            _ if asked.watches() => Answer::Open(String::new()),
            Some("pods") => Answer::list(vec![pod("b", broken), pod("a", ready)], "1"),
            Some("daemonsets") => Answer::list(vec![set], "1"),
            Some("probe") => Answer::ok(json!({})),
            _ => Answer::list(vec![], "1"),
        }
    }

    #[tokio::test]
    async fn each_node_says_what_was_seen_or_why_nothing_could_be() {
        let (cluster, log) = cluster(server);
        let found = cluster.probe(&objects(), &quiet).await.unwrap();
        let [(a, Ok(printed)), (b, Err(why))] = &found[..] else { panic!("{found:?}") };
        assert!(printed.contains("commands: {}"), "{printed}");
        assert_eq!((a.as_str(), b.as_str()), ("a", "b"));
        assert!(why.starts_with("the look ended with exit code 127: "), "{why}");
        assert!(log.lock().unwrap().iter().any(|asked| asked.query.contains("container=probe")));
    }
}
