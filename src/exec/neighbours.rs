//! Which addresses of this host's own networks are taken: a datagram to each makes the kernel ask for its owner, and its table of
//! neighbours tells who answered.

use crate::error::{Failure, Result};
use std::net::Ipv4Addr;
use std::time::Duration;

/// The port that the datagrams go to: discard. What is in them, and whether anybody takes them, does not matter.
const PORT: u16 = 9;
/// How long the kernel asks for the owner of an address: three times, a second apart, at its defaults.
const ASKING: Duration = Duration::from_secs(3);
/// The kernel's table.
pub const TABLE: &str = "/proc/net/arp";

/// Those at which some other host answers.
pub async fn answering(addresses: &[Ipv4Addr]) -> Result<Vec<Ipv4Addr>> {
    let failed = |e: std::io::Error| Failure::step("cannot ask for the neighbours of this host").caused_by(e);
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let socket = tokio::net::UdpSocket::bind("0.0.0.0:0").await.map_err(failed)?;
    for address in addresses {
        // An address that cannot be reached is nobody's.
        let _ = socket.send_to(&[], (*address, PORT)).await;
    }
    tokio::time::sleep(ASKING).await;
    let table = std::fs::read_to_string(TABLE).map_err(failed)?;
    Ok(known(&table).into_iter().filter(|address| addresses.contains(address)).collect())
}

/// The addresses in the kernel's table whose owners have answered.
pub fn known(table: &str) -> Vec<Ipv4Addr> {
    let answered = |line: &str| {
        let mut fields = line.split_whitespace();
        let (address, flags) = (fields.next()?, fields.nth(1)?);
        let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok()?;
        // ATF_COM: the entry is complete.
        (flags & 2 != 0).then(|| address.parse().ok()).flatten()
    };
    table.lines().filter_map(answered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_entries_are_neighbours() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
                     10.0.0.1         0x1         0x2         02:42:00:00:00:01     *        eth0\n\
                     10.0.0.9         0x1         0x0         00:00:00:00:00:00     *        eth0\n";
        assert_eq!(known(table), [Ipv4Addr::new(10, 0, 0, 1)]);
    }
}
