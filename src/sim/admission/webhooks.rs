//! Admission webhooks. None can be called here; one whose Service is not there, or has nothing behind it, refuses every matching
//! write, as on a real cluster. One that would answer, or may fail, lets everything pass.

use crate::sim::api::selectors::Selector;
use crate::sim::kinds::Kind;
use crate::sim::status::Status;
use crate::sim::store::{Resource, Store};
use serde_json::Value;
use std::sync::Arc;

const GROUP: &str = "admissionregistration.k8s.io";
const PLURALS: [&str; 2] = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];

/// A write that webhooks may judge.
pub struct Write<'a> {
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub operation: &'a str,
    /// The kind.
    pub kind: &'a Kind,
    /// Its version in the request.
    pub version: &'a str,
    /// The part of the object that is written.
    pub subresource: Option<&'a str>,
    /// The object as it is, or will be.
    pub object: &'a Value,
}

/// Refuses a write when a webhook that must agree cannot be reached. `minor` is the release, for its words.
pub fn check(store: &Store, minor: u32, write: &Write) -> Result<(), Status> {
    // Nobody could repair a webhook that judges its own configuration.
    if write.kind.group == GROUP {
        return Ok(());
    }
    for plural in PLURALS {
        for configuration in store.list(&Resource::new(GROUP, plural), None) {
            let hooks = configuration["webhooks"].as_array().into_iter().flatten();
            for hook in hooks.filter(|hook| must_agree(hook, &configuration) && concerns(store, hook, write)) {
                if let Some(why) = unreachable(store, hook) {
                    let name = hook["name"].as_str().unwrap_or_default();
                    let failed = if minor >= 23 { "failed to call webhook: " } else { "" };
                    let message = format!("failed calling webhook \"{name}\": {failed}Post \"{}\": {why}", url(hook));
                    return Err(Status::internal(message));
                }
            }
        }
    }
    Ok(())
}

fn must_agree(hook: &Value, configuration: &Value) -> bool {
    let old = configuration["apiVersion"].as_str().is_some_and(|version| version.ends_with("v1beta1"));
    hook["failurePolicy"].as_str().unwrap_or(if old { "Ignore" } else { "Fail" }) == "Fail"
}

/// Whether a rule and the selectors of a webhook are about a write.
fn concerns(store: &Store, hook: &Value, write: &Write) -> bool {
    let has = |rule: &Value, field: &str, wanted: &str| {
        rule[field].as_array().into_iter().flatten().any(|one| one == "*" || one == wanted)
    };
    let resource = match write.subresource {
        Some(part) => format!("{}/{part}", write.kind.plural),
        None => write.kind.plural.clone(),
    };
    let names = |rule: &Value| {
        let mut all = rule["resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.any(|pattern| covers(pattern, &resource))
    };
    let scope = |rule: &Value| match rule["scope"].as_str() {
        Some("Cluster") => !write.kind.namespaced,
        Some("Namespaced") => write.kind.namespaced,
        _ => true,
    };
    let matches = |rule: &Value| {
        has(rule, "operations", write.operation)
            && has(rule, "apiGroups", &write.kind.group)
            && has(rule, "apiVersions", write.version)
            && names(rule)
            && scope(rule)
    };
    hook["rules"].as_array().into_iter().flatten().any(matches) && is_selected(store, hook, write.object)
}

/// Whether a pattern such as `pods`, `*`, `*/*`, `pods/*` or `*/status` means a resource.
fn covers(pattern: &str, resource: &str) -> bool {
    let (plural, part) = resource.split_once('/').map_or((resource, None), |(plural, part)| (plural, Some(part)));
    let same = |pattern: &str, text: &str| pattern == "*" || pattern == text;
    match (pattern.split_once('/'), part) {
        (None, None) => same(pattern, plural),
        (None, Some(_)) => false,
        (Some(("*", "*")), _) => true,
        (Some((pattern, "*")), None) => same(pattern, plural),
        (Some(_), None) => false,
        (Some((first, second)), Some(part)) => same(first, plural) && same(second, part),
    }
}

fn is_selected(store: &Store, hook: &Value, object: &Value) -> bool {
    let fits = |selector: &Value, object: &Value| {
        selector.is_null() || Selector::of_labels(selector).is_none_or(|selector| selector.matches(object))
    };
    let home: Option<Arc<Value>> = match object["metadata"]["namespace"].as_str() {
        Some(name) => store.get(&Resource::new("", "namespaces"), None, name),
        None => None,
    };
    fits(&hook["objectSelector"], object) && home.is_none_or(|home| fits(&hook["namespaceSelector"], &home))
}

/// Why a webhook does not answer.
fn unreachable(store: &Store, hook: &Value) -> Option<String> {
    let service = &hook["clientConfig"]["service"];
    let name = service["name"].as_str()?;
    let home = service["namespace"].as_str();
    if store.get(&Resource::new("", "services"), home, name).is_none() {
        return Some(format!("service \"{name}\" not found"));
    }
    let endpoints = store.get(&Resource::new("", "endpoints"), home, name);
    let serves = |one: &Value| one["addresses"].as_array().is_some_and(|list| !list.is_empty());
    let any = endpoints.is_some_and(|one| one["subsets"].as_array().into_iter().flatten().any(serves));
    (!any).then(|| format!("no endpoints available for service \"{name}\""))
}

/// Where a webhook would be called.
fn url(hook: &Value) -> String {
    let service = &hook["clientConfig"]["service"];
    let text = |field: &str| service[field].as_str().unwrap_or_default();
    let port = service["port"].as_u64().unwrap_or(443);
    let path = text("path").trim_start_matches('/');
    let timeout = hook["timeoutSeconds"].as_u64().unwrap_or(10);
    format!("https://{}.{}.svc:{port}/{path}?timeout={timeout}s", text("name"), text("namespace"))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn patterns_of_resources() {
        for (pattern, resource, covered) in [
            ("pods", "pods", true),
            ("pods", "pods/status", false),
            ("*", "pods", true),
            ("*", "pods/status", false),
            ("*/*", "pods/status", true),
            ("pods/*", "pods/status", true),
            ("pods/*", "pods", true),
            ("*/status", "pods/status", true),
            ("*/status", "pods", false),
        ] {
            assert_eq!(covers(pattern, resource), covered, "{pattern} {resource}");
        }
    }
}
