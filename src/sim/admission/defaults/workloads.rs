//! Defaults of what makes pods.

use super::{default, defaults, each, pods};
use crate::sim::store::new_uid;
use crate::sim::store::resource::object_mut;
use serde_json::{Value, json};

pub(super) fn fill(plural: &str, minor: u32, object: &mut Value) {
    let spec = &mut object["spec"];
    match plural {
        "statefulsets" => stateful_set(spec),
        "deployments" => deployment(spec),
        "daemonsets" => daemon_set(spec, minor),
        "replicasets" | "replicationcontrollers" => default(spec, "replicas", json!(1)),
        "jobs" => job_spec(spec),
        "cronjobs" => cron_job(spec),
        _ => {}
    }
    if plural != "cronjobs" {
        template(&mut object["spec"]);
    }
}

fn template(spec: &mut Value) {
    if let Some(template) = spec.get_mut("template").filter(|template| template["spec"].is_object()) {
        pods::spec(&mut template["spec"]);
    }
}

fn stateful_set(spec: &mut Value) {
    let strategy = json!({"type": "RollingUpdate"});
    defaults(
        spec,
        json!({
            "replicas": 1, "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10, "updateStrategy": strategy,
            "serviceName": "",
        }),
    );
    default(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        default(&mut spec["updateStrategy"], "rollingUpdate", json!({}));
        default(&mut spec["updateStrategy"]["rollingUpdate"], "partition", json!(0));
    }
    for claim in each(spec, "volumeClaimTemplates") {
        defaults(claim, json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}));
        default(&mut claim["spec"], "volumeMode", json!("Filesystem"));
    }
}

fn deployment(spec: &mut Value) {
    let strategy = json!({"type": "RollingUpdate"});
    defaults(
        spec,
        json!({"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": strategy}),
    );
    default(&mut spec["strategy"], "type", json!("RollingUpdate"));
    if spec["strategy"]["type"] == "RollingUpdate" {
        default(&mut spec["strategy"], "rollingUpdate", json!({}));
        defaults(&mut spec["strategy"]["rollingUpdate"], json!({"maxSurge": "25%", "maxUnavailable": "25%"}));
    }
}

fn daemon_set(spec: &mut Value, minor: u32) {
    let surge = if minor >= 22 { json!({"maxUnavailable": 1, "maxSurge": 0}) } else { json!({"maxUnavailable": 1}) };
    defaults(spec, json!({"revisionHistoryLimit": 10, "updateStrategy": {"type": "RollingUpdate"}}));
    default(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        default(&mut spec["updateStrategy"], "rollingUpdate", json!({}));
        defaults(&mut spec["updateStrategy"]["rollingUpdate"], surge);
    }
}

fn job_spec(spec: &mut Value) {
    defaults(spec, json!({"backoffLimit": 6}));
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        default(spec, "completions", json!(1));
    }
    default(spec, "parallelism", json!(1));
}

/// A job finds its pods by a label with its own uid, unless it says how.
pub(super) fn admit_job(job: &mut Value) {
    let manual = job["spec"]["manualSelector"] == true;
    if manual || !job["spec"]["selector"].is_null() {
        return;
    }
    let uid = new_uid();
    let name = job["metadata"]["name"].clone();
    job["metadata"]["uid"] = json!(uid);
    job["spec"]["selector"] = json!({"matchLabels": {"controller-uid": uid}});
    let labels = object_mut(
        &mut object_mut(&mut job["spec"]["template"]).entry("metadata").or_insert_with(|| json!({}))["labels"],
    );
    labels.insert("controller-uid".into(), json!(uid));
    labels.insert("job-name".into(), name);
    let labels = json!(labels);
    default(&mut job["metadata"], "labels", labels);
}

fn cron_job(spec: &mut Value) {
    defaults(
        spec,
        json!({"concurrencyPolicy": "Allow", "suspend": false, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}),
    );
    if spec["jobTemplate"]["spec"].is_object() {
        template(&mut spec["jobTemplate"]["spec"]);
    }
}
