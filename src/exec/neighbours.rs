//! Which addresses of this host's own networks are taken. A datagram to each makes the kernel ask for its owner. Where there is none
//! the kernel says so by an error of the socket; where there is one, it may refuse the datagram, which is an answer too, or keep
//! silent. The kernel's table of neighbours has the last word.

use crate::error::{Failure, Result};
use futures::future::join_all;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The port that the datagrams go to: discard. What is in them, and whether anybody takes them, does not matter.
const PORT: u16 = 9;
/// The longest that is waited. The kernel asks for an owner three times, a second apart, at its defaults; then it gives up.
const LIMIT: Duration = Duration::from_millis(3500);
/// The kernel's table.
pub const TABLE: &str = "/proc/net/arp";

/// Those at which some other host answers. Returns as soon as all of them are decided.
pub async fn answering(addresses: &[Ipv4Addr]) -> Result<Vec<Ipv4Addr>> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |e: std::io::Error| Failure::step("cannot ask for the neighbours of this host").caused_by(e);
    // Who keeps silent until then is found in the table, or is not there.
    let _ = timeout(LIMIT, join_all(addresses.iter().map(|address| decided(*address)))).await;
    let table = std::fs::read_to_string(TABLE).map_err(failed)?;
    Ok(known(&table).into_iter().filter(|address| addresses.contains(address)).collect())
}

/// Returns when the kernel says something about a datagram to an address, whatever it is.
async fn decided(address: Ipv4Addr) {
    let asked = async {
        // A socket of its own each: the error of a connected socket is about its one peer.
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        socket.connect((address, PORT)).await?;
        socket.send(&[]).await?;
        socket.recv(&mut [0; 1]).await
    };
    // An error is what is waited for: unreachable, or refused by somebody.
    let _ = asked.await;
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
