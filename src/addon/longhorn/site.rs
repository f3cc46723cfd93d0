//! What Longhorn meets in a cluster: the nodes that can hold volumes, the settings that follow from them, and a Longhorn that is
//! there already.

use super::manifest::{self, Settings};
use super::version::Version;
use crate::addon::Site;
use crate::error::Result;
use crate::model::LonghornFacts;
use crate::model::host::MICROK8S_KUBELET;
use crate::model::longhorn::takes_volumes;
use crate::model::object::labelled;
use serde_json::Value;

/// Copies of a volume beyond which more nodes change nothing.
const MOST_COPIES: usize = 3;

/// The nodes that can hold volumes.
pub fn storage_nodes<'a>(site: &Site<'a>) -> Vec<&'a Value> {
    site.nodes.iter().filter(|node| takes_volumes(node)).collect()
}

/// What is set for this cluster.
pub fn settings(site: &Site) -> Result<Settings> {
    let nodes = storage_nodes(site);
    let microk8s = nodes.iter().any(|node| node["metadata"]["labels"]["microk8s.io/cluster"].is_string());
    Ok(Settings {
        version: Version::parse(&site.lab.spec.longhorn.version)?,
        replicas: nodes.len().clamp(1, MOST_COPIES) as u32,
        sidecars: if nodes.len() > 1 { manifest::DEFAULT_SIDECARS } else { 1 },
        kubelet_root: site.kubelet_root.or(microk8s.then_some(MICROK8S_KUBELET)).map(Into::into),
    })
}

/// The objects that are applied.
pub fn objects(site: &Site) -> Result<Vec<Value>> {
    let settings = settings(site)?;
    let objects = match site.manifest {
        Some(original) => manifest::adjust(original.to_vec(), &settings)?,
        None => manifest::objects(&settings)?,
    };
    Ok(labelled(objects, &site.lab.metadata.name))
}

/// A Longhorn that works here and that this lab did not install. It is used as it is.
pub fn foreign<'a>(site: &Site<'a>) -> Option<&'a LonghornFacts> {
    site.facts.longhorn.as_ref().filter(|seen| seen.version().is_some() && !seen.is_of(&site.lab.metadata.name))
}

/// What volumes are like on so few nodes, in words.
pub fn by_design(site: &Site) -> String {
    match storage_nodes(site).len() {
        0 | 1 => "1 copy of each volume, because one node can hold volumes: its disk's data lives once".into(),
        2 => "2 copies of each volume, because two nodes can hold volumes".into(),
        _ => format!("{MOST_COPIES} copies of each volume, on different nodes"),
    }
}
