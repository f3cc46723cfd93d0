//! What a lab needs from outside: the images that its pods and its provider run, and programs.

use super::{Wanted, probe, up};
use crate::addon;
use crate::error::Result;
use crate::lab::AddOnName;
use crate::model::bundle::{Arch, Need, Needs, Place};
use crate::model::{Action, Facts};
use serde_json::Value;
use std::collections::BTreeSet;

/// Stands for the range of the load balancer while none is settled: it changes no image. It is of no network (RFC 5737).
const ANY_RANGE: &str = "192.0.2.1-192.0.2.9";

/// Everything that `up` pulls or downloads on a machine with this processor.
pub fn needs(wanted: &Wanted, arch: Arch) -> Result<Needs> {
    let mut lab = wanted.lab.clone();
    lab.spec.metallb.range.get_or_insert_with(|| ANY_RANGE.into());
    let Wanted { provider, wishes, .. } = *wanted;
    let wanted = Wanted { lab: &lab, ..*wanted };
    let (facts, nodes) = (Facts::default(), provider.nodes(&lab, &wishes));
    let site = wanted.site(&facts, &nodes);
    let mut in_pods = BTreeSet::new();
    for step in up(&wanted, &facts)?.steps {
        if let Action::Apply { objects } | Action::Canary { objects, .. } = step.action {
            objects.iter().for_each(|object| collect(object, &mut in_pods));
        }
    }
    for add_on in addon::installed(&site) {
        in_pods.extend(add_on.images(&site)?);
    }
    if lab.has(AddOnName::Longhorn) && !provider.makes_cluster() {
        // What `doctor --probe` runs.
        probe::objects(&lab.metadata.name, None)?.iter().for_each(|object| collect(object, &mut in_pods));
    }
    let on_host = provider.images(&lab, &wishes)?.into_iter().map(|name| Need { name, place: Place::Host });
    let images = on_host.chain(in_pods.into_iter().map(|name| Need { name, place: Place::Pods })).collect();
    Ok(Needs { images, programs: provider.programs(arch) })
}

/// The images of every container in an object, whatever kind it is of.
fn collect(value: &Value, images: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if matches!(key.as_str(), "containers" | "initContainers") {
                    let containers = value.as_array().into_iter().flatten();
                    images.extend(containers.filter_map(|one| one["image"].as_str()).map(String::from));
                }
                collect(value, images);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, images)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Lab;
    use crate::model::{HostFacts, SimSettings};
    use crate::provider::{self, Wishes};
    use std::path::Path;

    const SIM: SimSettings = SimSettings { nodes: 3, kubernetes: String::new(), speed: None, faults: None };

    fn of(provider: &str, lab: &Lab) -> Needs {
        let host = HostFacts::default();
        let wishes = Wishes {
            context: None,
            kubeconfig_is_current: false,
            sim: &SIM,
            host: &host,
            made: &[],
            bundled: &[],
            was_whole: false,
            dir: Path::new("/lab"),
            cache: Path::new("/cache"),
        };
        let provider = provider::named(provider).unwrap();
        needs(&Wanted { lab, longhorn: None, provider, wishes, password_hash: "", image: None }, Arch::Arm64).unwrap()
    }

    fn names(needs: &Needs, place: Place) -> Vec<&str> {
        needs.images.iter().filter(|need| need.place == place).map(|need| need.name.as_str()).collect()
    }

    fn with_longhorn() -> Lab {
        let mut lab = Lab::default();
        lab.spec.add_ons.push(AddOnName::Longhorn);
        lab
    }

    const IRIS: &str = crate::lab::DEFAULT_IMAGE;

    #[test]
    fn kind_needs_its_nodes_its_registry_and_itself() {
        let needs = of("kind", &Lab::default());
        let node = "kindest/node:v1.24.17@sha256:bad10f9b98d54586cba05a7eaa1b61c6b90bfc4ee174fdc43a7b75ca75c95e51";
        assert_eq!(names(&needs, Place::Host), [node, "registry:2"]);
        assert_eq!(
            names(&needs, Place::Pods),
            [IRIS, "quay.io/metallb/controller:v0.13.12", "quay.io/metallb/speaker:v0.13.12"]
        );
        let [kind] = needs.programs.as_slice() else { panic!("{needs:?}") };
        assert!(kind.name == "kind-v0.22.0" && kind.url.ends_with("-arm64") && kind.sha256.len() == 64, "{kind:?}");
    }

    #[test]
    fn longhorn_needs_eleven_images_and_only_some_of_them_stand_in_its_manifest() {
        let needs = of("microk8s", &with_longhorn());
        let mut wanted: Vec<String> = addon::longhorn::version::DEFAULT.images().all().map(String::from).collect();
        wanted.push(IRIS.into());
        wanted.sort();
        assert_eq!(names(&needs, Place::Pods), wanted);
        assert!(names(&needs, Place::Host).is_empty() && needs.programs.is_empty(), "{needs:?}");
    }

    #[test]
    fn on_a_cluster_of_others_nodes_are_looked_at_too() {
        assert_eq!(names(&of("existing", &Lab::default()), Place::Pods), [IRIS]);
        assert!(names(&of("existing", &with_longhorn()), Place::Pods).contains(&"busybox:1.36"));
    }
}
