//! Addresses, routes and ports of this host: by iproute2 where it is installed, by the kernel's own tables on any other Linux, by
//! `ifconfig` and `route` on macOS.

mod macos;
mod proc;

use crate::error::{Failure, Result};
use crate::exec::{Machine, ask, neighbours};
use crate::model::Cmd;
use crate::model::host::{Interface, Network};
use serde::Deserialize;
use std::net::Ipv4Addr;

/// All of it.
pub(super) async fn network(machine: &dyn Machine) -> Result<Network> {
    let Some(routes) = machine.read(proc::ROUTES)? else { return macos::network(machine).await };
    let found = match iproute2(machine).await? {
        Some(found) => found,
        None => proc::addresses(&routes, &machine.read(proc::LOCAL)?.unwrap_or_default()),
    };
    let table = machine.read(neighbours::TABLE)?.unwrap_or_default();
    Ok(Network { neighbours: neighbours::known(&table), listening: proc::listening(machine)?, ..found })
}

/// What is read of an interface of `ip -4 -j addr`.
#[derive(Deserialize)]
struct Link {
    // An interface without an address is an empty object in some versions.
    #[serde(default)]
    ifname: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    local: Option<Ipv4Addr>,
    #[serde(default)]
    prefixlen: u8,
}

/// What is read of a route of `ip -4 -j route`.
#[derive(Deserialize)]
struct Route {
    dst: String,
    gateway: Option<Ipv4Addr>,
    dev: Option<String>,
    #[serde(default)]
    metric: u32,
}

/// By iproute2; none where it is not installed, or is one that speaks no JSON (BusyBox's).
async fn iproute2(machine: &dyn Machine) -> Result<Option<Network>> {
    if machine.find("ip").is_none() {
        return Ok(None);
    }
    let (links, routes) =
        futures::try_join!(ask(machine, "ip", &["-4", "-j", "addr"]), ask(machine, "ip", &["-4", "-j", "route"]))?;
    if !links.ok() || !routes.ok() {
        return Ok(None);
    }
    let links: Vec<Link> = json("addr", &links.stdout)?;
    let routes: Vec<Route> = json("route", &routes.stdout)?;
    let of_link = |link: Link| {
        let name = link.ifname;
        let addresses = link.addr_info.into_iter();
        addresses.filter_map(move |a| Some(Interface { name: name.clone(), address: a.local?, prefix: a.prefixlen }))
    };
    let best = routes.into_iter().filter(|route| route.dst == "default").min_by_key(|route| route.metric);
    let (default_interface, gateway) = best.map_or((None, None), |route| (route.dev, route.gateway));
    let interfaces = links.into_iter().flat_map(of_link).collect();
    Ok(Some(Network { interfaces, default_interface, gateway, ..Network::default() }))
}

/// An empty answer is an empty list.
fn json<T: for<'a> Deserialize<'a>>(what: &str, text: &str) -> Result<Vec<T>> {
    let text = if text.trim().is_empty() { "[]" } else { text };
    serde_json::from_str(text).map_err(|error| {
        let cmd = Cmd::new("ip", ["-4", "-j", what]);
        Failure::requirement(format!("the answer of `{}` cannot be read", cmd.line())).caused_by(error)
    })
}

#[cfg(test)]
mod tests;
