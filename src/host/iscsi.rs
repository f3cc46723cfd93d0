//! What Longhorn needs of a node, as it is on this host. Its programs are in folders that users' PATHs often leave out.

use super::seen;
use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::host::{Iscsi, LONGHORN_TARGETS, Module, Session, StorageTools};

/// Where programs of root are.
const ROOTS_FOLDERS: &[&str] = &["/usr/sbin", "/sbin", "/usr/local/sbin"];
/// Exit code of iscsiadm when there is nothing to show.
const NOTHING: i32 = 21;
/// Number of the kernel's netlink protocol for iSCSI.
const NETLINK_ISCSI: &str = "8";

/// iSCSI.
pub(super) async fn iscsi(machine: &dyn Machine) -> Result<Iscsi> {
    let program = program(machine, "iscsiadm");
    let ask = async |args: &[&str]| match &program {
        Some(program) => seen(machine, program, args).await,
        None => Ok(None),
    };
    let (version, sessions, states, module) = futures::try_join!(
        ask(&["--version"]),
        ask(&["-m", "session"]),
        states(machine, &["iscsid.service", "iscsid.socket"]),
        module(machine),
    )?;
    let version = version.filter(|output| output.ok());
    let [iscsid, socket] = states;
    let (sessions, unlisted) = match sessions {
        Some(output) if output.ok() => (listed(&output.stdout), None),
        Some(output) if output.code != Some(NOTHING) => (Vec::new(), output.text().lines().next().map(Into::into)),
        _ => (Vec::new(), None),
    };
    Ok(Iscsi {
        iscsiadm: version.map(|output| output.stdout.split_whitespace().next_back().unwrap_or_default().into()),
        iscsid,
        socket,
        module,
        named: machine.exists("/etc/iscsi/initiatorname.iscsi"),
        unreachable: unreachable(machine)?,
        sessions,
        unlisted,
    })
}

/// The other tools.
pub(super) async fn storage(machine: &dyn Machine) -> Result<StorageTools> {
    let [multipathd, multipathd_socket] = states(machine, &["multipathd.service", "multipathd.socket"]).await?;
    let missing = |name: &&str| program(machine, name).is_none();
    let mut multipath = String::new();
    for path in ["/etc/multipath.conf", "/etc/multipath/conf.d/iris-lab.conf"] {
        multipath += &machine.read(path)?.unwrap_or_default();
    }
    Ok(StorageTools {
        multipathd,
        multipathd_socket,
        multipath_spares_sd: spares_sd(&multipath),
        nfs: program(machine, "mount.nfs").is_some() || program(machine, "mount.nfs4").is_some(),
        missing: ["findmnt", "blkid", "lsblk"].into_iter().filter(missing).map(Into::into).collect(),
        old_data: ["longhorn-disk.cfg", "replicas", "engine-binaries"]
            .iter()
            .any(|name| machine.exists(&format!("/var/lib/longhorn/{name}"))),
    })
}

/// A program on PATH, or in a folder of root's.
fn program(machine: &dyn Machine, name: &str) -> Option<String> {
    let roots = ROOTS_FOLDERS.iter().map(|folder| format!("{folder}/{name}"));
    machine.find(name).map(|_| name.into()).or_else(|| roots.into_iter().find(|path| machine.exists(path)))
}

/// States of two units; empty where systemd does not say.
async fn states(machine: &dyn Machine, units: &[&str; 2]) -> Result<[String; 2]> {
    let output = seen(machine, "systemctl", &["is-active", units[0], units[1]]).await?;
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let mut lines = text.lines().map(|line| line.trim().to_string());
    Ok([lines.next().unwrap_or_default(), lines.next().unwrap_or_default()])
}

async fn module(machine: &dyn Machine) -> Result<Module> {
    let modules = machine.read("/proc/modules")?;
    let loaded = modules.iter().flat_map(|text| text.lines()).any(|line| line.starts_with("iscsi_tcp "));
    if loaded || machine.exists("/sys/module/iscsi_tcp") {
        return Ok(Module::Loaded);
    }
    let Some(modinfo) = program(machine, "modinfo") else { return Ok(Module::Unknown) };
    let output = seen(machine, &modinfo, &["-F", "filename", "iscsi_tcp"]).await?;
    Ok(match output {
        Some(output) if output.ok() => Module::Loadable,
        Some(output) if output.text().contains("not found") => Module::Missing,
        _ => Module::Unknown,
    })
}

/// The kernel opens its end of iSCSI in the first network namespace alone, and each namespace lists its own sockets.
fn unreachable(machine: &dyn Machine) -> Result<Option<String>> {
    if !machine.exists("/sys/class/iscsi_transport") {
        // It has not been opened yet: nobody can tell.
        return Ok(None);
    }
    let Some(sockets) = machine.read("/proc/net/netlink")? else { return Ok(None) };
    let here = sockets.lines().any(|line| line.split_whitespace().nth(1) == Some(NETLINK_ISCSI));
    Ok((!here).then(|| "the kernel's iSCSI is open, but not in the network namespace in which this runs".into()))
}

/// Longhorn's sessions in a list: `tcp: [1] 10.1.254.7:3260,1 iqn.2019-10.io.longhorn:pvc-1 (non-flash)`.
fn listed(sessions: &str) -> Vec<Session> {
    let read = |line: &str| {
        let mut words = line.split_whitespace().skip(2);
        let (portal, target) = (words.next()?.split(',').next()?, words.next()?);
        target.starts_with(LONGHORN_TARGETS).then(|| Session { portal: portal.into(), target: target.into() })
    };
    sessions.lines().filter_map(read).collect()
}

/// Whether the black list of multipath has the devices that Longhorn's volumes become.
fn spares_sd(config: &str) -> bool {
    let lines = config.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let (mut depth, mut listed, mut spares) = (0_u32, false, false);
    for line in lines {
        listed |= depth == 0 && line.starts_with("blacklist") && !line.starts_with("blacklist_");
        let pattern = line.strip_prefix("devnode").map(|rest| rest.trim().trim_matches('"').trim_start_matches('^'));
        spares |= listed && pattern.is_some_and(|rest| rest.starts_with("sd") || rest.starts_with(".*"));
        depth += u32::from(line.ends_with('{'));
        if line.starts_with('}') {
            depth = depth.saturating_sub(1);
            listed &= depth > 0;
        }
    }
    spares
}

/// Whether there is a session with a target. Where none is, it exits with 21 and says so.
pub(super) async fn has_session(machine: &dyn Machine, target: &str) -> Result<bool> {
    let Some(program) = program(machine, "iscsiadm") else { return Ok(false) };
    let sessions = ask(machine, &program, &["-m", "session"]).await?.stdout;
    Ok(sessions.split_whitespace().any(|word| word == target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_others_are_none_of_ours() {
        let text = "tcp: [1] 10.1.254.7:3260,1 iqn.2019-10.io.longhorn:pvc-1 (non-flash)\n\
                    tcp: [2] 192.168.1.9:3260,1 iqn.2005-10.org.freenas.ctl:disk (non-flash)\n";
        let ours = Session { portal: "10.1.254.7:3260".into(), target: "iqn.2019-10.io.longhorn:pvc-1".into() };
        assert_eq!(listed(text), [ours]);
        assert_eq!(listed("iscsiadm: No active sessions.\n"), []);
    }

    #[test]
    fn the_black_list_of_multipath_is_read() {
        assert!(spares_sd(
            "defaults {\n    user_friendly_names yes\n}\nblacklist {\n    devnode \"^sd[a-z0-9]+\"\n}\n"
        ));
        assert!(!spares_sd("defaults {\n    user_friendly_names yes\n}\n"));
        assert!(!spares_sd("blacklist_exceptions {\n    devnode \"^sda\"\n}\n"));
        assert!(!spares_sd("blacklist {\n#    devnode \"^sd[a-z0-9]+\"\n    devnode \"^loop\"\n}\n"));
    }
}
