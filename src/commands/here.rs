//! Which lab a command means, and what there is of it on this host.

use super::{again, credentials};
use crate::cluster::{Cluster, kubeconfig};
use crate::engine::journal::{Journal, Target};
use crate::engine::simulator;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::host;
use crate::lab::{self, AddOnName, Lab};
use crate::model::Facts;
use crate::model::longhorn::DRIVER;
use crate::model::object::{name, text};
use crate::observe;
use crate::paths::{LabDir, StateDir};
use crate::plan;
use crate::provider::{self, Provider};
use serde_json::Value;

/// A lab that was brought up from this host.
pub struct Here {
    /// Its name.
    pub name: String,
    /// The folder of all labs.
    pub state: StateDir,
    /// Its folder.
    pub dir: LabDir,
    /// Its journal.
    pub journal: Journal,
    /// Where it lives; none for a lab that was only rendered.
    target: Option<Target>,
    /// Its provider; the embedded one for a lab that was only rendered.
    pub provider: &'static dyn Provider,
}

impl Here {
    /// The lab with that name, or the only one.
    pub fn find(name: Option<&str>) -> Result<Self> {
        let state = StateDir::resolve()?;
        let labs = state.labs()?;
        let name = match (name, labs.as_slice()) {
            (Some(name), labs) if labs.iter().any(|lab| lab == name) => name.to_string(),
            (None, [only]) => only.clone(),
            (_, []) => return Err(Failure::requirement("there is no lab").hint("bring one up with `iris-lab up`")),
            (Some(name), labs) => {
                let cause = format!("there is {}", labs.join(", "));
                return Err(Failure::requirement(format!("there is no lab {name}")).cause(cause));
            }
            (None, labs) => {
                let hint = format!("say which with --name: {}", labs.join(", "));
                return Err(Failure::usage(format!("there are {} labs", labs.len())).hint(hint));
            }
        };
        let dir = state.lab(&name);
        let journal = Journal::read(&dir)?;
        let target = journal.target().cloned();
        let provider = provider::named(target.as_ref().map_or("sim", |target| target.provider.as_str()))?;
        Ok(Here { name, state, dir, journal, target, provider })
    }

    /// Where it lives.
    pub fn target(&self) -> Result<&Target> {
        self.target.as_ref().ok_or_else(|| {
            Failure::requirement(format!("the lab {} was never brought up", self.name))
                .hint(format!("bring it up with `iris-lab up --name {}`", self.name))
        })
    }

    /// The other labs of this host that are on the same cluster.
    pub fn others_on_its_cluster(&self) -> Result<Vec<String>> {
        if !self.provider.is_shared() {
            return Ok(Vec::new());
        }
        let mut others = Vec::new();
        for name in self.state.labs()?.into_iter().filter(|name| *name != self.name) {
            let journal = Journal::read(&self.state.lab(&name))?;
            let there = journal.target().map(|target| target.provider.as_str());
            others.extend((there == Some(provider::word(self.provider.name()))).then_some(name));
        }
        Ok(others)
    }

    /// Whether the cluster runs, as far as this host can tell.
    pub async fn runs(&self) -> Result<bool> {
        match self.provider.running(&self.name) {
            Some(object) => host::has(&System, &object).await,
            None => Ok(true),
        }
    }

    /// The cluster; none when it is an embedded one that does not run.
    pub async fn connect(&self) -> Result<Option<Cluster>> {
        match self.reach().await {
            // Only then is it asked for: some tools take their time to say it.
            Err(failure) if !self.runs().await.unwrap_or(true) => {
                let select = again::selector(&self.state, &self.name)?;
                Err(Failure::requirement(format!("the cluster of the lab {} is stopped", self.name))
                    .cause(failure)
                    .hint(format!("start it with `iris-lab start{select}`")))
            }
            end => end,
        }
    }

    async fn reach(&self) -> Result<Option<Cluster>> {
        let path = self.dir.kubeconfig();
        if self.provider.is_simulated() {
            if !simulator::runs(&self.dir)? || !path.exists() {
                return Ok(None);
            }
            // A killed reset may have left it on its way out: it still runs and does not answer any more.
            return Ok(Cluster::connect(&path, None).await.ok());
        }
        match self.target.as_ref().and_then(|target| target.context.as_ref()) {
            // Killed before it was written: nothing but a lock can have been made in the cluster yet.
            Some(context) if !path.exists() => {
                let text = kubeconfig::extract(&kubeconfig::users(), context);
                Ok(match text {
                    Ok(text) => Cluster::from_text(&text).await.ok(),
                    Err(_) => None,
                })
            }
            _ if !path.exists() => Ok(None),
            _ => Cluster::connect(&path, None).await.map(Some),
        }
    }

    /// The failure of a command that needs the cluster, when it does not run.
    pub fn does_not_run(&self) -> Failure {
        let select = again::selector(&self.state, &self.name).unwrap_or_default();
        let up = self.target.as_ref().map_or("iris-lab up", |target| target.up.as_str());
        Failure::requirement(format!("the cluster of the lab {} does not run", self.name))
            .hint(format!("start it with `{up}`, or remove what is left of it with `iris-lab reset{select}`"))
    }

    /// The lab that was applied, and the hash of its password.
    pub fn recorded<'a>(&self, facts: &'a Facts) -> Result<(Lab, &'a str)> {
        recorded(facts).ok_or_else(|| {
            let up = self.target.as_ref().map_or("iris-lab up", |target| target.up.as_str());
            Failure::requirement(format!("the cluster has no record of the lab {} that can be read", self.name))
                .cause("it is written by the `up` that makes the lab")
                .hint(format!("bring it up once more: `{up}`"))
        })
    }

    /// The accounts that log in with the lab's password, as its record says; without one those of every lab.
    pub fn logins(&self, facts: &Facts) -> Vec<String> {
        credentials::logins(&self.dir, &recorded(facts).map(|(lab, _)| lab).unwrap_or_default())
    }

    /// What is there; a cluster that does not run has nothing.
    pub async fn facts(&self, cluster: Option<&Cluster>) -> Result<Facts> {
        match cluster {
            Some(cluster) => {
                let mut facts = observe::facts(cluster, &self.name, &self.target()?.namespace).await?;
                if has_longhorn(&facts) {
                    observe::of_lab(cluster, &self.name, &mut facts).await?;
                }
                Ok(facts)
            }
            None => Ok(Facts::default()),
        }
    }

    /// The same with all that explains what is wrong.
    pub async fn facts_in_detail(&self, cluster: Option<&Cluster>) -> Result<Facts> {
        let mut facts = self.facts(cluster).await?;
        let Some(cluster) = cluster else { return Ok(facts) };
        if facts.longhorn.is_none() && is_on_longhorn(&facts) {
            observe::of_lab(cluster, &self.name, &mut facts).await?;
        }
        observe::details(cluster, &self.target()?.namespace, &mut facts).await;
        Ok(facts)
    }
}

/// Whether the lab's claims are on Longhorn, whoever installed it.
fn is_on_longhorn(facts: &Facts) -> bool {
    let wanted: Vec<&str> = facts.claims.iter().map(|claim| text(claim, "/spec/storageClassName")).collect();
    let mut used = facts.storage_classes.iter().filter(|class| wanted.contains(&name(class)));
    used.any(|class| text(class, "/provisioner") == DRIVER)
}

/// Whether the lab that was applied has Longhorn, as its record says.
pub fn has_longhorn(facts: &Facts) -> bool {
    recorded(facts).is_some_and(|(lab, _)| lab.has(AddOnName::Longhorn))
}

/// The lab that was applied, and the hash of its password, as its record in the cluster says.
fn recorded(facts: &Facts) -> Option<(Lab, &str)> {
    let is_record = |object: &&Value| object["kind"] == "ConfigMap" && object["metadata"]["name"] == plan::RECORD;
    let data = &facts.objects.iter().find(is_record)?["data"];
    let lab = lab::load(data[plan::RECORD_LAB].as_str()?, "the record").ok()?;
    Some((lab, data[plan::RECORD_HASH].as_str()?))
}
