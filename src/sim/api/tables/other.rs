//! Columns of policies, access rights, extensions and networks.

use super::{Table, age, count, items, join, len, name, or, selector};
use serde_json::{Value, json};

#[rustfmt::skip]
pub(super) fn table(group: &str, plural: &str) -> Option<Table> {
    Some(match (group, plural) {
        ("policy", "poddisruptionbudgets") => (&[("Name", 0), ("Min Available", 0), ("Max Unavailable", 0), ("Allowed Disruptions", 0), ("Age", 0)], budget),
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => (&[("Name", 0), ("Created At", 0)], |o| vec![name(o), o["metadata"]["creationTimestamp"].clone()]),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => (&[("Name", 0), ("Role", 0), ("Age", 0), ("Users", 1), ("Groups", 1), ("ServiceAccounts", 1)], binding),
        ("apiextensions.k8s.io", "customresourcedefinitions") => (&[("Name", 0), ("Created At", 0)], |o| vec![name(o), o["metadata"]["creationTimestamp"].clone()]),
        ("apiregistration.k8s.io", "apiservices") => (&[("Name", 0), ("Service", 0), ("Available", 0), ("Age", 0)], api_service),
        ("scheduling.k8s.io", "priorityclasses") => (&[("Name", 0), ("Value", 0), ("Global-Default", 0), ("Age", 0)], |o| vec![name(o), json!(count(o, "/value")), or(o, "/globalDefault", "false"), age(o)]),
        ("coordination.k8s.io", "leases") => (&[("Name", 0), ("Holder", 0), ("Age", 0)], |o| vec![name(o), or(o, "/spec/holderIdentity", ""), age(o)]),
        ("admissionregistration.k8s.io", _) => (&[("Name", 0), ("Webhooks", 0), ("Age", 0)], |o| vec![name(o), json!(len(o, "/webhooks")), age(o)]),
        ("networking.k8s.io", "networkpolicies") => (&[("Name", 0), ("Pod-Selector", 0), ("Age", 0)], |o| vec![name(o), selector(o["spec"].get("podSelector")), age(o)]),
        ("networking.k8s.io", "ingresses") => (&[("Name", 0), ("Class", 0), ("Hosts", 0), ("Address", 0), ("Ports", 0), ("Age", 0)], ingress),
        ("networking.k8s.io", "ingressclasses") => (&[("Name", 0), ("Controller", 0), ("Parameters", 0), ("Age", 0)], |o| vec![name(o), or(o, "/spec/controller", ""), json!("<none>"), age(o)]),
        ("node.k8s.io", "runtimeclasses") => (&[("Name", 0), ("Handler", 0), ("Age", 0)], |o| vec![name(o), or(o, "/handler", ""), age(o)]),
        ("policy", "podsecuritypolicies") => (&[("Name", 0), ("Priv", 0), ("Caps", 0), ("Selinux", 0), ("RunAsUser", 0), ("FsGroup", 0), ("SupGroup", 0), ("ReadOnlyRootFs", 0), ("Volumes", 0)], security_policy),
        _ => return None,
    })
}

fn budget(object: &Value) -> Vec<Value> {
    let allowed = json!(count(object, "/status/disruptionsAllowed"));
    vec![
        name(object),
        or(object, "/spec/minAvailable", "N/A"),
        or(object, "/spec/maxUnavailable", "N/A"),
        allowed,
        age(object),
    ]
}

fn binding(object: &Value) -> Vec<Value> {
    let role = &object["roleRef"];
    let role = format!("{}/{}", role["kind"].as_str().unwrap_or_default(), role["name"].as_str().unwrap_or_default());
    let subjects = |kind: &'static str| {
        let named = items(object, "/subjects").filter(move |one| one["kind"] == kind).map(|one| {
            let name = one["name"].as_str().unwrap_or_default();
            one["namespace"].as_str().map_or(name.to_owned(), |namespace| format!("{namespace}/{name}"))
        });
        json!(named.collect::<Vec<String>>().join(", "))
    };
    vec![name(object), json!(role), age(object), subjects("User"), subjects("Group"), subjects("ServiceAccount")]
}

fn api_service(object: &Value) -> Vec<Value> {
    let service = &object["spec"]["service"];
    let service = match (service["namespace"].as_str(), service["name"].as_str()) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        _ => "Local".into(),
    };
    let available = items(object, "/status/conditions").find(|one| one["type"] == "Available");
    vec![name(object), json!(service), available.map_or(json!("Unknown"), |one| one["status"].clone()), age(object)]
}

fn ingress(object: &Value) -> Vec<Value> {
    let hosts = items(object, "/spec/rules").filter_map(|rule| rule["host"].as_str().map(str::to_owned));
    let addresses = items(object, "/status/loadBalancer/ingress");
    let addresses = addresses.filter_map(|one| one["ip"].as_str().or(one["hostname"].as_str()).map(str::to_owned));
    let ports = if len(object, "/spec/tls") > 0 { "80, 443" } else { "80" };
    let class = or(object, "/spec/ingressClassName", "<none>");
    vec![name(object), class, join(hosts, "*"), join(addresses, ""), json!(ports), age(object)]
}

fn security_policy(object: &Value) -> Vec<Value> {
    let list = |path: &str| join(items(object, path).filter_map(Value::as_str).map(str::to_owned), "");
    let rule = |field: &str| or(object, &format!("/spec/{field}/rule"), "");
    vec![
        name(object),
        or(object, "/spec/privileged", "false"),
        list("/spec/allowedCapabilities"),
        rule("seLinux"),
        rule("runAsUser"),
        rule("fsGroup"),
        rule("supplementalGroups"),
        or(object, "/spec/readOnlyRootFilesystem", "false"),
        list("/spec/volumes"),
    ]
}
