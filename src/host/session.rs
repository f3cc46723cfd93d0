//! Sessions of the kernel's iSCSI, by iscsiadm.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::host::Session;

/// Where it is when it is not on a user's PATH.
const PROGRAM: &str = "/usr/sbin/iscsiadm";

/// All of them, as far as they can be listed: without a daemon, or without the right to ask, there is no list.
pub(super) async fn sessions(machine: &dyn Machine) -> Result<Vec<Session>> {
    let program = match machine.find("iscsiadm") {
        Some(_) => "iscsiadm",
        None if machine.exists(PROGRAM) => PROGRAM,
        None => return Ok(Vec::new()),
    };
    let output = ask(machine, program, &["-m", "session"]).await?;
    Ok(if output.ok() { output.stdout.lines().filter_map(session).collect() } else { Vec::new() })
}

/// `tcp: [1] 10.244.1.5:3260,1 iqn.2019-10.io.longhorn:pvc-1 (non-flash)`
fn session(line: &str) -> Option<Session> {
    let mut words = line.split_whitespace().skip(2);
    let (portal, target) = (words.next()?.split(',').next()?, words.next()?);
    portal.contains(':').then(|| Session { portal: portal.into(), target: target.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_is_read() {
        let seen = session("tcp: [1] 10.244.1.5:3260,1 iqn.2019-10.io.longhorn:pvc-1 (non-flash)").unwrap();
        assert_eq!((seen.portal.as_str(), seen.target.as_str()), ("10.244.1.5:3260", "iqn.2019-10.io.longhorn:pvc-1"));
        assert_eq!(session("iscsiadm: No active sessions."), None);
    }
}
