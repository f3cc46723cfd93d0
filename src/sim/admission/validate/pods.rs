//! Rules of pods and pod templates.

use super::formats::Name;
use super::{each, not_negative, one_of, quantities, require};
use crate::sim::status::Cause;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The specification of a pod or of a template.
pub(super) fn spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let volumes = volumes(spec, path, causes);
    if spec["containers"].as_array().is_none_or(Vec::is_empty) {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut names = BTreeSet::new();
    for field in ["initContainers", "containers"] {
        for (path, one) in each(spec, path, field) {
            container(one, &path, &volumes, causes);
            let name = one["name"].as_str().unwrap_or_default();
            if !name.is_empty() && !names.insert(name) {
                causes.push(Cause::duplicate(format!("{path}.name"), &one["name"]));
            }
        }
    }
    one_of(spec, path, "restartPolicy", &["Always", "OnFailure", "Never"], causes);
    one_of(spec, path, "dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], causes);
    not_negative(spec, path, "terminationGracePeriodSeconds", causes);
}

fn volumes<'a>(spec: &'a Value, path: &str, causes: &mut Vec<Cause>) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for (path, volume) in each(spec, path, "volumes") {
        match volume["name"].as_str().filter(|name| !name.is_empty()) {
            None => causes.push(Cause::required(format!("{path}.name"), "")),
            Some(name) => {
                causes.extend(Name::Label.check(&format!("{path}.name"), name));
                if !names.insert(name) {
                    causes.push(Cause::duplicate(format!("{path}.name"), &json!(name)));
                }
            }
        }
        let sources = volume.as_object().map_or(0, serde_json::Map::len).saturating_sub(1);
        if sources > 1 {
            causes.push(Cause::forbidden(path, "may not specify more than 1 volume type"));
        }
    }
    names
}

fn container(container: &Value, path: &str, volumes: &BTreeSet<&str>, causes: &mut Vec<Cause>) {
    match container["name"].as_str().filter(|name| !name.is_empty()) {
        None => causes.push(Cause::required(format!("{path}.name"), "")),
        Some(name) => causes.extend(Name::Label.check(&format!("{path}.name"), name)),
    }
    require(container, path, "image", causes);
    one_of(container, path, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], causes);
    for (path, port) in each(container, path, "ports") {
        match port["containerPort"].as_i64() {
            None => causes.push(Cause::required(format!("{path}.containerPort"), "")),
            Some(1..=65535) => {}
            Some(number) => {
                let detail = "must be between 1 and 65535, inclusive";
                causes.push(Cause::invalid(format!("{path}.containerPort"), &json!(number), detail));
            }
        }
        one_of(port, &path, "protocol", &["SCTP", "TCP", "UDP"], causes);
    }
    for (path, variable) in each(container, path, "env") {
        require(variable, &path, "name", causes);
    }
    let mut paths = BTreeSet::new();
    for (path, mount) in each(container, path, "volumeMounts") {
        let name = mount["name"].as_str().unwrap_or_default();
        require(mount, &path, "name", causes);
        if !name.is_empty() && !volumes.contains(name) {
            let message = format!("Not found: {}", json!(name));
            causes.push(Cause { reason: "FieldValueNotFound", field: format!("{path}.name"), message });
        }
        require(mount, &path, "mountPath", causes);
        if !paths.insert(mount["mountPath"].as_str().unwrap_or_default()) {
            let detail = "must be unique";
            causes.push(Cause::invalid(format!("{path}.mountPath"), &mount["mountPath"], detail));
        }
    }
    quantities::check(&container["resources"], &format!("{path}.resources"), causes);
    for probe in
        ["livenessProbe", "readinessProbe", "startupProbe"].iter().filter(|probe| container[**probe].is_object())
    {
        probe_rules(&container[*probe], &format!("{path}.{probe}"), causes);
    }
}

fn probe_rules(probe: &Value, path: &str, causes: &mut Vec<Cause>) {
    let handlers =
        ["exec", "httpGet", "tcpSocket", "grpc"].iter().filter(|handler| !probe[**handler].is_null()).count();
    match handlers {
        0 => causes.push(Cause::required(path, "must specify a handler type")),
        1 => {}
        _ => causes.push(Cause::forbidden(path, "may not specify more than 1 handler type")),
    }
    for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        not_negative(probe, path, field, causes);
    }
}

/// Of a pod that runs, only a few fields can be changed.
pub(super) fn immutable(before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    let fixed = |pod: &Value| {
        let mut spec = pod["spec"].clone();
        for field in ["containers", "initContainers"] {
            for container in spec[field].as_array_mut().into_iter().flatten() {
                container["image"] = Value::Null;
            }
        }
        for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
            spec[field] = Value::Null;
        }
        spec
    };
    if fixed(before) != fixed(after) {
        let allowed = "`spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations` (only additions to existing tolerations)";
        causes.push(Cause::forbidden("spec", &format!("pod updates may not change fields other than {allowed}")));
    }
}
