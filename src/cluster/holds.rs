//! What holds an object that is being deleted, in words.

use serde_json::Value;

/// Why an object with a deletion mark is still there. `pods` are those of its namespace, for a claim.
pub(super) fn holder(object: &Value, pods: &[String]) -> String {
    match object["kind"].as_str() {
        Some("Namespace") => namespace(object).unwrap_or_else(|| "it is being emptied".into()),
        Some("PersistentVolumeClaim") if !pods.is_empty() => format!("used by pod {}", pods.join(", ")),
        Some("PersistentVolume") => volume(object),
        Some("Pod") => pod(object),
        _ => finalizers(object),
    }
}

fn finalizers(object: &Value) -> String {
    let list = [&object["metadata"]["finalizers"], &object["spec"]["finalizers"]];
    let names: Vec<&str> = list.into_iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
    match names.as_slice() {
        [] => "it is being deleted".into(),
        [one] => format!("finalizer {one}"),
        more => format!("finalizers {}", more.join(", ")),
    }
}

/// The conditions of a namespace that say what is still in it or what cannot be deleted.
fn namespace(object: &Value) -> Option<String> {
    let conditions = object["status"]["conditions"].as_array()?;
    let text = |condition: &Value| condition["message"].as_str().map(String::from);
    let bad: Vec<&Value> = conditions.iter().filter(|condition| condition["status"] == "True").collect();
    let said: Vec<String> = bad.into_iter().filter_map(text).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn volume(object: &Value) -> String {
    let status = &object["status"];
    match (status["phase"].as_str(), status["message"].as_str()) {
        (Some("Failed"), Some(message)) => format!("its provisioner failed: {message}"),
        (Some("Bound"), _) => "its claim is not gone yet".into(),
        (Some("Released"), _) if object["metadata"]["deletionTimestamp"].is_null() => {
            "its provisioner has not removed it yet".into()
        }
        _ => finalizers(object),
    }
}

fn pod(object: &Value) -> String {
    let names = object["metadata"]["finalizers"].as_array().map_or(0, Vec::len);
    if names > 0 {
        return finalizers(object);
    }
    let node = object["spec"]["nodeName"].as_str().unwrap_or("no node");
    match object["metadata"]["deletionGracePeriodSeconds"].as_i64() {
        None => "its owner's deletion has not reached it yet".into(),
        Some(0) => format!("it is being removed from {node}"),
        Some(seconds) => format!("it has {seconds} s to stop on {node}"),
    }
}

/// Names of the pods that use a claim and still run.
pub(super) fn users<'a>(claim: &str, pods: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let uses = |pod: &&Value| {
        let volumes = pod["spec"]["volumes"].as_array();
        let ended = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        !ended
            && volumes.is_some_and(|all| all.iter().any(|volume| volume["persistentVolumeClaim"]["claimName"] == claim))
    };
    pods.filter(uses).filter_map(|pod| pod["metadata"]["name"].as_str()).map(Into::into).collect()
}
