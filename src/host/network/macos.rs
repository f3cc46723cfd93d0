//! The network of macOS, as its own programs tell it. Neighbours are not looked up there: the networks that give addresses on
//! macOS are Docker's and a virtual machine's.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::host::{Interface, Network};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// All of it; nothing on a host that has not these programs.
pub(super) async fn network(machine: &dyn Machine) -> Result<Network> {
    let says = async |program: &str, args: &[&str]| match machine.find(program) {
        Some(_) => ask(machine, program, args).await.map(|output| output.stdout),
        None => Ok(String::new()),
    };
    let (links, route, sockets) = futures::try_join!(
        says("ifconfig", &[]),
        says("route", &["-n", "get", "default"]),
        says("lsof", &["-nP", "-iTCP", "-sTCP:LISTEN"]),
    )?;
    let field = |name: &str| route.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    Ok(Network {
        interfaces: interfaces(&links),
        default_interface: field("interface:").map(Into::into),
        gateway: field("gateway:").and_then(|text| text.parse().ok()),
        neighbours: Vec::new(),
        listening: listening(&sockets),
    })
}

/// A line that begins at the margin names the interface of those below it.
fn interfaces(links: &str) -> Vec<Interface> {
    let (mut name, mut found) = ("", Vec::new());
    for line in links.lines() {
        if !line.starts_with([' ', '\t']) {
            name = line.split(':').next().unwrap_or_default();
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["inet", address, rest @ ..] = &words[..]
            && let Ok(address) = address.parse::<Ipv4Addr>()
        {
            let mask = rest.iter().position(|word| *word == "netmask").and_then(|at| rest.get(at + 1));
            let mask = mask.and_then(|word| u32::from_str_radix(word.trim_start_matches("0x"), 16).ok());
            found.push(Interface { name: name.into(), address, prefix: mask.unwrap_or(u32::MAX).count_ones() as u8 });
        }
    }
    found
}

/// The last field but one is `*:5000` or `127.0.0.1:8080`.
fn listening(sockets: &str) -> Vec<u16> {
    let ports = sockets.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [.., name, "(LISTEN)"] = fields[..] else { return None };
        name.rsplit_once(':')?.1.parse().ok()
    });
    ports.collect::<BTreeSet<u16>>().into_iter().collect()
}
