//! The commands that hints name, written so that they do what the hint says for this lab and not for the default one.

use crate::cli::LabArgs;
use crate::error::Result;
use crate::model::cmd::quoted;
use crate::paths::StateDir;
use crate::provider;

/// The `up` that brings the same lab up again. Its cluster and its addresses are not named: the lab's journal knows them, and
/// another network may need others.
pub fn up(args: &LabArgs) -> String {
    line("up", args)
}

/// The `doctor` that mends what this lab lacks. There may be no journal yet: its cluster is named.
pub fn fix(args: &LabArgs) -> String {
    placed("doctor", args) + " --fix"
}

/// The `render` that prints the same lab's YAML, also before there is a lab.
pub fn render(args: &LabArgs) -> String {
    placed("render", args)
}

/// The `up` of the same lab on another machine: its cluster is named.
pub fn elsewhere(args: &LabArgs) -> String {
    placed("up", args)
}

/// A command on the same lab that names its cluster, too.
fn placed(verb: &str, args: &LabArgs) -> String {
    let provider = args.provider.map(|provider| format!(" --provider {}", provider::word(provider)));
    let context = args.context.as_ref().map(|context| format!(" --context {}", quoted(context)));
    let range = args.lb_range.as_ref().map(|range| format!(" --lb-range {}", quoted(range)));
    line(verb, args) + &[range, provider, context].map(Option::unwrap_or_default).concat()
}

fn line(verb: &str, args: &LabArgs) -> String {
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let options = [
        ("--name", args.name.clone()),
        ("--namespace", args.namespace.clone()),
        ("--replicas", number(args.replicas)),
        ("--image", args.image.clone()),
        ("--storage-class", args.storage_class.clone()),
        ("--storage", args.storage.clone()),
        ("--nodes", number(args.nodes)),
        ("--kubernetes", args.kubernetes.clone()),
        ("--channel", args.channel.clone()),
        ("--node-image", args.node_image.clone()),
        ("--longhorn-manifest", args.longhorn_manifest.clone()),
        ("--sha256", args.sha256.clone()),
        ("--cpf", args.cpf.as_ref().map(|file| file.display().to_string())),
        ("--registry", args.image_build.registry.clone()),
    ];
    let mut words = vec!["iris-lab".to_string(), verb.into()];
    if args.lab != "two-pod" {
        words.push(quoted(&args.lab));
    }
    for (flag, value) in options {
        words.extend(value.into_iter().flat_map(|value| [flag.to_string(), quoted(&value)]));
    }
    // Its value stands after an equals sign only.
    words.extend(args.longhorn.as_ref().map(|version| match version {
        Some(version) => quoted(&format!("--longhorn={version}")),
        None => "--longhorn".into(),
    }));
    words.extend(args.build.as_ref().map(|folder| match folder {
        Some(folder) => quoted(&format!("--build={}", folder.display())),
        None => "--build".into(),
    }));
    for (name, value) in &args.image_build.build_arg {
        words.extend(["--build-arg".to_string(), quoted(&format!("{name}={value}"))]);
    }
    for (id, file) in &args.image_build.secret {
        words.extend(["--secret".to_string(), quoted(&format!("id={id},src={}", file.display()))]);
    }
    words.extend(args.no_registry.then(|| "--no-registry".to_string()));
    words.extend(args.ignore_check.iter().flat_map(|check| ["--ignore-check".to_string(), quoted(check)]));
    words.extend(args.no_canary.then(|| "--no-canary".to_string()));
    words.extend(args.experimental_host_iscsi.then(|| "--experimental-host-iscsi".to_string()));
    for (path, value) in &args.set {
        words.extend(["--set".to_string(), quoted(&format!("{path}={value}"))]);
    }
    words.join(" ")
}

/// What `status`, `down` and `reset` need to find this lab: nothing while it is the only one.
pub fn selector(state: &StateDir, name: &str) -> Result<String> {
    let only = state.labs()?.iter().all(|lab| lab == name);
    Ok(if only { String::new() } else { format!(" --name {name}") })
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn again(args: &[&str]) -> String {
        let line = [&["iris-lab", "up"], args].concat();
        let Command::Up(up) = Cli::try_parse_from(line).unwrap().command else { panic!("not up") };
        super::up(&up.lab)
    }

    #[test]
    fn what_mends_names_the_provider() {
        let line = ["iris-lab", "doctor", "--longhorn", "--provider", "microk8s"];
        let Command::Doctor(doctor) = Cli::try_parse_from(line).unwrap().command else { panic!("not doctor") };
        assert_eq!(super::fix(&doctor.lab), "iris-lab doctor --longhorn --provider microk8s --fix");
    }

    #[test]
    fn what_made_the_lab_is_named_again() {
        assert_eq!(again(&["--yes", "--sim-speed", "instant"]), "iris-lab up");
        assert_eq!(
            again(&["my lab.yaml", "--context", "rig", "--replicas=3", "--set", "addOns=[storage]"]),
            "iris-lab up 'my lab.yaml' --replicas 3 --set 'addOns=[storage]'"
        );
        let image = ["simple", "--build=my app", "--build-arg", "A=b c", "--secret=id=x,src=f", "--cpf", "m.cpf"];
        assert_eq!(
            again(&image),
            "iris-lab up simple --cpf m.cpf '--build=my app' --build-arg 'A=b c' --secret id=x,src=f"
        );
        assert_eq!(again(&["--longhorn", "--no-canary"]), "iris-lab up --longhorn --no-canary");
        let original = ["--longhorn=1.2.4", "--longhorn-manifest", "https://example.org/a.yaml", "--sha256", "00"];
        assert_eq!(
            again(&original),
            "iris-lab up --longhorn-manifest https://example.org/a.yaml --sha256 00 --longhorn=1.2.4"
        );
    }
}
