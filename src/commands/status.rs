//! `iris-lab status`: one screen; success only when all of it is healthy.

use super::again;
use super::here::Here;
use crate::cli::StatusArgs;
use crate::error::{Failure, Result};
use crate::model::status::{LabIdentity, LabState, Status};
use crate::ui::{Ui, status_text};

/// Shows the status once, or on every change.
pub async fn status(ui: &Ui, args: &StatusArgs) -> Result<()> {
    let here = Here::find(args.lab.name.as_deref())?;
    let target = here.target()?.clone();
    let password = here.dir.password();
    let (running, cluster) = futures::join!(here.runs(), here.connect());
    let stopped = !running?;
    let identity = LabIdentity {
        lab: here.name.clone(),
        namespace: target.namespace.clone(),
        provider: target.provider.clone(),
        simulated: here.provider.is_simulated(),
        replicas: target.replicas,
        up: target.up.clone(),
        password_file: password.exists().then(|| password.display().to_string()),
        select: again::selector(&here.state, &here.name)?,
        stopped,
    };
    // The server of a cluster that is stopped may not answer, or still does.
    let cluster = if stopped { None } else { cluster? };
    let mut changes = match &cluster {
        Some(cluster) if args.watch => Some(cluster.changes(&target.namespace).await?),
        _ => None,
    };
    loop {
        let facts = here.facts(cluster.as_ref()).await?;
        let status = Status::of(&identity, &facts);
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

/// The status is on the screen already: only its exit code is left to say.
fn verdict(status: &Status) -> Result<()> {
    if status.healthy {
        return Ok(());
    }
    let what = if status.state == LabState::Stopped { "stopped" } else { "not healthy" };
    Err(Failure::not_ready(format!("the lab {} is {what}", status.lab)))
}
