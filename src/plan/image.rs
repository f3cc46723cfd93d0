//! The image that a lab builds: its steps among the others, and what must hold before. Only the pods wait for it.

use super::Wanted;
use crate::addon::PODS;
use crate::lab::types::Spec;
use crate::lab::{AddOnName, ProviderName};
use crate::model::image::{BUILD, BUILD_KIT_HINT, REGISTRY_HINT, registry};
use crate::model::{Check, ImageFacts, RegistrySeen, Step};
use crate::workload::{self, image};

/// The steps of the add-on `registry` after which the registry can be asked for, the earliest first.
const REGISTRY: [&str; 2] = ["registry-start", "registry"];

/// How an image comes to the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through a registry; whether it is one that the provider makes.
    Push {
        /// It is made by the same plan.
        comes: bool,
    },
    /// From Docker, which has the nodes, too.
    Load,
    /// Nothing is built: the cluster is simulated.
    Simulated,
    /// There is none.
    Nowhere,
}

/// How an image comes to the nodes of a lab.
pub fn way(spec: &Spec, provider: ProviderName) -> Way {
    let add_on = spec.add_ons.contains(&AddOnName::Registry);
    let usual = spec.registry == Spec::default().registry;
    match provider {
        ProviderName::Sim => Way::Simulated,
        // The user's own, whatever the add-ons say.
        ProviderName::Existing | ProviderName::Auto => Way::Push { comes: false },
        _ if !usual => Way::Push { comes: false },
        _ if add_on => Way::Push { comes: true },
        ProviderName::Kind => Way::Load,
        ProviderName::Microk8s => Way::Nowhere,
    }
}

/// Puts the steps of the image among the steps of `up`.
pub(super) fn weave(wanted: &Wanted, seen: &ImageFacts, steps: &mut Vec<Step>) {
    let lab = wanted.lab;
    let way = way(&lab.spec, wanted.provider.name());
    // The steps of a registry that this plan makes: the nodes know it only after the last one.
    let comes = way == Way::Push { comes: true };
    let of_registry: Vec<&str> =
        REGISTRY.into_iter().filter(|id| comes && steps.iter().any(|step| step.id == *id)).collect();
    let bring = match way {
        Way::Push { comes } => Some(image::push(seen, comes).after(of_registry.first().copied())),
        Way::Simulated => Some(image::push(seen, false).satisfied_by(Some("simulated: nothing is pushed".into()))),
        Way::Load => wanted.provider.load(lab, &seen.build.image, &wanted.wishes).map(|step| step.after([BUILD])),
        Way::Nowhere => None,
    };
    let (Some(bring), Some(at)) = (bring, steps.iter().position(|step| step.id == PODS)) else { return };
    steps[at].needs.extend([bring.id.as_str()].into_iter().chain(of_registry.last().copied()).map(String::from));
    steps.insert(at, bring);
    let simulated = (way == Way::Simulated).then(|| "simulated: nothing is built".to_string());
    let build = image::build(seen);
    let satisfied = simulated.or_else(|| build.satisfied.clone());
    steps.insert(0, build.satisfied_by(satisfied));
    if matches!(way, Way::Push { .. }) {
        let ready = workload::pods(lab).into_iter().map(|pod| format!("{pod}-ready"));
        steps.push(image::proof(seen, &lab.spec.iris.namespace).after(ready));
    }
}

/// What must hold before an image can be built and brought to the nodes.
pub(super) fn checks(wanted: &Wanted, seen: &ImageFacts) -> Vec<Check> {
    let way = way(&wanted.lab.spec, wanted.provider.name());
    let checks = match way {
        Way::Simulated => Vec::new(),
        Way::Nowhere => {
            let hint = "add registry to addOns, or name another registry with `--registry HOST:PORT`";
            vec![Check::fail("registry", "the lab builds an image, and has no registry to push it to", hint)]
        }
        Way::Load => docker(seen).into_iter().collect(),
        Way::Push { comes } => docker(seen).into_iter().chain([to_registry(seen, comes)]).collect(),
    };
    checks.into_iter().map(|check| check.about("Image")).collect()
}

/// What builds it, where it has to be built or pushed.
pub fn docker(seen: &ImageFacts) -> Option<Check> {
    if seen.build.pushed && seen.registry.digest().is_some() {
        return None;
    }
    Some(match &seen.no_docker {
        Some((cause, hint)) => Check::fail("docker", cause, hint),
        None if !seen.build.secrets.is_empty() && !seen.takes_secrets && !seen.in_docker => {
            Check::fail("buildx", "this Docker has no BuildKit, and mounts no secrets into a build", BUILD_KIT_HINT)
        }
        None => Check::ok("docker", "it answers, for building the image"),
    })
}

/// The registry that it is pushed to.
pub fn to_registry(seen: &ImageFacts, comes: bool) -> Check {
    let host = registry(&seen.build.image).0;
    match &seen.registry {
        RegistrySeen::Silent(_) if comes => Check::ok("registry", format!("{host} comes with the cluster")),
        RegistrySeen::Silent(why) => Check::fail("registry", format!("{host} does not answer: {why}"), REGISTRY_HINT),
        RegistrySeen::Other(why) => Check::fail("registry", format!("{host} cannot be used: {why}"), REGISTRY_HINT),
        RegistrySeen::Answers { .. } | RegistrySeen::Unknown => Check::ok("registry", format!("{host} answers")),
    }
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
