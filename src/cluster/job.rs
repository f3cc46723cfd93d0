//! Runs a Job to its end; gives up at once when its pod cannot run.

use super::delete::say;
use super::logs;
use super::request::Call;
use super::watch::Follow;
use super::{Cluster, Progress, Selector};
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use crate::model::object::condition;
use crate::model::pod;
use serde_json::Value;

/// Why a container does not start and why another try is not waited for: what comes next does without the Job.
const STOPPERS: &[&str] =
    &["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"];
/// How often a pod may be refused before it counts: a new ServiceAccount takes a moment to be known.
const REFUSALS: i64 = 3;
/// The most that is read of a log, in bytes.
const LOG_LIMIT: usize = 1 << 20;

/// How a Job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// It did its work.
    Complete,
    /// It failed, or its pod cannot run.
    Failed {
        /// Why.
        why: String,
        /// The log of its pods, whole: Kubernetes removes the pods of a Job that has failed.
        log: String,
    },
}

impl Cluster {
    /// Applies everything that a Job needs, makes the Job anew, and returns when it ended. The caller sets the deadline.
    pub async fn run_job(&self, objects: &[Value], job: &ObjectRef, progress: Progress<'_>) -> Result<JobEnd> {
        self.delete(std::slice::from_ref(job), progress).await?;
        for object in objects {
            self.apply(object).await?;
        }
        let home = job.namespace.as_deref();
        let named = Selector::fields(format!("metadata.name={}", job.name));
        let jobs = self.follow(self.resource_of("batch/v1", "Job")?, home, named);
        let of_job = Selector::labels(format!("job-name={}", job.name));
        let pods = self.follow(self.resource_of("v1", "Pod")?, home, of_job);
        let events = self.follow(self.resource_of("v1", "Event")?, home, Selector::default());
        let (mut jobs, mut pods, mut events) = futures::try_join!(jobs, pods, events)?;
        let (mut said, mut log, mut ends) = (String::new(), String::new(), 0);
        loop {
            let Some(live) = jobs.only().filter(|live| live["metadata"]["deletionTimestamp"].is_null()) else {
                return Err(Failure::step(format!("{job} was deleted before it ended")));
            };
            if ends < unsuccessful(&pods) {
                ends = unsuccessful(&pods);
                log = self.newest_log(job, log).await;
            }
            match ended(live).or_else(|| stopped(live, &pods, &events).map(Err)) {
                Some(Ok(())) => return Ok(JobEnd::Complete),
                Some(Err(why)) => return Ok(JobEnd::Failed { why, log: self.newest_log(job, log).await }),
                None => {}
            }
            say(&mut said, format!("{}: {}", job.name, state(&pods, &events)), progress);
            tokio::select! {
                change = jobs.changed() => change?,
                change = pods.changed() => change?,
                change = events.changed() => change?,
            }
        }
    }

    /// The log as it is now, or the one from before when there is none any more.
    async fn newest_log(&self, job: &ObjectRef, before: String) -> String {
        self.job_log(job).await.ok().filter(|log| !log.is_empty()).unwrap_or(before)
    }

    /// The whole log of a Job's pods, oldest first; empty when none ever ran.
    pub async fn job_log(&self, job: &ObjectRef) -> Result<String> {
        let home = job.namespace.as_deref().unwrap_or_default();
        let selector = Selector::labels(format!("job-name={}", job.name));
        let mut pods = self.list("v1", "Pod", Some(home), &selector).await?;
        pods.sort_by_key(|pod| pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_string());
        let mut text = String::new();
        for pod in pods {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let path = logs::path(home, name, &format!("limitBytes={LOG_LIMIT}"));
            // A pod that never started has none.
            let log = self.text(&Call::get(path)).await.unwrap_or_default();
            text += log.trim_end();
            text += if log.trim_end().is_empty() { "" } else { "\n" };
        }
        Ok(text)
    }
}

/// What the Job's conditions say of its end.
fn ended(job: &Value) -> Option<std::result::Result<(), String>> {
    let holds = |kind: &str| condition(job, kind).filter(|condition| condition["status"] == "True");
    if holds("Complete").is_some() {
        return Some(Ok(()));
    }
    let failed = holds("Failed")?;
    let text = |key: &str| failed[key].as_str().unwrap_or_default();
    Some(Err(match text("reason") {
        "DeadlineExceeded" => "it ran longer than it may".into(),
        "BackoffLimitExceeded" => "its pods failed".into(),
        _ => text("message").to_string(),
    }))
}

/// Why its pod cannot run.
fn stopped(job: &Value, pods: &Follow, events: &Follow) -> Option<String> {
    for status in pods.items().flat_map(|pod| pod["status"]["containerStatuses"].as_array().into_iter().flatten()) {
        let waiting = &status["state"]["waiting"];
        let reason = waiting["reason"].as_str().unwrap_or_default();
        if STOPPERS.contains(&reason) {
            let image = status["image"].as_str().unwrap_or_default();
            let message = waiting["message"].as_str().unwrap_or_default();
            return Some(format!("its image {image} does not start: {reason}: {message}"));
        }
    }
    let refused = events.items().find(|event| {
        let about = &event["involvedObject"];
        about["uid"] == job["metadata"]["uid"]
            && event["reason"] == "FailedCreate"
            && event["count"].as_i64().unwrap_or(1) >= REFUSALS
    })?;
    Some(format!("its pod is refused: {}", refused["message"].as_str().unwrap_or_default()))
}

/// How often a container of its pods has ended with an error.
fn unsuccessful(pods: &Follow) -> u64 {
    let statuses = pods.items().flat_map(|pod| pod["status"]["containerStatuses"].as_array().into_iter().flatten());
    let ends = statuses.map(|status| {
        let now = status["state"]["terminated"]["exitCode"].as_u64().is_some_and(|code| code != 0);
        status["restartCount"].as_u64().unwrap_or(0) + u64::from(now)
    });
    ends.sum()
}

/// What its newest pod does, in words.
fn state(pods: &Follow, events: &Follow) -> String {
    let newest = pods.items().max_by_key(|pod| pod["metadata"]["creationTimestamp"].as_str());
    let Some(pod) = newest else { return "waiting for its pod".into() };
    let events: Vec<&Value> = events.items().collect();
    match (pod["status"]["phase"].as_str(), pod::state(pod, &events)) {
        (Some("Succeeded" | "Failed"), _) => "its pod has ended".into(),
        (_, pod::State::Ready(node)) => format!("it works on {node}"),
        (_, pod::State::Waiting(_, text) | pod::State::Doomed(_, text, _)) => text,
        (_, pod::State::Crashing(crash)) => format!("it ended with {} and starts again", crash.end),
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, Log, cluster, event, quiet};
    use super::*;
    use serde_json::json;

    const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

    fn job(condition: Option<(&str, &str)>) -> Value {
        let conditions = condition.map(|(kind, reason)| json!([{ "type": kind, "status": "True", "reason": reason }]));
        json!({ "apiVersion": "batch/v1", "kind": "Job", "status": { "conditions": conditions },
            "metadata": { "name": "uninstall", "namespace": "default", "uid": "j", "resourceVersion": "1" } })
    }

    fn pod(reason: &str) -> Value {
        json!({ "metadata": { "name": "uninstall-x", "namespace": "default", "uid": "p" }, "status": {
            "conditions": [{ "type": "PodScheduled", "status": "True" }], "containerStatuses": [
                { "name": "c", "image": "i:1", "state": { "waiting": { "reason": reason, "message": "no such host" } } }] } })
    }

    /// A server on which no Job is there yet; `later` is what its watch says.
    fn server(asked: &Asked, pods: Vec<Value>, later: Value) -> Answer {
        match (asked.method.as_str(), asked.path.as_str(), asked.watches()) {
            ("PATCH", ..) => Answer::ok(job(None)),
            ("GET", JOBS, false) => Answer::list(vec![job(None)], "1"),
            ("GET", JOBS, true) => Answer::Open(event("MODIFIED", &later)),
            ("GET", path, false) if path.ends_with("/pods") => Answer::list(pods, "1"),
            ("GET", path, false) if path.ends_with("/events") => Answer::list(vec![], "1"),
            ("GET", _, true) => Answer::Open(String::new()),
            _ => Answer::missing(),
        }
    }

    async fn run(pods: Vec<Value>, later: Value) -> (JobEnd, Log) {
        let (cluster, log) = cluster(move |asked| server(asked, pods.clone(), later.clone()));
        let end = cluster.run_job(&[job(None)], &ObjectRef::of(&job(None)), &quiet).await.unwrap();
        (end, log)
    }

    fn failed(why: &str) -> JobEnd {
        JobEnd::Failed { why: why.into(), log: String::new() }
    }

    #[tokio::test]
    async fn it_ends_with_the_job() {
        assert_eq!(run(vec![], job(Some(("Complete", "")))).await.0, JobEnd::Complete);
        let (end, _) = run(vec![], job(Some(("Failed", "DeadlineExceeded")))).await;
        assert_eq!(end, failed("it ran longer than it may"));
    }

    #[tokio::test]
    async fn an_image_that_cannot_be_pulled_is_not_waited_for() {
        for reason in ["ErrImagePull", "ImagePullBackOff"] {
            let (end, log) = run(vec![pod(reason)], job(None)).await;
            assert_eq!(end, failed(&format!("its image i:1 does not start: {reason}: no such host")));
            assert!(!log.lock().unwrap().iter().any(Asked::watches));
        }
    }

    #[tokio::test]
    async fn a_job_left_from_before_is_made_anew() {
        let (cluster, log) = cluster(|asked| {
            let old = job(Some(("Failed", "")));
            match (asked.method.as_str(), asked.path.as_str(), asked.before) {
                ("GET", path, 0) if path.ends_with("/uninstall") => Answer::ok(old),
                ("DELETE", ..) => Answer::ok(json!({})),
                ("GET", JOBS, 0) => Answer::list(vec![], "1"),
                _ => server(asked, vec![], job(Some(("Complete", "")))),
            }
        });
        let end = cluster.run_job(&[job(None)], &ObjectRef::of(&job(None)), &quiet).await.unwrap();
        assert_eq!(end, JobEnd::Complete);
        let log = log.lock().unwrap();
        let at = |method: &str| log.iter().position(|asked| asked.method == method).unwrap();
        assert!(at("DELETE") < at("PATCH"), "{log:?}");
    }

    #[tokio::test]
    async fn a_pod_that_is_refused_again_and_again_is_not_waited_for() {
        let refusal = json!({ "involvedObject": { "uid": "j" }, "reason": "FailedCreate", "count": REFUSALS,
            "message": "exceeded quota" });
        let (cluster, _) = cluster(move |asked| match asked.path.ends_with("/events") && !asked.watches() {
            true => Answer::list(vec![refusal.clone()], "1"),
            false => server(asked, vec![], job(None)),
        });
        let end = cluster.run_job(&[job(None)], &ObjectRef::of(&job(None)), &quiet).await.unwrap();
        assert_eq!(end, failed("its pod is refused: exceeded quota"));
    }
}
