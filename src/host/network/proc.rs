//! The kernel's own tables of routes, addresses and ports, as `/proc/net` shows them. Numbers stand there as hexadecimal words in
//! the byte order of the machine, which is little-endian on all that we run on.

use crate::error::Result;
use crate::exec::Machine;
use crate::model::host::{Interface, Network};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Routes.
pub(super) const ROUTES: &str = "/proc/net/route";
/// Every address and which ones are this host's.
pub(super) const LOCAL: &str = "/proc/net/fib_trie";
/// Sockets of TCP.
const SOCKETS: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
/// The state of a socket that listens.
const LISTEN: &str = "0A";

/// One line of the table of routes.
struct Route<'a> {
    interface: &'a str,
    to: Ipv4Addr,
    via: Ipv4Addr,
    metric: u32,
    prefix: u8,
}

impl<'a> Route<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [interface, to, via, _, _, _, metric, mask, ..] = fields[..] else { return None };
        let prefix = u32::from(address(mask)?).count_ones() as u8;
        Some(Route { interface, to: address(to)?, via: address(via)?, metric: metric.parse().ok()?, prefix })
    }
}

fn address(word: &str) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(u32::from_str_radix(word, 16).ok()?.swap_bytes()))
}

/// Interfaces with an address and a network, and the default route.
pub(super) fn addresses(routes: &str, local: &str) -> Network {
    let routes: Vec<Route> = routes.lines().skip(1).filter_map(Route::read).collect();
    let own = own(local);
    let mut interfaces = Vec::new();
    for route in routes.iter().filter(|route| route.via.is_unspecified() && route.prefix > 0) {
        let Ok(network) = ipnet::Ipv4Net::new(route.to, route.prefix) else { continue };
        let here = own.iter().filter(|address| network.contains(*address));
        interfaces.extend(here.map(|address| Interface {
            name: route.interface.into(),
            address: *address,
            prefix: route.prefix,
        }));
    }
    let best = routes.iter().filter(|route| route.prefix == 0).min_by_key(|route| route.metric);
    Network {
        interfaces,
        default_interface: best.map(|route| route.interface.into()),
        gateway: best.map(|route| route.via).filter(|via| !via.is_unspecified()),
        ..Network::default()
    }
}

/// The addresses of this host: each stands above a line that calls it so.
fn own(local: &str) -> BTreeSet<Ipv4Addr> {
    let lines: Vec<&str> = local.lines().map(str::trim).collect();
    let above = |pair: &[&str]| pair[0].strip_prefix("|-- ").filter(|_| pair[1] == "/32 host LOCAL")?.parse().ok();
    lines.windows(2).filter_map(above).collect()
}

/// Ports on which something listens, in whatever version of IP.
pub(super) fn listening(machine: &dyn Machine) -> Result<Vec<u16>> {
    let mut ports = BTreeSet::new();
    for path in SOCKETS {
        let text = machine.read(path)?.unwrap_or_default();
        let sockets = text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        ports.extend(sockets.filter_map(|fields| match fields[..] {
            [_, local, _, LISTEN, ..] => u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok(),
            _ => None,
        }));
    }
    Ok(ports.into_iter().collect())
}
