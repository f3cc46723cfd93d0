//! Columns of the core group's kinds but pods and volumes.

use super::{Table, age, containers, count, items, join, len, name, or, selector, since};
use serde_json::{Value, json};

#[rustfmt::skip]
pub(super) fn table(group: &str, plural: &str) -> Option<Table> {
    Some(match (group, plural) {
        ("", "services") => (&[("Name", 0), ("Type", 0), ("Cluster-IP", 0), ("External-IP", 0), ("Port(s)", 0), ("Age", 0), ("Selector", 1)], service),
        ("", "nodes") => (&[("Name", 0), ("Status", 0), ("Roles", 0), ("Age", 0), ("Version", 0), ("Internal-IP", 1), ("External-IP", 1), ("OS-Image", 1), ("Kernel-Version", 1), ("Container-Runtime", 1)], node),
        ("", "namespaces") => (&[("Name", 0), ("Status", 0), ("Age", 0)], |o| vec![name(o), or(o, "/status/phase", ""), age(o)]),
        ("", "configmaps") => (&[("Name", 0), ("Data", 0), ("Age", 0)], |o| vec![name(o), json!(len(o, "/data") + len(o, "/binaryData")), age(o)]),
        ("", "secrets") => (&[("Name", 0), ("Type", 0), ("Data", 0), ("Age", 0)], |o| vec![name(o), or(o, "/type", "Opaque"), json!(len(o, "/data")), age(o)]),
        ("", "serviceaccounts") => (&[("Name", 0), ("Secrets", 0), ("Age", 0)], |o| vec![name(o), json!(len(o, "/secrets")), age(o)]),
        ("", "endpoints") => (&[("Name", 0), ("Endpoints", 0), ("Age", 0)], |o| vec![name(o), endpoints(o), age(o)]),
        ("discovery.k8s.io", "endpointslices") => (&[("Name", 0), ("AddressType", 0), ("Ports", 0), ("Endpoints", 0), ("Age", 0)], slice),
        ("", "events") => (&[("Last Seen", 0), ("Type", 0), ("Reason", 0), ("Object", 0), ("Subobject", 1), ("Source", 1), ("Message", 0), ("First Seen", 1), ("Count", 1), ("Name", 1)], event),
        ("events.k8s.io", "events") => (&[("Last Seen", 0), ("Type", 0), ("Reason", 0), ("Object", 0), ("Subobject", 1), ("Source", 1), ("Message", 0), ("First Seen", 1), ("Count", 1), ("Name", 1)], new_event),
        ("", "replicationcontrollers") => (&[("Name", 0), ("Desired", 0), ("Current", 0), ("Ready", 0), ("Age", 0), ("Containers", 1), ("Images", 1), ("Selector", 1)], replication_controller),
        ("", "resourcequotas") => (&[("Name", 0), ("Age", 0), ("Request", 0), ("Limit", 0)], |o| vec![name(o), age(o), json!(""), json!("")]),
        ("", "limitranges") => (&[("Name", 0), ("Created At", 0)], |o| vec![name(o), o["metadata"]["creationTimestamp"].clone()]),
        _ => return None,
    })
}

fn service(service: &Value) -> Vec<Value> {
    let ports = items(service, "/spec/ports").map(|port| {
        let node_port = count(port, "/nodePort");
        let node_port = if node_port > 0 { format!(":{node_port}") } else { String::new() };
        format!("{}{node_port}/{}", count(port, "/port"), port["protocol"].as_str().unwrap_or("TCP"))
    });
    let of_balancer = items(service, "/status/loadBalancer/ingress")
        .filter_map(|one| one["ip"].as_str().or(one["hostname"].as_str()).map(str::to_owned));
    let external = items(service, "/spec/externalIPs").filter_map(Value::as_str).map(str::to_owned);
    let external = match service["spec"]["type"].as_str() {
        Some("LoadBalancer") => join(of_balancer.chain(external), "<pending>"),
        Some("ExternalName") => or(service, "/spec/externalName", "<none>"),
        _ => join(external, "<none>"),
    };
    vec![
        name(service),
        or(service, "/spec/type", "ClusterIP"),
        or(service, "/spec/clusterIP", "<none>"),
        external,
        join(ports, "<none>"),
        age(service),
        selector(service["spec"].get("selector")),
    ]
}

fn node(node: &Value) -> Vec<Value> {
    let ready = items(node, "/status/conditions").find(|one| one["type"] == "Ready");
    let mut status = match ready {
        Some(ready) if ready["status"] == "True" => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if node["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let labels = node["metadata"]["labels"].as_object().into_iter().flatten();
    let roles = labels.filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/").map(str::to_owned));
    let address = |kind: &str| {
        let found = items(node, "/status/addresses").find(|one| one["type"] == kind);
        found.map_or(json!("<none>"), |one| one["address"].clone())
    };
    vec![
        name(node),
        json!(status),
        join(roles, "<none>"),
        age(node),
        or(node, "/status/nodeInfo/kubeletVersion", ""),
        address("InternalIP"),
        address("ExternalIP"),
        or(node, "/status/nodeInfo/osImage", "<unknown>"),
        or(node, "/status/nodeInfo/kernelVersion", "<unknown>"),
        or(node, "/status/nodeInfo/containerRuntimeVersion", "<unknown>"),
    ]
}

/// The first three addresses, and how many more there are.
fn endpoints(endpoints: &Value) -> Value {
    let mut all = Vec::new();
    for subset in items(endpoints, "/subsets") {
        for address in items(subset, "/addresses").filter_map(|one| one["ip"].as_str()) {
            let before = all.len();
            all.extend(items(subset, "/ports").map(|port| format!("{address}:{}", count(port, "/port"))));
            if all.len() == before {
                all.push(address.to_owned());
            }
        }
    }
    let more = all.len().saturating_sub(3);
    all.truncate(3);
    let shown = join(all.into_iter(), "<none>");
    if more == 0 { shown } else { json!(format!("{} + {more} more...", shown.as_str().unwrap_or_default())) }
}

fn slice(slice: &Value) -> Vec<Value> {
    let ports = items(slice, "/ports").map(|port| count(port, "/port").to_string());
    let addresses = items(slice, "/endpoints").flat_map(|one| items(one, "/addresses"));
    let addresses = addresses.filter_map(Value::as_str).map(str::to_owned);
    vec![name(slice), or(slice, "/addressType", ""), join(ports, "<unset>"), join(addresses, "<unset>"), age(slice)]
}

fn event(event: &Value) -> Vec<Value> {
    event_cells(event, ["involvedObject", "message", "source", "firstTimestamp", "lastTimestamp", "count"])
}

fn new_event(event: &Value) -> Vec<Value> {
    let fields = [
        "regarding",
        "note",
        "deprecatedSource",
        "deprecatedFirstTimestamp",
        "deprecatedLastTimestamp",
        "deprecatedCount",
    ];
    event_cells(event, fields)
}

fn event_cells(event: &Value, [object, message, source, first, last, count]: [&str; 6]) -> Vec<Value> {
    let time = |field: &str| event[field].as_str().or(event["eventTime"].as_str());
    let object = &event[object];
    let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
    let host = event[source]["host"].as_str().map_or(String::new(), |host| format!(", {host}"));
    let source = format!("{}{host}", event[source]["component"].as_str().unwrap_or_default());
    vec![
        json!(since(time(last))),
        or(event, "/type", ""),
        or(event, "/reason", ""),
        json!(format!("{kind}/{}", object["name"].as_str().unwrap_or_default())),
        or(object, "/fieldPath", ""),
        json!(source),
        json!(event[message].as_str().unwrap_or_default().trim()),
        json!(since(time(first))),
        json!(event[count].as_i64().unwrap_or(1).to_string()),
        name(event),
    ]
}

fn replication_controller(object: &Value) -> Vec<Value> {
    let [names, images] = containers(object);
    let number = |path: &str| json!(count(object, path));
    let numbers = [number("/spec/replicas"), number("/status/replicas"), number("/status/readyReplicas")];
    let [desired, current, ready] = numbers;
    vec![name(object), desired, current, ready, age(object), names, images, selector(object["spec"].get("selector"))]
}
