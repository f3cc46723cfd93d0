//! Undoes what the journal says was made, in this order: the add-ons, the iSCSI sessions, and then the cluster. It never calls
//! `microk8s reset`: that destroys the volumes of every other use of this microk8s too, may run for hours, swallows failures, and takes
//! off no finalizer, so that what is stuck stays stuck.

use super::SNAP;
use crate::model::host::Session;
use crate::model::{Action, Cmd, HostFacts, HostObject, Step};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Addresses of its pods, in every release: those of another Longhorn on this host are not among them.
const PODS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 1, 0, 0), 16);
const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(5 * 60);
const REMOVE: Duration = Duration::from_secs(10 * 60);

/// All of them. A snap that we installed stays for the next lab, stopped, and its group with it, unless it is to be purged; then it
/// takes its add-ons along.
pub fn steps(host: &HostFacts, made: &[HostObject], purge: bool) -> Vec<Step> {
    let ours = made.iter().any(|object| matches!(object, HostObject::Snap { name } if name == SNAP));
    let goes = ours && purge;
    let mut steps = Vec::new();
    if !goes {
        steps.extend(made.iter().rev().filter_map(|object| disable(host, object)));
    }
    if ours || made.contains(&HostObject::Microk8sRuns) {
        // A target that ends before its session leaves a session that waits for it for ever.
        let ours = host.iscsi.sessions.iter().filter(|session| session.leads_into(&[PODS]));
        steps.extend(ours.enumerate().map(|(number, session)| log_out(host, number, session)));
        steps.push(if goes { remove(host) } else { stop(host) });
    }
    // Its data goes last, when nothing uses it any more.
    steps.extend(made.iter().filter_map(|object| remove_data(host, object)));
    if goes || !ours {
        steps.extend(made.iter().filter_map(|object| leave_group(host, object)));
    }
    steps
}

/// The step that stops it. All that is in it stays.
pub fn stop(host: &HostFacts) -> Step {
    let action = Action::Unmake { object: HostObject::Microk8sRuns, commands: vec![host.user.microk8s(["stop"])] };
    Step::new("microk8s-stop", "Stop microk8s", LONG, action)
}

fn disable(host: &HostFacts, object: &HostObject) -> Option<Step> {
    let HostObject::Microk8sAddOn { name } = object else { return None };
    // That of the storage asks whether its folder goes too; without an answer it stays, and with it what others have there.
    let commands = vec![host.user.microk8s(["disable", name])];
    let action = Action::Unmake { object: object.clone(), commands };
    Some(Step::new(format!("disable-{name}"), format!("Disable the add-on {name}"), LONG, action))
}

fn log_out(host: &HostFacts, number: usize, session: &Session) -> Step {
    let object = HostObject::IscsiSession { target: session.target.clone() };
    let action = Action::Unmake { object, commands: session.log_out(host.user.is_root) };
    Step::new(format!("iscsi-{}", number + 1), format!("Log out of {}", session.target), SHORT, action)
}

fn remove_data(host: &HostFacts, object: &HostObject) -> Option<Step> {
    let HostObject::Folder { path } = object else { return None };
    let commands = vec![Cmd::new("rm", ["-r", "--one-file-system", path]).as_root(host.user.is_root)];
    let action = Action::Unmake { object: object.clone(), commands };
    Some(Step::new("longhorn-data", format!("Remove {path}, where Longhorn kept its data"), SHORT, action))
}

fn remove(host: &HostFacts) -> Step {
    let commands = vec![Cmd::new("snap", ["remove", "--purge", SNAP]).as_root(host.user.is_root)];
    let action = Action::Unmake { object: HostObject::Snap { name: SNAP.into() }, commands };
    Step::new("microk8s", "Remove the snap microk8s, with everything in it", REMOVE, action)
}

fn leave_group(host: &HostFacts, object: &HostObject) -> Option<Step> {
    let HostObject::Member { user, group } = object else { return None };
    let commands = vec![Cmd::new("gpasswd", ["--delete", user, group]).as_root(host.user.is_root)];
    let action = Action::Unmake { object: object.clone(), commands };
    Some(Step::new("microk8s-group", format!("Take {user} out of the group {group}"), SHORT, action))
}
