//! The addresses that a load balancer may give: out of which network they come, how people write them, which of them are free.

mod choose;
mod given;
#[cfg(test)]
mod tests;

pub use choose::{Chosen, LEAST, choose};
pub use given::{fits, one, parse, text};

use ipnet::Ipv4Net;
use std::fmt;
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

/// `the network of eth0 (192.168.1.0/24)`.
impl fmt::Display for LbNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.subnet.trunc())
    }
}

/// Addresses from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first.
    pub first: Ipv4Addr,
    /// The last: not before the first.
    pub last: Ipv4Addr,
}

impl Span {
    fn between(first: u32, last: u32) -> Self {
        Span { first: first.into(), last: last.into() }
    }

    /// Whether an address is one of them.
    pub fn has(&self, address: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&address)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        u64::from(u32::from(self.last) - u32::from(self.first)) + 1
    }

    /// All of them.
    pub fn addresses(&self) -> Vec<Ipv4Addr> {
        (u32::from(self.first)..=u32::from(self.last)).map(Ipv4Addr::from).collect()
    }
}

/// As every tool takes it: `192.168.1.90-192.168.1.99`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}
