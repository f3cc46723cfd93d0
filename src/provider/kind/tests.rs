//! Plans of kind, from what was seen of a host: what is made, what is there already, what goes again.

use super::*;
use crate::model::bundle::Place;
use crate::model::host::{Docker, DockerNetwork, Interface, Session};
use crate::model::{Action, Bundled, SimSettings, Verdict};
use crate::provider::{CLUSTER, images};

fn lab() -> Lab {
    let mut lab = Lab::default();
    lab.spec.metallb.range = Some("172.18.255.200-172.18.255.250".into());
    lab
}

fn with_longhorn() -> Lab {
    let mut lab = lab();
    lab.spec.add_ons.push(AddOnName::Longhorn);
    lab.spec.kind.experimental_host_iscsi = true;
    lab
}

/// A Linux host with Docker, and with kind where it has a version.
fn host(kind: Option<&str>) -> HostFacts {
    let bridge = DockerNetwork {
        name: "bridge".into(),
        subnets: vec!["172.17.0.0/16".into()],
        mtu: Some("1400".into()),
        ..DockerNetwork::default()
    };
    let docker = Docker { version: "25.0.3".into(), networks: vec![bridge], ..Docker::default() };
    let kind = kind.map(|version| host::Kind { program: "kind".into(), version: version.into(), ..Default::default() });
    HostFacts { docker: Some(docker), kind, ..HostFacts::default() }
}

/// The same with a cluster in it.
fn host_with(containers: &[&str], running: &[&str]) -> HostFacts {
    let mut host = host(Some("v0.22.0"));
    let names = |list: &[&str]| list.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    if let (Some(docker), Some(kind)) = (&mut host.docker, &mut host.kind) {
        (docker.containers, docker.running) = (names(containers), names(running));
        kind.clusters = vec!["two-pod".into()];
    }
    host
}

fn made() -> Vec<HostObject> {
    let name = || "two-pod-registry".to_string();
    vec![
        HostObject::Network { name: "kind".into() },
        HostObject::Image { name: "base".into() },
        HostObject::Image { name: "built".into() },
        HostObject::Volume { name: name() },
        HostObject::Container { name: name() },
        HostObject::KindCluster { name: "two-pod".into() },
        HostObject::Route { to: "10.244.1.0/24".into(), via: "172.18.0.3".into() },
    ]
}

fn planned<T>(host: &HostFacts, made: &[HostObject], was_whole: bool, use_it: impl FnOnce(&Wishes) -> T) -> T {
    let sim = SimSettings { nodes: 3, kubernetes: String::new(), speed: None, faults: None };
    let (dir, cache) = (Path::new("/state/two-pod"), Path::new("/cache"));
    use_it(&Wishes {
        context: None,
        kubeconfig_is_current: false,
        sim: &sim,
        host,
        made,
        bundled: &[],
        was_whole,
        dir,
        cache,
    })
}

fn steps(lab: &Lab, host: &HostFacts, made: &[HostObject], was_whole: bool) -> Vec<Step> {
    planned(host, made, was_whole, |wishes| Kind.steps(lab, &Facts::default(), wishes).unwrap())
}

fn ids(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.id.as_str()).collect()
}

/// The commands of a step, as shell text.
fn lines(steps: &[Step], id: &str) -> Vec<String> {
    let step = steps.iter().find(|step| step.id == id).unwrap_or_else(|| panic!("no step {id}"));
    match &step.action {
        Action::Make { commands, .. } | Action::Unmake { commands, .. } | Action::Run { commands, .. } => {
            commands.iter().map(Cmd::line).collect()
        }
        other => panic!("{id}: {other:?}"),
    }
}

#[test]
fn a_bare_host_gets_kind_the_network_the_image_and_the_cluster() {
    let steps = steps(&lab(), &host(None), &[], false);
    assert_eq!(ids(&steps), ["network", "node-image", "kind", "kind-config", "kind-cluster", "kubeconfig", CLUSTER]);
    assert_eq!(
        lines(&steps, "network"),
        [
            "docker network create --driver bridge --subnet 172.18.0.0/16 --gateway 172.18.0.1 --ip-range 172.18.0.0/17 --opt \
          com.docker.network.bridge.enable_ip_masquerade=true --opt com.docker.network.driver.mtu=1400 --label \
          app.kubernetes.io/managed-by=iris-lab --label iris-lab/lab=two-pod kind"
        ]
    );
    assert_eq!(
        lines(&steps, "kind-cluster"),
        ["/cache/kind-v0.22.0 create cluster --name two-pod --image \
          kindest/node:v1.24.17@sha256:bad10f9b98d54586cba05a7eaa1b61c6b90bfc4ee174fdc43a7b75ca75c95e51 --config \
          /state/two-pod/kind.yaml --kubeconfig /state/two-pod/kubeconfig"]
    );
    let cluster = steps.iter().find(|step| step.id == "kind-cluster").unwrap();
    assert_eq!(cluster.needs, ["network", "node-image", "kind", "kind-config"]);
    assert!(
        matches!(&steps[2].action, Action::Download { url, .. } if url.starts_with("https://kind.sigs.k8s.io/dl/v0.22.0/kind-"))
    );
}

#[test]
fn the_configuration_has_a_node_for_each_worker_and_lets_containerd_find_registries() {
    let steps = steps(&lab(), &host(Some("v0.22.0")), &[], false);
    let config = steps.iter().find_map(|step| match &step.action {
        Action::WriteFile { content, .. } => Some(content),
        _ => None,
    });
    assert_eq!(
        config.unwrap(),
        "apiVersion: kind.x-k8s.io/v1alpha4\ncontainerdConfigPatches:\n- |\n  [plugins.\"io.containerd.grpc.v1.cri\".registry]\n    \
         config_path = \"/etc/containerd/certs.d\"\nkind: Cluster\nnodes:\n- role: control-plane\n- role: worker\n- role: \
         worker\n- role: worker\n"
    );
}

#[test]
fn what_is_there_of_the_cluster_decides_what_is_done_with_it() {
    let nodes = ["two-pod-control-plane", "two-pod-worker", "two-pod-worker2"];
    let there = |running: &[&str], was_whole| steps(&lab(), &host_with(&nodes, running), &made(), was_whole);
    let half = there(&nodes, false);
    assert_eq!(
        lines(&half, "kind-remains"),
        ["kind delete cluster --name two-pod --kubeconfig /state/two-pod/kubeconfig"]
    );
    assert!(half.iter().find(|step| step.id == "kind-cluster").unwrap().needs.contains(&"kind-remains".into()));
    let stopped = there(&nodes[..1], true);
    assert_eq!(lines(&stopped, "kind-start"), ["docker start two-pod-worker two-pod-worker2"]);
    let whole = there(&nodes, true);
    assert!(!ids(&whole).iter().any(|id| matches!(*id, "kind-start" | "kind-remains")));
}

#[test]
fn a_subnet_that_anything_here_uses_is_not_taken() {
    let mut host = host(None);
    let interface = |address: &str, prefix| Interface { name: "x".into(), address: address.parse().unwrap(), prefix };
    host.network.interfaces = vec![interface("172.18.3.4", 24), interface("172.20.0.1", 14)];
    let subnet = |host: &HostFacts| Kind.lb_network(host).unwrap().unwrap().subnet.to_string();
    assert_eq!(subnet(&host), "172.19.0.0/16");
    host.network.interfaces.push(interface("172.16.0.9", 12));
    assert_eq!(subnet(&host), "192.168.0.0/20");
    host.network.interfaces.push(interface("192.168.1.7", 24));
    assert_eq!(subnet(&host), "192.168.16.0/20");
    host.network.interfaces.extend([interface("192.168.0.1", 16), interface("10.0.0.1", 8)]);
    let failure = Kind.lb_network(&host).unwrap_err();
    assert!(failure.message.starts_with("no private network is free"), "{failure}");
}

#[test]
fn a_network_that_is_there_is_used_as_it_is() {
    let mut host = host(Some("v0.22.0"));
    host.docker.as_mut().unwrap().networks.push(DockerNetwork {
        name: "kind".into(),
        subnets: vec!["fc00:f853:ccd:e793::/64".into(), "172.30.0.0/16".into()],
        gateways: vec!["172.30.0.1".into()],
        taken: vec!["172.30.0.2".into()],
        ..DockerNetwork::default()
    });
    let network = Kind.lb_network(&host).unwrap().unwrap();
    assert_eq!((network.subnet.to_string().as_str(), network.shared), ("172.30.0.0/16", false));
    assert_eq!(network.own, ["172.30.0.1".parse::<std::net::Ipv4Addr>().unwrap()]);
    let steps = steps(&lab(), &host, &[], false);
    assert_eq!(steps[0].satisfied.as_deref(), Some("it is there"), "and it is not ours to remove");
}

#[test]
fn the_registry_is_told_to_every_node_and_the_last_one_proves_it() {
    let steps = planned(&host(None), &[], false, |wishes| registry::steps(&lab(), wishes));
    assert_eq!(
        lines(&steps, "registry-container"),
        [
            "docker create --name two-pod-registry --restart unless-stopped --network kind --publish 127.0.0.1:32000:5000 --volume \
          two-pod-registry:/var/lib/registry --label app.kubernetes.io/managed-by=iris-lab --label iris-lab/lab=two-pod registry:2"
        ]
    );
    let hosts = lines(&steps, "registry-hosts");
    assert_eq!(hosts.len(), 8);
    assert_eq!(hosts[6], "docker exec two-pod-worker3 mkdir -p /etc/containerd/certs.d/localhost:32000");
    let Action::Run { unless: Some(unless), commands } = &steps[3].action else { panic!("{:?}", steps[3]) };
    assert_eq!(commands[7].stdin.as_deref(), Some("[host.\"http://two-pod-registry:5000\"]\n"));
    assert_eq!(
        unless.line(),
        "docker exec two-pod-worker3 grep -qF http://two-pod-registry:5000 \
         /etc/containerd/certs.d/localhost:32000/hosts.toml"
    );
}

#[test]
fn a_pool_is_made_when_its_kind_is_served() {
    let steps = metallb::steps(&lab()).unwrap();
    assert_eq!(ids(&steps), ["metallb-kinds", "metallb-served", "metallb-pods", "metallb"]);
    let objects = |index: usize| match &steps[index].action {
        Action::Apply { objects } => objects.clone(),
        other => panic!("{other:?}"),
    };
    assert!(objects(0).iter().all(|object| object["kind"] == "CustomResourceDefinition"));
    assert_eq!(objects(0).len(), 7);
    let pool = objects(3);
    assert_eq!(pool[0]["spec"]["addresses"], json!(["172.18.255.200-172.18.255.250"]));
    assert_eq!(pool[1]["kind"], "L2Advertisement");
    assert!(objects(2).iter().all(|object| object["kind"] != "ValidatingWebhookConfiguration"));
    assert!(metallb::steps(&Lab::default()).is_err(), "nobody chose its addresses");
}

#[test]
fn with_the_iscsi_of_the_host_the_image_enters_its_namespaces_and_the_host_finds_the_pods() {
    let steps = steps(&with_longhorn(), &host(Some("v0.22.0")), &[], false);
    assert_eq!(
        ids(&steps),
        ["network", "node-image", "node-image-iscsi", "kind-config", "kind-cluster", "kubeconfig", "nodes", CLUSTER]
    );
    let Action::Make { object: HostObject::Image { name }, commands, .. } = &steps[2].action else { panic!() };
    let file = commands[0].stdin.as_deref().unwrap();
    assert!(file.starts_with("FROM kindest/node:v1.24.17@sha256:bad10f9b"), "{file}");
    assert!(
        file.contains("nsenter --mount=/host-proc/1/ns/mnt --net=/host-proc/1/ns/net -- iscsiadm \"$@\""),
        "{file}"
    );
    assert!(!file.contains("apt-get"), "it has open-iscsi already: {file}");
    assert!(lines(&steps, "kind-cluster")[0].contains(&format!("--image {name}")));
    let Action::WriteFile { content, .. } = &steps[3].action else { panic!() };
    assert_eq!(content.matches("hostPath: /proc").count(), 3, "the workers alone: {content}");
    assert!(matches!(steps[7].action, Action::RoutePods { .. }));
    let mut old = with_longhorn();
    old.spec.kind.node_image = Some("my/node:v1.24.17".into());
    let old = self::steps(&old, &host(Some("v0.22.0")), &[], false);
    let Action::Make { commands, .. } = &old[2].action else { panic!() };
    assert!(commands[0].stdin.as_deref().unwrap().contains("open-iscsi nfs-common"), "nobody knows what is in it");
}

/// Verdict and cause of the check with that name.
fn judged(lab: &Lab, host: &HostFacts, made: &[HostObject], name: &str) -> (Verdict, String) {
    let checks = planned(host, made, false, |wishes| Kind.checks(lab, &Facts::default(), wishes));
    let found = checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no check {name}: {checks:?}"));
    (found.verdict, found.cause.clone())
}

#[test]
fn what_stands_in_the_way_is_said_before_anything_is_made() {
    assert_eq!(judged(&lab(), &host_with(&["two-pod-registry"], &[]), &[], "image registry").0, Verdict::Fail);
    let newer = host(Some("v0.27.0"));
    let (verdict, cause) = judged(&lab(), &newer, &[], "nodes of kind");
    assert_eq!((verdict, cause.contains("is for v0.22.0")), (Verdict::Warn, true), "{cause}");
    let mut lab = lab();
    lab.metadata.name = "x".repeat(51);
    assert_eq!(judged(&lab, &newer, &[], "name").0, Verdict::Fail);
    lab.spec.kubernetes = Some("1.31".into());
    assert_eq!(judged(&lab, &newer, &[], "nodes of kind").0, Verdict::Fail);
}

fn undone(host: &HostFacts, purge: bool) -> Result<Vec<Step>> {
    let (dir, cache) = (Path::new("/state/two-pod"), Path::new("/cache"));
    let made = made();
    let undo = Undo { lab: "two-pod", dir, cache, host, made: &made, purge };
    Ok([Kind.removal(&undo)?, images(&undo)].concat())
}

#[test]
fn reset_undoes_what_the_journal_names_and_nothing_else() {
    let mut host = host_with(&["two-pod-control-plane", "two-pod-registry"], &[]);
    host.user.is_root = true;
    let session = |portal: &str, name: &str| Session { portal: portal.into(), target: name.into() };
    host.iscsi.sessions = vec![
        session("10.244.1.9:3260", "iqn.2019-10.io.longhorn:pvc-1"),
        session("10.1.7.9:3260", "iqn.2019-10.io.longhorn:pvc-of-microk8s"),
    ];
    let steps = undone(&host, false).unwrap();
    assert_eq!(ids(&steps), ["session-1", "route-1", "kind-cluster", "registry", "registry-volume", "network"]);
    assert_eq!(
        lines(&steps, "session-1")[0],
        "iscsiadm -m node -T iqn.2019-10.io.longhorn:pvc-1 -p 10.244.1.9:3260 --logout"
    );
    assert_eq!(lines(&steps, "route-1"), ["ip -4 route del 10.244.1.0/24 via 172.18.0.3"]);
    assert_eq!(
        lines(&steps, "kind-cluster"),
        ["kind delete cluster --name two-pod --kubeconfig /state/two-pod/kubeconfig"]
    );
    let purged = undone(&host, true).unwrap();
    assert_eq!(lines(&purged, "image-1"), ["docker image rm built"], "what is built on another goes first");
    host.kind.as_mut().unwrap().clusters.push("other".into());
    let shared = undone(&host, false).unwrap();
    assert!(!ids(&shared).contains(&"network"), "another cluster uses it");
}

#[test]
fn while_docker_does_not_answer_nothing_is_removed() {
    let mut host = host_with(&[], &[]);
    host.docker.as_mut().unwrap().unreachable = Some("Cannot connect to the Docker daemon".into());
    let failure = undone(&host, false).unwrap_err();
    assert_eq!((failure.kind.exit_code(), failure.causes.len(), failure.hints.len()), (3, 1, 1), "{failure}");
}

#[test]
fn a_cluster_is_stopped_and_started_with_its_registry() {
    let nodes = ["two-pod-control-plane", "two-pod-worker", "two-pod-worker2", "two-pod-registry", "other-worker"];
    let host = host_with(&nodes, &nodes);
    let stop = Kind.stop("two-pod", &host).unwrap();
    assert_eq!(
        lines(&[stop], "kind-stop"),
        ["docker stop two-pod-control-plane two-pod-worker two-pod-worker2 two-pod-registry"]
    );
    let start = Kind.start("two-pod", &host).unwrap();
    assert_eq!(ids(&start), ["kind-start", "kubeconfig", CLUSTER]);
    assert!(lines(&start, "kind-start")[0].starts_with("docker start two-pod-control-plane two-pod-worker"));
    assert!(matches!(start[2].action, Action::Wait { target: crate::model::WaitFor::NodesReady { count: 2 } }));
    assert!(Kind.exists("two-pod", &host) && !Kind.exists("gone", &host));
    assert!(Kind.stop("gone", &host).unwrap_err().message.contains("is not there any more"));
}

#[test]
fn an_image_comes_to_the_nodes_without_a_registry() {
    let mut lab = lab();
    lab.spec.add_ons.retain(|add_on| *add_on != AddOnName::Registry);
    let host = host(Some("v0.22.0"));
    let step = planned(&host, &[], true, |wishes| Kind.load(&lab, "localhost:32000/app:1", wishes)).unwrap();
    assert_eq!(step.needs, ["kind-cluster"]);
    let Action::Run { unless: Some(unless), commands } = &step.action else { panic!("{step:?}") };
    assert_eq!(unless.line(), "docker exec two-pod-worker3 crictl inspecti --quiet localhost:32000/app:1");
    assert_eq!(commands[0].line(), "kind load docker-image localhost:32000/app:1 --name two-pod");
}

fn bundled(wanted: &str, place: Place) -> Bundled {
    let name = crate::model::image_name::without_digest(wanted).to_string();
    let path = format!("/cache/bundle/{}.tar", name.replace(['/', ':'], "-")).into();
    Bundled { name, wanted: wanted.into(), path, place }
}

#[test]
fn what_a_bundle_has_is_loaded_and_not_pulled() {
    let lab = lab();
    let node = pairs::base(&lab, None).unwrap().image;
    let images = [
        bundled(&node, Place::Host),
        bundled("registry:2", Place::Host),
        bundled("iris:1", Place::Pods),
        bundled("lb:1", Place::Pods),
    ];
    let mut host = host(Some("v0.22.0"));
    host.docker.as_mut().unwrap().images = vec!["lb:1".into()];
    let (steps, registry) = planned(&host, &[], false, |wishes| {
        let wishes = Wishes { bundled: &images, ..*wishes };
        let registry = Kind.add_on(AddOnName::Registry, &lab, &Facts::default(), &wishes).unwrap().unwrap();
        (Kind.steps(&lab, &Facts::default(), &wishes).unwrap(), registry)
    });
    let load = |name: &str| format!("docker load --quiet --input /cache/bundle/{name}.tar");
    assert_eq!(lines(&steps, "node-image"), [load("kindest-node-v1.24.17")]);
    assert!(
        lines(&steps, "kind-cluster")[0].contains("--image kindest/node:v1.24.17 --config"),
        "a loaded image has no digest"
    );
    assert_eq!(lines(&registry, "registry-container")[0], load("registry-2"));
    assert_eq!(lines(&steps, "images"), [load("iris-1"), "kind load docker-image iris:1 lb:1 --name two-pod".into()]);
    let needs = |id: &str| steps.iter().find(|step| step.id == id).unwrap().needs.clone();
    assert_eq!(needs("images"), ["kind-cluster"]);
    assert_eq!(needs(CLUSTER), ["kubeconfig", "images"], "what makes pods waits for their images");
}

#[test]
fn only_what_a_node_lacks_is_loaded_again() {
    let images = [bundled("iris:1", Place::Pods), bundled("lb:1", Place::Pods)];
    let node = |names: &[&str]| json!({ "status": { "images": [{ "names": names }] } });
    let step = |nodes: Vec<Value>| {
        let facts = Facts { nodes, ..Facts::default() };
        let host = host(Some("v0.22.0"));
        let all = planned(&host, &[], false, |wishes| {
            Kind.steps(&lab(), &facts, &Wishes { bundled: &images, ..*wishes }).unwrap()
        });
        all.into_iter().find(|step| step.id == "images").unwrap()
    };
    let whole = node(&["docker.io/library/iris:1", "docker.io/library/lb:1"]);
    let some = step(vec![whole.clone(), node(&["docker.io/library/lb:1"])]);
    assert!(lines(&[some], "images")[1].ends_with("load docker-image iris:1 --name two-pod"));
    assert_eq!(step(vec![whole.clone(), whole]).satisfied.as_deref(), Some("every node has them"));
}
