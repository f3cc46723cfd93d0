//! API groups that another server in the cluster serves, as APIService objects say. Nothing answers here for such a server: a
//! group whose Service has no endpoints is unavailable, and discovery of it fails, as on a real cluster; any other is empty.

use crate::sim::store::{Resource, Store};
use serde_json::{Value, json};
use std::sync::Arc;

/// Where API services are stored.
pub fn api_services() -> Resource {
    Resource::new("apiregistration.k8s.io", "apiservices")
}

/// Whether an API service is available, why, and in which words.
pub fn availability(store: &Store, one: &Value) -> (bool, &'static str, String) {
    let service = &one["spec"]["service"];
    let Some(name) = service["name"].as_str() else {
        return (true, "Local", "Local APIServices are always available".into());
    };
    let home = service["namespace"].as_str().unwrap_or_default();
    if store.get(&Resource::new("", "services"), Some(home), name).is_none() {
        return (false, "ServiceNotFound", format!("service/{name} in \"{home}\" is not present"));
    }
    let Some(endpoints) = store.get(&Resource::new("", "endpoints"), Some(home), name) else {
        return (false, "EndpointsNotFound", format!("cannot find endpoints for service/{name} in \"{home}\""));
    };
    let serves = |one: &Value| one["addresses"].as_array().is_some_and(|list| !list.is_empty());
    if endpoints["subsets"].as_array().into_iter().flatten().any(serves) {
        return (true, "Passed", "all checks passed".into());
    }
    (false, "MissingEndpoints", format!("endpoints for service/{name} in \"{home}\" have no addresses"))
}

/// The API service of another server for a group and version.
fn of(store: &Store, group: &str, version: &str) -> Option<Arc<Value>> {
    let found = store.get(&api_services(), None, &format!("{version}.{group}"))?;
    found["spec"]["service"]["name"].is_string().then_some(found)
}

/// Whether another server is to serve a group and version.
pub fn is_elsewhere(store: &Store, group: &str, version: &str) -> bool {
    of(store, group, version).is_some()
}

/// Whether requests to a group and version fail because their server is not there.
pub fn is_unavailable(store: &Store, group: &str, version: &str) -> bool {
    of(store, group, version).is_some_and(|one| !availability(store, &one).0)
}

/// Groups and versions of other servers.
pub fn versions(store: &Store) -> Vec<(String, String)> {
    let text = |one: &Value, field: &str| one["spec"][field].as_str().unwrap_or_default().to_owned();
    let all = store.list(&api_services(), None);
    let elsewhere = all.iter().filter(|one| one["spec"]["service"]["name"].is_string());
    elsewhere.map(|one| (text(one, "group"), text(one, "version"))).collect()
}

/// The entry of a group that only another server serves, in the list of groups.
pub fn group_entry(store: &Store, group: &str) -> Option<Value> {
    let entry =
        |(_, version): (String, String)| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    let all = versions(store).into_iter().filter(|(name, _)| name == group);
    let entries: Vec<Value> = all.map(entry).collect();
    let preferred = entries.first()?.clone();
    Some(json!({"name": group, "versions": entries, "preferredVersion": preferred}))
}
