//! Who makes the cluster. One file a provider and one visible list; all pure: a lab in, steps out.

mod bundled;
mod existing;
mod kind;
mod microk8s;
mod sim;

use crate::error::{Failure, Result};
use crate::lab::{AddOnName, Lab, ProviderName};
use crate::model::bundle::Program;
use crate::model::image::pushed_as;
use crate::model::{Action, Arch, Bundled, Check, Cmd, Facts, HostFacts, HostObject, LbNetwork, SimSettings, Step};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

pub use sim::DEFAULT_KUBERNETES;

const IMAGE_TIMEOUT: Duration = Duration::from_secs(3 * 60);

/// Every provider, in the order in which `auto` looks at them.
pub const ALL: &[&dyn Provider] = &[&microk8s::Microk8s, &kind::Kind, &existing::Existing, &sim::Sim];

/// What providers plan from, beyond the lab: what the user said about the cluster, and what was seen.
#[derive(Clone, Copy)]
pub struct Wishes<'a> {
    /// The context of the user's kubeconfig.
    pub context: Option<&'a str>,
    /// Whether our own kubeconfig already holds that context as it is now.
    pub kubeconfig_is_current: bool,
    /// How the embedded cluster is to behave.
    pub sim: &'a SimSettings,
    /// This host, for providers that make a cluster on it.
    pub host: &'a HostFacts,
    /// What the lab's journal says was made on this host.
    pub made: &'a [HostObject],
    /// The images of a bundle that are in our cache, as far as this lab needs them.
    pub bundled: &'a [Bundled],
    /// Whether our kubeconfig is there, which it is once the cluster was whole.
    pub was_whole: bool,
    /// The lab's folder on this host.
    pub dir: &'a Path,
    /// The folder of what may be downloaded again.
    pub cache: &'a Path,
}

/// What a removal is planned from.
pub struct Undo<'a> {
    /// The lab.
    pub lab: &'a str,
    /// The lab's folder on this host.
    pub dir: &'a Path,
    /// The folder of what may be downloaded again.
    pub cache: &'a Path,
    /// This host.
    pub host: &'a HostFacts,
    /// What the lab's journal says was made on it.
    pub made: &'a [HostObject],
    /// Whether what is kept for the next lab goes along.
    pub purge: bool,
}

/// Makes or takes a cluster.
pub trait Provider: Sync {
    /// Its name, as in the lab file.
    fn name(&self) -> ProviderName;

    /// Whether what it makes is not real.
    fn is_simulated(&self) -> bool {
        false
    }

    /// Whether it makes the cluster, and so installs the lab's add-ons into it.
    fn makes_cluster(&self) -> bool {
        true
    }

    /// Whether it makes the cluster out of what this host has, so that the host must be looked at.
    fn uses_host(&self) -> bool {
        false
    }

    /// The version of Kubernetes that it makes, such as `1.24.17`.
    fn kubernetes(&self, lab: &Lab, wishes: &Wishes) -> String;

    /// The nodes that it makes, as far as they are known before: names and labels. None for a cluster that is there.
    fn nodes(&self, lab: &Lab, wishes: &Wishes) -> Vec<Value>;

    /// The command that prints a kubeconfig for its cluster, as it was seen on this host; none while there is no cluster that runs.
    fn access(&self, _lab: &Lab, _wishes: &Wishes) -> Option<Cmd> {
        None
    }

    /// The network that gives addresses to Services of type LoadBalancer; none where the provider has no say in it.
    fn lb_network(&self, _: &HostFacts) -> Result<Option<LbNetwork>> {
        Ok(None)
    }

    /// Where the kubelets of its clusters keep their files, when that is not the usual place.
    fn kubelet_root(&self) -> Option<&'static str> {
        None
    }

    /// Whether this host itself is the node of its cluster.
    fn is_the_node(&self) -> bool {
        false
    }

    /// Whether all labs of this host are on the one cluster that it makes.
    fn is_shared(&self) -> bool {
        false
    }

    /// What must hold on this host, and in a cluster that is there already, before the first change.
    fn checks(&self, _: &Lab, _: &Facts, _: &Wishes) -> Vec<Check> {
        Vec::new()
    }

    /// Steps until the cluster answers. The last one's id is [`CLUSTER`].
    fn steps(&self, lab: &Lab, facts: &Facts, wishes: &Wishes) -> Result<Vec<Step>>;

    /// Its own steps for an add-on, the last of which has the add-on's name as its id; none where the add-on installs itself. No
    /// steps at all mean that its clusters have it from the beginning.
    fn add_on(&self, _: AddOnName, _: &Lab, _: &Facts, _: &Wishes) -> Option<Result<Vec<Step>>> {
        None
    }

    /// The storage class that its clusters get, unless the add-on `storage` brings one.
    fn storage_class(&self) -> Option<Value> {
        None
    }

    /// The step that brings an image from Docker to its nodes without a registry; none where that is no way.
    fn load(&self, _lab: &Lab, _image: &str, _wishes: &Wishes) -> Option<Step> {
        None
    }

    /// Images that this host itself must have: those that no pod of the lab runs.
    fn images(&self, _: &Lab, _: &Wishes) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Programs that it downloads where this host has none.
    fn programs(&self, _: Arch) -> Vec<Program> {
        Vec::new()
    }

    /// Whether the cluster of a lab is there, running or not, as far as this host tells.
    fn exists(&self, _lab: &str, _host: &HostFacts) -> bool {
        true
    }

    /// What is there on this host while the cluster of a lab runs, and not while it is stopped; none where it cannot be stopped.
    fn running(&self, _lab: &str) -> Option<HostObject> {
        None
    }

    /// The step that stops the cluster of a lab, which keeps all that is in it; a failure that says why it cannot be stopped.
    fn stop(&self, _lab: &str, _host: &HostFacts) -> Result<Step> {
        Err(self.no_stop())
    }

    /// Steps that start it again, until it answers. The last one's id is [`CLUSTER`].
    fn start(&self, _lab: &str, _host: &HostFacts) -> Result<Vec<Step>> {
        Err(self.no_stop())
    }

    /// Why its cluster can neither be stopped nor started.
    fn no_stop(&self) -> Failure {
        Failure::requirement(format!("the provider {} has no cluster to stop or start", word(self.name())))
    }

    /// Steps that undo what was made on this host, each after the one before; a failure where nothing of it can be removed now.
    fn removal(&self, _: &Undo) -> Result<Vec<Step>> {
        Ok(Vec::new())
    }
}

/// The steps that remove the images of Docker's that were made here, where nothing is kept; what is built on another image goes first.
pub fn images(undo: &Undo) -> Vec<Step> {
    let images = undo.made.iter().rev().filter(|object| undo.purge && matches!(object, HostObject::Image { .. }));
    let step = |(number, object): (usize, &HostObject)| {
        let HostObject::Image { name } = object else { return None };
        // Docker knows one that was pushed by two names.
        let mut names = vec![pushed_as(name), name.clone()];
        names.dedup();
        let commands = names.iter().map(|name| Cmd::new("docker", ["image", "rm", name])).collect();
        let action = Action::Unmake { object: object.clone(), commands };
        Some(Step::new(format!("image-{}", number + 1), format!("Remove the {object}"), IMAGE_TIMEOUT, action))
    };
    images.enumerate().filter_map(step).collect()
}

/// Id of the step after which the cluster can be used.
pub const CLUSTER: &str = "cluster";

/// The name as it stands in lab files and on the command line.
pub fn word(name: ProviderName) -> &'static str {
    match name {
        ProviderName::Auto => "auto",
        ProviderName::Microk8s => "microk8s",
        ProviderName::Kind => "kind",
        ProviderName::Existing => "existing",
        ProviderName::Sim => "sim",
    }
}

/// The provider with that name.
pub fn named(word_wanted: &str) -> Result<&'static dyn Provider> {
    ALL.iter().copied().find(|provider| word(provider.name()) == word_wanted).ok_or_else(|| {
        Failure::usage(format!("this version knows no provider {word_wanted:?}"))
            .hint("use the version that made the lab")
    })
}

/// Which tools that make a cluster this host has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tools {
    /// Whether microk8s is installed.
    pub microk8s: bool,
    /// Whether kind is installed and Docker answers.
    pub kind: bool,
}

/// Whether the choice depends on the tools of this host.
pub fn depends_on_tools(wanted: ProviderName, on: Option<&str>, context: Option<&str>) -> bool {
    (wanted, on, context) == (ProviderName::Auto, None, None)
}

/// The provider to use, and why: what the user wants, what the lab is on already, or the best one here.
pub fn choose(
    wanted: ProviderName,
    on: Option<&str>,
    context: Option<&str>,
    tools: Tools,
) -> Result<(&'static dyn Provider, String)> {
    match (wanted, on, context) {
        (ProviderName::Auto, Some(on), _) => Ok((named(on)?, "the lab is there already".into())),
        (ProviderName::Auto, None, Some(context)) => {
            Ok((&existing::Existing, format!("--context {context} was given")))
        }
        (ProviderName::Auto, None, None) if tools.microk8s => Ok((&microk8s::Microk8s, "microk8s is installed".into())),
        (ProviderName::Auto, None, None) if tools.kind => {
            Ok((&kind::Kind, "kind is installed, and Docker answers".into()))
        }
        (ProviderName::Auto, None, None) => Ok((
            &sim::Sim,
            "neither microk8s nor kind is here; --provider makes a real cluster, or --context NAME uses one".into(),
        )),
        (ProviderName::Existing, None, None) => Err(Failure::usage("the provider existing needs a context")
            .cause("an existing cluster is used only when it is named; the current context is never taken")
            .hint("list them with `kubectl config get-contexts` and give one with --context NAME")),
        (name, _, Some(_)) if name != ProviderName::Existing => {
            Err(Failure::usage(format!("--context does not go with the provider {}", word(name)))
                .hint("leave one of the two out"))
        }
        (name, _, _) => Ok((named(word(name))?, "it was asked for".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: ProviderName, on: Option<&str>, context: Option<&str>) -> Option<&'static str> {
        with(wanted, on, context, Tools::default())
    }

    fn with(wanted: ProviderName, on: Option<&str>, context: Option<&str>, tools: Tools) -> Option<&'static str> {
        choose(wanted, on, context, tools).ok().map(|(provider, _)| word(provider.name()))
    }

    #[test]
    fn the_choice() {
        use ProviderName::{Auto, Existing, Kind, Microk8s, Sim};
        assert_eq!(chosen(Auto, None, None), Some("sim"));
        assert_eq!(chosen(Auto, None, Some("a")), Some("existing"));
        assert_eq!(chosen(Auto, Some("existing"), None), Some("existing"));
        assert_eq!(chosen(Existing, None, None), None, "the current context is never taken");
        assert_eq!(chosen(Existing, Some("existing"), None), Some("existing"));
        assert_eq!(chosen(Existing, None, Some("a")), Some("existing"));
        for made in [Sim, Kind, Microk8s] {
            assert_eq!(chosen(made, None, Some("a")), None);
            assert_eq!(chosen(made, None, None), Some(word(made)));
        }
        let both = Tools { microk8s: true, kind: true };
        assert_eq!(with(Auto, None, None, both), Some("microk8s"));
        assert_eq!(with(Auto, None, None, Tools { microk8s: false, ..both }), Some("kind"));
        assert_eq!(with(Auto, Some("sim"), None, both), Some("sim"), "a lab stays where it is");
        assert_eq!(with(Auto, None, Some("a"), both), Some("existing"));
    }
}
