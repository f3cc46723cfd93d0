//! Proves that Longhorn's volumes work on a node: makes a claim and a pod that writes and reads it back, recognises why it cannot,
//! and removes both again, whatever came of it.

use super::delete::say;
use super::request::{Call, MERGE};
use super::wait::warnings;
use super::watch::Follow;
use super::{Cluster, Progress, Selector};
use crate::error::{Failure, Result};
use crate::model::longhorn::{API_VERSION, CANARY_KEY, NAMESPACE};
use crate::model::object::FIELD_MANAGER;
use crate::model::pod::{self, State};
use crate::model::{ObjectRef, known};
use futures::future::{FutureExt, select_all};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How long the volume may take. Longhorn gives up an attachment after 90 seconds, and then tries again.
const LIMIT: Duration = Duration::from_secs(5 * 60);
/// How long after the first attachment that failed another one may still succeed.
const GRACE: Duration = Duration::from_secs(2 * 60);
/// How long removing a canary that failed is waited for: what still hangs then has our label, and the next run or a reset finds it.
const REMOVAL: Duration = Duration::from_secs(60);

const ISCSI_HINT: &str = "on the node, iscsid must run and the module iscsi_tcp be loaded; where nodes are containers (kind, k3d, \
                          Docker Desktop) no Longhorn volume can be attached";

/// What is followed while the canary is under way.
struct View {
    pods: Follow,
    claims: Follow,
    events: Follow,
    attachments: Follow,
}

impl View {
    async fn changed(&mut self) -> Result<()> {
        let View { pods, claims, events, attachments } = self;
        select_all([pods, claims, events, attachments].map(|follow| follow.changed().boxed())).await.0
    }
}

impl Cluster {
    /// Proves a node and notes that in the record. The objects are the claim and the pod; old ones of these names are removed
    /// first, so the caller looks that they are ours.
    pub async fn canary(
        &self,
        node: &str,
        objects: &[Value],
        record: &ObjectRef,
        progress: Progress<'_>,
    ) -> Result<String> {
        self.remove(objects, progress).await?;
        let result = self.prove(node, objects, progress).await;
        match &result {
            Ok(_) => self.remove(objects, progress).await?,
            Err(_) => drop(timeout(REMOVAL, self.remove(objects, progress)).await),
        }
        let line = result?;
        self.note(node, record).await?;
        Ok(line)
    }

    async fn prove(&self, node: &str, objects: &[Value], progress: Progress<'_>) -> Result<String> {
        let start = Instant::now();
        for object in objects {
            self.apply(object).await?;
        }
        let Some(pod) = objects.last().map(ObjectRef::of) else { return Err(Failure::step("there is no canary")) };
        let mut view = self.view(&pod).await?;
        let (mut said, mut first_error) = (String::new(), None);
        loop {
            let line = match self.stands(node, &view, &mut first_error).await? {
                Ok(done) => return Ok(done),
                Err(line) => line,
            };
            say(&mut said, line.clone(), progress);
            let end = first_error.as_ref().map_or(start + LIMIT, |(_, at)| (*at + GRACE).min(start + LIMIT));
            match timeout_at(end, view.changed()).await {
                Ok(change) => change?,
                Err(_) => {
                    let events: Vec<&Value> = view.events.items().filter(|event| about(event, &pod.name)).collect();
                    let mut failure = Failure::not_ready(cannot(node)).cause(line);
                    failure.causes.extend(warnings(&events));
                    if first_error.is_some() {
                        failure = failure.hint(ISCSI_HINT);
                    }
                    return Err(failure.hint(format!(
                        "see the manager's log: kubectl logs -n {NAMESPACE} -l app=longhorn-manager --tail=50"
                    )));
                }
            }
        }
    }

    async fn view(&self, pod: &ObjectRef) -> Result<View> {
        let here = pod.namespace.as_deref();
        let named = || Selector::fields(format!("metadata.name={}", pod.name));
        let resource = |version, kind| self.resource_of(version, kind);
        let (pods, claims, events, attachments) = futures::try_join!(
            self.follow(resource("v1", "Pod")?, here, named()),
            self.follow(resource("v1", "PersistentVolumeClaim")?, here, named()),
            self.follow(resource("v1", "Event")?, here, Selector::default()),
            self.follow(resource("storage.k8s.io/v1", "VolumeAttachment")?, None, Selector::default()),
        )?;
        Ok(View { pods, claims, events, attachments })
    }

    /// How the canary stands: done, or what it waits for; a failure when trying again cannot help. Keeps the last error of an
    /// attachment, and when the first one was seen.
    async fn stands(
        &self,
        node: &str,
        view: &View,
        error: &mut Option<(String, Instant)>,
    ) -> Result<std::result::Result<String, String>> {
        let Some(pod) = view.pods.only() else {
            return Err(Failure::step(cannot(node)).cause("somebody deleted its pod").hint("run it again"));
        };
        let (name, namespace) = (text(&pod["metadata"]["name"]), text(&pod["metadata"]["namespace"]));
        match pod["status"]["phase"].as_str() {
            Some("Succeeded") => return Ok(Ok(format!("a volume was attached, written and read back on {node}"))),
            Some("Failed") => {
                let log = self.last_lines(namespace, name, "tailLines=10").await;
                let failure =
                    Failure::step(cannot(node)).cause("it is attached, and what is written to it does not come back");
                return Err(failure.cause(format!("the end of the log of {name}:\n{log}")).hint(
                    "Longhorn must pass volumes to the group 51773 (fsGroup): look at fsType in its storage class",
                ));
            }
            _ => {}
        }
        let events: Vec<&Value> = view.events.items().collect();
        let volume = view.claims.only().map(|claim| text(&claim["spec"]["volumeName"])).unwrap_or_default();
        let mut told: Vec<&str> =
            events.iter().filter(|event| about(event, name)).map(|event| text(&event["message"])).collect();
        if let Some(message) = attach_error(view.attachments.items(), volume) {
            told.push(message);
            if error.as_ref().is_none_or(|(known, _)| known != message) {
                // Why it failed stands in the logs of those who tried.
                let logs = self.logs(node).await?;
                known(node, message, &logs)?;
                let since = error.as_ref().map_or_else(Instant::now, |(_, since)| *since);
                *error = Some((message.to_string(), since));
            }
        }
        for told in &told {
            known(node, told, told)?;
        }
        match pod::state(pod, &events) {
            State::Doomed(_, why, hint) => Err(Failure::step(cannot(node)).cause(why).hint(hint)),
            State::Waiting(_, line) => Ok(Err(error.as_ref().map_or(line, |(message, _)| message.clone()))),
            State::Ready(_) | State::Crashing(_) => Ok(Err("it writes and reads".into())),
        }
    }

    /// The ends of the logs of Longhorn's manager and engines on a node.
    async fn logs(&self, node: &str) -> Result<String> {
        let there = Selector::fields(format!("spec.nodeName={node}"));
        let pods = self.list("v1", "Pod", Some(NAMESPACE), &there).await?;
        let mut logs = String::new();
        let names = pods.iter().map(|pod| text(&pod["metadata"]["name"]));
        for name in
            names.filter(|name| name.starts_with("longhorn-manager-") || name.starts_with("instance-manager-e-"))
        {
            logs += &self.last_lines(NAMESPACE, name, "tailLines=200&limitBytes=65536").await;
            logs.push('\n');
        }
        Ok(logs)
    }

    /// Removes the pod, then the claim, and waits until they and the volume are gone.
    async fn remove(&self, objects: &[Value], progress: Progress<'_>) -> Result<()> {
        for object in objects.iter().rev() {
            self.delete(&[ObjectRef::of(object)], progress).await?;
        }
        Ok(())
    }

    /// Notes the proof. The record's other keys belong to the plan's own apply, which leaves this one alone.
    async fn note(&self, node: &str, record: &ObjectRef) -> Result<()> {
        let of_node = ObjectRef::new(API_VERSION, "Node", Some(NAMESPACE), node);
        let Some(live) = self.get(&of_node).await? else {
            return Err(Failure::step(format!("Longhorn does not know the node {node} any more")).hint("run it again"));
        };
        let path = self.resource(record).await?.object(record.namespace.as_deref(), &record.name);
        let proof = json!({ "data": { format!("{CANARY_KEY}{node}"): live["metadata"]["uid"] } });
        let call = Call::patch(format!("{path}?fieldManager={FIELD_MANAGER}-canary"), MERGE, proof);
        let answer = self.send(&call).await;
        answer.map_err(|error| self.failure(&format!("note the proof in {record}"), &error)).map(|_| ())
    }
}

fn cannot(node: &str) -> String {
    format!("a Longhorn volume does not work on {node}")
}

/// Fails when a text holds a known cause; `said` is what is quoted.
fn known(node: &str, said: &str, text: &str) -> Result<()> {
    match known::of_longhorn(text) {
        Some(fatal) => Err(Failure::step(cannot(node)).cause(fatal.meaning).cause(said).hint(fatal.hint)),
        None => Ok(()),
    }
}

/// What the attacher last said about a volume that it could not attach.
fn attach_error<'a>(mut attachments: impl Iterator<Item = &'a Value>, volume: &str) -> Option<&'a str> {
    let of = |attachment: &&Value| attachment["spec"]["source"]["persistentVolumeName"] == volume;
    let attachment = attachments.find(of).filter(|attachment| attachment["status"]["attached"] != true)?;
    attachment["status"]["attachError"]["message"].as_str()
}

/// Whether an event is about the canary's pod or claim, which have one name.
fn about(event: &Value, name: &str) -> bool {
    event["involvedObject"]["name"] == name
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, Log, cluster, quiet};
    use super::*;

    fn objects() -> Vec<Value> {
        ["PersistentVolumeClaim", "Pod"]
            .map(|kind| json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": "canary", "namespace": "lab" } }))
            .into()
    }

    fn record() -> ObjectRef {
        ObjectRef::new("v1", "ConfigMap", Some("lab"), "iris-lab")
    }

    /// A server on which the pod gets this phase and the attachment this error.
    fn server(asked: &Asked, phase: &str, error: &str, log: &str) -> Answer {
        let one =
            |object: Value| if asked.watches() { Answer::Open(String::new()) } else { Answer::list(vec![object], "1") };
        let name = json!({ "name": "canary", "namespace": "lab", "uid": "u" });
        match asked.path.rsplit('/').next() {
            Some("canary") if asked.method == "GET" => Answer::missing(),
            Some("log") => Answer::Now(200, log.into()),
            Some("pods") if asked.path.contains("longhorn-system") => {
                one(json!({ "metadata": { "name": "longhorn-manager-x" } }))
            }
            Some("pods") => one(json!({ "metadata": name, "status": { "phase": phase } })),
            Some("persistentvolumeclaims") => one(json!({ "metadata": name, "spec": { "volumeName": "pv" } })),
            Some("volumeattachments") => one(json!({ "metadata": { "name": "csi" },
                "spec": { "source": { "persistentVolumeName": "pv" } },
                "status": { "attached": false, "attachError": { "message": error } } })),
            Some("v1beta1") => {
                Answer::ok(json!({ "resources": [{ "name": "nodes", "kind": "Node", "namespaced": true }] }))
            }
            Some("lab-1") => Answer::ok(json!({ "metadata": { "uid": "of-the-node" } })),
            Some("canary" | "iris-lab") => Answer::ok(json!({})),
            _ => one(json!({ "metadata": { "name": "x" } })),
        }
    }

    async fn run(phase: &'static str, error: &'static str, log: &'static str) -> (Result<String>, Log) {
        let (cluster, seen) = cluster(move |asked| server(asked, phase, error, log));
        (cluster.canary("lab-1", &objects(), &record(), &quiet).await, seen)
    }

    #[tokio::test]
    async fn a_node_that_works_is_noted_with_the_uid_of_longhorns_own_object() {
        let (result, log) = run("Succeeded", "", "").await;
        assert_eq!(result.unwrap(), "a volume was attached, written and read back on lab-1");
        let log = log.lock().unwrap();
        let note = log.iter().find(|asked| asked.is("PATCH", "/api/v1/namespaces/lab/configmaps/iris-lab")).unwrap();
        assert_eq!(note.body, json!({ "data": { "longhorn-canary.lab-1": "of-the-node" } }));
        let looked = log.iter().filter(|asked| asked.is("GET", "/api/v1/namespaces/lab/pods/canary")).count();
        assert!(looked >= 2, "looked for before and after: {log:?}");
    }

    #[tokio::test]
    async fn a_volume_that_cannot_be_attached_ends_with_the_cause_that_the_error_or_a_log_tells() {
        let (in_error, _) = run("Pending", "iscsiadm: can not connect to iSCSI daemon (111)!", "").await;
        let failure = in_error.unwrap_err();
        assert_eq!(failure.message, "a Longhorn volume does not work on lab-1");
        assert!(failure.causes[0].starts_with("iscsid does not run on the node"), "{failure:?}");
        let (in_log, log) = run("Pending", "DeadlineExceeded", "sendmsg: bug? ctrl_fd 6").await;
        let failure = in_log.unwrap_err();
        assert!(failure.causes[0].contains("netlink") && failure.causes[1] == "DeadlineExceeded", "{failure:?}");
        assert!(
            !log.lock().unwrap().iter().any(|asked| asked.path.ends_with("configmaps/iris-lab")),
            "nothing is noted"
        );
    }

    #[tokio::test]
    async fn what_is_not_read_back_is_a_failure_with_its_log() {
        let (result, _) = run("Failed", "", "cannot create /canary/token: Permission denied").await;
        let failure = result.unwrap_err();
        assert!(failure.causes[1].ends_with("Permission denied\""), "{failure:?}");
    }
}
