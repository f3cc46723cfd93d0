//! Addresses and node ports of Services.

use crate::sim::api::context::Api;
use crate::sim::status::{Cause, Status};
use crate::sim::store::resource::Resource;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The first three numbers of every cluster IP.
const NETWORK: &str = "10.152.183";
/// Node ports are taken from here.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30000..=32767;

/// Keeps what was allocated, when a change leaves it out.
pub fn keep(before: &Value, object: &mut Value) {
    if object["spec"]["type"] == "ExternalName" {
        return;
    }
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"] {
        if object["spec"][field].is_null() && !before["spec"][field].is_null() {
            object["spec"][field] = before["spec"][field].clone();
        }
    }
    let old = before["spec"]["ports"].as_array().cloned().unwrap_or_default();
    if !takes_node_ports(object) {
        drop_what_the_old_type_had(object, &old);
        return;
    }
    for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
        let same = |one: &&Value| one["port"] == port["port"] && protocol(one) == protocol(port);
        if let (true, Some(old)) = (port["nodePort"].is_null(), old.iter().find(same)) {
            port["nodePort"] = old["nodePort"].clone();
        }
    }
}

/// A Service that was one with node ports loses them, unless the change names others.
fn drop_what_the_old_type_had(object: &mut Value, old: &[Value]) {
    if object["spec"]["type"] == "ClusterIP" {
        let spec = object["spec"].as_object_mut();
        spec.into_iter().for_each(|spec| {
            spec.remove("externalTrafficPolicy");
            spec.remove("healthCheckNodePort");
            spec.remove("allocateLoadBalancerNodePorts");
        });
    }
    for port in object["spec"]["ports"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        if port.get("nodePort").is_some_and(|given| old.iter().any(|old| old["nodePort"] == *given)) {
            port.remove("nodePort");
        }
    }
}

/// Gives a Service its cluster IP and its node ports, or refuses those that are taken.
pub fn allocate(api: &Api, before: Option<&Value>, object: &mut Value) -> Result<(), Status> {
    if object["spec"]["type"] == "ExternalName" {
        return Ok(());
    }
    let services = api.store.list(&Resource::new("", "services"), None);
    let others = || {
        services
            .iter()
            .filter(|other| before.is_none_or(|before| other["metadata"]["uid"] != before["metadata"]["uid"]))
    };
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let refuse = |cause| Err(Status::invalid("", "Service", &name, vec![cause]));

    let taken: BTreeSet<&str> = others().filter_map(|other| other["spec"]["clusterIP"].as_str()).collect();
    match object["spec"]["clusterIP"].as_str().filter(|address| !address.is_empty()) {
        None => {
            let free =
                (10..255).map(|last| format!("{NETWORK}.{last}")).find(|address| !taken.contains(address.as_str()));
            let free = free.ok_or_else(|| Status::internal("failed to allocate a serviceIP: range is full"))?;
            object["spec"]["clusterIP"] = json!(free);
        }
        Some("None") => {}
        Some(address) if taken.contains(address) => {
            return refuse(Cause::invalid(
                "spec.clusterIPs",
                &json!([address]),
                "failed to allocate IP: provided IP is already allocated",
            ));
        }
        Some(_) => {}
    }
    object["spec"]["clusterIPs"] = json!([object["spec"]["clusterIP"]]);

    let ports = |service: &Value| -> Vec<i64> {
        let list = service["spec"]["ports"].as_array().into_iter().flatten();
        list.filter_map(|port| port["nodePort"].as_i64()).filter(|port| *port > 0).collect()
    };
    let mut taken: BTreeSet<i64> = others().flat_map(|other| ports(other)).collect();
    if let Some((index, port)) = ports(object).into_iter().enumerate().find(|(_, port)| taken.contains(port)) {
        let field = format!("spec.ports[{index}].nodePort");
        return refuse(Cause::invalid(field, &json!(port), "provided port is already allocated"));
    }
    taken.extend(ports(object));
    if takes_node_ports(object) {
        for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
            if port["nodePort"].as_i64().unwrap_or(0) == 0 {
                let free = NODE_PORTS.clone().find(|free| !taken.contains(free));
                let free = free.ok_or_else(|| Status::internal("failed to allocate a nodePort: range is full"))?;
                port["nodePort"] = json!(free);
                taken.insert(free);
            }
        }
    }
    Ok(())
}

fn takes_node_ports(service: &Value) -> bool {
    let spec = &service["spec"];
    spec["type"] == "NodePort" || (spec["type"] == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] != false)
}

fn protocol(port: &Value) -> &str {
    port["protocol"].as_str().unwrap_or("TCP")
}
