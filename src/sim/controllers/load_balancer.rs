//! Addresses for Services of type LoadBalancer, from the pools that MetalLB would use.

use super::object::{annotation, core, items, name, namespace, text};
use super::world::{Source, World};
use crate::sim::store::Resource;
use crate::yaml;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

const SOURCE: Source = Source::new("metallb-controller");

/// Gives each Service that waits for an address the next free one; without a pool it goes on waiting.
pub fn sync(world: &World) {
    let services = world.all(&core("services"));
    let is_ours = |service: &Value| text(service, "/spec/type") == "LoadBalancer";
    let mut taken: BTreeSet<Ipv4Addr> =
        services.iter().filter(|one| is_ours(one)).filter_map(|one| address(one)).collect();
    let mut pools = None;
    for service in &services {
        match (is_ours(service), address(service)) {
            (true, None) => {
                let pools = pools.get_or_insert_with(|| self::pools(world));
                taken.extend(assign(world, service, pools, &taken));
            }
            (false, Some(_)) => {
                world.change(&core("services"), service, |one| one["status"]["loadBalancer"] = json!({}))
            }
            _ => {}
        }
    }
}

fn address(service: &Value) -> Option<Ipv4Addr> {
    text(service, "/status/loadBalancer/ingress/0/ip").parse().ok()
}

fn assign(world: &World, service: &Value, pools: &[Range], taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let wanted = [
        text(service, "/spec/loadBalancerIP"),
        annotation(service, "metallb.universe.tf/loadBalancerIPs").unwrap_or(""),
    ];
    let wanted: Option<Ipv4Addr> = wanted.iter().find_map(|one| one.parse().ok());
    let mut free = pools.iter().flat_map(Range::addresses).filter(|one| !taken.contains(one));
    let found = free.find(|one| wanted.is_none_or(|wanted| wanted == *one));
    let Some(found) = found else {
        let why =
            wanted.map_or("no available IPs".to_owned(), |wanted| format!("\"{wanted}\" is not allowed in config"));
        let full_name = format!("{}/{}", namespace(service).unwrap_or_default(), name(service));
        let message = format!("Failed to allocate IP for \"{full_name}\": {why}");
        if !pools.is_empty() && world.once(format!("address/{full_name}/{why}")) {
            world.warning(SOURCE, service, "AllocationFailed", &message);
        }
        return None;
    };
    world.change(&core("services"), service, |one| {
        one["status"]["loadBalancer"] = json!({"ingress": [{"ip": found.to_string()}]});
    });
    world.normal(SOURCE, service, "IPAllocated", &format!("Assigned IP [\"{found}\"]"));
    Some(found)
}

/// Addresses from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range {
    first: u32,
    last: u32,
}

impl Range {
    /// `a-b` or a network such as `10.0.0.0/28`.
    fn parse(text: &str) -> Option<Range> {
        let number = |text: &str| text.trim().parse::<Ipv4Addr>().ok().map(u32::from);
        if let Some((first, last)) = text.split_once('-') {
            return Some(Range { first: number(first)?, last: number(last)? });
        }
        let (network, bits) = text.split_once('/')?;
        let bits: u32 = bits.trim().parse().ok().filter(|bits| *bits <= 32)?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let first = number(network)? & mask;
        Some(Range { first, last: first | !mask })
    }

    fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        (self.first..=self.last).map(Ipv4Addr::from)
    }
}

/// The pools in the order of their names: those of the config map, then the objects of newer versions.
fn pools(world: &World) -> Vec<Range> {
    let config = world.store.get(&core("configmaps"), Some("metallb-system"), "config");
    let config = config.and_then(|map| yaml::parse::<Value>(text(&map, "/data/config")).ok()).unwrap_or_default();
    let objects: Vec<Arc<Value>> = world.all(&Resource::new("metallb.io", "ipaddresspools"));
    let old = items(&config, "/address-pools").iter().flat_map(|pool| items(pool, "/addresses"));
    let new = objects.iter().flat_map(|pool| items(pool, "/spec/addresses"));
    old.chain(new).filter_map(|one| Range::parse(one.as_str()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, addresses) in [
            ("10.0.0.1-10.0.0.3", "10.0.0.1 10.0.0.2 10.0.0.3"),
            ("10.0.0.8/30", "10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11"),
            ("10.0.0.1/32", "10.0.0.1"),
        ] {
            let list: Vec<String> = Range::parse(text).unwrap().addresses().map(|one| one.to_string()).collect();
            assert_eq!(list.join(" "), addresses);
        }
        assert_eq!([Range::parse("x"), Range::parse("10.0.0.0/33"), Range::parse("10.0.0.1-")], [None; 3]);
    }
}
