//! A live view of pods: which of them are ready, and what is in the way of the others.

use super::watch::Follow;
use super::{Cluster, Selector};
use crate::error::Result;
use crate::model::pod::{self, State};
use serde_json::Value;
use std::collections::BTreeMap;

/// Pods that are followed.
pub struct Pods {
    pods: Follow,
    events: Follow,
}

/// A pod as last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// The id of this very pod: another one of the same name has another.
    pub uid: String,
    /// Whether it is ready.
    pub ready: bool,
    /// What is in its way; empty when it is ready.
    pub why: String,
    /// Its containers, without those that only prepare it, and the id of the run of each: none for one that does not run.
    pub containers: Vec<(String, Option<String>)>,
    /// Variables of its first container that have plain values.
    pub variables: BTreeMap<String, String>,
}

impl Seen {
    /// Its first container, if that runs.
    pub fn running(&self) -> Option<&str> {
        let (name, id) = self.containers.first()?;
        id.as_ref().map(|_| name.as_str())
    }
}

impl Cluster {
    /// Follows the pods of a namespace that a selector picks. They are read when this returns.
    pub async fn pods(&self, namespace: &str, selector: Selector) -> Result<Pods> {
        let pods = self.follow(self.resource_of("v1", "Pod")?, Some(namespace), selector);
        let events = self.follow(self.resource_of("v1", "Event")?, Some(namespace), Selector::default());
        let (pods, events) = futures::try_join!(pods, events)?;
        Ok(Pods { pods, events })
    }
}

impl Pods {
    /// All of them, by name.
    pub fn all(&self) -> Vec<Seen> {
        let events: Vec<&Value> = self.events.items().collect();
        self.pods.items().map(|pod| seen(pod, &events)).collect()
    }

    /// Waits for the next change of a pod, or of what is said about one. May be dropped and called again at any point.
    pub async fn changed(&mut self) -> Result<()> {
        tokio::select! {
            change = self.pods.changed() => change,
            change = self.events.changed() => change,
        }
    }
}

fn seen(pod: &Value, events: &[&Value]) -> Seen {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let list = |path: &str| pod.pointer(path).and_then(Value::as_array).into_iter().flatten();
    let id = |name: &Value| {
        let status = list("/status/containerStatuses").find(|status| status["name"] == *name)?;
        status["state"]["running"].is_object().then(|| text(&status["containerID"]))
    };
    let variables = pod["spec"]["containers"][0]["env"].as_array().into_iter().flatten();
    let why = match pod::state(pod, events) {
        State::Ready(_) => String::new(),
        State::Waiting(_, why) | State::Doomed(_, why, _) => why,
        State::Crashing(crash) => format!("container {} ended with {}", crash.container, crash.end),
    };
    Seen {
        name: text(&pod["metadata"]["name"]),
        uid: text(&pod["metadata"]["uid"]),
        ready: why.is_empty(),
        why,
        containers: list("/spec/containers").map(|one| (text(&one["name"]), id(&one["name"]))).collect(),
        variables: variables.map(|one| (text(&one["name"]), text(&one["value"]))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_that_runs_and_is_not_ready_says_both() {
        let pod = json!({
            "metadata": {"name": "data-0", "uid": "u"},
            "spec": {"containers": [{"name": "iris", "env": [{"name": "TZ", "value": "UTC"}]}, {"name": "gateway"}]},
            "status": {
                "conditions": [{"type": "PodScheduled", "status": "True"}],
                "containerStatuses": [
                    {"name": "iris", "ready": false, "started": true, "containerID": "c1", "state": {"running": {}}},
                    {"name": "gateway", "containerID": "c2", "state": {"waiting": {"reason": "PodInitializing"}}},
                ],
            },
        });
        let seen = seen(&pod, &[]);
        assert_eq!((seen.ready, seen.running(), seen.variables["TZ"].as_str()), (false, Some("iris"), "UTC"));
        assert_eq!(seen.why, "the readiness probe of iris has not passed yet");
        assert_eq!(seen.containers[1], ("gateway".into(), None));
    }
}
