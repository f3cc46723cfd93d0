//! The addresses of load balancers, as users meet them: chosen and told, given and checked, kept and moved.

use super::support::Lab;
use serde_json::json;

const MICROK8S: [&str; 3] = ["doctor", "--provider", "microk8s"];

/// A host of which the little is known that the provider must know.
fn host() -> Lab {
    let lab = Lab::on_sim();
    lab.stand_in("id", "[ \"$1\" = -u ] && echo 0 || echo root");
    lab.stand_in("uname", "echo Linux 6.1.0-21-amd64 x86_64");
    lab
}

fn told(lab: &Lab, args: &[&str]) -> String {
    lab.run(&[&MICROK8S, args].concat()).err
}

#[test]
fn a_range_is_chosen_in_the_network_of_the_default_route_and_shown_before_it_is_used() {
    let lab = host();
    let said = told(&lab, &[]);
    let range = "load balancer: 127.9.0.90-127.9.0.99, 10 addresses of the network of eth0 (127.9.0.0/24), below those that \
                 DHCP servers usually give (from 127.9.0.100 on), and nobody answers there; --lb-range gives another";
    assert!(said.contains(range), "{said}");
    lab.network(94);
    assert!(told(&lab, &[]).contains("load balancer: 127.9.0.84-127.9.0.93"), "around this host's own address");
    assert!(!told(&lab, &["--set", "addOns=[dns, storage]"]).contains("load balancer"), "none is wanted");
}

#[test]
fn a_given_range_that_cannot_work_is_refused_with_the_cause_and_the_way_out() {
    let lab = host();
    let given = |range: &str, code: i32| lab.run(&[&MICROK8S[..], &["--lb-range", range]].concat()).exits(code);
    given("127.9.0.100-200", 2).says("must end with a whole address, as in 127.9.0.100-127.9.0.200");
    given("127.9.0.20-127.9.0.10", 2).says("must go upwards");
    given("127.9.0.20/32", 2).says("is a single address");
    given("127.8.0.20-127.8.0.29", 3).says("127.8.0.20 is none of the addresses that its hosts may have");
    given("127.9.0.0/28", 3).says("127.9.0.0 is none of the addresses");
    given("127.9.0.2-127.9.0.9", 3).says("127.9.0.5 is this machine's own address").says("leave --lb-range");
    let file = lab.file("my.yaml", "spec:\n  metallb:\n    range: 10.0.0.1\n");
    lab.run(&["labs", "check", file.to_str().unwrap()]).exits(2).says("line 3: spec.metallb.range");
}

#[test]
fn the_simulator_gives_out_of_the_range_that_was_asked_for_and_keeps_it() {
    let lab = Lab::on_sim();
    lab.up(&["--lb-range", "10.1.2.16/29,10.1.3.1-10.1.3.2"]).exits(0).says("http://10.1.2.16:52773");
    lab.up(&[]).exits(0).says("http://10.1.2.16:52773").says("nothing was to be done");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn status_tells_when_the_range_no_longer_fits_and_how_to_move_it() {
    let lab = host();
    let range = "127.9.0.90-127.9.0.99";
    let target = json!({ "change": "target", "provider": "microk8s", "namespace": "iris-lab", "replicas": 2, "lbRange": range,
        "up": "iris-lab up --longhorn" });
    std::fs::create_dir_all(lab.state().join("two-pod")).unwrap();
    std::fs::write(lab.state().join("two-pod/journal.jsonl"), format!("{target}\n")).unwrap();
    let notes = || lab.run(&["status", "-o", "json"]).json()["notes"].to_string();
    assert!(!notes().contains("load balancer"), "{}", notes());
    lab.network(95);
    let moved = "the load balancer's range 127.9.0.90-127.9.0.99 no longer fits the network of eth0 (127.9.0.0/24): 127.9.0.95 is \
                 this machine's own address";
    let how = "move it with `microk8s disable metallb`, then `iris-lab up --longhorn`";
    assert!(notes().contains(moved) && notes().contains(how), "{}", notes());
    assert!(lab.run(&["status"]).out.contains("no longer fits"));
}
