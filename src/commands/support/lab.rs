//! The part about the lab: its file as it was applied, the record of the last run, the journal, and what is wrong with it.

use super::archive::Archive;
use super::{cluster, plan, read};
use crate::cluster::Cluster;
use crate::commands::here::Here;
use crate::commands::status::{Found, find, status_of};
use crate::error::{Failure, Result};
use crate::model::{Diagnosis, ObjectRef};
use crate::plan::RECORD;
use crate::ui::{Look, diagnosis_text, status_text};

/// Adds it, and what is in the cluster.
pub(super) async fn gather(archive: &mut Archive, here: &Here) {
    for (name, path) in [
        ("lab/journal.jsonl", here.dir.journal()),
        ("lab/last-run.jsonl", here.dir.last_run()),
        ("lab/simulator.log", here.dir.sim().join("log")),
    ] {
        if path.exists() {
            archive.text(name, read(path));
        }
    }
    match find(here).await {
        Ok(found) => of_found(archive, here, &found).await,
        Err(failure) => {
            plan::gather(archive, Some(here), None).await;
            archive.lacks("cluster/", &failure);
        }
    }
}

async fn of_found(archive: &mut Archive, here: &Here, found: &Found) {
    match &found.cluster {
        Some(live) => {
            let record = record(live, &found.identity.namespace).await;
            plan::gather(archive, Some(here), record.as_deref().ok()).await;
            archive.text("lab/lab.yaml", record);
            explained(archive, here, found).await;
            cluster::gather(archive, live, &found.identity.namespace).await;
        }
        None => {
            plan::gather(archive, Some(here), None).await;
            archive.lacks("cluster/", &"the cluster does not run");
            explained(archive, here, found).await;
        }
    }
}

/// What is wrong, for people and for programs.
async fn explained(archive: &mut Archive, here: &Here, found: &Found) {
    match here.facts_in_detail(found.cluster.as_ref()).await {
        Ok(facts) => {
            let identity = &found.identity;
            let (status, diagnosis) = (status_of(here, identity, &facts), Diagnosis::of(identity, &facts));
            archive.text("lab/status.txt", Ok(status_text(&status, &Look::plain())));
            archive.text("lab/explain.txt", Ok(diagnosis_text(&diagnosis, &Look::plain())));
            archive.json("lab/explain.json", Ok(diagnosis));
            for log in facts.details.logs {
                let run = if log.previous { ".previous" } else { "" };
                archive.text(&format!("logs/{}/{}{run}.log", log.pod, log.container), Ok(log.text));
            }
            facts.details.unread.iter().for_each(|what| archive.lacks("logs/", what));
        }
        Err(failure) => archive.lacks("lab/explain.txt", &failure),
    }
}

/// The lab's file as it was applied.
async fn record(cluster: &Cluster, namespace: &str) -> Result<String> {
    let record = ObjectRef::new("v1", "ConfigMap", Some(namespace), RECORD);
    let live = cluster.get(&record).await?;
    let text = live.as_ref().and_then(|live| live["data"]["lab.yaml"].as_str());
    text.map(Into::into).ok_or_else(|| Failure::step(format!("{record} is not there, or names no lab")))
}
