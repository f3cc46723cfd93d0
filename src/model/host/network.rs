//! Addresses, routes and ports of this host.

use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// What is known of the network, IPv4 alone: MetalLB's range is one of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// Interfaces with an address.
    pub interfaces: Vec<Interface>,
    /// Name of the interface of the default route.
    pub default_interface: Option<String>,
    /// The default route's next hop.
    pub gateway: Option<Ipv4Addr>,
    /// Addresses of others that this host has heard of.
    pub neighbours: Vec<Ipv4Addr>,
    /// TCP ports on which something listens here.
    pub listening: Vec<u16>,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interface {
    /// The interface.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Length of its network's prefix.
    pub prefix: u8,
}
