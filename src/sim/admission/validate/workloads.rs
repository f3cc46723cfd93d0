//! Rules of what makes pods.

use super::{each, not_negative, one_of, pods, resources};
use crate::sim::api::selectors::Selector;
use crate::sim::status::Cause;
use serde_json::{Value, json};

/// StatefulSets, Deployments, ReplicaSets and DaemonSets.
pub(super) fn check(plural: &str, object: &Value, causes: &mut Vec<Cause>) {
    if plural == "controllerrevisions" {
        return;
    }
    let spec = &object["spec"];
    not_negative(spec, "spec", "replicas", causes);
    not_negative(spec, "spec", "revisionHistoryLimit", causes);
    selector(spec, causes);
    match plural {
        "statefulsets" => {
            one_of(spec, "spec", "podManagementPolicy", &["OrderedReady", "Parallel"], causes);
            one_of(&spec["updateStrategy"], "spec.updateStrategy", "type", &["RollingUpdate", "OnDelete"], causes);
            for (path, claim) in each(spec, "spec", "volumeClaimTemplates") {
                resources::claim_spec(&claim["spec"], &format!("{path}.spec"), causes);
            }
        }
        "deployments" => one_of(&spec["strategy"], "spec.strategy", "type", &["Recreate", "RollingUpdate"], causes),
        _ => {}
    }
    template(spec, plural == "statefulsets", causes);
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if policy.as_str().is_some_and(|policy| policy != "Always") {
        causes.push(Cause::unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
}

/// Jobs end.
pub(super) fn job(object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    for field in ["completions", "parallelism", "backoffLimit", "activeDeadlineSeconds"] {
        not_negative(spec, "spec", field, causes);
    }
    template(spec, false, causes);
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if policy == "Always" {
        causes.push(Cause::unsupported("spec.template.spec.restartPolicy", policy, &["OnFailure", "Never"]));
    }
}

/// A StatefulSet's claims are volumes of its pods.
fn template(spec: &Value, with_claims: bool, causes: &mut Vec<Cause>) {
    let mut template = spec["template"]["spec"].clone();
    if with_claims && template.is_object() {
        let claims = spec["volumeClaimTemplates"].as_array().into_iter().flatten();
        let claims: Vec<Value> = claims.map(|claim| json!({"name": claim["metadata"]["name"]})).collect();
        let volumes = template["volumes"].as_array().cloned().unwrap_or_default();
        let replaced = |volume: &Value| claims.iter().any(|claim| claim["name"] == volume["name"]);
        let kept = volumes.into_iter().filter(|volume| !replaced(volume));
        template["volumes"] = Value::Array(kept.chain(claims.clone()).collect());
    }
    pods::spec(&template, "spec.template.spec", causes);
}

fn selector(spec: &Value, causes: &mut Vec<Cause>) {
    let path = "spec.selector";
    if spec["selector"].is_null() {
        causes.push(Cause::required(path, ""));
        return;
    }
    let empty = |field: &str| match &spec["selector"][field] {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => true,
    };
    if empty("matchLabels") && empty("matchExpressions") {
        causes.push(Cause::invalid(path, &json!({}), "empty selector is invalid for statefulset"));
        return;
    }
    let matches = Selector::of_labels(&spec["selector"]).is_some_and(|selector| selector.matches(&spec["template"]));
    if !matches {
        let labels = spec["template"]["metadata"]["labels"].as_object().into_iter().flatten();
        let labels: Vec<String> = labels.map(|(key, value)| format!("{}:{value}", json!(key))).collect();
        let message = format!(
            "Invalid value: map[string]string{{{}}}: `selector` does not match template `labels`",
            labels.join(", ")
        );
        causes.push(Cause { reason: "FieldValueInvalid", field: "spec.template.metadata.labels".into(), message });
    }
}

/// What stays as it was created.
pub(super) fn immutable(plural: &str, minor: u32, before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    if plural == "statefulsets" {
        let changeable = [
            "replicas",
            "template",
            "updateStrategy",
            "minReadySeconds",
            "persistentVolumeClaimRetentionPolicy",
            "revisionHistoryLimit",
        ];
        let changeable = if minor >= 26 { &changeable[..] } else { &changeable[..5] };
        let fixed = |object: &Value| {
            let mut spec = object["spec"].clone();
            spec.as_object_mut().into_iter().for_each(|spec| spec.retain(|key, _| !changeable.contains(&key.as_str())));
            spec
        };
        if fixed(before) != fixed(after) {
            let fields = match minor {
                ..=21 => "'replicas', 'template', and 'updateStrategy'",
                22 => "'replicas', 'template', 'updateStrategy' and 'minReadySeconds'",
                _ => {
                    "'replicas', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'"
                }
            };
            let why = format!("updates to statefulset spec for fields other than {fields} are forbidden");
            causes.push(Cause::forbidden("spec", &why));
        }
    } else if plural == "controllerrevisions" {
        if before["data"] != after["data"] {
            causes.push(Cause::invalid("data", &after["data"], "field is immutable"));
        }
    } else if before["spec"]["selector"] != after["spec"]["selector"] {
        causes.push(Cause::invalid("spec.selector", &after["spec"]["selector"], "field is immutable"));
    }
}
