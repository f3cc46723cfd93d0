//! The same with a real Docker and a real registry, and on a real cluster whose nodes pull from it.

use super::image_of;
use crate::scenario::{everything_runs, in_each_pod};
use crate::support::{
    BASE, Lab, Place, Registry, Scratch, answers_alternate, application, docker_with_base, forget_images,
    lab_with_application, on_base,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;
use std::net::TcpStream;
use std::process::Command;

/// A lab that finds the real docker.
fn with_docker(mut lab: Lab) -> Lab {
    let system = std::env::var("PATH").unwrap_or_default();
    lab.path = Some(format!("{}:{system}", lab.scratch.dir("bin").display()));
    lab
}

#[test]
fn a_real_docker_builds_pushes_and_fails_as_it_is_told() {
    let Some(_docker) = docker_with_base() else { return };
    let Some(registry) = Registry::new() else { return };
    let lab = with_docker(Lab::on_sim());
    application(&lab, "e2e-docker");
    let base = on_base();
    let push = ["image", "push", "e2e-docker", "--build-arg", &base, "--registry", &registry.host];
    let first = lab.run(&[&push[..], &["-o", "json"]].concat()).exits(0);
    let (image, summary) = (image_of(&first.json()), first.json());
    assert_eq!((&summary["built"], &summary["pushed"]), (&true.into(), &true.into()));
    let built = first.events().into_iter().find(|event| event["event"] == "step-finished").unwrap();
    let detail = built["detail"].as_str().unwrap();
    assert!(detail.contains("; WARNING: the base image has no InterSystems IRIS"), "{}", first.transcript());
    let again = lab.run(&[&push[..], &["-o", "json"]].concat()).exits(0).json();
    assert_eq!((&again["built"], &again["pushed"]), (&false.into(), &false.into()), "{again:#}");
    lab.run(&["image", "list", "--registry", &registry.host]).exits(0).says(&image);
    let file = lab.scratch.dir("work").join("e2e-docker/install.script");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "halt\n").unwrap();
    assert_ne!(image_of(&lab.run(&[&push[..], &["-o", "json"]].concat()).exits(0).json()), image);

    let nothing = ["image", "build", "e2e-docker", "--build-arg", "BASE=localhost:1/nobody/nothing:1"];
    lab.run(&nothing).exits(1).says("Docker cannot build the image e2e-docker:");
    lab.file("e2e-docker/Dockerfile", "FROM scratch\nFORM nothing\n");
    lab.run(&["image", "build", "e2e-docker"]).exits(1).says("unknown instruction").says("correct that line");
    lab.file("e2e-docker/Dockerfile", &format!("FROM {BASE}\nRUN [\"/nothing\"]\n"));
    lab.run(&["image", "build", "e2e-docker"]).exits(1).says("/nothing");
    lab.run(&["reset", "--purge", "--yes"]).exits(0);
    forget_images("e2e-docker");
    lab.is_gone();
}

#[test]
fn a_real_docker_and_a_registry_without_room() {
    let Some(_docker) = docker_with_base() else { return };
    let dir = Scratch::new();
    let data = dir.dir("data");
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&data).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        crate::support::skipped("no file system of a few bytes can be made here");
        return;
    }
    let full = Full(data.clone());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    if let Some(registry) = Registry::at(port, &data, dir) {
        let lab = with_docker(Lab::on_sim());
        lab.scratch.dir("work/e2e-full");
        // Noise, which no compression makes small.
        let mut noise = vec![0; 1 << 20];
        std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut noise).unwrap();
        std::fs::write(lab.scratch.dir("work").join("e2e-full/noise"), noise).unwrap();
        lab.file("e2e-full/Dockerfile", "FROM scratch\nCOPY noise /\n");
        let run = lab.run(&["image", "push", "e2e-full", "--registry", &registry.host]).exits(1);
        assert!(run.err.contains("room") || run.err.contains("disk is full"), "{}", run.transcript());
        lab.run(&["reset", "--purge", "--yes"]).exits(0);
        forget_images("e2e-full");
        drop(registry);
    }
    drop(full);
}

/// A file system that goes with the test.
struct Full(std::path::PathBuf);

impl Drop for Full {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

#[test]
fn an_image_of_ones_own_runs_on_a_real_cluster() {
    let Some(place) = Place::real() else { return };
    let Some(_docker) = docker_with_base() else { return };
    // The nodes know the registry by this name alone; one that is there is used.
    let there = TcpStream::connect(("127.0.0.1", 32000)).is_ok();
    let dir = Scratch::new();
    let data = dir.dir("data");
    let registry = if there { None } else { Registry::at(32000, &data, dir) };
    if !there && registry.is_none() {
        return;
    }
    let lab = with_docker(Lab::new(place, "e2e-image"));
    let folder = lab_with_application(&lab, "e2e-image");
    let base = on_base();
    let up =
        |extra: &[&str]| lab.run(&lab.for_lab("up", &[&["own.yaml", "--build", "--build-arg", &base], extra].concat()));

    up(&[]).exits(0).says("appuser");
    everything_runs(&lab);
    let (first, digest) = running(&lab);
    assert!(first.starts_with("localhost:32000/e2e-image:1-"), "{first}");
    answers_alternate(&lab.run(&["status", "-o", "json"]).exits(0).json());
    in_each_pod(&lab, "echo kept > /vol-data/kept-by-test && echo kept > \"$ISC_DATA_DIRECTORY\"/kept-by-test", 0);

    let again = up(&["-o", "json"]).exits(0);
    assert_eq!(again.json()["changed"], 0, "nothing is built, pushed or restarted\n{}", again.transcript());
    assert_eq!(running(&lab), (first.clone(), digest.clone()));

    let file = folder.join("install.cpf");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "# changed\n").unwrap();
    up(&[]).exits(0).says("Build the image e2e-image:1-");
    let (second, other) = running(&lab);
    assert_ne!((&second, &other), (&first, &digest), "a changed file is a new tag, and the pods run it");
    in_each_pod(&lab, "test -e /vol-data/kept-by-test && test -e \"$ISC_DATA_DIRECTORY\"/kept-by-test", 0);
    everything_runs(&lab);

    // A build that fails leaves the pods as they are.
    std::fs::write(folder.join("Dockerfile"), "FROM scratch\nFORM nothing\n").unwrap();
    up(&[]).exits(1).says("unknown instruction");
    assert_eq!(running(&lab), (second, other));
    everything_runs(&lab);
    lab.run(&["reset", "--yes", "--purge"]).exits(0);
    forget_images("e2e-image");
    lab.is_gone();
}

/// The image of every pod, and the digest that its node pulled; both must be one.
fn running(lab: &Lab) -> (String, String) {
    let list = lab.reader().get(&format!("/api/v1/namespaces/{}/pods", lab.namespace)).unwrap();
    let text = |pod: &Value, path: &str| pod.pointer(path).and_then(Value::as_str).unwrap_or_default().to_string();
    let all: BTreeSet<(String, String)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pod| (text(pod, "/spec/containers/0/image"), text(pod, "/status/containerStatuses/0/imageID")))
        .collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}
