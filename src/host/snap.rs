//! snapd, and the groups of users that its packages need.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::host::Snap;

/// Whether a snap is installed. Its daemon goes on by itself when the command that asked for a change has been killed: what it is
/// still at is waited for.
pub(super) async fn has(machine: &dyn Machine, name: &str) -> Result<bool> {
    if machine.find("snap").is_none() {
        return Ok(false);
    }
    for change in under_way(&ask(machine, "snap", &["changes", name]).await?.stdout) {
        ask(machine, "snap", &["watch", &change]).await?;
    }
    Ok(listed(machine, name).await?.is_some())
}

/// Version and channel of a snap that is installed.
pub(super) async fn listed(machine: &dyn Machine, name: &str) -> Result<Option<(String, String)>> {
    if machine.find("snap").is_none() {
        return Ok(None);
    }
    // It exits with 1 and says so when no snap fits.
    Ok(row(&ask(machine, "snap", &["list", name]).await?.stdout, name))
}

/// Version and channel in the table of `snap list`: Name, Version, Rev, Tracking, Publisher, Notes.
fn row(table: &str, name: &str) -> Option<(String, String)> {
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.first() == Some(&name))?;
    let field = |index: usize| row.get(index).copied().unwrap_or_default().to_string();
    Some((field(1), field(3)))
}

/// Numbers of the changes that have not ended, in the table of `snap changes`: ID, Status, Spawn, Ready, Summary.
fn under_way(table: &str) -> Vec<String> {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let open = rows.filter(|row| matches!(row.get(1), Some(&("Do" | "Doing" | "Undo" | "Undoing" | "Abort"))));
    open.filter_map(|row| row.first().map(ToString::to_string)).collect()
}

/// Whether a user is in a group, as of the next login.
pub(super) async fn is_member(machine: &dyn Machine, user: &str, group: &str) -> Result<bool> {
    let output = ask(machine, "id", &["-nG", user]).await?;
    Ok(output.stdout.split_whitespace().any(|name| name == group))
}

/// What it says of itself.
pub(super) async fn snap(machine: &dyn Machine) -> Result<Option<Snap>> {
    if machine.find("snap").is_none() {
        return Ok(None);
    }
    Ok(Some(Snap { version: version(&ask(machine, "snap", &["version"]).await?.stdout) }))
}

/// The version of the daemon in `snap version`; empty when that does not answer.
fn version(table: &str) -> String {
    let words = |line: &str| {
        line.split_once(char::is_whitespace).map(|(key, value)| (key.to_string(), value.trim().to_string()))
    };
    let mut lines = table.lines().filter_map(words);
    lines
        .find(|(key, _)| key == "snapd")
        .map(|(_, value)| value)
        .filter(|value| value != "unavailable")
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::scripted::Scripted;

    const LIST: &str = "Name      Version   Rev   Tracking     Publisher   Notes\n\
                        core20    20240227  2264  latest/sta…  canonical✓  base\n\
                        microk8s  v1.24.17  5872  1.24/stable  canonical✓  classic,held\n";
    const CHANGES: &str = "ID   Status  Spawn               Ready               Summary\n\
                           11   Done    today at 10:00 UTC  today at 10:01 UTC  Install \"core20\" snap\n\
                           12   Doing   today at 10:02 UTC  -                   Install \"microk8s\" snap\n";

    fn host(commands: &[(&str, i32, &str)]) -> Scripted {
        let quiet: Vec<_> = commands.iter().map(|(line, code, out)| (*line, *code, *out, "")).collect();
        Scripted::saying(&quiet)
    }

    #[test]
    fn the_tables_are_read() {
        assert_eq!(row(LIST, "microk8s"), Some(("v1.24.17".into(), "1.24/stable".into())));
        assert_eq!(row(LIST, "core"), None);
        assert_eq!(under_way(CHANGES), ["12"]);
        assert_eq!(version("snap    2.63+22.04\nsnapd   2.63+22.04\nseries  16\nubuntu  22.04\n"), "2.63+22.04");
        assert_eq!(version("snap    2.61\nsnapd   unavailable\nseries  -\n"), "");
    }

    #[tokio::test]
    async fn a_change_that_is_under_way_is_waited_for() {
        let host =
            host(&[("snap changes microk8s", 0, CHANGES), ("snap watch 12", 0, ""), ("snap list microk8s", 0, LIST)]);
        assert!(has(&host, "microk8s").await.unwrap());
        assert_eq!(*host.log.borrow(), ["snap changes microk8s", "snap watch 12", "snap list microk8s"]);
    }

    #[tokio::test]
    async fn without_snapd_there_is_no_snap() {
        let host = host(&[]);
        assert!(!has(&host, "microk8s").await.unwrap());
        assert_eq!(snap(&host).await.unwrap(), None);
    }
}
