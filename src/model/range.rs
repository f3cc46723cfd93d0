//! The addresses that a load balancer may give: out of which network they come, and which of it are free.

use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// The network that gives addresses to Services of type LoadBalancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LbNetwork {
    /// For people: `the network of eth0`, `Docker's network kind`.
    pub name: String,
    /// The network.
    pub subnet: Ipv4Net,
    /// This host's own addresses and the gateway.
    pub own: Vec<Ipv4Addr>,
    /// Addresses that others are known to have.
    pub taken: Vec<Ipv4Addr>,
    /// Whether others may have addresses that nobody told us of: then they are asked for before a range is used, and DHCP's usual
    /// part is left out.
    pub shared: bool,
}
