//! Who makes the cluster. One file a provider and one visible list; all pure: a lab in, steps out.

mod existing;
mod sim;

use crate::error::{Failure, Result};
use crate::lab::{Lab, ProviderName};
use crate::model::{Facts, SimSettings, Step};
use serde_json::Value;

pub use sim::DEFAULT_KUBERNETES;

/// Every provider, in the order in which `auto` would look at them.
pub const ALL: &[&dyn Provider] = &[&existing::Existing, &sim::Sim];

/// What the user said about the cluster, beyond the lab.
pub struct Wishes<'a> {
    /// The context of the user's kubeconfig.
    pub context: Option<&'a str>,
    /// Whether our own kubeconfig already holds that context as it is now.
    pub kubeconfig_is_current: bool,
    /// How the embedded cluster is to behave.
    pub sim: &'a SimSettings,
}

/// Makes or takes a cluster.
pub trait Provider: Sync {
    /// Its name, as in the lab file.
    fn name(&self) -> ProviderName;

    /// Whether what it makes is not real.
    fn is_simulated(&self) -> bool;

    /// Whether it makes the cluster, and so installs the lab's add-ons into it.
    fn makes_cluster(&self) -> bool;

    /// The nodes that it makes, as far as they are known before: names and labels. None for a cluster that is there.
    fn nodes(&self, wishes: &Wishes) -> Vec<Value>;

    /// Steps until the cluster answers. The last one's id is [`CLUSTER`].
    fn steps(&self, lab: &Lab, facts: &Facts, wishes: &Wishes) -> Vec<Step>;
}

/// Id of the step after which the cluster can be used.
pub const CLUSTER: &str = "cluster";

/// The name as it stands in lab files and on the command line.
pub fn word(name: ProviderName) -> &'static str {
    match name {
        ProviderName::Auto => "auto",
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

/// The provider to use, and why: what the user wants, what the lab is on already, or the best one here.
pub fn choose(
    wanted: ProviderName,
    on: Option<&str>,
    context: Option<&str>,
) -> Result<(&'static dyn Provider, String)> {
    match (wanted, on, context) {
        (ProviderName::Auto, Some(on), _) => Ok((named(on)?, "the lab is there already".into())),
        (ProviderName::Auto, None, Some(context)) => {
            Ok((&existing::Existing, format!("--context {context} was given")))
        }
        (ProviderName::Auto, None, None) => {
            Ok((&sim::Sim, "no cluster was named; --provider existing --context NAME uses a real one".into()))
        }
        (ProviderName::Sim, _, Some(_)) => {
            Err(Failure::usage("--context does not go with the provider sim").hint("leave one of the two out"))
        }
        (ProviderName::Existing, None, None) => Err(Failure::usage("the provider existing needs a context")
            .cause("an existing cluster is used only when it is named; the current context is never taken")
            .hint("list them with `kubectl config get-contexts` and give one with --context NAME")),
        (name, _, _) => Ok((named(word(name))?, "it was asked for".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: ProviderName, on: Option<&str>, context: Option<&str>) -> Option<&'static str> {
        choose(wanted, on, context).ok().map(|(provider, _)| word(provider.name()))
    }

    #[test]
    fn the_choice() {
        use ProviderName::{Auto, Existing, Sim};
        assert_eq!(chosen(Auto, None, None), Some("sim"));
        assert_eq!(chosen(Auto, None, Some("a")), Some("existing"));
        assert_eq!(chosen(Auto, Some("existing"), None), Some("existing"));
        assert_eq!(chosen(Existing, None, None), None, "the current context is never taken");
        assert_eq!(chosen(Existing, Some("existing"), None), Some("existing"));
        assert_eq!(chosen(Existing, None, Some("a")), Some("existing"));
        assert_eq!(chosen(Sim, None, Some("a")), None);
    }
}
