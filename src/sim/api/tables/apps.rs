//! Columns of workloads.

use super::{Table, age, containers, count, duration, items, name, or, selector, since};
use serde_json::{Value, json};

#[rustfmt::skip]
pub(super) fn table(group: &str, plural: &str) -> Option<Table> {
    Some(match (group, plural) {
        ("apps", "statefulsets") => (&[("Name", 0), ("Ready", 0), ("Age", 0), ("Containers", 1), ("Images", 1)], stateful_set),
        ("apps", "deployments") => (&[("Name", 0), ("Ready", 0), ("Up-to-date", 0), ("Available", 0), ("Age", 0), ("Containers", 1), ("Images", 1), ("Selector", 1)], deployment),
        ("apps", "replicasets") => (&[("Name", 0), ("Desired", 0), ("Current", 0), ("Ready", 0), ("Age", 0), ("Containers", 1), ("Images", 1), ("Selector", 1)], replica_set),
        ("apps", "daemonsets") => (&[("Name", 0), ("Desired", 0), ("Current", 0), ("Ready", 0), ("Up-to-date", 0), ("Available", 0), ("Node Selector", 0), ("Age", 0), ("Containers", 1), ("Images", 1), ("Selector", 1)], daemon_set),
        ("apps", "controllerrevisions") => (&[("Name", 0), ("Controller", 0), ("Revision", 0), ("Age", 0)], controller_revision),
        ("batch", "jobs") => (&[("Name", 0), ("Completions", 0), ("Duration", 0), ("Age", 0), ("Containers", 1), ("Images", 1), ("Selector", 1)], job),
        ("batch", "cronjobs") => (&[("Name", 0), ("Schedule", 0), ("Suspend", 0), ("Active", 0), ("Last Schedule", 0), ("Age", 0)], cron_job),
        _ => return None,
    })
}

fn ready(object: &Value) -> Value {
    json!(format!("{}/{}", count(object, "/status/readyReplicas"), count(object, "/spec/replicas")))
}

fn stateful_set(object: &Value) -> Vec<Value> {
    let [names, images] = containers(object);
    vec![name(object), ready(object), age(object), names, images]
}

fn deployment(object: &Value) -> Vec<Value> {
    let [names, images] = containers(object);
    let number = |path: &str| json!(count(object, path));
    let (updated, available) = (number("/status/updatedReplicas"), number("/status/availableReplicas"));
    let selector = selector(object["spec"].get("selector"));
    vec![name(object), ready(object), updated, available, age(object), names, images, selector]
}

fn replica_set(object: &Value) -> Vec<Value> {
    let [names, images] = containers(object);
    let number = |path: &str| json!(count(object, path));
    let (desired, current, ready) =
        (number("/spec/replicas"), number("/status/replicas"), number("/status/readyReplicas"));
    vec![name(object), desired, current, ready, age(object), names, images, selector(object["spec"].get("selector"))]
}

fn daemon_set(object: &Value) -> Vec<Value> {
    let [names, images] = containers(object);
    let mut cells = vec![name(object)];
    let fields = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    cells.extend(fields.map(|field| json!(count(object, &format!("/status/{field}")))));
    let nodes = selector(object.pointer("/spec/template/spec/nodeSelector"));
    cells.extend([nodes, age(object), names, images, selector(object["spec"].get("selector"))]);
    cells
}

fn controller_revision(object: &Value) -> Vec<Value> {
    let owner = items(object, "/metadata/ownerReferences").find(|owner| owner["controller"] == true);
    let owner = owner.map_or("<none>".to_owned(), |owner| {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        let group = text("apiVersion").split_once('/').map_or(String::new(), |(group, _)| format!(".{group}"));
        format!("{}{group}/{}", text("kind").to_lowercase(), text("name"))
    });
    vec![name(object), json!(owner), json!(count(object, "/revision")), age(object)]
}

fn job(object: &Value) -> Vec<Value> {
    let [names, images] = containers(object);
    let completions = object.pointer("/spec/completions").and_then(Value::as_i64).unwrap_or(1);
    let seconds = |path: &str| -> Option<i64> {
        let time: jiff::Timestamp = object.pointer(path)?.as_str()?.parse().ok()?;
        Some(time.as_second())
    };
    let start = seconds("/status/startTime");
    let took = match (start, seconds("/status/completionTime")) {
        (Some(start), Some(end)) => duration(end - start),
        (Some(_), None) => since(object["status"]["startTime"].as_str()),
        _ => String::new(),
    };
    let done = json!(format!("{}/{completions}", count(object, "/status/succeeded")));
    vec![name(object), done, json!(took), age(object), names, images, selector(object["spec"].get("selector"))]
}

fn cron_job(object: &Value) -> Vec<Value> {
    let suspend = if object["spec"]["suspend"] == true { "True" } else { "False" };
    let last = object["status"]["lastScheduleTime"].as_str();
    let last = last.map_or("<none>".to_owned(), |last| since(Some(last)));
    let active = items(object, "/status/active").count();
    vec![name(object), or(object, "/spec/schedule", ""), json!(suspend), json!(active), json!(last), age(object)]
}
