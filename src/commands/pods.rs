//! The lab's pods, for the commands that reach into them.

use super::again;
use super::here::Here;
use crate::cluster::{Cluster, Pods, Seen, Selector};
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use crate::model::object::LAB_LABEL;

/// The cluster of a lab that runs, and a live view of its pods.
pub struct LabPods {
    /// The lab.
    pub here: Here,
    /// Its cluster.
    pub cluster: Cluster,
    /// Its namespace.
    pub namespace: String,
    /// How many pods it is to have.
    pub replicas: u32,
    /// Its pods.
    pub pods: Pods,
    /// What commands add that name this lab among several.
    pub select: String,
}

impl LabPods {
    /// The pods of the lab with that name, or of the only one.
    pub async fn find(name: Option<&str>) -> Result<Self> {
        let here = Here::find(name)?;
        let target = here.target()?;
        let (namespace, replicas) = (target.namespace.clone(), target.replicas);
        let select = again::selector(&here.state, &here.name)?;
        let cluster = here.connect().await?.ok_or_else(|| here.does_not_run())?;
        let selector = Selector::labels(format!("app=iris,{LAB_LABEL}={}", here.name));
        let pods = cluster.pods(&namespace, selector).await?;
        if pods.all().is_empty() {
            return Err(Failure::requirement(format!("the lab {} has no pods", here.name))
                .hint(format!("see how it stands with `iris-lab status{select}`"))
                .hint(format!("bring it up with `{}`", target.up)));
        }
        Ok(LabPods { here, cluster, namespace, replicas, pods, select })
    }

    /// The name of a pod of this lab, as an object.
    pub fn pod(&self, name: &str) -> ObjectRef {
        ObjectRef::new("v1", "Pod", Some(&self.namespace), name)
    }

    /// A pod by its name.
    pub fn named(&self, name: &str) -> Result<Seen> {
        let all = self.pods.all();
        let names: Vec<&str> = all.iter().map(|pod| pod.name.as_str()).collect();
        let missing = || {
            Failure::usage(format!("the lab {} has no pod {name}", self.here.name))
                .cause(format!("its pods are {}", names.join(", ")))
        };
        all.iter().find(|pod| pod.name == name).cloned().ok_or_else(missing)
    }

    /// The pod with that name, or the first that is ready, or else the first that runs; with the container to reach into.
    pub fn running(&self, name: Option<&str>) -> Result<(Seen, String)> {
        let all = self.pods.all();
        let pod = match name {
            Some(name) => self.named(name)?,
            None => {
                let mut ready = all.iter().filter(|pod| pod.ready);
                let mut running = all.iter().filter(|pod| pod.running().is_some());
                let first = ready.next().or_else(|| running.next()).or_else(|| all.first());
                first.cloned().ok_or_else(|| Failure::requirement(format!("the lab {} has no pods", self.here.name)))?
            }
        };
        match pod.running() {
            Some(container) => {
                let container = container.to_string();
                Ok((pod, container))
            }
            None => Err(Failure::not_ready(format!("the pod {} does not run", pod.name)).cause(pod.why).hint(format!(
                "`iris-lab explain{0}` says what is wrong, `iris-lab status{0}` how all of it stands",
                self.select
            ))),
        }
    }
}
