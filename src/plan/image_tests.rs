//! Where the steps of an image stand among the others, and what must hold before.

use super::*;
use crate::lab::Lab;
use crate::model::{Facts, HostFacts, HostObject, ImageBuild, Plan, SimSettings, Verdict};
use crate::plan::up;
use crate::provider::{self, Wishes};
use std::collections::BTreeMap;
use std::path::Path;

fn seen() -> ImageFacts {
    let build = ImageBuild {
        image: "localhost:32000/app:1-ab".into(),
        pushed: true,
        context: "/app".into(),
        builtin: None,
        file: "Dockerfile".into(),
        args: BTreeMap::new(),
        secrets: BTreeMap::new(),
    };
    let registry = RegistrySeen::Answers { digest: None, config: None };
    ImageFacts { build, no_docker: None, takes_secrets: false, in_docker: false, registry }
}

fn lab() -> Lab {
    let mut lab = Lab::default();
    lab.spec.metallb.range = Some("172.18.255.200-172.18.255.250".into());
    lab
}

fn with<T>(lab: &Lab, name: &str, image: &ImageFacts, use_it: impl FnOnce(&Wanted) -> T) -> T {
    let sim = SimSettings { nodes: 3, kubernetes: "1.24.17".into(), speed: None, faults: None };
    let wishes = Wishes {
        context: Some("rig"),
        kubeconfig_is_current: false,
        sim: &sim,
        host: &HostFacts::default(),
        made: &[] as &[HostObject],
        bundled: &[],
        was_whole: false,
        dir: Path::new("/state"),
        cache: Path::new("/cache"),
    };
    let provider = provider::named(name).unwrap();
    use_it(&Wanted { lab, provider, wishes, longhorn: None, password_hash: "h,s", image: Some(image) })
}

fn plan(lab: &Lab, name: &str, image: &ImageFacts) -> Plan {
    with(lab, name, image, |wanted| up(wanted, &Facts::default()).unwrap())
}

fn needs<'a>(plan: &'a Plan, id: &str) -> Vec<&'a str> {
    let step = plan.steps.iter().find(|step| step.id == id).unwrap_or_else(|| panic!("no step {id}"));
    step.needs.iter().map(String::as_str).collect()
}

#[test]
fn the_build_begins_at_once_and_only_the_pods_wait() {
    let plan = plan(&lab(), "existing", &seen());
    assert_eq!((plan.steps[0].id.as_str(), needs(&plan, "image-build").len()), ("image-build", 0));
    assert_eq!(needs(&plan, "image-push"), ["image-build"]);
    assert!(needs(&plan, "iris").contains(&"image-push"));
    assert_eq!(needs(&plan, "image-proof"), ["data-0-ready", "data-1-ready"]);
    let waits = plan.steps.iter().filter(|step| step.needs.iter().any(|need| need.starts_with("image")));
    assert_eq!(waits.map(|step| step.id.as_str()).collect::<Vec<_>>(), ["image-push", "iris"]);
    let mut ids: Vec<&str> = Vec::new();
    for step in &plan.steps {
        assert!(step.needs.iter().all(|need| ids.contains(&need.as_str())), "{} stands after what it needs", step.id);
        ids.push(&step.id);
    }
}

#[test]
fn a_registry_that_comes_with_the_cluster_is_waited_for() {
    let push = plan(&lab(), "kind", &seen());
    assert_eq!(needs(&push, "image-push"), ["image-build", "registry-start"], "before there are nodes");
    assert!(needs(&push, "iris").contains(&"registry"), "the nodes know it only then");
    assert_eq!(needs(&plan(&lab(), "microk8s", &seen()), "image-push"), ["image-build", "registry"]);
    let mut without = lab();
    without.spec.add_ons.retain(|add_on| *add_on != AddOnName::Registry);
    let load = plan(&without, "kind", &seen());
    assert!(needs(&load, "iris").contains(&"image-load") && needs(&load, "image-load").contains(&"image-build"));
    let checks = with(&without, "microk8s", &seen(), |wanted| checks(wanted, &seen()));
    assert_eq!((checks[0].name.as_str(), checks[0].verdict), ("registry", Verdict::Fail));
}

#[test]
fn what_is_there_is_satisfied() {
    let satisfied = |seen: &ImageFacts| {
        let plan = plan(&lab(), "existing", seen);
        ["image-build", "image-push"].map(|id| plan.steps.iter().any(|step| step.id == id && step.satisfied.is_some()))
    };
    let there = RegistrySeen::Answers { digest: Some("sha256:0".into()), config: None };
    assert_eq!(satisfied(&seen()), [false, false]);
    assert_eq!(satisfied(&ImageFacts { in_docker: true, ..seen() }), [true, false]);
    assert_eq!(satisfied(&ImageFacts { registry: there.clone(), ..seen() }), [true, true]);
    // Its digest is compared with Docker's: it may be another image of the same name.
    assert_eq!(satisfied(&ImageFacts { in_docker: true, registry: there, ..seen() }), [true, false]);
    let sim = plan(&lab(), "sim", &seen());
    assert!(sim.steps.iter().all(|step| step.id != "image-proof"), "nothing of it is real");
}

#[test]
fn docker_is_only_needed_where_something_is_built() {
    let dead = ("it is down".to_string(), "start it".to_string());
    let judged = |seen: &ImageFacts| {
        let checks = with(&lab(), "existing", seen, |wanted| checks(wanted, seen));
        checks.into_iter().filter(|check| check.verdict == Verdict::Fail).map(|check| check.name).collect::<Vec<_>>()
    };
    let without = ImageFacts { no_docker: Some(dead), ..seen() };
    assert_eq!(judged(&without), ["docker"]);
    let there = RegistrySeen::Answers { digest: Some("sha256:0".into()), config: None };
    assert_eq!(judged(&ImageFacts { registry: there, ..without }), [""; 0], "the registry has it");
    assert_eq!(judged(&ImageFacts { registry: RegistrySeen::Silent("x".into()), ..seen() }), ["registry"]);
    let mut secret = seen();
    secret.build.secrets.insert("npm".into(), "/x".into());
    assert_eq!(judged(&secret), ["buildx"]);
    assert_eq!(judged(&ImageFacts { takes_secrets: true, ..secret }), [""; 0]);
}
