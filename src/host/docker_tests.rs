//! What Docker says, as it was recorded: an engine that answers, and the ways in which one does not.

use super::*;
use crate::exec::scripted::Scripted;

const INFO: &str = "docker info --format '{{json .}}'";
/// Docker 20.10 on Debian, without what is not read.
const DEBIAN: &str = r#"{"Containers":0,"Images":27,"Driver":"overlay2","CgroupDriver":"systemd","CgroupVersion":"2","OperatingSystem":"Debian GNU/Linux 12 (bookworm)","OSType":"linux","Architecture":"x86_64","NCPU":2,"ServerVersion":"20.10.24+dfsg1","SecurityOptions":["name=apparmor","name=seccomp,profile=default","name=cgroupns"],"Warnings":null,"ClientInfo":{"Debug":false,"Context":"default"}}"#;
/// The client's part alone, as Docker 28 prints it.
const NO_ENGINE: &str = r#"{"ID":"","Containers":0,"Driver":"","OperatingSystem":"","ServerVersion":"","SecurityOptions":null,"ClientInfo":{"Debug":false,"Version":"28.2.2","Context":"default"}}"#;
/// The same of Docker 20.10, which exits with 0.
const NO_ENGINE_20: &str = r#"{"ID":"","Driver":"","ServerVersion":"","SecurityOptions":null,"ServerErrors":["Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"],"ClientInfo":{"Context":"default"}}"#;
const DEAD: &str =
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n";
const FORBIDDEN: &str = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get \
                         \"http://%2Fvar%2Frun%2Fdocker.sock/v1.50/info\": dial unix /var/run/docker.sock: connect: permission denied\n";
const NETWORKS: &str = r#"[
  {"Name":"bridge","Driver":"bridge","IPAM":{"Driver":"default","Options":null,"Config":[{"Subnet":"172.17.0.0/16"}]},
   "Containers":{},"Options":{"com.docker.network.bridge.name":"docker0","com.docker.network.driver.mtu":"1400"}},
  {"Name":"host","Driver":"host","IPAM":{"Driver":"default","Options":null,"Config":[]},"Containers":{},"Options":{}},
  {"Name":"kind","Driver":"bridge","EnableIPv6":true,"IPAM":{"Driver":"default","Options":{},"Config":[
     {"Subnet":"fc00:f853:ccd:e793::/64"},{"Subnet":"172.18.0.0/16","Gateway":"172.18.0.1"}]},
   "Containers":{"8f0c":{"Name":"kind-control-plane","EndpointID":"1b","MacAddress":"02:42:ac:12:00:02",
     "IPv4Address":"172.18.0.2/16","IPv6Address":"fc00:f853:ccd:e793::2/64"}},
   "Options":{"com.docker.network.bridge.enable_ip_masquerade":"true"}}]"#;

fn said(code: i32, out: &str, err: &str) -> Docker {
    about(&Output { code: Some(code), stdout: out.into(), stderr: err.into() })
}

#[tokio::test]
async fn an_engine_with_its_networks_containers_and_images() {
    let host = Scripted::saying(&[
        (INFO, 0, DEBIAN, ""),
        ("docker ps --all --format '{{.Names}}'", 0, "kind-control-plane\nold\n", ""),
        ("docker ps --format '{{.Names}}'", 0, "kind-control-plane\n", ""),
        ("docker images --format '{{.Repository}}:{{.Tag}}'", 0, "registry:2\n<none>:<none>\n", ""),
        ("docker network ls --format '{{.Name}}'", 0, "bridge\nhost\nkind\n", ""),
        ("docker network inspect bridge host kind", 0, NETWORKS, ""),
    ]);
    let docker = docker(&host).await.unwrap().unwrap();
    assert_eq!((docker.unreachable, docker.version.as_str(), docker.rootless), (None, "20.10.24+dfsg1", false));
    assert_eq!(docker.containers, ["kind-control-plane", "old"]);
    assert_eq!(docker.running, ["kind-control-plane"]);
    assert_eq!(docker.networks[0].mtu.as_deref(), Some("1400"));
    let kind = &docker.networks[2];
    assert_eq!(kind.subnets, ["fc00:f853:ccd:e793::/64", "172.18.0.0/16"]);
    assert_eq!(
        (&kind.gateways[..], &kind.taken[..]),
        (&["172.18.0.1".to_string()][..], &["172.18.0.2".to_string()][..])
    );
    assert_eq!(kind.containers, ["kind-control-plane"]);
}

#[tokio::test]
async fn without_its_client_there_is_none() {
    assert_eq!(docker(&Scripted::saying(&[])).await.unwrap(), None);
    assert!(!has(&Scripted::saying(&[]), "container", "x").await.unwrap());
}

#[test]
fn an_engine_that_does_not_answer_says_why() {
    for (code, out, err, why) in [
        (1, NO_ENGINE, DEAD, "Cannot connect to the Docker daemon"),
        (0, NO_ENGINE_20, "", "Cannot connect to the Docker daemon"),
        (1, NO_ENGINE, FORBIDDEN, "permission denied"),
        (1, "", "unknown shorthand flag\n", "unknown shorthand flag"),
        (1, "", "", "it gives no version"),
    ] {
        let why_not = said(code, out, err).unreachable.unwrap();
        assert!(why_not.starts_with(why), "{why_not}");
    }
}

#[test]
fn engines_that_are_not_like_the_others() {
    let with = |options: &str, system: &str| {
        let info =
            format!(r#"{{"ServerVersion":"25.0.3","OperatingSystem":"{system}","SecurityOptions":[{options}]}}"#);
        let docker = said(0, &info, "");
        (docker.rootless, docker.remaps_users, docker.operating_system)
    };
    let ubuntu = "Ubuntu 22.04.4 LTS";
    assert_eq!(
        with(r#""name=seccomp,profile=builtin","name=rootless","name=cgroupns""#, ubuntu),
        (true, false, ubuntu.into())
    );
    assert_eq!(with(r#""name=seccomp,profile=builtin","name=userns""#, ubuntu), (false, true, ubuntu.into()));
    let desktop = r#""name=seccomp,profile=unconfined","name=cgroupns""#;
    assert_eq!(with(desktop, "Docker Desktop"), (false, false, "Docker Desktop".into()));
}

#[tokio::test]
async fn what_is_missing_is_told_from_what_cannot_be_asked() {
    for (kind, line, said) in [
        ("network", "docker network inspect --format '{{.Name}}' x", "Error response from daemon: network x not found"),
        ("volume", "docker volume inspect --format '{{.Name}}' x", "Error response from daemon: get x: no such volume"),
        (
            "container",
            "docker inspect --type container --format '{{.Id}}' x",
            "Error response from daemon: No such container: x",
        ),
        (
            "image",
            "docker inspect --type image --format '{{.Id}}' x",
            "Error response from daemon: no such image: x: No such image: x:latest",
        ),
    ] {
        assert!(!has(&Scripted::saying(&[(line, 1, "[]\n", said)]), kind, "x").await.unwrap(), "{said}");
        assert!(has(&Scripted::saying(&[(line, 0, "x\n", "")]), kind, "x").await.unwrap());
        let failure = has(&Scripted::saying(&[(line, 1, "[]\n", DEAD)]), kind, "x").await.unwrap_err();
        assert_eq!(
            (failure.message.as_str(), &failure.hints[..]),
            ("Docker does not answer", &[START_HINT.to_string()][..])
        );
        let failure = has(&Scripted::saying(&[(line, 1, "", FORBIDDEN)]), kind, "x").await.unwrap_err();
        assert_eq!(failure.hints, [SOCKET_HINT]);
    }
}
