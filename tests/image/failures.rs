//! What goes wrong between a folder and the pods: each is told with its cause and the next command, and nothing is half deployed.

use super::scripted::Scripted;
use crate::support::{Lab, Place, Run};

/// A lab that was there before, as an existing cluster, and brings its image from a folder.
fn lab() -> (Lab, Scripted) {
    let lab = Lab::new(Place::served(), "own-image");
    let docker = Scripted::for_lab(&lab);
    docker.context("app", &[("Dockerfile", "FROM x\n")]);
    (lab, docker)
}

fn up(lab: &Lab, docker: &Scripted) -> Run {
    lab.up(&["--build=app", "--registry", &docker.host])
}

/// Nothing of the lab runs, and nothing that would.
fn no_pods(lab: &Lab) {
    let set = lab.reader().get(&format!("/apis/apps/v1/namespaces/{}/statefulsets/data", lab.namespace));
    assert!(set.is_none(), "{set:#?}");
}

#[test]
fn what_docker_says_of_a_build_is_explained() {
    let (lab, docker) = lab();
    for (words, hint) in [
        ("Error response from daemon: dockerfile parse error line 3: unknown instruction: FORM", "correct that line"),
        ("ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: FORM", "correct that line"),
        ("pull access denied for nobody/nothing, repository does not exist", "--build-arg BASE=IMAGE"),
        ("manifest for nobody/nothing:1 not found: manifest unknown", "--build-arg BASE=IMAGE"),
        ("write /layer: no space left on device", "docker system df"),
        ("the --mount option requires BuildKit", "docker-buildx"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "systemctl start docker"),
    ] {
        docker.fail("build", words);
        let run = up(&lab, &docker).exits(1).says(words).says(hint).says("iris-lab reset --name own-image");
        assert!(run.err.contains("it goes on from here"), "{}", run.transcript());
        no_pods(&lab);
    }
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn what_docker_says_of_a_push_is_explained() {
    let (lab, docker) = lab();
    for (words, hint) in [
        ("received unexpected HTTP status: 500 Internal Server Error", "the room on its disk"),
        (
            "Get \"http://127.0.0.1:32000/v2/\": dial tcp 127.0.0.1:32000: connect: connection refused",
            "cannot be reached",
        ),
        ("error during connect: EOF", "systemctl start docker"),
    ] {
        docker.fail("push", words);
        up(&lab, &docker).exits(1).says(words).says(hint);
        no_pods(&lab);
    }
    lab.run(&["reset", "--yes", "--purge"]).exits(0);
    lab.is_gone();
}

#[test]
fn what_is_missing_is_told_before_anything_is_made() {
    let (lab, docker) = lab();
    let nothing = |run: Run| {
        run.says("a requirement is missing; nothing was changed");
        lab.is_gone();
    };
    docker.fail(
        "version",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    );
    nothing(up(&lab, &docker).exits(3).says("docker: Cannot connect").says("sudo systemctl start docker"));
    docker.fail("version", "permission denied while trying to connect to the Docker daemon socket");
    nothing(up(&lab, &docker).exits(3).says("sudo usermod -aG docker $USER"));
    docker.mend("version");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let down = lab.up(&["--build=app", "--registry", &format!("localhost:{port}")]).exits(3);
    nothing(down.says("does not answer: nothing listens there").says("--registry HOST:PORT"));
    let Place::Existing(there) = &lab.place else { panic!("it is an existing cluster") };
    // A port at which something else answers, such as the API server.
    let text = std::fs::read_to_string(&there.kubeconfig).unwrap();
    let server = text.lines().find_map(|line| line.trim().strip_prefix("server: https://")).unwrap();
    let other = lab.up(&["--build=app", "--registry", &server.replace("127.0.0.1", "localhost")]).exits(3);
    nothing(other.says("cannot be used").says("--registry HOST:PORT"));
    std::fs::remove_file(lab.scratch.dir("bin").join("docker")).unwrap();
    nothing(up(&lab, &docker).exits(3).says("Docker is not installed"));
}

#[test]
fn pods_that_run_another_image_of_the_same_name_are_found_out() {
    let (lab, docker) = lab();
    // The simulator pulls nothing: what it calls the image's digest is not what the registry has.
    let run = up(&lab, &docker).exits(1);
    run.says("runs another image than the registry has under the same name")
        .says("leads every node to the same registry");
    lab.run(&["reset", "--yes", "--purge"]).exits(0);
    lab.is_gone();
}
