//! Services that have no address.

use super::scene::event_of;
use super::{Cause, Finding, Scene, Subject};
use crate::model::object::{list, name, text};
use crate::model::range;
use serde_json::Value;
use std::net::Ipv4Addr;

pub(super) fn judge(scene: &Scene) -> Vec<Finding> {
    let external = scene
        .facts
        .objects
        .iter()
        .filter(|object| text(object, "/kind") == "Service" && text(object, "/spec/type") == "LoadBalancer");
    let waits = |service: &&Value| list(service, "/status/loadBalancer/ingress").next().is_none();
    external.filter(waits).map(|service| no_address(scene, service)).collect()
}

fn no_address(scene: &Scene, service: &Value) -> Finding {
    let own = name(service);
    let new = |cause, what: String, mend: String| Finding::new(cause, Subject::Service(own.into()), what, mend);
    let port = list(service, "/spec/ports").find_map(|port| port["port"].as_u64()).unwrap_or(52773);
    let until = format!("until then use {}", scene.kubectl(&format!("port-forward service/{own} {port}")));
    // The pool of a cluster that we did not make is not ours to change.
    let larger = match scene.identity.provider.as_str() {
        "existing" => {
            "make the pool in the namespace metallb-system larger, or delete a Service that has an address".into()
        }
        _ => format!(
            "give it another with {}, or delete a Service that has one",
            scene.up_with("--lb-range", "FIRST-LAST")
        ),
    };
    if let Some(event) = scene.warning("Service", own, |event| text(event, "/reason") == "AllocationFailed") {
        let message = text(event, "/message");
        let (cause, what) = match message.contains("not allowed") {
            true => (Cause::NoAddress, "it has no address: the one that it asks for is not in the pool".to_string()),
            false => (Cause::PoolExhausted, format!("it has no address: none is left in the pool{}", pool(scene))),
        };
        return new(cause, what, format!("{larger}; {until}")).seen(event_of(event), message);
    }
    let Some(seen) = &scene.facts.details.addresses else {
        let what = "it has no address, nothing in the cluster has given it one".to_string();
        return new(Cause::NoAddress, what, until);
    };
    match &scene.facts.lb_ranges {
        Some(ranges) if ranges.is_empty() => {
            let what = "it has no address: MetalLB is there, and has no pool".to_string();
            new(Cause::NoLoadBalancer, what, format!("{larger}; {until}"))
        }
        Some(ranges) if are_taken(ranges, seen) => {
            let what = format!("it has no address: none is left in the pool{}", pool(scene));
            let finding = new(Cause::PoolExhausted, what, format!("{larger}; {until}"));
            finding.seen("addresses of the cluster's Services", seen.join(", "))
        }
        Some(_) => {
            let what = format!("it has no address yet, and the pool{} has some left: MetalLB may not run", pool(scene));
            new(Cause::NoAddress, what, format!("see `kubectl get pods -n metallb-system`; {until}"))
        }
        None => match &scene.facts.load_balancer {
            Some(who) => {
                let what = "it has no address yet".to_string();
                new(
                    Cause::NoAddress,
                    what,
                    format!("see {}; {until}", scene.kubectl(&format!("describe service {own}"))),
                )
                .seen("the cluster's load balancer", who)
            }
            None => {
                let what = "it has no address: nothing in the cluster gives addresses to Services".to_string();
                new(Cause::NoLoadBalancer, what, format!("install MetalLB, or do without; {until}"))
            }
        },
    }
}

fn pool(scene: &Scene) -> String {
    let ranges = scene.facts.lb_ranges.as_deref().unwrap_or_default().join(",");
    if ranges.is_empty() { String::new() } else { format!(" {ranges}") }
}

/// Whether every address of the ranges is somebody's. A range that cannot be read has more.
fn are_taken(ranges: &[String], taken: &[String]) -> bool {
    let taken: Vec<Ipv4Addr> = taken.iter().filter_map(|address| address.parse().ok()).collect();
    let full = |span: &range::Span| {
        let inside = taken.iter().filter(|address| span.has(**address));
        let mut inside: Vec<&Ipv4Addr> = inside.collect();
        inside.sort_unstable();
        inside.dedup();
        inside.len() as u64 >= span.count()
    };
    ranges.iter().all(|text| range::one(text).is_ok_and(|span| full(&span)))
}
