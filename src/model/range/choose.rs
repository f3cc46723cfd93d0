//! Chooses a range that is free.
//!
//! Where DHCP gives addresses, nobody knows for sure; what is usual is known. OpenWrt gives .100 to .249 (`start 100`, `limit 150`),
//! and so do TP-Link and Linksys in parts of it; VirtualBox gives .101 to .254 in its host-only networks, VMware .128 to .254. So
//! the addresses from .100 on are left to it, in every /24. Others give all that they have: FRITZ!Box .20 to .200, ASUS, Netgear,
//! libvirt, LXD and multipass .2 to .254, clouds their whole /20 or /16, VirtualBox's NAT .15 to its only guest. Most of them begin
//! at the bottom. So the range lies as high as it can below .100, in the last /24 that has room, and who is there is asked before.
//! In a network smaller than a /24, the same share of it is left out. In one that is not shared (Docker's, which gives from the
//! bottom and tells what it gave), the range lies at the very top.

use super::{LbNetwork, Span};
use crate::error::{Failure, Result};
use std::net::Ipv4Addr;

/// Addresses that a range has at the least.
pub const LEAST: u32 = 8;
/// Addresses that it has where there is room.
const WANTED: u32 = 10;
/// The share of a /24, and of a smaller network, that is not left to DHCP: 100 of 256.
const BELOW_DHCP: u32 = 100;

/// A range, and why this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The addresses.
    pub span: Span,
    /// For people, after the range itself.
    pub reason: String,
}

/// The best range of a network that is free as far as it is known.
pub fn choose(network: &LbNetwork) -> Result<Chosen> {
    let subnet = network.subnet.trunc();
    let size = 1 << (32 - u32::from(subnet.prefix_len())).min(8);
    let mut blocked: Vec<u32> = network.own.iter().chain(&network.taken).map(|address| u32::from(*address)).collect();
    blocked.sort_unstable();
    let (lowest, highest) = (u32::from(subnet.network()), u32::from(subnet.broadcast()));
    // The last block first; its number is below 2^24.
    for block in (0..=(highest - lowest) / size).rev() {
        let first = lowest + block * size;
        let end = if network.shared { dhcp_from(first, size) - 1 } else { first + size.saturating_sub(2) };
        if let Some(span) = highest_gap(first + 1, end, &blocked) {
            return Ok(Chosen { span, reason: reason(network, span, dhcp_from(first, size)) });
        }
    }
    Err(nothing(network, lowest, highest))
}

/// Where DHCP's usual part of a block begins.
fn dhcp_from(first: u32, size: u32) -> u32 {
    first + size * BELOW_DHCP / 256
}

/// The highest addresses in a row, from the first to the last, that are not blocked.
fn highest_gap(first: u32, last: u32, blocked: &[u32]) -> Option<Span> {
    if last < first {
        return None;
    }
    let within = blocked.partition_point(|taken| *taken < first)..blocked.partition_point(|taken| *taken <= last);
    let mut end = last;
    for taken in blocked[within].iter().rev().copied().chain([first - 1]) {
        let free = end.saturating_sub(taken);
        if free >= LEAST {
            return Some(Span::between(end - free.min(WANTED) + 1, end));
        }
        end = taken.saturating_sub(1);
    }
    None
}

fn reason(network: &LbNetwork, span: Span, dhcp: u32) -> String {
    let count = span.count();
    match network.shared {
        true => format!(
            "{count} addresses of {network}, below those that DHCP servers usually give (from {} on)",
            Ipv4Addr::from(dhcp)
        ),
        false => format!("{count} addresses at the end of {network}, which gives its own from the beginning"),
    }
}

fn nothing(network: &LbNetwork, lowest: u32, highest: u32) -> Failure {
    let hosts = (highest - lowest).saturating_sub(1);
    let within = |address: &&Ipv4Addr| (lowest..=highest).contains(&u32::from(**address));
    let taken = network.own.iter().chain(&network.taken).filter(within).count();
    let mut cause = format!("it has {hosts} addresses for hosts, and {taken} of them are known to be taken");
    if network.shared && hosts > 0 {
        let size = (highest - lowest).min(255) + 1;
        let from = Ipv4Addr::from(dhcp_from(highest - (size - 1), size));
        cause += &format!("; those from {from} on are left to DHCP servers, which usually give them");
    }
    Failure::requirement(format!("{network} has no {LEAST} free addresses in a row for load balancers"))
        .cause(cause)
        .hint("ask who runs the network for addresses that nobody else gets, and give them with --lb-range FIRST-LAST")
        .hint("or do without: `--set 'addOns=[dns, storage, registry]'`, and `kubectl port-forward` to the portal")
}
