//! Rules of Services, claims, volumes, configuration and definitions.

use super::{each, one_of, require};
use crate::model::Quantity;
use crate::sim::status::Cause;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// Bytes that a ConfigMap or a Secret can hold.
const LARGEST_MAP: usize = 1024 * 1024;

pub(super) fn check(plural: &str, object: &Value, causes: &mut Vec<Cause>) {
    match plural {
        "services" => service(&object["spec"], causes),
        "persistentvolumeclaims" => claim_spec(&object["spec"], "spec", causes),
        "persistentvolumes" => {
            if object["spec"]["capacity"]["storage"].is_null() {
                causes.push(Cause::required("spec.capacity", ""));
            }
            access_modes(&object["spec"], "spec", causes);
        }
        "configmaps" | "secrets" => {
            size(object, causes);
            for key in object["data"].as_object().into_iter().flatten().map(|(key, _)| key) {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                if key.is_empty() || !key.chars().all(plain) {
                    let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
                    causes.push(Cause::invalid(format!("data[{key}]"), &json!(key), detail));
                }
            }
        }
        _ => {}
    }
}

/// All values together.
fn size(object: &Value, causes: &mut Vec<Cause>) {
    let values = ["data", "binaryData"].iter().flat_map(|field| object[*field].as_object().into_iter().flatten());
    let total: usize = values.filter_map(|(_, value)| value.as_str()).map(str::len).sum();
    if total > LARGEST_MAP {
        let message = format!("Too long: must have at most {LARGEST_MAP} bytes");
        causes.push(Cause { reason: "FieldValueTooLong", field: "[]".into(), message });
    }
}

fn service(spec: &Value, causes: &mut Vec<Cause>) {
    one_of(spec, "spec", "type", &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], causes);
    one_of(spec, "spec", "sessionAffinity", &["ClientIP", "None"], causes);
    let ports = each(spec, "spec", "ports");
    let headless = spec["clusterIP"] == "None";
    if ports.is_empty() && !headless && spec["type"] != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    if spec["type"] == "ExternalName" {
        require(spec, "spec", "externalName", causes);
    }
    let mut seen = BTreeSet::new();
    for (path, port) in &ports {
        let number = port["port"].as_i64().unwrap_or(0);
        if !(1..=65535).contains(&number) {
            let detail = "must be between 1 and 65535, inclusive";
            causes.push(Cause::invalid(format!("{path}.port"), &json!(number), detail));
        }
        one_of(port, path, "protocol", &["SCTP", "TCP", "UDP"], causes);
        if ports.len() > 1 {
            require(port, path, "name", causes);
        }
        if !seen.insert((number, port["protocol"].as_str())) {
            causes.push(Cause::duplicate(path.clone(), &json!({"port": number, "protocol": port["protocol"]})));
        }
        let node_port = port["nodePort"].as_i64().unwrap_or(0);
        if node_port != 0 && !(30000..=32767).contains(&node_port) {
            let detail = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            causes.push(Cause::invalid(format!("{path}.nodePort"), &json!(node_port), detail));
        }
    }
}

fn access_modes(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let field = format!("{path}.accessModes");
    let modes = spec["accessModes"].as_array().cloned().unwrap_or_default();
    if modes.is_empty() {
        causes.push(Cause::required(field.clone(), "at least 1 access mode is required"));
    }
    for mode in modes.iter().filter(|mode| !ACCESS_MODES.iter().any(|known| *mode == known)) {
        causes.push(Cause::unsupported(field.clone(), mode, &ACCESS_MODES));
    }
}

/// The specification of a claim or of a claim template.
pub(super) fn claim_spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    access_modes(spec, path, causes);
    let storage = &spec["resources"]["requests"]["storage"];
    let field = format!("{path}.resources[storage]");
    match Quantity::of(storage) {
        None => causes.push(Cause::required(field, "")),
        Some(size) if !size.is_positive() => causes.push(Cause::invalid(field, storage, "must be greater than zero")),
        Some(_) => {}
    }
    one_of(spec, path, "volumeMode", &["Block", "Filesystem"], causes);
}

/// A definition's name follows from its plural name and its group.
pub(super) fn definition(object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    require(spec, "spec", "group", causes);
    require(&spec["names"], "spec.names", "plural", causes);
    require(&spec["names"], "spec.names", "kind", causes);
    one_of(spec, "spec", "scope", &["Cluster", "Namespaced"], causes);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let expected = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
    if object["metadata"]["name"] != json!(expected) {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &object["metadata"]["name"], detail));
    }
    let versions = each(spec, "spec", "versions");
    if versions.iter().filter(|(_, version)| version["storage"] == true).count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &spec["versions"], detail));
    }
    for (path, version) in versions {
        require(version, &path, "name", causes);
        if !version["schema"]["openAPIV3Schema"].is_object() {
            causes.push(Cause::required(format!("{path}.schema.openAPIV3Schema"), "schemas are required"));
        }
    }
}

/// What stays as it was created.
pub(super) fn immutable(plural: &str, before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    match plural {
        "services" => {
            let address = &before["spec"]["clusterIP"];
            let typed = before["spec"]["type"] != "ExternalName" && after["spec"]["type"] != "ExternalName";
            if typed && !address.is_null() && address != &after["spec"]["clusterIP"] {
                let detail = "may not change once set";
                causes.push(Cause::invalid("spec.clusterIPs[0]", &json!([after["spec"]["clusterIP"]]), detail));
            }
        }
        "persistentvolumeclaims" => claim(before, after, causes),
        "configmaps" | "secrets" => {
            let frozen = before["immutable"] == true;
            if frozen && before["data"] != after["data"] {
                causes.push(Cause::forbidden("data", "field is immutable when `immutable` is set"));
            }
            if plural == "secrets" && before["type"] != after["type"] {
                causes.push(Cause::invalid("type", &after["type"], "field is immutable"));
            }
        }
        "storageclasses" => {
            for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
                if before[field] != after[field] {
                    causes.push(Cause::forbidden(field, &format!("updates to {field} are forbidden.")));
                }
            }
        }
        "rolebindings" | "clusterrolebindings" if before["roleRef"] != after["roleRef"] => {
            causes.push(Cause::invalid("roleRef", &after["roleRef"], "cannot change roleRef"));
        }
        _ => {}
    }
}

/// Of a claim only the size can grow, once it is bound.
fn claim(before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    let size = |claim: &Value| claim["spec"]["resources"]["requests"]["storage"].clone();
    let fixed = |claim: &Value| {
        let mut spec = claim["spec"].clone();
        spec["resources"]["requests"]["storage"] = Value::Null;
        spec
    };
    let grows = Quantity::of(&size(after)) >= Quantity::of(&size(before));
    let resized = size(before) != size(after);
    let bound = before["status"]["phase"] == "Bound";
    if fixed(before) != fixed(after) || (resized && !bound) {
        let why = "spec is immutable after creation except resources.requests for bound claims";
        causes.push(Cause::forbidden("spec", why));
    } else if resized && !grows {
        let why = "field can not be less than previous value";
        causes.push(Cause::forbidden("spec.resources.requests.storage", why));
    }
}
