//! What is there already: clusters with the lab's name, and what earlier labs have left. None of it is removed here: whose it is
//! is the user's to say.

use super::Case;
use crate::model::{Check, HostObject};

/// All of them.
pub(super) fn checks(case: &Case) -> Vec<Check> {
    let mut checks = vec![cluster(case)];
    if !case.runs() {
        checks.extend(sessions(case));
        checks.extend(data(case));
        checks.extend(rest(case));
    }
    if checks.len() == 1 && !case.runs() {
        checks.push(Check::ok("leftovers", "there are none of earlier labs"));
    }
    checks
}

fn cluster(case: &Case) -> Check {
    let (name, lab) = ("cluster", &case.lab.metadata.name);
    if !case.is_kind() {
        return match &case.host.microk8s {
            None => Check::ok(name, "there is none yet"),
            Some(_) if made(case) => Check::ok(name, "microk8s is the lab's own"),
            Some(_) => Check::ok(name, "microk8s was there before: it is used as it is, and stays after reset"),
        };
    }
    if !case.kind_cluster() {
        let others = case.host.kind.as_ref().map(|kind| kind.clusters.join(", ")).unwrap_or_default();
        return match others.is_empty() {
            true => Check::ok(name, "there is none yet"),
            false => Check::ok(name, format!("there is none named {lab} (others of kind: {others})")),
        };
    }
    if made(case) {
        return Check::ok(name, format!("{lab} is the lab's own"));
    }
    let hint = format!("use --name with another name, or remove that one: `kind delete cluster --name {lab}`");
    Check::fail(name, format!("kind has a cluster {lab} already, and this lab has not made it"), hint)
}

fn made(case: &Case) -> bool {
    case.made.iter().any(HostObject::holds_the_cluster)
}

/// Sessions whose target is gone are tried for ever, and fill the journal.
fn sessions(case: &Case) -> Option<Check> {
    let iscsi = &case.host.iscsi;
    let name = "iSCSI sessions";
    if let Some(why) = iscsi.unlisted.as_ref().filter(|_| case.longhorn()) {
        let hint = "see for yourself: `sudo iscsiadm -m session`";
        return Some(Check::warn(name, format!("they cannot be listed: {why}"), hint));
    }
    let first = &iscsi.sessions.first()?.target;
    let cause = match iscsi.sessions.len() {
        1 => format!("a Longhorn has left one: {first}"),
        count => format!("a Longhorn has left {count}, such as {first}"),
    };
    let hint = "if no Longhorn runs here any more, end each and forget it: `sudo iscsiadm -m node -T NAME --logout`, then \
                `sudo iscsiadm -m node -T NAME -o delete`";
    Some(Check::warn(name, cause, hint))
}

fn data(case: &Case) -> Option<Check> {
    let there = case.host.storage.old_data && case.longhorn() && !case.is_kind();
    there.then(|| {
        let cause = "an earlier Longhorn has left its copies of volumes in /var/lib/longhorn: the new one does not know them, and they \
                     take up its disk";
        Check::warn("old data", cause, "if nobody needs what is in it: `sudo rm -r /var/lib/longhorn`")
    })
}

/// What a removed microk8s has left.
fn rest(case: &Case) -> Option<Check> {
    let left = &case.host.system.leftovers;
    (!case.is_kind() && !left.is_empty()).then(|| {
        let cause = format!("a microk8s that is gone has left {}", left.join(", "));
        let hint = "a restart of this machine clears its interfaces; remove the folder if nobody needs what is in it";
        Check::warn("leftovers", cause, hint)
    })
}
