//! Endpoints and EndpointSlices: which pods stand behind a Service.

use super::object::{controller_reference, core, has_labels, is_deleting, items, label, name, namespace, text};
use super::pods::{is_finished, is_ready, suffix};
use super::world::World;
use crate::sim::store::Resource;
use serde_json::{Value, json};
use std::sync::Arc;

/// Label of the Endpoints that this controller keeps.
const MANAGED: &str = "endpoints.kubernetes.io/managed-by";
const SERVICE: &str = "kubernetes.io/service-name";

fn slices() -> Resource {
    Resource::new("discovery.k8s.io", "endpointslices")
}

/// Keeps the endpoints of every Service that selects pods, and removes those of Services that are gone.
pub fn sync(world: &World) {
    for service in world.all(&core("services")) {
        if service["spec"]["selector"].is_object() && text(&service, "/spec/type") != "ExternalName" {
            keep(world, &service);
        }
    }
    for endpoints in world.all(&core("endpoints")) {
        let gone = world.store.get(&core("services"), namespace(&endpoints), name(&endpoints)).is_none();
        if gone && label(&endpoints, MANAGED).is_some() {
            world.delete(&core("endpoints"), &endpoints);
        }
    }
}

fn keep(world: &World, service: &Value) {
    let always = service["spec"]["publishNotReadyAddresses"] == true;
    let selector = &service["spec"]["selector"];
    let serves = |pod: &Arc<Value>| {
        has_labels(&pod["metadata"]["labels"], selector) && !text(pod, "/status/podIP").is_empty() && !is_finished(pod)
    };
    let mut pods = world.beside(&core("pods"), service);
    pods.retain(serves);
    let ready = |pod: &Value| always || (is_ready(pod) && !is_deleting(pod));
    let alive: Vec<&Arc<Value>> = pods.iter().filter(|pod| always || !is_deleting(pod)).collect();
    let addresses = |wanted: bool| -> Vec<Value> {
        let mut list: Vec<Value> =
            alive.iter().filter(|pod| ready(pod) == wanted).map(|pod| address(service, pod)).collect();
        list.sort_by_key(|one| text(one, "/ip").to_owned());
        list
    };
    let ports = ports(service, alive.first().map(|pod| pod.as_ref()));
    let mut subset = json!({});
    for (field, list) in
        [("addresses", addresses(true)), ("notReadyAddresses", addresses(false)), ("ports", ports.clone())]
    {
        if !list.is_empty() {
            subset[field] = Value::Array(list);
        }
    }
    write_endpoints(world, service, if alive.is_empty() { None } else { Some(subset) });
    let all = alive.iter().map(|pod| endpoint(world, service, pod, ready(pod))).collect();
    write_slice(world, service, all, &ports);
}

fn labels(service: &Value, extra: (&str, &str)) -> Value {
    let mut labels = service["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert(extra.0.into(), json!(extra.1));
    if service["spec"]["clusterIP"] == "None" {
        labels.insert("service.kubernetes.io/headless".into(), json!(""));
    }
    Value::Object(labels)
}

fn target(pod: &Value) -> Value {
    let metadata = &pod["metadata"];
    json!({"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]})
}

/// The name of a pod within a headless Service.
fn hostname<'a>(service: &Value, pod: &'a Value) -> Option<&'a str> {
    let host = text(pod, "/spec/hostname");
    (text(pod, "/spec/subdomain") == name(service) && !host.is_empty()).then_some(host)
}

fn address(service: &Value, pod: &Value) -> Value {
    let mut address =
        json!({"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": target(pod)});
    if let Some(host) = hostname(service, pod) {
        address["hostname"] = json!(host);
    }
    address
}

fn endpoint(world: &World, service: &Value, pod: &Value, ready: bool) -> Value {
    let mut endpoint = json!({
        "addresses": [pod["status"]["podIP"]], "nodeName": pod["spec"]["nodeName"], "targetRef": target(pod),
        "conditions": {"ready": ready, "serving": is_ready(pod), "terminating": is_deleting(pod)},
    });
    if let Some(host) = hostname(service, pod) {
        endpoint["hostname"] = json!(host);
    }
    let node = world.store.get(&core("nodes"), None, text(pod, "/spec/nodeName"));
    if let Some(zone) = node.as_ref().and_then(|node| label(node, "topology.kubernetes.io/zone")) {
        endpoint["zone"] = json!(zone);
    }
    endpoint
}

/// The ports behind a Service: a target may be named by the pod's containers.
fn ports(service: &Value, pod: Option<&Value>) -> Vec<Value> {
    let containers = pod.map_or(&[][..], |pod| items(pod, "/spec/containers"));
    let named = |wanted: &str| {
        let mut all = containers.iter().flat_map(|one| items(one, "/ports"));
        all.find(|port| port["name"] == wanted).map(|port| port["containerPort"].clone())
    };
    let one = |port: &Value| {
        let target = match &port["targetPort"] {
            Value::String(wanted) => {
                wanted.parse::<u16>().map_or_else(|_| named(wanted), |number| Some(json!(number)))?
            }
            Value::Null => port["port"].clone(),
            number => number.clone(),
        };
        let mut found = json!({"port": target, "protocol": port["protocol"].as_str().unwrap_or("TCP")});
        if port["name"].is_string() {
            found["name"] = port["name"].clone();
        }
        Some(found)
    };
    items(service, "/spec/ports").iter().filter_map(one).collect()
}

fn write_endpoints(world: &World, service: &Value, subset: Option<Value>) {
    let resource = core("endpoints");
    let labels = labels(service, (MANAGED, "endpoint-controller"));
    let subsets: Vec<Value> = subset.into_iter().collect();
    let Some(known) = world.store.get(&resource, namespace(service), name(service)) else {
        let mut endpoints = json!({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": {"name": service["metadata"]["name"], "namespace": service["metadata"]["namespace"], "labels": labels},
        });
        if !subsets.is_empty() {
            endpoints["subsets"] = Value::Array(subsets);
        }
        return drop(world.create(&resource, endpoints));
    };
    world.change(&resource, &known, |found| {
        found["metadata"]["labels"] = labels;
        match (subsets.is_empty(), found.as_object_mut()) {
            (true, Some(fields)) => drop(fields.remove("subsets")),
            _ => found["subsets"] = Value::Array(subsets),
        }
    });
}

fn write_slice(world: &World, service: &Value, endpoints: Vec<Value>, ports: &[Value]) {
    let mut labels = labels(service, (SERVICE, name(service)));
    labels["endpointslice.kubernetes.io/managed-by"] = json!("endpointslice-controller.k8s.io");
    // A slice without names for its ports says so, as the API does.
    let port = |port: &Value| json!({"name": port["name"].as_str().unwrap_or(""), "port": port["port"], "protocol": port["protocol"]});
    let ports: Vec<Value> = ports.iter().map(port).collect();
    let known = world.beside(&slices(), service).into_iter().find(|slice| label(slice, SERVICE) == Some(name(service)));
    let Some(known) = known else {
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {
                "name": format!("{}-{}", name(service), suffix()), "generateName": format!("{}-", name(service)),
                "namespace": service["metadata"]["namespace"], "labels": labels,
                "ownerReferences": [controller_reference(service)],
            },
            "endpoints": endpoints, "ports": ports,
        });
        return drop(world.create(&slices(), slice));
    };
    world.change(&slices(), &known, |slice| {
        slice["metadata"]["labels"] = labels;
        slice["endpoints"] = Value::Array(endpoints);
        slice["ports"] = Value::Array(ports);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_by_number_and_by_name() {
        let service = json!({"spec": {"ports": [
            {"port": 80, "targetPort": "web", "name": "a"}, {"port": 81, "targetPort": 1972}, {"port": 82, "targetPort": "none"},
        ]}});
        let pod = json!({"spec": {"containers": [{"ports": [{"name": "web", "containerPort": 52773}]}]}});
        let found = ports(&service, Some(&pod));
        assert_eq!(
            json!(found),
            json!([{"port": 52773, "protocol": "TCP", "name": "a"}, {"port": 1972, "protocol": "TCP"}])
        );
    }
}
