//! Waits, by watch, until something holds; says what is in the way, and gives up early when it cannot come true.

use super::delete::say;
use super::discovery::Resource;
use super::watch::Follow;
use super::{Cluster, Progress, Selector};
use crate::error::{Failure, Result};
use crate::model::pod::{self, Crash, State, Why};
use crate::model::{ObjectRef, WaitFor, known};
use serde_json::Value;
use std::time::Duration;

/// How often the server is asked whether it serves a new kind by now.
const DISCOVERY: Duration = Duration::from_millis(200);

impl Cluster {
    /// Returns as soon as the target holds, with a line that says so. The caller sets the deadline.
    pub async fn wait(&self, target: &WaitFor, progress: Progress<'_>) -> Result<String> {
        match target {
            WaitFor::NodesReady { count } => self.nodes_ready(*count as usize, progress).await,
            WaitFor::Served { definitions } => self.all_served(definitions, progress).await,
            WaitFor::PodReady { namespace, name, stateful_set } => {
                self.pod_ready(namespace, name, stateful_set, progress).await
            }
            WaitFor::Address { namespace, name } => self.address(namespace, name, progress).await,
            WaitFor::Longhorn { link } => self.longhorn(*link, progress).await,
            WaitFor::VolumesGone { driver } => self.volumes_gone(driver, progress).await,
            WaitFor::Lab { namespace, lab } => self.lab_ready(namespace, lab, progress).await,
        }
    }

    /// Why a target does not hold, for the failure at its deadline: conditions, events, the end of the log.
    pub async fn why(&self, target: &WaitFor) -> Result<Vec<String>> {
        match target {
            WaitFor::NodesReady { count } => {
                let nodes = self.list("v1", "Node", None, &Selector::default()).await?;
                Ok(nodes_left(*count as usize, nodes.iter()).err().into_iter().collect())
            }
            WaitFor::Served { definitions } => {
                Ok(vec![format!("not every one of {} is served", definitions.join(", "))])
            }
            WaitFor::PodReady { namespace, name, .. } => self.why_pod(namespace, name).await,
            WaitFor::Longhorn { link } => self.why_longhorn(*link).await,
            WaitFor::VolumesGone { driver } => self.why_volumes(driver).await,
            // Its last line of progress names the pod.
            WaitFor::Lab { .. } => Ok(Vec::new()),
            WaitFor::Address { namespace, name } => {
                let fields = format!("involvedObject.kind=Service,involvedObject.name={name}");
                let events = self.list("v1", "Event", Some(namespace), &Selector::fields(fields)).await?;
                let mut lines = vec![NO_ADDRESS.to_string()];
                lines.extend(warnings(&events.iter().collect::<Vec<_>>()));
                Ok(lines)
            }
        }
    }

    async fn nodes_ready(&self, count: usize, progress: Progress<'_>) -> Result<String> {
        let mut nodes = self.follow(self.resource_of("v1", "Node")?, None, Selector::default()).await?;
        let mut said = String::new();
        loop {
            match nodes_left(count, nodes.items()) {
                Ok(line) => return Ok(line),
                Err(line) => say(&mut said, line, progress),
            }
            nodes.changed().await?;
        }
    }

    /// What the server serves cannot be watched, and a definition says Established a moment before.
    async fn all_served(&self, definitions: &[String], progress: Progress<'_>) -> Result<String> {
        let mut said = String::new();
        for name in definitions {
            let definition = ObjectRef::new("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, name);
            let Some(resource) = self.get(&definition).await?.as_ref().and_then(Resource::defined) else {
                return Err(Failure::step(format!("there is no {definition}")).hint("run it again"));
            };
            while self.list_served(&resource, None, &Selector::default()).await?.is_none() {
                say(&mut said, format!("{name} is not served yet"), progress);
                tokio::time::sleep(DISCOVERY).await;
            }
        }
        Ok("they are served".into())
    }

    pub(super) async fn address(&self, namespace: &str, name: &str, progress: Progress<'_>) -> Result<String> {
        let selector = Selector::fields(format!("metadata.name={name}"));
        let mut service = self.follow(self.resource_of("v1", "Service")?, Some(namespace), selector).await?;
        let mut said = String::new();
        loop {
            let Some(live) = service.only().filter(|live| live["metadata"]["deletionTimestamp"].is_null()) else {
                return Err(self.lost(&ObjectRef::new("v1", "Service", Some(namespace), name)).await);
            };
            if live["spec"]["type"] != "LoadBalancer" {
                return Err(Failure::step(format!("Service {namespace}/{name} is not of type LoadBalancer")));
            }
            let first = &live["status"]["loadBalancer"]["ingress"][0];
            if let Some(address) = first["ip"].as_str().or(first["hostname"].as_str()) {
                return Ok(format!("{name} has the address {address}"));
            }
            say(&mut said, format!("{name}: {NO_ADDRESS}"), progress);
            service.changed().await?;
        }
    }

    pub(super) async fn pod_ready(
        &self,
        namespace: &str,
        name: &str,
        set: &str,
        progress: Progress<'_>,
    ) -> Result<String> {
        let named = |name: &str| Selector::fields(format!("metadata.name={name}"));
        let (sets, pods) = (self.resource_of("apps/v1", "StatefulSet")?, self.resource_of("v1", "Pod")?);
        let sets = self.follow(sets, Some(namespace), named(set));
        let (mut sets, mut pods) = futures::try_join!(sets, self.follow(pods, Some(namespace), named(name)))?;
        let mut events: Option<Follow> = None;
        let mut said = String::new();
        let mut read = None;
        loop {
            let Some(owner) = sets.only().filter(|set| set["metadata"]["deletionTimestamp"].is_null()) else {
                return Err(self.lost(&ObjectRef::new("apps/v1", "StatefulSet", Some(namespace), set)).await);
            };
            let seen: Vec<&Value> = events.iter().flat_map(Follow::items).collect();
            let line = match stand(owner, pods.only(), name, &seen)? {
                State::Ready(node) => return Ok(format!("{name} is Ready on {node}")),
                State::Waiting(_, line) => line,
                State::Crashing(crash) => self.crashing(namespace, name, crash, &mut read).await?,
                State::Doomed(_, why, hint) => return Err(cannot(name).cause(why).hint(hint)),
            };
            let Some(events) = &mut events else {
                let resource = self.resource_of("v1", "Event")?;
                events = Some(self.follow(resource, Some(namespace), Selector::default()).await?);
                continue;
            };
            say(&mut said, format!("{name}: {line}"), progress);
            tokio::select! {
                change = pods.changed() => change?,
                change = sets.changed() => change?,
                change = events.changed() => change?,
            }
        }
    }

    /// A crash in one line, with its log read once for each; gives up when another start cannot help.
    async fn crashing(
        &self,
        namespace: &str,
        name: &str,
        crash: Crash,
        read: &mut Option<(Crash, String)>,
    ) -> Result<String> {
        let known = read.as_ref().filter(|(known, _)| *known == crash).map(|(_, log)| log.clone());
        let log = match known {
            Some(log) => log,
            None => match self.log(namespace, name, &crash.container).await {
                // The node may have removed it already: the one before tells as much.
                log if log.is_empty() => read.take().map(|(_, log)| log).unwrap_or_default(),
                log => log,
            },
        };
        let fatal = known::fatal(&log).filter(|_| crash.restarts >= 2);
        let line = format!("container {} ended with {} (restart {})", crash.container, crash.end, crash.restarts);
        if fatal.is_some() || crash.restarts >= 3 {
            let mut failure = cannot(name).cause(&line);
            let hint = match fatal {
                Some(fatal) => {
                    failure = failure.cause(fatal.meaning);
                    fatal.hint.to_string()
                }
                None => {
                    format!("see the whole log: kubectl logs -n {namespace} {name} -c {} --previous", crash.container)
                }
            };
            if !log.is_empty() {
                failure = failure.cause(format!("the end of its log:\n{log}"));
            }
            return Err(failure.hint(hint));
        }
        let end = log.lines().last().map(|last| format!(": {last}")).unwrap_or_default();
        *read = Some((crash, log));
        Ok(line + &end)
    }

    /// Something that we wait for was deleted, or never was.
    async fn lost(&self, object: &ObjectRef) -> Failure {
        let failure = Failure::step(format!("{object} is gone or being deleted"));
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let live = self.get(&ObjectRef::new("v1", "Namespace", None, namespace)).await.ok().flatten();
        let failure = match live {
            Some(live) if !live["metadata"]["deletionTimestamp"].is_null() => {
                failure.cause(format!("its namespace {namespace} is being deleted"))
            }
            Some(_) => failure.cause("somebody else deleted it, or it was never made"),
            None => failure.cause(format!("its namespace {namespace} is not there")),
        };
        failure.hint("run it again: what is missing is made again")
    }

    async fn why_pod(&self, namespace: &str, name: &str) -> Result<Vec<String>> {
        let pod = self.get(&ObjectRef::new("v1", "Pod", Some(namespace), name)).await?;
        let events = self.list("v1", "Event", Some(namespace), &Selector::default()).await?;
        let events: Vec<&Value> = events.iter().collect();
        let Some(pod) = pod else {
            return Ok(vec![missing(name, &events)]);
        };
        let mut lines = Vec::new();
        let statuses = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
        let mut broken = statuses.filter(|status| status["ready"] == false);
        let mut log = None;
        match pod::state(&pod, &events) {
            State::Ready(node) => lines.push(format!("{name} is Ready on {node} by now")),
            State::Waiting(_, line) | State::Doomed(_, line, _) => {
                lines.push(format!("{name}: {line}"));
                log = broken.next().filter(|status| status["state"]["running"].is_object());
            }
            State::Crashing(crash) => {
                lines.push(format!("{name}: container {} ended with {}", crash.container, crash.end));
                let log = self.log(namespace, name, &crash.container).await;
                lines.extend(known::fatal(&log).map(|fatal| fatal.meaning.to_string()));
                lines.extend((!log.is_empty()).then(|| format!("the end of its log:\n{log}")));
            }
        }
        let own: Vec<&Value> = events.into_iter().filter(|event| pod::of(event, &pod)).collect();
        for warning in warnings(&own) {
            let message = warning.split_once(": ").map_or(warning.as_str(), |(_, message)| message);
            if !lines.iter().any(|line| line.contains(message)) {
                lines.push(warning);
            }
        }
        if let Some(container) = log.and_then(|status| status["name"].as_str()) {
            let log = self.log(namespace, name, container).await;
            lines.extend((!log.is_empty()).then(|| format!("the end of its log:\n{log}")));
        }
        Ok(lines)
    }
}

const NO_ADDRESS: &str =
    "no address yet: nothing in the cluster gives addresses to Services (MetalLB does), or its pool is used up";

fn cannot(name: &str) -> Failure {
    Failure::step(format!("{name} cannot become Ready"))
}

/// How the wanted pod stands, seen with its owner: it must be of the owner's newest revision.
fn stand(set: &Value, pod: Option<&Value>, name: &str, events: &[&Value]) -> Result<State> {
    let observed = set["status"]["observedGeneration"].as_i64() >= set["metadata"]["generation"].as_i64();
    let newest = set["status"]["updateRevision"].as_str().filter(|_| observed);
    let replicas = set["spec"]["replicas"].as_u64().unwrap_or(1);
    let ordinal = name.rsplit_once('-').and_then(|(_, ordinal)| ordinal.parse::<u64>().ok());
    if ordinal.is_some_and(|ordinal| ordinal >= replicas) {
        return Err(cannot(name).cause(format!("its StatefulSet has only {replicas} replicas")));
    }
    let (Some(newest), Some(pod)) = (newest, pod) else {
        let text = match newest {
            None => "waiting for the StatefulSet's controller".into(),
            Some(_) => missing(name, events),
        };
        return Ok(State::Waiting(Why::Starting, text));
    };
    let leaves = !pod["metadata"]["deletionTimestamp"].is_null();
    if !leaves && pod["metadata"]["labels"]["controller-revision-hash"] != newest {
        return Ok(State::Waiting(Why::Leaving, "the pod is still of the old revision".into()));
    }
    Ok(pod::state(pod, events))
}

/// Why there is no pod: its controller says so in an event.
fn missing(name: &str, events: &[&Value]) -> String {
    let set = name.rsplit_once('-').map_or(name, |(set, _)| set);
    let failed = pod::last(events, |event| {
        event["involvedObject"]["kind"] == "StatefulSet"
            && event["involvedObject"]["name"] == set
            && event["type"] == "Warning"
    });
    match failed.and_then(|event| event["message"].as_str()) {
        Some(message) => format!("there is no pod: {message}"),
        None => "there is no pod yet".into(),
    }
}

/// The last warnings, newest first, as lines.
pub(super) fn warnings(events: &[&Value]) -> Vec<String> {
    let mut bad: Vec<&&Value> = events.iter().filter(|event| event["type"] == "Warning").collect();
    bad.sort_by_key(|event| std::cmp::Reverse(pod::time(event)));
    let text = |event: &&&Value| {
        let part = |key: &str| event[key].as_str().unwrap_or_default().trim().to_string();
        format!("event {}: {}", part("reason"), part("message"))
    };
    bad.iter().take(3).map(text).collect()
}

/// Whether the nodes are as wished, in a line either way.
fn nodes_left<'a>(count: usize, nodes: impl Iterator<Item = &'a Value>) -> std::result::Result<String, String> {
    let (mut ready, mut left) = (0, Vec::new());
    for node in nodes {
        let name = node["metadata"]["name"].as_str().unwrap_or_default();
        let conditions = node["status"]["conditions"].as_array();
        match conditions.and_then(|all| all.iter().find(|condition| condition["type"] == "Ready")) {
            Some(condition) if condition["status"] == "True" => ready += 1,
            Some(condition) => {
                left.push(format!("{name} is not Ready: {}", condition["message"].as_str().unwrap_or_default()));
            }
            None => left.push(format!("{name} has not reported yet")),
        }
    }
    match (left.is_empty(), ready >= count) {
        (true, true) if ready == 1 => Ok("1 node is Ready".into()),
        (true, true) => Ok(format!("{ready} nodes are Ready")),
        (true, false) => Err(format!("{ready} of {count} nodes are there")),
        (false, _) => Err(left.join("; ")),
    }
}
