//! The provider kind from beginning to end, on a stand-in of kind that behaves and misbehaves as the real one, over a real Kubernetes
//! and a real Docker. Its nodes have no iSCSI, as those of the real one.

use crate::support::{
    FIT_FOR_LONGHORN, Lab, Place, Rig, answers_alternate, docker_with_base, forget_images, lab_with_application,
    on_base,
};
use std::process::Command;

/// Out of the network that is made where no other network is in the way.
const RANGE: &str = "172.18.255.200-172.18.255.230";
const NAMES: &str = "{{.Names}}";
const NAME: &str = "{{.Name}}";
/// The images that the lab needs, those of Docker itself first, and the stand-in of each.
const BUNDLED: &[(&str, &str)] = &[
    ("kindest/node:v1.24.17", "rig/kind-node:1"),
    ("registry:2", "rig/registry:1"),
    ("containers.intersystems.com/intersystems/iris-community:2026.1", "rig/iris:1"),
    ("quay.io/metallb/controller:v0.13.12", "rig/longhorn:1"),
    ("quay.io/metallb/speaker:v0.13.12", "rig/longhorn:1"),
];

/// The lab, with the stand-in and Docker on its PATH; none where there is no rig.
fn lab() -> Option<(Lab, Rig)> {
    let rig = Rig::alone()?;
    FIT_FOR_LONGHORN.iter().for_each(|(name, script)| rig.fake(name, script));
    // What a test that failed has left would fail the next one.
    docker(&["rm", "--force", "--volumes", "two-pod-control-plane"]);
    let mut lab = Lab::new(Place::sim(), "two-pod");
    lab.path = Some(rig.path());
    lab.flags = vec!["--provider", "kind", "--node-image", "kindest/node:v1.24.17", "--lb-range", RANGE, "--yes"];
    Some((lab, rig))
}

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What Docker has of a lab: containers, networks, volumes.
fn left_in_docker() -> Vec<String> {
    let mut all = Vec::new();
    for (what, args) in [
        ("container", ["ps", "--all", "--format", NAMES].as_slice()),
        ("network", &["network", "ls", "--format", NAME]),
        ("volume", &["volume", "ls", "--format", NAME]),
        ("image", &["images", "--format", "{{.Repository}}:{{.Tag}}"]),
    ] {
        let ours = |line: &&str| line.starts_with("two-pod") || *line == "kind" || line.starts_with("iris-lab/");
        all.extend(docker(args).lines().filter(ours).map(|line| format!("{what} {line}")));
    }
    all
}

#[track_caller]
fn nothing_is_left(lab: &Lab) {
    assert_eq!(left_in_docker(), Vec::<String>::new());
    // The stand-in calls kubectl, which keeps a cache in the user's folder.
    let kube = lab.scratch.path().join("home/.kube");
    let _ = std::fs::remove_dir_all(kube.join("cache"));
    let _ = std::fs::remove_dir(kube);
    lab.is_gone();
}

#[test]
fn kind_goes_from_nothing_to_iris_and_back() {
    let Some((lab, _rig)) = lab() else { return };
    let up = lab.up(&[]).exits(0).says("Lab two-pod is up").says("http://172.18.255.2");
    assert!(!up.out.contains("Simulated"), "{}", up.transcript());
    let nodes = docker(&["ps", "--filter", "label=io.x-k8s.kind.cluster=two-pod", "--format", NAMES]);
    assert_eq!(nodes.lines().count(), 4, "1 control plane and 3 workers: {nodes}");
    let file = "/etc/containerd/certs.d/localhost:32000/hosts.toml";
    for node in nodes.lines() {
        assert_eq!(docker(&["exec", node, "cat", file]), "[host.\"http://two-pod-registry:5000\"]\n", "{node}");
    }
    assert!(docker(&["port", "two-pod-registry"]).contains("127.0.0.1:32000"), "on loopback alone");
    let hosting = lab.reader().get("/api/v1/namespaces/kube-public/configmaps/local-registry-hosting").unwrap();
    assert!(hosting["data"]["localRegistryHosting.v1"].as_str().unwrap().contains("localhost:32000"));
    lab.up(&[]).exits(0).says("Lab two-pod was up already");
    docker(&["stop", "--time", "1", "two-pod-worker", "two-pod-registry"]);
    lab.up(&[]).exits(0);
    assert!(docker(&["ps", "--format", NAMES]).lines().any(|name| name == "two-pod-worker"), "it was started again");
    assert!(docker(&["ps", "--format", NAMES]).lines().any(|name| name == "two-pod-registry"));
    lab.run(&["stop"]).exits(0);
    assert_eq!(docker(&["ps", "--format", NAMES]).lines().filter(|name| name.starts_with("two-pod")).count(), 0);
    lab.run(&["status"]).exits(4).says("stopped");
    lab.run(&["start"]).exits(0);
    lab.run(&["status"]).exits(0).says("Lab two-pod is healthy");
    lab.reset().exits(0).says("kind cluster two-pod");
    nothing_is_left(&lab);
}

#[test]
fn kind_with_longhorn_is_refused_and_as_an_experiment_it_fails_at_the_canary() {
    let Some((lab, _rig)) = lab() else { return };
    lab.up(&["--longhorn"]).exits(3).says("no volume would ever attach").says("--experimental-host-iscsi");
    nothing_is_left(&lab);
    let run = lab.up(&["--longhorn", "--experimental-host-iscsi"]).exits(4);
    let run = run.says("a Longhorn volume does not work on").says("no Longhorn volume can be attached");
    assert!(run.err.contains("is tried, which nobody has proven"), "{}", run.transcript());
    let pods = lab.reader().get("/api/v1/namespaces/longhorn-system/pods").unwrap();
    let phases: Vec<&str> =
        pods["items"].as_array().unwrap().iter().filter_map(|pod| pod["status"]["phase"].as_str()).collect();
    assert!(phases.len() >= 29 && phases.iter().all(|phase| *phase == "Running"), "{phases:?}");
    lab.run(&["reset", "--yes", "--purge"]).exits(0);
    nothing_is_left(&lab);
}

#[test]
fn kind_that_fails_half_way_is_gone_on_with() {
    let Some((lab, _rig)) = lab() else { return };
    let mut broken = lab.command(&lab.for_lab("up", &[]));
    broken.env("KIND_FAULT", "create");
    let run = lab.run_command(broken).exits(1);
    let run = run.says("failed to init node with kubeadm").says("iris-lab reset --name two-pod");
    assert!(run.err.contains("it goes on from here"), "{}", run.transcript());
    let plan =
        lab.run(&lab.for_lab("plan", &[]).into_iter().filter(|arg| *arg != "--yes").collect::<Vec<_>>()).exits(0);
    plan.says("Remove what an earlier run left half made");
    lab.up(&["--replicas", "1"]).exits(0);
    lab.reset().exits(0);
    nothing_is_left(&lab);
}

/// Every image comes out of a bundle: Docker has none of them, and the registry of the nodes does not answer.
#[test]
fn kind_with_a_bundle_needs_no_network() {
    let Some((lab, rig)) = lab() else { return };
    let names: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
    let forget = || docker(&[&["image", "rm", "--force"], names.as_slice()].concat());
    BUNDLED.iter().for_each(|(name, stand_in)| drop(docker(&["tag", stand_in, name])));
    let file = rig.file("lab.bundle").display().to_string();
    let flags: Vec<&str> = lab.flags.iter().copied().filter(|flag| *flag != "--yes").collect();
    lab.run(&[&["bundle", "save", &file, "--images-only"], flags.as_slice()].concat()).exits(0);
    forget();
    let _deaf = rig.without_registry();
    lab.run(&["bundle", "load", &file]).exits(0).says("Loaded into  Docker");
    let up = lab.up(&["--replicas", "1"]).exits(0);
    assert!(up.err.contains("Load 3 images of the bundle into the nodes"), "{}", up.transcript());
    let events = lab.reader().get("/api/v1/events").unwrap();
    let of = |reason: &str| {
        let all = events["items"].as_array().unwrap().iter().filter(|event| event["reason"] == reason);
        all.filter_map(|event| event["message"].as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of("Pulling"), Vec::<&str>::new());
    assert!(of("Pulled").len() >= 3, "{:?}", of("Pulled"));
    // What a node has is read from its status, which its kubelet writes every half a minute; until then `up` loads once more.
    let nodes = lab.reader().get("/api/v1/nodes").unwrap();
    for node in nodes["items"].as_array().unwrap() {
        lab.reader().wait_until(&format!("/api/v1/nodes/{}", node["metadata"]["name"].as_str().unwrap()), |node| {
            let images = node["status"]["images"].to_string();
            BUNDLED[2..].iter().all(|(name, _)| images.contains(name))
        });
    }
    lab.up(&["--replicas", "1"]).exits(0).says("Lab two-pod was up already");
    lab.reset().exits(0);
    forget();
    // Docker's own ones are the other tests', too.
    BUNDLED[..2].iter().for_each(|(name, stand_in)| drop(docker(&["tag", stand_in, name])));
    let _ = std::fs::remove_dir_all(lab.scratch.path().join("home/.cache"));
    nothing_is_left(&lab);
}

/// Built by the real Docker, and brought to the nodes by the registry that comes with the cluster; then, in another one, without any.
#[test]
fn kind_runs_an_image_of_ones_own_with_a_registry_and_without() {
    let Some((mut lab, rig)) = lab() else { return };
    let Some(_docker) = docker_with_base() else { return };
    // The stand-in of a node has no crictl that knows the images of its containerd: this one asks it.
    let (docker_itself, ctr) = (rig.find("docker"), rig.find("ctr"));
    rig.fake("docker", &format!(
        "case \"$*\" in\n'exec '*' crictl inspecti --quiet '*) {ctr} -a /run/rig-lab-3.sock -n k8s.io images ls -q \"name==${{6}}\" | grep -q . ;;\n\
         *) exec {docker_itself} \"$@\" ;;\nesac",
    ));
    lab_with_application(&lab, "e2e-kind");
    let base = on_base();
    lab.flags.extend(["--name", "two-pod"]);
    for (way, brings, registry) in [
        ([].as_slice(), "Push the image to localhost:32000", 1),
        (&["--no-registry"], "Load the image into every node", 0),
    ] {
        let args = [&["own.yaml", "--build-arg", &base, "--timeout", "4m"], way].concat();
        let up = lab.up(&args).exits(0);
        assert!(up.err.contains(brings), "{}", up.transcript());
        assert_eq!(docker(&["ps", "--quiet", "--filter", "name=two-pod-registry"]).lines().count(), registry);
        answers_alternate(&lab.run(&["status", "-o", "json"]).exits(0).json());
        let again = lab.up(&[&args[..], &["-o", "json"]].concat()).exits(0);
        assert_eq!(again.json()["changed"], 0, "{}", again.transcript());
        lab.run(&["reset", "--yes", "--purge"]).exits(0);
        nothing_is_left(&lab);
    }
    forget_images("e2e-kind");
}

#[test]
fn kind_clusters_of_others_are_not_touched() {
    let Some((lab, _rig)) = lab() else { return };
    let label = "io.x-k8s.kind.cluster=two-pod";
    docker(&["run", "--detach", "--name", "two-pod-control-plane", "--label", label, "kindest/node:v1.24.17"]);
    lab.up(&[])
        .exits(3)
        .says("kind has a cluster two-pod already, and this lab has not made it")
        .says("use --name with another name");
    lab.is_gone();
    assert_eq!(left_in_docker(), ["container two-pod-control-plane"]);
    docker(&["rm", "--force", "--volumes", "two-pod-control-plane"]);
}

#[test]
fn kind_says_it_when_docker_stops_in_the_middle() {
    let Some((lab, rig)) = lab() else { return };
    let dead = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    let real = rig.find("docker");
    // The container of the registry is the first thing that fails; Docker never comes back for this run.
    rig.fake("docker", &format!(
        "if [ -e {stop} ] || {{ [ \"$1\" = create ] && touch {stop}; }}; then echo '{dead}' >&2; exit 1; fi\nexec {real} \"$@\"",
        stop = rig.file("stopped").display(),
    ));
    lab.up(&[]).exits(1).says("Cannot connect to the Docker daemon").says("mend the cause and run");
    lab.up(&[]).exits(3).says("it does not answer").says("systemctl enable --now docker");
    lab.reset().exits(3).says("Docker does not answer").says("nothing was removed");
    std::fs::remove_file(rig.file("stopped")).unwrap();
    rig.fake("docker", &format!("exec {real} \"$@\""));
    lab.up(&["--replicas", "1"]).exits(0);
    lab.reset().exits(0);
    nothing_is_left(&lab);
}
