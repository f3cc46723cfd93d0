//! A pod's phase and conditions, concluded from the states of its containers.

use crate::sim::controllers::object::{flag, int, items, set_condition, text};
use serde_json::{Value, json};

/// Sets phase and conditions of a status whose containers are up to date.
pub fn conclude(pod: &Value, status: &mut Value, now: &str) {
    let phase = phase(pod, status);
    status["phase"] = json!(phase);
    let succeeded = phase == "Succeeded";
    let unready = |specs: &str, field: &str| -> Vec<String> {
        let states = status[field].as_array().cloned().unwrap_or_default();
        let ready = |spec: &&Value| states.iter().any(|one| one["name"] == spec["name"] && flag(one, "/ready"));
        items(pod, specs).iter().filter(|spec| !ready(spec)).map(|spec| text(spec, "/name").to_owned()).collect()
    };
    let init = incomplete(pod, status);
    let main = unready("/spec/containers", "containerStatuses");
    let initialized = match (init.is_empty(), succeeded) {
        (true, true) => json!({"status": "True", "reason": "PodCompleted"}),
        (true, false) => json!({"status": "True"}),
        (false, _) => json!({
            "status": "False", "reason": "ContainersNotInitialized",
            "message": format!("containers with incomplete status: [{}]", init.join(" ")),
        }),
    };
    let ready = match (main.is_empty(), succeeded) {
        (_, true) => json!({"status": "False", "reason": "PodCompleted"}),
        (true, false) => json!({"status": "True"}),
        (false, false) => json!({
            "status": "False", "reason": "ContainersNotReady",
            "message": format!("containers with unready status: [{}]", main.join(" ")),
        }),
    };
    let all = [
        ("Initialized", &initialized),
        ("Ready", &ready),
        ("ContainersReady", &ready),
        ("PodScheduled", &json!({"status": "True"})),
    ];
    for (kind, condition) in all {
        let mut condition = condition.clone();
        condition["type"] = json!(kind);
        condition["lastProbeTime"] = Value::Null;
        set_condition(status, condition, now);
    }
    sort_conditions(status);
}

/// The order in which a kubelet writes them.
fn sort_conditions(status: &mut Value) {
    let order = ["Initialized", "Ready", "ContainersReady", "PodScheduled"];
    if let Some(conditions) = status["conditions"].as_array_mut() {
        conditions.sort_by_key(|one| order.iter().position(|kind| one["type"] == *kind).unwrap_or(order.len()));
    }
}

/// Init containers that have not succeeded.
fn incomplete(pod: &Value, status: &Value) -> Vec<String> {
    let done = |spec: &Value| {
        items(status, "/initContainerStatuses")
            .iter()
            .any(|one| one["name"] == spec["name"] && one["state"]["terminated"]["exitCode"] == 0)
    };
    items(pod, "/spec/initContainers")
        .iter()
        .filter(|spec| !done(spec))
        .map(|spec| text(spec, "/name").into())
        .collect()
}

fn phase(pod: &Value, status: &Value) -> &'static str {
    let policy = text(pod, "/spec/restartPolicy");
    let code = |one: &Value| int(one, "/state/terminated/exitCode");
    let init = items(status, "/initContainerStatuses");
    if policy == "Never" && init.iter().any(|one| code(one).is_some_and(|code| code != 0)) {
        return "Failed";
    }
    let main = items(status, "/containerStatuses");
    let ended = !main.is_empty() && main.iter().all(|one| code(one).is_some());
    let failed = main.iter().any(|one| code(one) != Some(0));
    if ended && !failed && (policy == "Never" || policy == "OnFailure") {
        return "Succeeded";
    }
    if ended && failed && policy == "Never" {
        return "Failed";
    }
    let began = |one: &Value| one["state"]["waiting"].is_null() || one["lastState"]["terminated"].is_object();
    if incomplete(pod, status).is_empty() && !main.is_empty() && main.iter().all(began) { "Running" } else { "Pending" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases() {
        let state = |state: Value| json!({"name": "c", "state": state, "lastState": {}, "ready": false});
        for (policy, state, phase) in [
            ("Always", state(json!({"waiting": {"reason": "ContainerCreating"}})), "Pending"),
            ("Always", state(json!({"running": {}})), "Running"),
            ("Always", state(json!({"terminated": {"exitCode": 1}})), "Running"),
            ("Never", state(json!({"terminated": {"exitCode": 0}})), "Succeeded"),
            ("Never", state(json!({"terminated": {"exitCode": 1}})), "Failed"),
            ("OnFailure", state(json!({"terminated": {"exitCode": 1}})), "Running"),
        ] {
            let pod = json!({"spec": {"restartPolicy": policy, "containers": [{"name": "c"}]}});
            let mut status = json!({"containerStatuses": [state]});
            conclude(&pod, &mut status, "now");
            assert_eq!(status["phase"], phase, "{policy} {status}");
        }
    }

    #[test]
    fn conditions_name_the_containers_that_are_missing() {
        let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]}});
        let mut status = json!({"containerStatuses": [{"name": "a", "ready": true, "state": {"running": {}}}]});
        conclude(&pod, &mut status, "now");
        assert_eq!(status["conditions"][0]["message"], "containers with incomplete status: [i]");
        assert_eq!(status["conditions"][1]["message"], "containers with unready status: [b]");
        assert_eq!(status["conditions"][3]["type"], "PodScheduled");
    }
}
