//! `iris-lab status`: one screen; success only when all of it is healthy.

use super::here::Here;
use super::{addresses, again};
use crate::cli::StatusArgs;
use crate::cluster::Cluster;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::model::Facts;
use crate::model::status::{LabIdentity, LabState, Status};
use crate::ui::{Ui, status_text};

/// Shows the status once, or on every change.
pub async fn status(ui: &Ui, args: &StatusArgs) -> Result<()> {
    let here = Here::find(args.lab.name.as_deref())?;
    let Found { identity, cluster, moved } = find(&here).await?;
    let mut changes = match &cluster {
        Some(cluster) if args.watch => Some(cluster.changes(&identity.namespace).await?),
        _ => None,
    };
    loop {
        let facts = here.facts(cluster.as_ref()).await?;
        let mut status = status_of(&here, &identity, &facts);
        status.notes.extend(moved.clone());
        match &mut changes {
            Some(changes) => {
                ui.frame(|look| status_text(&status, look), &status)?;
                if ui.closed() {
                    return Ok(());
                }
                changes.next().await?;
            }
            None => {
                ui.result(|look| status_text(&status, look), &status)?;
                return verdict(&status);
            }
        }
    }
}

/// A lab and its cluster.
pub(super) struct Found {
    /// What is known of the lab without its cluster.
    pub identity: LabIdentity,
    /// None when it is stopped, or is an embedded one that does not run.
    pub cluster: Option<Cluster>,
    /// Whether the network of this host has moved away from under it, in words.
    pub moved: Option<String>,
}

/// Finds a lab's cluster.
pub(super) async fn find(here: &Here) -> Result<Found> {
    let target = here.target()?.clone();
    let password = here.dir.password();
    let (running, cluster) = futures::join!(here.runs(), here.connect());
    let stopped = !running?;
    let identity = LabIdentity {
        lab: here.name.clone(),
        namespace: target.namespace,
        provider: target.provider,
        simulated: here.provider.is_simulated(),
        replicas: target.replicas,
        up: target.up,
        password_file: password.exists().then(|| password.display().to_string()),
        select: again::selector(&here.state, &here.name)?,
        stopped,
    };
    let moved = addresses::moved(here, &System).await;
    // The server of a cluster that is stopped may not answer, or still does. Another network is why a cluster on this host may not be
    // where it was.
    let cluster = if stopped { None } else { cluster.map_err(|failure| moved.iter().fold(failure, Failure::hint))? };
    Ok(Found { identity, cluster, moved })
}

/// What is seen of a lab, and who logs in there.
pub(super) fn status_of(here: &Here, identity: &LabIdentity, facts: &Facts) -> Status {
    Status { users: here.logins(facts), ..Status::of(identity, facts) }
}

/// The status is on the screen already: only its exit code is left to say.
fn verdict(status: &Status) -> Result<()> {
    if status.healthy {
        return Ok(());
    }
    let what = match status.state {
        LabState::Down => "is down",
        LabState::Stopped => "is stopped",
        _ => "is not healthy",
    };
    let failure = Failure::not_ready(format!("the lab {} {what}", status.lab));
    Err(match status.state {
        LabState::Unhealthy => {
            failure.hint(format!("see why, and what mends it, with `iris-lab explain --name {}`", status.lab))
        }
        _ => failure,
    })
}
