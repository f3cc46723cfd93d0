//! Jobs: pods that run until as many as are wanted have succeeded, or too many have failed.

use super::object::{core, flag, int, is_deleting, is_true, items, name, set_condition, uid};
use super::pods::{claim, from_template, is_active, is_ready, suffix};
use super::replicaset::{generated, report_creation};
use super::world::{Source, World};
use crate::sim::store::Resource;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const SOURCE: Source = Source::new("job-controller");

fn jobs() -> Resource {
    Resource::new("batch", "jobs")
}

/// Brings every Job towards its end.
pub fn sync(world: &World) {
    for job in world.all(&jobs()).iter().filter(|job| !is_deleting(job)) {
        if job["spec"]["selector"].is_null() {
            identify(world, job);
        } else if is_true(job, "Complete") || is_true(job, "Failed") {
            expire(world, job);
        } else {
            advance(world, job);
        }
    }
}

/// Pods are known by the uid of their job.
fn identify(world: &World, job: &Value) {
    world.change(&jobs(), job, |job| {
        let (id, job_name) = (job["metadata"]["uid"].clone(), job["metadata"]["name"].clone());
        job["spec"]["selector"] = json!({"matchLabels": {"controller-uid": id}});
        let labels = &mut job["spec"]["template"]["metadata"]["labels"];
        labels["controller-uid"] = id;
        labels["job-name"] = job_name;
    });
}

fn expire(world: &World, job: &Value) {
    let Some(seconds) = int(job, "/spec/ttlSecondsAfterFinished") else { return };
    if world.limit(format!("expire/{}", uid(job)), Duration::from_secs(seconds.max(0).unsigned_abs())).over {
        world.delete(&jobs(), job);
    }
}

/// How far a Job is.
struct Count {
    active: Vec<Arc<Value>>,
    succeeded: i64,
    failed: i64,
}

impl Count {
    fn of(world: &World, job: &Value) -> Self {
        let pods = claim(world, job);
        let in_phase = |phase: &str| {
            pods.iter().filter(|pod| pod["status"]["phase"] == phase).count().try_into().unwrap_or(i64::MAX)
        };
        let (succeeded, failed) = (in_phase("Succeeded"), in_phase("Failed"));
        let active = pods.iter().filter(|pod| is_active(pod)).cloned().collect();
        Count { active, succeeded, failed }
    }

    /// Whether too much has failed: pods, or containers that were started again in their pod.
    fn is_beyond(&self, limit: i64) -> bool {
        let states = self.active.iter().flat_map(|pod| items(pod, "/status/containerStatuses"));
        let restarts = states.filter_map(|one| int(one, "/restartCount")).sum::<i64>();
        self.failed > limit || (restarts > 0 && restarts >= limit)
    }
}

fn advance(world: &World, job: &Value) {
    let count = Count::of(world, job);
    let parallel = int(job, "/spec/parallelism").unwrap_or(1).max(0);
    let completions = int(job, "/spec/completions");
    let most = int(job, "/spec/backoffLimit").unwrap_or(6);
    let late = int(job, "/spec/activeDeadlineSeconds").is_some_and(|seconds| {
        world.limit(format!("deadline/{}", uid(job)), Duration::from_secs(seconds.max(0).unsigned_abs())).over
    });
    let done = match completions {
        Some(wanted) => count.succeeded >= wanted,
        None => count.succeeded > 0 && count.active.is_empty(),
    };
    if done {
        return finish(world, job, &count, ("Complete", "", ""));
    }
    if late {
        return finish(
            world,
            job,
            &count,
            ("Failed", "DeadlineExceeded", "Job was active longer than specified deadline"),
        );
    }
    if count.is_beyond(most) {
        let message = "Job has reached the specified backoff limit";
        return finish(world, job, &count, ("Failed", "BackoffLimitExceeded", message));
    }
    let left = match completions {
        Some(wanted) => wanted - count.succeeded,
        // A work queue: when one pod has succeeded, no new ones are made.
        None if count.succeeded > 0 => 0,
        None => parallel,
    };
    let wanted = if flag(job, "/spec/suspend") { 0 } else { left.min(parallel) };
    scale(world, job, &count, usize::try_from(wanted).unwrap_or(0));
    report(world, job, &Count::of(world, job));
}

fn scale(world: &World, job: &Value, count: &Count, wanted: usize) {
    for pod in count.active.iter().skip(wanted) {
        world.delete(&core("pods"), pod);
        world.normal(SOURCE, job, "SuccessfulDelete", &format!("Deleted pod: {}", name(pod)));
    }
    if count.active.len() >= wanted || !pause_is_over(world, job, count.failed) {
        return;
    }
    for _ in count.active.len()..wanted {
        let pod = from_template(job, &job["spec"]["template"], &format!("{}-{}", name(job), suffix()), &[]);
        report_creation(world, SOURCE, job, world.create(&core("pods"), generated(pod, job)));
    }
}

/// After a failed pod the next one waits 10, 20, 40 ... 360 seconds.
fn pause_is_over(world: &World, job: &Value, failed: i64) -> bool {
    if failed == 0 {
        return true;
    }
    let pause = (10u64 << (failed.clamp(1, 7) - 1)).min(360);
    world.timer(format!("retry/{}/{failed}", uid(job)), Duration::from_secs(pause)).over
}

fn report(world: &World, job: &Value, count: &Count) {
    let mut status = json!({"startTime": start_time(world, job)});
    if job["status"]["conditions"].is_array() {
        status["conditions"] = job["status"]["conditions"].clone();
    }
    let active = i64::try_from(count.active.len()).unwrap_or(i64::MAX);
    for (field, number) in [("active", active), ("succeeded", count.succeeded), ("failed", count.failed)] {
        if number > 0 {
            status[field] = json!(number);
        }
    }
    status["ready"] = json!(count.active.iter().filter(|pod| is_ready(pod)).count());
    world.set_status(&jobs(), job, status);
}

fn start_time(world: &World, job: &Value) -> Value {
    match &job["status"]["startTime"] {
        Value::Null => json!(world.store.now()),
        known => known.clone(),
    }
}

/// Ends a job: `how` is the condition, its reason and its message.
fn finish(world: &World, job: &Value, count: &Count, how: (&str, &str, &str)) {
    for pod in &count.active {
        world.delete(&core("pods"), pod);
    }
    let now = world.store.now();
    let failed = count.failed + i64::try_from(count.active.len()).unwrap_or(0);
    let mut status = json!({"startTime": start_time(world, job)});
    let (kind, reason, message) = how;
    let mut condition = json!({"type": kind, "status": "True", "lastProbeTime": now});
    if kind == "Complete" {
        status["completionTime"] = json!(now);
        world.normal(SOURCE, job, "Completed", "Job completed");
    } else {
        condition["reason"] = json!(reason);
        condition["message"] = json!(message);
        world.warning(SOURCE, job, reason, message);
    }
    for (field, number) in [("succeeded", count.succeeded), ("failed", failed)] {
        if number > 0 {
            status[field] = json!(number);
        }
    }
    status["ready"] = json!(0);
    set_condition(&mut status, condition, &now);
    world.set_status(&jobs(), job, status);
}
