//! What is read of hosts of three kinds, from what their programs and files said.

use super::*;
use crate::exec::scripted::{Answer, Script, Scripted};
use std::collections::BTreeMap;

macro_rules! said {
    ($name:literal) => {
        include_str!(concat!("../../../tests/transcripts/network/", $name)).to_string()
    };
}

fn script(commands: &[(&str, i32, String)], files: &[(&str, String)]) -> Scripted {
    let answer = |(line, code, out): &(&str, i32, String)| {
        (line.to_string(), vec![Answer { code: *code, out: out.clone(), err: String::new() }])
    };
    Scripted::new(Script {
        commands: commands.iter().map(answer).collect(),
        files: files.iter().map(|(path, text)| (path.to_string(), text.clone())).collect::<BTreeMap<_, _>>(),
        ..Script::default()
    })
}

fn proc() -> Vec<(&'static str, String)> {
    vec![
        ("/proc/net/route", said!("proc-route")),
        ("/proc/net/fib_trie", said!("proc-fib_trie")),
        ("/proc/net/arp", said!("proc-arp")),
        ("/proc/net/tcp", said!("proc-tcp")),
        ("/proc/net/tcp6", said!("proc-tcp6")),
    ]
}

fn lines(network: &Network) -> Vec<String> {
    network.interfaces.iter().map(|one| format!("{} {}/{}", one.name, one.address, one.prefix)).collect()
}

#[tokio::test]
async fn iproute2_tells_interfaces_and_the_default_route_with_the_lowest_metric() {
    let ip = [("ip -4 -j addr", 0, said!("ip-addr.json")), ("ip -4 -j route", 0, said!("ip-route.json"))];
    let network = network(&script(&ip, &proc())).await.unwrap();
    let links = ["lo 127.0.0.1/8", "wlan0 192.168.1.137/24", "enp3s0 192.168.1.20/24", "docker0 172.17.0.1/16"];
    assert_eq!(lines(&network), links);
    assert_eq!(network.default_interface.as_deref(), Some("enp3s0"));
    assert_eq!(network.gateway, Some(Ipv4Addr::new(192, 168, 1, 1)));
    assert_eq!(network.neighbours, [Ipv4Addr::new(192, 168, 1, 1)], "an entry without an answer is nobody");
    assert_eq!(network.listening, [16443, 32000]);
}

#[tokio::test]
async fn without_iproute2_the_tables_of_the_kernel_tell_the_same() {
    let busybox = [("ip -4 -j addr", 1, "ip: invalid option -- 'j'".into()), ("ip -4 -j route", 1, String::new())];
    for host in [script(&[], &proc()), script(&busybox, &proc())] {
        let network = network(&host).await.unwrap();
        assert_eq!(lines(&network), ["docker0 172.17.0.1/16", "enp3s0 192.168.1.20/24"]);
        assert_eq!(network.default_interface.as_deref(), Some("enp3s0"));
        assert_eq!(network.gateway, Some(Ipv4Addr::new(192, 168, 1, 1)));
        assert_eq!(network.listening, [16443, 32000]);
    }
}

#[tokio::test]
async fn macos_is_read_by_its_own_programs() {
    let programs = [
        ("ifconfig", 0, said!("macos-ifconfig")),
        ("route -n get default", 0, said!("macos-route")),
        ("lsof -nP -iTCP -sTCP:LISTEN", 0, said!("macos-lsof")),
    ];
    let network = network(&script(&programs, &[])).await.unwrap();
    assert_eq!(lines(&network), ["lo0 127.0.0.1/8", "en0 192.168.1.23/24"]);
    assert_eq!(network.default_interface.as_deref(), Some("en0"));
    assert_eq!(network.gateway, Some(Ipv4Addr::new(192, 168, 1, 1)));
    assert_eq!(network.listening, [7000, 32000]);
}

#[tokio::test]
async fn a_host_without_a_network_has_none_and_an_answer_that_cannot_be_read_is_an_error() {
    assert_eq!(network(&script(&[], &[])).await.unwrap(), Network::default());
    let offline = [("ip -4 -j addr", 0, "[{},{}]".into()), ("ip -4 -j route", 0, String::new())];
    assert_eq!(network(&script(&offline, &[("/proc/net/route", String::new())])).await.unwrap(), Network::default());
    let broken = [("ip -4 -j addr", 0, "eth0".into()), ("ip -4 -j route", 0, "[]".into())];
    let failure = network(&script(&broken, &proc())).await.unwrap_err();
    assert_eq!(failure.message, "the answer of `ip -4 -j addr` cannot be read");
}
