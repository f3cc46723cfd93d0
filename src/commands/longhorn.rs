//! Longhorn as a removing command finds it: whose it is, who uses it, and whether it goes.

use super::here::Here;
use crate::cluster::{Cluster, Selector};
use crate::error::{Failure, Result};
use crate::model::longhorn::{CLASS, NAMESPACE, traces};
use crate::model::{LonghornFacts, ObjectRef, Stuck};
use crate::observe;
use crate::plan::Removal;
use crate::provider::Provider;

/// What there is of it, and what becomes of it.
#[derive(Default)]
pub struct Longhorn {
    facts: LonghornFacts,
    stuck: Option<Stuck>,
    kubernetes: String,
    beside: Vec<ObjectRef>,
    whose: Whose,
}

/// Whose it is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Whose {
    /// It is not there.
    #[default]
    Nobodys,
    /// The lab installed it.
    Ours,
    /// Somebody else installed it, and the user gives it to us.
    Adopted,
    /// Somebody else installed it.
    Others,
}

impl Longhorn {
    /// Looks. Stops before anything is changed when it is to go and somebody else's data lies on it.
    pub async fn look(cluster: &Cluster, here: &Here, found: &[ObjectRef], adopt: bool) -> Result<Longhorn> {
        let facts = observe::longhorn(cluster).await?;
        let known = here.journal.has_longhorn() || found.iter().any(traces::is_part);
        let whose = match &facts {
            Some(facts) if facts.is_of(&here.name) || (facts.namespace.is_none() && known) => Whose::Ours,
            Some(_) if adopt => Whose::Adopted,
            Some(_) => Whose::Others,
            None if known => Whose::Ours,
            None => Whose::Nobodys,
        };
        let facts = facts.unwrap_or_default();
        let mut longhorn =
            Longhorn { facts, stuck: None, kubernetes: cluster.version().into(), beside: traces::beside(), whose };
        if longhorn.goes() {
            longhorn.stuck = cluster.stuck(NAMESPACE).await?;
            unused(&users(cluster, &longhorn.facts, found).await?)?;
        }
        Ok(longhorn)
    }

    /// Whether it is to be removed.
    pub fn goes(&self) -> bool {
        matches!(self.whose, Whose::Ours | Whose::Adopted)
    }

    /// Whether somebody else installed it, and keeps it.
    pub fn is_others(&self) -> bool {
        self.whose == Whose::Others
    }

    /// What its removal is planned from; `pods` is the namespace of the lab's pods.
    pub fn removal<'a>(&'a self, lab: &'a str, pods: Option<&'a str>) -> Option<Removal<'a>> {
        self.goes().then(|| Removal {
            facts: &self.facts,
            stuck: self.stuck.as_ref(),
            namespace: NAMESPACE,
            kubernetes: &self.kubernetes,
            lab,
            pods,
            // Its pods may still make some of them: all are gone after, whether they are there now.
            beside: &self.beside,
            keeps_volumes: false,
        })
    }

    /// Fails unless it can go with `down --longhorn`; `select` names the lab in hints.
    pub fn must_go(&self, lab: &str, select: &str, found: &[ObjectRef], delete_data: bool) -> Result<()> {
        if self.whose == Whose::Others {
            return Err(Failure::requirement("Longhorn was not installed by this lab; nothing was changed")
                .hint(format!("leave --longhorn out, or remove it with the lab: `iris-lab reset --adopt{select}`")));
        }
        let claims: Vec<String> =
            self.facts.claims().filter(|claim| found.contains(claim)).map(|claim| claim.name).collect();
        if claims.is_empty() || delete_data {
            return Ok(());
        }
        Err(Failure::requirement(format!("the data of the lab {lab} lies on Longhorn; nothing was changed"))
            .cause(format!("its claims: {}", claims.join(", ")))
            .hint(format!(
                "leave --longhorn out, or give the data up with `iris-lab down --longhorn --delete-data{select}`"
            )))
    }

    /// What to say before the question.
    pub fn warning(&self) -> Option<String> {
        let version = self.facts.version().map(|version| format!(" {version}"));
        let version = version.unwrap_or_default();
        match self.whose {
            Whose::Nobodys => None,
            Whose::Ours => Some(format!("Longhorn{version} goes with it")),
            Whose::Adopted => Some(format!("Longhorn{version}, which iris-lab did not install, goes too")),
            Whose::Others => Some(format!("Longhorn{version}, which iris-lab did not install, stays")),
        }
    }

    /// What stays, for the summary.
    pub fn kept(&self) -> Vec<String> {
        let kept = "Longhorn: iris-lab did not install it (`reset --adopt`, instead of `reset`, removes it too)";
        (self.whose == Whose::Others).then(|| kept.to_string()).into_iter().collect()
    }

    /// Where it may have left something that nobody sees from here.
    pub fn not_looked_at(&self, provider: &dyn Provider) -> Vec<String> {
        let files = "/var/lib/longhorn and iSCSI sessions on the nodes: there is no access to them from here";
        // Where this host is the node, the provider removes them.
        let files = (self.goes() && !provider.is_the_node()).then(|| files.to_string());
        let adopted = "whoever else counted on the Longhorn that was taken over (--adopt)".to_string();
        files.into_iter().chain((self.whose == Whose::Adopted).then_some(adopted)).collect()
    }
}

/// Claims on Longhorn that are not the lab's, and data there that no claim speaks for.
async fn users(cluster: &Cluster, facts: &LonghornFacts, found: &[ObjectRef]) -> Result<Vec<ObjectRef>> {
    let claims = cluster.list("v1", "PersistentVolumeClaim", None, &Selector::default()).await?;
    let waiting = claims.iter().filter(|claim| claim["spec"]["storageClassName"] == CLASS).map(ObjectRef::of);
    let mut users: Vec<ObjectRef> =
        waiting.chain(facts.claims()).filter(|claim| !found.contains(claim)).chain(facts.loose()).collect();
    users.sort();
    users.dedup();
    Ok(users)
}

fn unused(users: &[ObjectRef]) -> Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::requirement("others keep data on Longhorn; nothing was changed");
    failure.causes = users.iter().map(|user| format!("{user} is not this lab's")).collect();
    let kind = match users[0].group() {
        "" => users[0].kind.to_lowercase(),
        group => format!("{}s.{group}", users[0].kind.to_lowercase()),
    };
    let place = users[0].namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    Err(failure
        .hint(format!("see each with `kubectl describe {kind}{place} {}`", users[0].name))
        .hint("move the data elsewhere and delete them, then run it again"))
}
