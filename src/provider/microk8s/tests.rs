//! What is planned on hosts of all sorts.

use super::*;
use crate::lab::Lab;
use crate::model::bundle::Place;
use crate::model::host::{Interface, Iscsi, Network, Session, Snap, User};
use crate::model::{Action, Bundled, SimSettings, Verdict};
use crate::provider::CLUSTER;
use std::path::Path;

const RANGE: &str = "192.168.1.240-192.168.1.250";

fn lab(add_ons: &[AddOnName]) -> Lab {
    let mut lab = Lab::default();
    lab.spec.add_ons.extend(add_ons);
    lab.spec.metallb.range = Some(RANGE.into());
    lab
}

fn user(groups: &[&str]) -> User {
    User { name: "ann".into(), sudo: true, groups: groups.iter().map(ToString::to_string).collect(), ..User::default() }
}

fn bare() -> HostFacts {
    HostFacts { user: user(&["ann"]), snap: Some(Snap { version: "2.63".into() }), ..HostFacts::default() }
}

/// A host with a microk8s of this version, that runs with these add-ons.
fn with(version: &str, add_ons: &[&str]) -> HostFacts {
    let add_ons = add_ons.iter().map(|name| (name.to_string(), true)).collect();
    let channel = format!("1.{}/stable", crate::model::host::minor(version).unwrap());
    let seen = Seen { version: version.into(), channel, unreadable: None, running: true, add_ons };
    HostFacts { microk8s: Some(seen), user: user(&["ann", "microk8s"]), ..bare() }
}

fn wishes<'a>(host: &'a HostFacts, sim: &'a SimSettings) -> Wishes<'a> {
    let (dir, cache) = (Path::new("/state"), Path::new("/cache"));
    Wishes {
        context: None,
        kubeconfig_is_current: false,
        sim,
        host,
        made: &[],
        bundled: &[],
        was_whole: false,
        dir,
        cache,
    }
}

/// Every step of its own in the plan of `up`.
fn planned(lab: &Lab, host: &HostFacts) -> Vec<Step> {
    let sim = SimSettings { nodes: 3, kubernetes: String::new(), speed: None, faults: None };
    let (wishes, facts) = (wishes(host, &sim), Facts::default());
    let mut steps = Microk8s.steps(lab, &facts, &wishes).unwrap();
    for add_on in lab.spec.add_ons.iter().filter_map(|add_on| Microk8s.add_on(*add_on, lab, &facts, &wishes)) {
        steps.extend(add_on.unwrap());
    }
    steps
}

/// What would be run, one line a command; what there is nothing to do for is left out.
fn lines(steps: &[Step]) -> Vec<String> {
    let open = steps.iter().filter(|step| step.satisfied.is_none());
    let lines = open.flat_map(|step| match &step.action {
        Action::Make { commands, .. } | Action::Unmake { commands, .. } | Action::Run { commands, .. } => {
            commands.iter().map(Cmd::line).collect()
        }
        Action::TakeKubeconfig { command } => vec![command.line()],
        _ => Vec::new(),
    });
    lines.collect()
}

#[test]
fn from_nothing_to_a_cluster_in_a_login_without_the_group() {
    let lab = lab(&[AddOnName::Longhorn]);
    assert_eq!(
        lines(&planned(&lab, &bare())),
        [
            "sudo -n snap install microk8s --classic --channel=1.24/stable",
            "sudo -n snap refresh --hold microk8s",
            "sudo -n usermod -a -G microk8s ann",
            "sudo -n microk8s start",
            "sudo -n microk8s config --use-loopback",
            "sudo -n mkdir -p /var/lib/longhorn",
            "sudo -n microk8s enable dns",
            "sudo -n microk8s enable hostpath-storage",
            "sudo -n microk8s enable registry:size=20Gi",
            "sudo -n microk8s enable metallb:192.168.1.240-192.168.1.250",
        ]
    );
}

#[test]
fn add_ons_follow_one_another_and_nothing_else_waits_for_them() {
    let steps = planned(&lab(&[]), &bare());
    let needs = |id: &str| steps.iter().find(|step| step.id == id).unwrap().needs.clone();
    assert_eq!(needs("dns"), [CLUSTER]);
    assert_eq!(
        (needs("storage"), needs("registry"), needs("metallb")),
        (vec!["dns".into()], vec!["storage".into()], vec!["registry".into()])
    );
    assert_eq!(needs(CLUSTER), ["kubeconfig"]);
    let passes = |step: &Step| matches!(&step.action, Action::Make { passing, .. } if passing.iter().any(|words| words == "change in progress"));
    assert!(steps.iter().filter(|step| ["dns", "metallb"].contains(&step.id.as_str())).all(passes));
}

#[test]
fn each_release_gets_the_forms_that_it_takes() {
    let enabled = |version: &str| {
        let lines = lines(&planned(&lab(&[]), &with(version, &[])));
        lines.into_iter().filter_map(|line| line.strip_prefix("microk8s enable ").map(String::from)).collect::<Vec<_>>()
    };
    let metallb = format!("metallb:{RANGE}");
    assert_eq!(enabled("v1.23.17"), ["dns", "storage", "registry:size=20Gi", &metallb]);
    assert_eq!(enabled("v1.24.17"), ["dns", "hostpath-storage", "registry:size=20Gi", &metallb]);
    assert_eq!(enabled("v1.28.9"), ["dns", "hostpath-storage", "registry --size 20Gi", &metallb]);
    assert!(lines(&planned(&lab(&[]), &with("v1.20.13", &[]))).contains(&"microk8s config".to_string()));
}

#[test]
fn what_is_there_is_used_as_it_is() {
    let host = with("v1.24.17", &["dns", "storage", "hostpath-storage"]);
    let lines = lines(&planned(&lab(&[]), &host));
    assert_eq!(lines[1..], ["microk8s enable registry:size=20Gi", &format!("microk8s enable metallb:{RANGE}")]);
    let mut stopped = host.clone();
    stopped.microk8s.as_mut().unwrap().running = false;
    assert_eq!(super::tests::lines(&planned(&lab(&[]), &stopped))[0], "microk8s start");
}

#[test]
fn the_registry_takes_storage_along_and_it_is_written_down() {
    let mut lab = lab(&[]);
    lab.spec.add_ons = vec![AddOnName::Registry];
    let steps = planned(&lab, &with("v1.24.17", &[]));
    let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids[ids.len() - 2..], ["storage", "registry"]);
    assert_eq!(steps.last().unwrap().needs, ["storage"]);
}

#[test]
fn without_a_range_metallb_would_ask_and_wait_for_ever() {
    let mut lab = lab(&[]);
    lab.spec.metallb.range = None;
    let sim = SimSettings { nodes: 1, kubernetes: String::new(), speed: None, faults: None };
    let failure = add_ons::steps(AddOnName::Metallb, &lab, &wishes(&bare(), &sim)).unwrap_err();
    assert!(failure.hints[0].contains("--lb-range"), "{failure:?}");
}

#[test]
fn the_channel_follows_from_the_lab() {
    assert_eq!(channel::of(&lab(&[])), "1.34/stable");
    assert_eq!(channel::of(&lab(&[AddOnName::Longhorn])), "1.24/stable");
    let mut lab = lab(&[AddOnName::Longhorn]);
    lab.spec.kubernetes = Some("v1.23.17".into());
    assert_eq!(channel::of(&lab), "1.23/stable");
    lab.spec.microk8s.channel = Some("latest/edge".into());
    assert_eq!(channel::of(&lab), "latest/edge");
    let sim = SimSettings { nodes: 1, kubernetes: String::new(), speed: None, faults: None };
    assert_eq!(Microk8s.kubernetes(&lab, &wishes(&bare(), &sim)), "latest");
    assert_eq!(Microk8s.kubernetes(&lab, &wishes(&with("v1.24.17", &[]), &sim)), "1.24.17");
}

fn verdicts(lab: &Lab, facts: &Facts, host: &HostFacts) -> Vec<(Verdict, String)> {
    checks::checks(lab, facts, host).into_iter().map(|check| (check.verdict, check.cause)).collect()
}

#[test]
fn one_of_another_channel_is_warned_of() {
    let facts = Facts::default();
    let mut old = lab(&[]);
    old.spec.kubernetes = Some("1.21".into());
    assert_eq!(verdicts(&old, &facts, &bare()), [], "it gets what it asks for");
    assert_eq!(verdicts(&lab(&[]), &facts, &with("v1.24.17", &[])), [], "any will do");
    let told = verdicts(&old, &facts, &with("v1.24.17", &[]));
    assert!(told[0].0 == Verdict::Warn && told[0].1.contains("used as it is"), "{told:?}");
}

#[test]
fn another_range_than_that_of_metallb_is_a_named_conflict() {
    let host = with("v1.24.17", &["metallb"]);
    let there = |ranges: &[&str]| Facts {
        lb_ranges: Some(ranges.iter().map(ToString::to_string).collect()),
        ..Facts::default()
    };
    assert_eq!(verdicts(&lab(&[]), &there(&[RANGE]), &host), []);
    assert_eq!(verdicts(&lab(&[]), &Facts::default(), &host), [], "nothing was looked at");
    let mut written = lab(&[]);
    written.spec.metallb.range = Some("192.168.1.240/31".into());
    assert_eq!(verdicts(&written, &there(&["192.168.1.240-192.168.1.241"]), &host), [], "however it is written");
    let told = verdicts(&lab(&[]), &there(&["10.0.0.1-10.0.0.9"]), &host);
    assert_eq!(told[0].0, Verdict::Fail);
    assert!(told[0].1.contains("10.0.0.1-10.0.0.9") && told[0].1.contains(RANGE), "{told:?}");
    assert!(verdicts(&lab(&[]), &there(&[]), &host)[0].1.contains("no range at all"));
}

fn made(snap: bool) -> Vec<HostObject> {
    let snap = snap.then(|| HostObject::Snap { name: SNAP.into() });
    let member = HostObject::Member { user: "ann".into(), group: SNAP.into() };
    let add_on = |name: &str| HostObject::Microk8sAddOn { name: name.into() };
    snap.into_iter().chain([member, add_on("dns"), add_on("metallb")]).collect()
}

#[test]
fn what_was_made_is_undone_and_nothing_else() {
    let session = |portal: &str, volume: &str| Session {
        portal: portal.into(),
        target: format!("iqn.2019-10.io.longhorn:{volume}"),
    };
    let host = HostFacts {
        iscsi: Iscsi {
            sessions: vec![session("10.1.7.9:3260", "pvc-1"), session("10.42.0.8:3260", "of-k3s")],
            ..Iscsi::default()
        },
        ..with("v1.24.17", &["dns", "ingress", "metallb"])
    };
    let undone = |made: &[HostObject], purge| lines(&removal::steps(&host, made, purge));
    let log_out = [
        "sudo -n iscsiadm -m node -T iqn.2019-10.io.longhorn:pvc-1 -p 10.1.7.9:3260 --logout",
        "sudo -n iscsiadm -m node -T iqn.2019-10.io.longhorn:pvc-1 -p 10.1.7.9:3260 -o delete",
    ];
    let disable = ["microk8s disable metallb", "microk8s disable dns"];
    let leave = ["sudo -n gpasswd --delete ann microk8s"];
    assert_eq!(undone(&made(true), true), [&log_out[..], &["sudo -n snap remove --purge microk8s"], &leave].concat());
    assert_eq!(
        undone(&made(true), false),
        [&disable[..], &log_out, &["microk8s stop"]].concat(),
        "the snap and its group stay"
    );
    assert_eq!(undone(&made(false), true), [&disable[..], &leave].concat(), "somebody else's snap runs on");
    let began = [made(false), vec![HostObject::Microk8sRuns]].concat();
    assert!(undone(&began, false).contains(&"microk8s stop".to_string()));
    assert_eq!(undone(&[], true), Vec::<String>::new());
    let data = HostObject::Folder { path: "/var/lib/longhorn".into() };
    let gone = undone(&[vec![data], made(true)].concat(), true);
    let last: Vec<&str> = gone.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(
        last,
        [leave[0], "sudo -n rm -r --one-file-system /var/lib/longhorn"],
        "its data goes after all that uses it"
    );
}

#[test]
fn no_plan_ever_resets_microk8s() {
    let all = [
        planned(&lab(&[]), &bare()),
        removal::steps(&bare(), &made(true), true),
        removal::steps(&bare(), &made(true), false),
    ];
    assert!(all.iter().flat_map(|steps| lines(steps)).all(|line| !line.contains("microk8s reset")));
}

#[test]
fn the_network_is_that_of_the_default_route() {
    let interface =
        |name: &str, last: u8| Interface { name: name.into(), address: [192, 168, 1, last].into(), prefix: 24 };
    let network = Network {
        interfaces: vec![Interface { address: [10, 8, 0, 2].into(), ..interface("tun0", 0) }, interface("wlan0", 17)],
        default_interface: Some("wlan0".into()),
        gateway: Some([192, 168, 1, 1].into()),
        ..Network::default()
    };
    let found = Microk8s.lb_network(&HostFacts { network, ..bare() }).unwrap().unwrap();
    assert_eq!(
        (found.subnet.to_string().as_str(), found.name.as_str(), found.shared),
        ("192.168.1.0/24", "the network of wlan0", true)
    );
    assert!(found.own.contains(&[192, 168, 1, 17].into()) && found.own.contains(&[192, 168, 1, 1].into()));
    assert_eq!(Microk8s.lb_network(&bare()).unwrap(), None);
}

#[test]
fn what_a_bundle_has_is_imported_and_its_own_images_before_it_can_be_ready() {
    let image = |name: &str, place| Bundled {
        name: name.into(),
        wanted: name.into(),
        path: format!("/cache/{name}.tar").into(),
        place,
    };
    let images = [image("iris", Place::Pods), image("calico", Place::Provider), image("node", Place::Host)];
    let (lab, sim) = (lab(&[]), SimSettings { nodes: 1, kubernetes: String::new(), speed: None, faults: None });
    let (facts, bare, running) = (Facts::default(), bare(), with("v1.24.17", &[]));
    let steps =
        |host: &HostFacts| Microk8s.steps(&lab, &facts, &Wishes { bundled: &images, ..wishes(host, &sim) }).unwrap();
    let new = lines(&steps(&bare));
    let at = |line: &str| new.iter().position(|one| one == line).unwrap_or_else(|| panic!("no {line}: {new:?}"));
    assert_eq!(at("sudo -n microk8s ctr image import /cache/calico.tar"), at("sudo -n microk8s start") + 1);
    let steps = steps(&running);
    assert!(lines(&steps).contains(&"microk8s ctr image import /cache/iris.tar".into()));
    assert!(!lines(&steps).iter().any(|line| line.contains("calico") || line.contains("node.tar")));
    let cluster = steps.iter().find(|step| step.id == CLUSTER).unwrap();
    assert!(cluster.needs.contains(&"images".into()), "{:?}", cluster.needs);
}
