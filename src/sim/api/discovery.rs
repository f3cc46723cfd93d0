//! What the server tells about itself: groups, kinds, version and schemas.

use crate::model::sim::COMPILER;
use crate::sim::aggregation;
use crate::sim::api::http::{Body, Request, answer, json_answer};
use crate::sim::kinds::{Kind, version_order};
use crate::sim::status::Status;
use crate::sim::store::Store;
use http::{Response, header};
use serde_json::{Value, json};
use std::sync::Arc;

const ALL_VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// `/version`.
pub fn version(git_version: &str) -> Value {
    let mut numbers = git_version.trim_start_matches('v').split('.');
    json!({
        "major": numbers.next().unwrap_or("1"), "minor": numbers.next().unwrap_or("0"), "gitVersion": git_version,
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": COMPILER,
        "platform": "linux/amd64",
    })
}

/// `/api`.
pub fn core_versions(address: &str) -> Value {
    let by_client = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]);
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": by_client})
}

/// `/apis`.
pub fn groups(store: &Store, kinds: &[Arc<Kind>]) -> Value {
    let mut names: Vec<&str> = Vec::new();
    for kind in kinds.iter().filter(|kind| !kind.group.is_empty()) {
        if !names.contains(&kind.group.as_str()) {
            names.push(&kind.group);
        }
    }
    let mut groups: Vec<Value> = names.iter().filter_map(|name| group_entry(kinds, name)).collect();
    let mut elsewhere: Vec<String> = aggregation::versions(store).into_iter().map(|(group, _)| group).collect();
    elsewhere.retain(|group| !names.contains(&group.as_str()));
    elsewhere.dedup();
    groups.extend(elsewhere.iter().filter_map(|group| aggregation::group_entry(store, group)));
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`.
pub fn group(store: &Store, kinds: &[Arc<Kind>], name: &str) -> Result<Value, Status> {
    let found = group_entry(kinds, name).or_else(|| aggregation::group_entry(store, name));
    let mut entry = found.ok_or_else(Status::no_such_path)?;
    entry["kind"] = json!("APIGroup");
    entry["apiVersion"] = json!("v1");
    Ok(entry)
}

fn group_entry(kinds: &[Arc<Kind>], name: &str) -> Option<Value> {
    let of_group = kinds.iter().filter(|kind| kind.group == name).flat_map(|kind| &kind.versions);
    let mut versions: Vec<&str> = of_group.map(|version| version.name.as_str()).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version_order(version)));
    versions.dedup();
    let entry = |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let entries: Vec<Value> = versions.iter().map(entry).collect();
    let preferred = entries.first()?.clone();
    Some(json!({"name": name, "versions": entries, "preferredVersion": preferred}))
}

/// `/api/v1`, `/apis/GROUP/VERSION`.
pub fn resources(store: &Store, kinds: &[Arc<Kind>], group: &str, version: &str) -> Result<Value, Status> {
    let served = |kind: &&Arc<Kind>| kind.group == group && kind.version(version).is_some();
    let resources: Vec<Value> = kinds.iter().filter(served).flat_map(|kind| entries(kind)).collect();
    if resources.is_empty() && !aggregation::is_elsewhere(store, group, version) {
        return Err(Status::no_such_path());
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Ok(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}))
}

/// A kind and its subresources.
fn entries(kind: &Kind) -> Vec<Value> {
    let verbs: Vec<&str> = match kind.plural.as_str() {
        _ if kind.is_review() => vec!["create"],
        "namespaces" => ALL_VERBS.into_iter().filter(|verb| *verb != "deletecollection").collect(),
        _ => ALL_VERBS.to_vec(),
    };
    let mut entry = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind, "verbs": verbs,
    });
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        entry["categories"] = json!(kind.categories);
    }
    let mut all = vec![entry];
    all.extend(kind.subresources.iter().map(|name| subresource(kind, name)));
    all
}

fn subresource(kind: &Kind, name: &str) -> Value {
    let (group_version, shown, verbs): (Option<[&str; 2]>, &str, &[&str]) = match name {
        "scale" => (Some(["autoscaling", "v1"]), "Scale", &["get", "patch", "update"]),
        "log" => (None, &kind.kind, &["get"]),
        "exec" => (None, "PodExecOptions", &["create", "get"]),
        "attach" => (None, "PodAttachOptions", &["create", "get"]),
        "portforward" => (None, "PodPortForwardOptions", &["create", "get"]),
        "binding" => (None, "Binding", &["create"]),
        "eviction" => (Some(["policy", "v1beta1"]), "Eviction", &["create"]),
        "token" => (Some(["authentication.k8s.io", "v1"]), "TokenRequest", &["create"]),
        "finalize" => (None, &kind.kind, &["update"]),
        _ => (None, &kind.kind, &["get", "patch", "update"]),
    };
    let mut entry = json!({
        "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced, "kind": shown, "verbs": verbs,
    });
    if let Some([group, version]) = group_version {
        entry["group"] = json!(group);
        entry["version"] = json!(version);
    }
    entry
}

/// `/openapi/v2`: no schemas, so that clients leave the validation to the server.
pub fn openapi_v2(request: &Request, git_version: &str) -> Response<Body> {
    if request.header(header::ACCEPT).contains("proto-openapi") {
        return answer(200, "application/octet-stream", openapi_v2_protobuf(git_version));
    }
    json_answer(200, &json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": git_version}, "paths": {}}))
}

/// The smallest document: version, title and an empty list of paths.
fn openapi_v2_protobuf(git_version: &str) -> Vec<u8> {
    let field = |number: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap_or(0);
        [&[number << 3 | 2, length], &content[..usize::from(length)]].concat()
    };
    let info = [field(1, b"Kubernetes"), field(2, git_version.as_bytes())].concat();
    [field(1, b"2.0"), field(2, &info), field(8, b"")].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::kinds::Kinds;

    #[test]
    fn groups_name_their_preferred_version() {
        let store = Store::new();
        let kinds = Kinds::new(store.clone(), 24).all();
        let policy = group(&store, &kinds, "policy").unwrap();
        assert_eq!(policy["preferredVersion"]["groupVersion"], "policy/v1");
        assert_eq!(policy["versions"].as_array().unwrap().len(), 2);
        assert_eq!(group(&store, &kinds, "nosuch").unwrap_err().code, 404);
    }

    #[test]
    fn resources_carry_short_names_and_subresources() {
        let store = Store::new();
        let list = resources(&store, &Kinds::new(store.clone(), 24).all(), "apps", "v1").unwrap();
        let all = list["resources"].as_array().unwrap();
        let named = |name: &str| all.iter().find(|one| one["name"] == name).unwrap();
        assert_eq!(named("statefulsets")["shortNames"], json!(["sts"]));
        assert_eq!(named("statefulsets/scale")["group"], "autoscaling");
    }
}
