//! A range that somebody wrote: all the forms that MetalLB takes, and whether it fits a network.

use super::{LbNetwork, Span};
use crate::error::{Failure, Result};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Reads `FIRST-LAST`, a network such as `10.0.0.32/28`, or several of them with commas between. The error is the rule that is
/// broken.
pub fn parse(text: &str) -> std::result::Result<Vec<Span>, String> {
    let spans = text.split(',').map(one).collect::<std::result::Result<Vec<Span>, String>>()?;
    for (index, span) in spans.iter().enumerate() {
        if let Some(other) = spans[..index].iter().find(|other| span.first <= other.last && other.first <= span.last) {
            return Err(format!("has addresses twice: {other} and {span} overlap"));
        }
    }
    if spans.iter().map(Span::count).sum::<u64>() < 2 {
        return Err("is a single address: give at least 2, none of which a machine has".into());
    }
    Ok(spans)
}

/// Reads one of them: `FIRST-LAST`, or a network. The error is the rule that is broken.
pub fn one(text: &str) -> std::result::Result<Span, String> {
    let text = text.trim();
    let form = || "must be addresses such as 192.168.1.90-192.168.1.99 or 192.168.1.32/28, with commas between several";
    let address = |text: &str| text.trim().parse::<Ipv4Addr>().ok();
    if let Some((first, last)) = text.split_once('-') {
        let first = address(first).ok_or_else(form)?;
        let Some(last) = address(last) else {
            let short = last.trim().parse::<u8>().is_ok();
            let whole = short.then(|| first.octets()).map(|[a, b, c, _]| format!("{a}.{b}.{c}.{}", last.trim()));
            return Err(match whole {
                Some(whole) => {
                    format!("must end with a whole address, as in {first}-{whole}: MetalLB takes no short form")
                }
                None => form().into(),
            });
        };
        if last < first {
            return Err(format!("must go upwards: {first} comes after {last}"));
        }
        return Ok(Span { first, last });
    }
    let network: Ipv4Net = text.parse().map_err(|_| form())?;
    Ok(Span { first: network.network(), last: network.broadcast() })
}

/// The same in the form that every tool takes.
pub fn text(spans: &[Span]) -> String {
    spans.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Whether a range can be used in a network: all of it inside, and none of it this host's own. What others are known to have in it
/// is returned: they may have gone.
pub fn fits(spans: &[Span], network: &LbNetwork) -> Result<Vec<Ipv4Addr>> {
    let subnet = network.subnet.trunc();
    let failure = |cause: String| {
        let failure = Failure::requirement(format!("the range {} does not fit {network}", text(spans))).cause(cause);
        failure.hint("leave --lb-range and spec.metallb.range out to have one chosen, or give one that fits")
    };
    let hosts = Span::between(u32::from(subnet.network()) + 1, u32::from(subnet.broadcast()).saturating_sub(1));
    for span in spans {
        if subnet.prefix_len() > 30 {
            return Err(failure(format!("{subnet} has no address for anybody else")));
        }
        if let Some(outside) = [span.first, span.last].into_iter().find(|address| !hosts.has(*address)) {
            return Err(failure(format!(
                "{outside} is none of the addresses that its hosts may have, {hosts}: nobody would find it there"
            )));
        }
        if let Some(own) = network.own.iter().find(|own| span.has(**own)) {
            return Err(failure(format!(
                "{own} is this machine's own address or its gateway's: a Service that got it would take over its ports"
            )));
        }
    }
    Ok(network.taken.iter().copied().filter(|taken| spans.iter().any(|span| span.has(*taken))).collect())
}
