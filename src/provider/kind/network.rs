//! Docker's network `kind`, in which all nodes are. It is made before kind would make it, with a subnet that we choose, so that the
//! load balancer's addresses are known before anything is there.

use super::owned;
use crate::error::{Failure, Result};
use crate::model::host::DockerNetwork;
use crate::model::{Action, Cmd, HostFacts, HostObject, LbNetwork, Step};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use std::time::Duration;

/// The name that kind looks for.
pub(super) const NETWORK: &str = "kind";
/// Id of the step that makes it.
pub(super) const STEP: &str = "network";
const TIMEOUT: Duration = Duration::from_secs(60);
const MTU: &str = "com.docker.network.driver.mtu";

/// The network as it is.
pub(super) fn there(host: &HostFacts) -> Option<&DockerNetwork> {
    host.docker.as_ref()?.networks.iter().find(|network| network.name == NETWORK)
}

/// Makes it, unless it is there. One that is not ours is used as it is.
pub(super) fn step(lab: &str, host: &HostFacts) -> Result<Step> {
    let object = HostObject::Network { name: NETWORK.into() };
    let found = there(host).map(|_| "it is there".to_string());
    let commands = if found.is_some() { Vec::new() } else { vec![create(lab, host, free(host)?)] };
    let action = Action::Make { object, commands, passing: Vec::new() };
    Ok(Step::new(STEP, "Make the Docker network kind", TIMEOUT, action).satisfied_by(found))
}

fn create(lab: &str, host: &HostFacts, subnet: Ipv4Net) -> Cmd {
    let mut args: Vec<String> = ["network", "create", "--driver", "bridge"].map(Into::into).into();
    args.extend(["--subnet".into(), subnet.to_string(), "--gateway".into(), gateway(subnet).to_string()]);
    // Containers get the lower half: none of them ever gets an address of the load balancer, which are in the upper one.
    let lower = Ipv4Net::new(subnet.network(), subnet.prefix_len() + 1).unwrap_or(subnet);
    args.extend(["--ip-range".into(), lower.to_string()]);
    args.extend(["--opt".into(), "com.docker.network.bridge.enable_ip_masquerade=true".into()]);
    let bridges = host.docker.iter().flat_map(|docker| &docker.networks).filter(|network| network.name == "bridge");
    for mtu in bridges.filter_map(|bridge| bridge.mtu.as_ref()) {
        args.extend(["--opt".into(), format!("{MTU}={mtu}")]);
    }
    args.extend(owned(lab));
    args.push(NETWORK.into());
    Cmd::new("docker", args)
}

/// The network that gives addresses to load balancers: as it is, or as it will be made.
pub(super) fn lb_network(host: &HostFacts) -> Result<Option<LbNetwork>> {
    if host.docker.as_ref().is_none_or(|docker| docker.unreachable.is_some()) {
        return Ok(None);
    }
    let addresses = |list: &[String]| list.iter().filter_map(|one| one.parse().ok()).collect::<Vec<Ipv4Addr>>();
    let (subnet, mut own, taken) = match there(host) {
        Some(network) => {
            let subnet = subnets(network).next().ok_or_else(|| {
                Failure::requirement("Docker's network kind has no IPv4 addresses")
                    .hint("remove it with `docker network rm kind`, if nobody needs it")
            })?;
            (subnet, addresses(&network.gateways), addresses(&network.taken))
        }
        None => (free(host)?, Vec::new(), Vec::new()),
    };
    own.push(gateway(subnet));
    own.extend(host.network.interfaces.iter().map(|interface| interface.address).filter(|a| subnet.contains(a)));
    own.sort_unstable();
    own.dedup();
    Ok(Some(LbNetwork { name: "Docker's network kind".into(), subnet, own, taken, shared: false }))
}

/// The first address of a subnet: Docker gives it to the host.
fn gateway(subnet: Ipv4Net) -> Ipv4Addr {
    subnet.hosts().next().unwrap_or(subnet.addr())
}

fn subnets(network: &DockerNetwork) -> impl Iterator<Item = Ipv4Net> {
    network.subnets.iter().filter_map(|subnet| subnet.parse().ok())
}

/// The first subnet that neither an interface of this host nor a network of Docker uses. kind's own pools for pods and Services,
/// 10.244.0.0/16 and 10.96.0.0/16, are none of these.
fn free(host: &HostFacts) -> Result<Ipv4Net> {
    let interfaces = host.network.interfaces.iter();
    let interfaces = interfaces.filter_map(|one| Ipv4Net::new(one.address, one.prefix).ok());
    let networks = host.docker.iter().flat_map(|docker| &docker.networks).flat_map(subnets);
    let used: Vec<Ipv4Net> = interfaces.chain(networks).map(|net| net.trunc()).collect();
    let overlaps = |net: &Ipv4Net| used.iter().any(|used| used.contains(net) || net.contains(used));
    let net = |a, b, c, length| Ipv4Net::new(Ipv4Addr::new(a, b, c, 0), length).ok();
    let docker = (18..32).filter_map(|second| net(172, second, 0, 16));
    let home = (0..16).filter_map(|part| net(192, 168, part * 16, 20));
    let company = (128..240).filter_map(|second| net(10, second, 0, 16));
    docker.chain(home).chain(company).find(|net| !overlaps(net)).ok_or_else(|| {
        Failure::requirement("no private network is free for Docker's network kind")
            .cause(format!("{} networks are in use on this machine", used.len()))
            .hint("make one yourself: `docker network create --subnet A.B.C.D/LENGTH kind`")
    })
}
