//! Asking who answers, for real: in two network namespaces that the test makes and joins, and in no network of this machine.

use super::support::skipped;
use iris_lab::exec::{Machine, System};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Ipv4Addr;
use std::process::{Command, Output, Stdio};

const NAME: &str = "neighbours::who_answers_is_found_and_who_does_not_is_decided_by_the_kernel";
/// Set in the process that runs in the namespace.
const INSIDE: &str = "IRIS_LAB_TEST_NAMESPACE";

/// A network of two namespaces. The other host has .2, which refuses datagrams, and .3, which keeps silent.
struct Pair {
    here: String,
    there: String,
}

impl Pair {
    fn new() -> Option<Pair> {
        let id = std::process::id();
        let pair = Pair { here: format!("iris-lab-{id}-a"), there: format!("iris-lab-{id}-b") };
        for name in [&pair.here, &pair.there] {
            if !ip(&["netns", "add", name]).is_some_and(|output| output.status.success()) {
                return None;
            }
        }
        let (here, there) = (pair.here.as_str(), pair.there.as_str());
        made(&["-n", here, "link", "add", "v-here", "type", "veth", "peer", "name", "v-there", "netns", there]);
        made(&["-n", here, "addr", "add", "10.99.0.1/24", "dev", "v-here"]);
        for address in ["10.99.0.2/24", "10.99.0.3/24"] {
            made(&["-n", there, "addr", "add", address, "dev", "v-there"]);
        }
        for (name, link) in [(here, "lo"), (here, "v-here"), (there, "lo"), (there, "v-there")] {
            made(&["-n", name, "link", "set", link, "up"]);
        }
        Some(pair)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in [&self.here, &self.there] {
            ip(&["netns", "del", name]);
        }
    }
}

fn ip(args: &[&str]) -> Option<Output> {
    Command::new("ip").args(args).output().ok()
}

#[track_caller]
fn made(args: &[&str]) {
    let output = ip(args).unwrap();
    assert!(output.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn who_answers_is_found_and_who_does_not_is_decided_by_the_kernel() {
    match std::env::var(INSIDE).as_deref() {
        Ok("asks") => return asks(),
        Ok(_) => return keeps_silent(),
        Err(_) => {}
    }
    let Some(pair) = Pair::new() else {
        return skipped("asking neighbours for real (it takes root and `ip netns`)");
    };
    let mut silent = within(&pair.there, "keeps silent").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(silent.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.ends_with("listens"))), "the silent host does not start");
    let run = within(&pair.here, "asks").output().unwrap();
    drop(silent.stdin.take());
    lines.for_each(drop);
    silent.wait().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

/// This very test in a namespace, in another role.
fn within(namespace: &str, role: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture"]).env(INSIDE, role);
    command
}

/// Takes every datagram and answers none: the kernel's table alone tells that somebody is there.
fn keeps_silent() {
    let _socket = std::net::UdpSocket::bind("10.99.0.3:9").unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "listens").unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn asks() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let asked: Vec<Ipv4Addr> = (2..=9).map(|last| Ipv4Addr::new(10, 99, 0, last)).collect();
    let mut found = runtime.block_on(System.answering(&asked)).unwrap();
    found.sort();
    assert_eq!(found, [Ipv4Addr::new(10, 99, 0, 2), Ipv4Addr::new(10, 99, 0, 3)]);
    // Nobody of this machine's own addresses is somebody else.
    assert!(runtime.block_on(System.answering(&[Ipv4Addr::new(10, 99, 0, 1)])).unwrap().is_empty());
}
