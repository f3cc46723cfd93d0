//! The part about the cluster: objects kind by kind, events, and the logs of what the lab stands on.

use super::archive::Archive;
use crate::cluster::{Cluster, Dumped, Selector};
use crate::model::{ObjectRef, longhorn};
use crate::observe;

/// Namespaces beside the lab's own of which all is taken where they are there.
const OTHERS: &[&str] = &[longhorn::NAMESPACE, "metallb-system"];

/// Adds it.
pub(super) async fn gather(archive: &mut Archive, cluster: &Cluster, namespace: &str) {
    archive.text("cluster/version.txt", Ok(format!("{}\n{}\n", cluster.version(), cluster.server())));
    match cluster.dump_ground().await {
        Ok(kinds) => add(archive, "cluster", kinds),
        Err(failure) => archive.lacks("cluster/", &failure),
    }
    whole(archive, cluster, namespace).await;
    for other in OTHERS {
        match cluster.get(&ObjectRef::new("v1", "Namespace", None, other)).await {
            Ok(Some(_)) => {
                whole(archive, cluster, other).await;
                logs(archive, cluster, other).await;
            }
            Ok(None) => {}
            Err(failure) => archive.lacks(&format!("cluster/{other}/"), &failure),
        }
    }
}

async fn whole(archive: &mut Archive, cluster: &Cluster, namespace: &str) {
    let folder = format!("cluster/{namespace}");
    match cluster.dump(namespace).await {
        Ok(kinds) => add(archive, &folder, kinds),
        Err(failure) => archive.lacks(&folder, &failure),
    }
}

fn add(archive: &mut Archive, folder: &str, kinds: Vec<Dumped>) {
    for Dumped { kind, objects } in kinds {
        archive.objects(&format!("{folder}/{kind}.yaml"), objects);
    }
}

async fn logs(archive: &mut Archive, cluster: &Cluster, namespace: &str) {
    let pods = match cluster.list("v1", "Pod", Some(namespace), &Selector::default()).await {
        Ok(pods) => pods,
        Err(failure) => return archive.lacks(&format!("logs/{namespace}/"), &failure),
    };
    for log in observe::logs(cluster, namespace, &pods).await {
        match log {
            Ok(log) => {
                let run = if log.previous { ".previous" } else { "" };
                archive.text(&format!("logs/{namespace}/{}/{}{run}.log", log.pod, log.container), Ok(log.text));
            }
            Err(failure) => archive.lacks(&format!("logs/{namespace}/"), &failure),
        }
    }
}
