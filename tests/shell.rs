//! Plans as shell text: one transcript for each provider and lab, valid for every shell that is here, and true on the simulator.

use crate::support::{Lab, PROGRAM, Place, Run, Scratch, golden, kubectl, skipped};
use clap::Parser;
use iris_lab::cli::{Cli, Command as Verb, LabArgs};
use iris_lab::model::host::{Docker, User};
use iris_lab::model::shell::Shell;
use iris_lab::model::{
    Action, Cmd, Facts, HostFacts, HostObject, ImageBuild, ObjectRef, Plan, SimSettings, Step, Trace, WaitFor,
};
use iris_lab::plan::{Wanted, up};
use iris_lab::provider::{self, Wishes};
use iris_lab::{commands, yaml};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A plan of `up`: the arguments, what was seen of the host, what was seen of the cluster.
type Row = (&'static str, fn() -> HostFacts, fn() -> Facts);

/// Every provider and lab. The first word after `--provider` names the transcript, with the flags after it.
const PLANS: &[Row] = &[
    ("two-pod --provider sim", HostFacts::default, Facts::default),
    ("two-pod --provider sim --longhorn", HostFacts::default, Facts::default),
    ("two-pod --provider microk8s --lb-range 192.168.1.90-192.168.1.99", laptop, Facts::default),
    ("two-pod --provider microk8s --longhorn --lb-range 192.168.1.90-192.168.1.99", laptop, Facts::default),
    ("two-pod --provider kind --lb-range 172.18.255.200-172.18.255.250", laptop, Facts::default),
    (
        "two-pod --provider kind --longhorn --experimental-host-iscsi --lb-range 172.18.255.200-172.18.255.250",
        laptop,
        Facts::default,
    ),
    ("two-pod --provider existing --context work", HostFacts::default, three_nodes),
    ("two-pod --provider existing --context work --longhorn", HostFacts::default, three_nodes),
];

/// A bare laptop of somebody who is not root.
fn laptop() -> HostFacts {
    let user = User { name: "me".into(), groups: vec!["me".into(), "docker".into()], sudo: true, ..User::default() };
    HostFacts { user, docker: Some(Docker::default()), ..HostFacts::default() }
}

/// A cluster of three nodes with a class for volumes.
fn three_nodes() -> Facts {
    let node = |name: &str| {
        let ready = json!([{ "type": "Ready", "status": "True" }]);
        json!({ "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } }, "status": { "conditions": ready } })
    };
    let class = json!({ "metadata": { "name": "standard", "annotations": { "storageclass.kubernetes.io/is-default-class": "true" } },
        "provisioner": "disk.csi.example.com" });
    let (nodes, version) = (["one", "two", "three"].map(node).into(), "v1.24.17".into());
    Facts { reachable: true, version, nodes, storage_classes: vec![class], ..Facts::default() }
}

fn arguments(line: &str) -> LabArgs {
    let words = ["iris-lab", "plan"].into_iter().chain(line.split_whitespace());
    let Verb::Plan(args) = Cli::try_parse_from(words).unwrap().command else { panic!("{line} is no plan") };
    args.lab
}

fn planned(line: &str, host: &HostFacts, facts: &Facts) -> Plan {
    let args = arguments(line);
    let lab = commands::load(&args).unwrap();
    let sim = SimSettings {
        nodes: lab.spec.nodes,
        kubernetes: lab.spec.kubernetes.clone().unwrap_or_else(|| provider::DEFAULT_KUBERNETES.into()),
        speed: Some(1.0),
        faults: None,
    };
    let home = Path::new("/home/me");
    let (dir, cache) = (home.join(".local/state/iris-lab/two-pod"), home.join(".cache/iris-lab"));
    let wishes = Wishes {
        context: args.context.as_deref(),
        kubeconfig_is_current: false,
        sim: &sim,
        host,
        made: &[],
        bundled: &[],
        was_whole: false,
        dir: &dir,
        cache: &cache,
    };
    let provider = provider::named(provider::word(lab.spec.provider)).unwrap();
    up(&Wanted { lab: &lab, longhorn: None, provider, wishes, password_hash: "the-hash", image: None }, facts).unwrap()
}

#[test]
fn of_each_provider_and_lab() {
    for (line, host, facts) in PLANS {
        let render = format!("iris-lab render {line}");
        let text = Shell { yaml: &yaml::to_documents, render: Some(&render) }.text(&planned(line, &host(), &facts()));
        assert!(!text.contains("the-hash"), "{line}: a made-up hash would be pasted");
        parses(&text);
        golden(&format!("shell/{}", line.replace(" --", "-").replace(' ', "-")), &text);
    }
}

#[test]
fn of_every_action() {
    let text = Shell { yaml: &yaml::to_documents, render: None }.text(&every_action());
    assert!(!text.contains("the-hash"), "a hash is nothing to be pasted");
    parses(&text);
    golden("shell/every-action", &text);
}

/// What the plans above do not have, with texts that a shell could take for something else.
fn every_action() -> Plan {
    let mut plan = planned("two-pod --provider sim", &HostFacts::default(), &Facts::default());
    let namespace = || Some("longhorn-system".to_string());
    let claim = |name: &str| ObjectRef::new("v1", "PersistentVolumeClaim", Some("iris-lab"), name);
    let replica = ObjectRef::new("longhorn.io/v1beta1", "Replica", Some("longhorn-system"), "r-1");
    let job =
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "uninstall", "namespace": "default" } });
    let name = "microk8s".to_string();
    let snap = HostObject::Snap { name: name.clone() };
    let actions = vec![
        Action::Make {
            object: snap.clone(),
            commands: vec![
                Cmd::new("snap", ["install", &name, "--classic", "--channel", "1.24/stable"]).as_root(false),
            ],
            passing: vec!["has \"install-snap\" change in progress".into()],
        },
        Action::Run {
            unless: Some(Cmd::new("docker", ["image", "inspect", "lab-node:1"])),
            commands: vec![
                Cmd::new("docker", ["build", "-t", "lab-node:1", "-"])
                    .reading("FROM base\nRUN echo 'END' $HOME\nEND\n"),
            ],
        },
        Action::Run {
            unless: Some(Cmd::new("grep", ["-q", "-f", "-", "hosts"]).reading("one\n")),
            commands: vec![Cmd::new("touch", ["it's here"])],
        },
        Action::Run { unless: None, commands: vec![Cmd::new("microk8s", ["enable", "dns"])] },
        Action::Download {
            url: "https://example.org/kind?a=1&b".into(),
            sha256: "00".repeat(32),
            path: "/home/me/.cache/iris-lab/kind 0.22".into(),
        },
        Action::BuildImage(ImageBuild {
            image: "localhost:32000/simple:1-0123456789ab".into(),
            pushed: true,
            context: "/home/me/it's/simple".into(),
            builtin: Some("simple".into()),
            file: "Dockerfile".into(),
            args: [("BASE".to_string(), "$(date)".to_string())].into(),
            secrets: [("npm".to_string(), "/home/me/.npmrc".to_string())].into(),
        }),
        Action::PushImage { image: "localhost:32000/simple:1-0123456789ab".into(), comes: false },
        Action::ProveImage { image: "localhost:32000/simple:1-0123456789ab".into(), namespace: "iris-lab".into() },
        Action::WriteFile {
            path: "/home/me/it's/kind.yaml".into(),
            content: "nodes:\n- role: control-plane\nEND\n\n$(date)".into(),
        },
        Action::TakeKubeconfig { command: Cmd::new("microk8s", ["config"]) },
        Action::WriteKubeconfig { context: "a b$(date)".into() },
        Action::RunJob { job: ObjectRef::of(&job), objects: vec![job] },
        Action::Wait { target: WaitFor::VolumesGone { driver: "driver.longhorn.io".into() } },
        Action::Delete {
            objects: vec![ObjectRef::new("apps/v1", "StatefulSet", Some("iris-lab"), "data"), replica.clone()],
        },
        Action::Wait { target: WaitFor::Served { definitions: vec!["widgets.example.com".into()] } },
        Action::Wait { target: WaitFor::Lab { namespace: "iris-lab".into(), lab: "two-pod".into() } },
        Action::Scale { set: ObjectRef::new("apps/v1", "StatefulSet", Some("iris-lab"), "data"), replicas: 0 },
        Action::Grow { claims: vec![claim("dbv-data-data-0")], size: "10Gi".into() },
        Action::Replace {
            object: json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "data", "namespace": "iris-lab" } }),
        },
        Action::Measure {
            pods: ["data-0", "data-1"].map(|pod| ObjectRef::new("v1", "Pod", Some("iris-lab"), pod)).into(),
            paths: vec!["/iris-mgr".into(), "/vol-data".into()],
            claims: vec![claim("dbv-data-data-0")],
            size: "10Gi".into(),
        },
        Action::SetPassword {
            pod: ObjectRef::new("v1", "Pod", Some("iris-lab"), "data-0"),
            accounts: vec!["SuperUser".into(), "_SYSTEM".into()],
            hash: "the-hash".into(),
            file: "/state/two-pod/password.next".into(),
        },
        Action::RoutePods { is_root: false },
        Action::Reap { namespace: "iris-lab".into() },
        Action::Release {
            namespace: namespace(),
            finalizer: "longhorn.io".into(),
            kinds: vec!["replicas.longhorn.io".into()],
            seen: vec![replica],
        },
        Action::Evacuate { namespace: "longhorn-system".into() },
        Action::Finalize { namespace: "longhorn-system".into() },
        Action::Prove {
            of: vec![
                Trace::Label,
                Trace::Object(ObjectRef::new("v1", "Namespace", None, "longhorn-system")),
                Trace::Group { group: "longhorn.io".into() },
                Trace::Driver { driver: "driver.longhorn.io".into() },
            ],
        },
        Action::Unmake { object: snap, commands: vec![Cmd::new("snap", ["remove", &name, "--purge"]).as_root(true)] },
        Action::StopSim,
        Action::RemoveHostFiles,
    ];
    let step = |(number, action)| {
        Step::new(format!("step-{number}"), format!("Do number {number}"), Duration::from_secs(90), action)
    };
    plan.steps = actions.into_iter().enumerate().map(step).collect();
    plan.steps[0].title += "\nrm -rf \"$HOME\"";
    let after: Vec<String> = plan.steps[..2].iter().map(|step| step.id.clone()).collect();
    plan.steps[2].needs = after;
    plan.steps[3].satisfied = Some("it is enabled".into());
    plan
}

/// Fails unless every shell that is here can read it.
fn parses(text: &str) {
    let shells: Vec<PathBuf> = ["sh", "bash", "dash", "zsh"].iter().filter_map(|name| on_path(name)).collect();
    if shells.is_empty() {
        skipped("no shell");
    }
    let folder = Scratch::new();
    let file = folder.file("plan.sh", text);
    for shell in shells {
        let mut command = Command::new(shell);
        command.arg("-n").arg(&file);
        let run = Run::of(command, Duration::from_secs(30)).exits(0);
        assert_eq!(run.err, "", "{}", run.transcript());
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

#[test]
fn files_hold_what_the_plan_says() {
    let content = "it's $HOME `date`\nEND\n\\END_ \"x\"\n";
    let folder = Scratch::new();
    let path = folder.path().join("a 'b'/c.txt");
    let mut plan = every_action();
    let write = Action::WriteFile { path: path.clone(), content: content.into() };
    plan.steps = vec![Step::new("write", "Write", Duration::from_secs(1), write)];
    let text = Shell { yaml: &yaml::to_documents, render: None }.text(&plan);
    // Only the preamble asks for a lab that is there.
    let text = text.replace("export KUBECONFIG=\"$(iris-lab kubeconfig --name two-pod)\"\n", "");
    let mut command = Command::new("sh");
    command.args(["-c", &text]);
    Run::of(command, Duration::from_secs(30)).exits(0);
    assert_eq!(std::fs::read_to_string(path).unwrap(), content);
}

#[test]
fn the_lines_do_what_they_say_on_the_simulator() {
    does_what_it_says(&Lab::on_sim());
}

#[test]
fn the_lines_do_what_they_say_on_an_existing_cluster() {
    does_what_it_says(&Lab::new(Place::served(), "by-hand"));
}

fn does_what_it_says(lab: &Lab) {
    let Some(kubectl) = kubectl() else { return };
    let text = lab.run(&lab.for_lab("plan", &["--shell"])).exits(0).out;
    let end = "[ -z \"${SIMULATOR:-}\" ] || kill \"$SIMULATOR\"";
    let proof = format!("kubectl get pods -n {} -o 'jsonpath={{.items[*].status.phase}}'", lab.namespace);
    let script = format!("trap '{end}' EXIT\n{text}\n{proof}\n");
    let program = lab.command(&[]);
    let dirs = [Path::new(PROGRAM), &kubectl].map(|file| file.parent().unwrap().to_path_buf());
    let system = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(dirs.into_iter().chain(std::env::split_paths(&system))).unwrap();
    let mut shell = Command::new("sh");
    shell.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // kubectl keeps a cache in its home.
    shell.env("PATH", path).env("HOME", lab.scratch.dir("kubectl")).current_dir(lab.scratch.dir("work"));
    shell.args(["-euc", &script]);
    let run = Run::of(shell, Duration::from_secs(90)).exits(0);
    assert!(run.out.ends_with("Running Running"), "{}", run.transcript());
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_step_of_the_plan_is_rendered_alone() {
    let lab = Lab::on_sim();
    let all = yaml::documents(&lab.run(&["render"]).exits(0).out).unwrap();
    let run = lab.run(&["render", "--step", "iris"]).exits(0);
    let one = yaml::documents(&run.out).unwrap();
    assert_eq!(one.len(), 1, "{}", run.transcript());
    assert!(all.contains(&one[0]), "the step applies what the whole does");
    lab.run(&["render", "--step", "cluster"]).exits(2).says("no step \"cluster\"").says("services");
    lab.reset().exits(0);
    lab.is_gone();
}
