//! Asking who answers, for real: in two network namespaces that the test makes and joins, and in no network of this machine.

use super::support::skipped;
use iris_lab::exec::{Machine, System};
use std::net::Ipv4Addr;
use std::process::{Command, Output};

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
        ip(&["-n", here, "link", "add", "a", "type", "veth", "peer", "name", "b", "netns", there]);
        ip(&["-n", here, "addr", "add", "10.99.0.1/24", "dev", "a"]);
        for address in ["10.99.0.2/24", "10.99.0.3/24"] {
            ip(&["-n", there, "addr", "add", address, "dev", "b"]);
        }
        for (name, link) in [(here, "lo"), (here, "a"), (there, "lo"), (there, "b")] {
            ip(&["-n", name, "link", "set", link, "up"]);
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

#[test]
fn who_answers_is_found_and_who_does_not_is_decided_by_the_kernel() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let Some(pair) = Pair::new() else {
        return skipped("asking neighbours for real (it takes root and `ip netns`)");
    };
    // On .3 a socket takes the datagram and says nothing: the table alone tells that it is there.
    let silent = "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind(('10.99.0.3',9))\n\
                  print('up',flush=True)\nsys.stdin.read()";
    let mut silent = match Command::new("ip")
        .args(["netns", "exec", &pair.there, "python3", "-c", silent])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    {
        Ok(child) => child,
        Err(error) => panic!("{error}"),
    };
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(silent.stdout.take().unwrap()), &mut line).unwrap();
    let program = std::env::current_exe().unwrap();
    let run = Command::new("ip")
        .args(["netns", "exec", &pair.here])
        .arg(program)
        .args(["--exact", NAME, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    drop(silent.stdin.take());
    silent.wait().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

/// In the namespace.
fn inside() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let asked: Vec<Ipv4Addr> = (2..=9).map(|last| Ipv4Addr::new(10, 99, 0, last)).collect();
    let mut found = runtime.block_on(System.answering(&asked)).unwrap();
    found.sort();
    assert_eq!(found, [Ipv4Addr::new(10, 99, 0, 2), Ipv4Addr::new(10, 99, 0, 3)]);
    // Nobody of this machine's own addresses is somebody else.
    assert!(runtime.block_on(System.answering(&[Ipv4Addr::new(10, 99, 0, 1)])).unwrap().is_empty());
}
