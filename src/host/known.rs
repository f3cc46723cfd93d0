//! What a tool's own words mean, and the next command. One line a case.

use super::docker;
use crate::error::Failure;
use crate::model::image::BUILD_KIT_HINT;

const BASE: &str = "the base image is not to be had: look at FROM in the Dockerfile, give another one with `--build-arg BASE=IMAGE` \
                    where it has ARG BASE, and `docker login` where its registry wants that";
const SPACE: &str = "a disk is full: see `df -h` and `docker system df`; where it is the registry's, make room there";

/// Words in what a tool said, and what helps.
const KNOWN: &[(&str, &str)] = &[
    (
        "Insufficient permissions to access MicroK8s",
        "join its group with `sudo usermod -a -G microk8s $USER`, log in again, and look with `id -nG`; or let sudo work without a \
         question first, with `sudo -v`",
    ),
    ("a password is required", "let sudo work without a question for a while with `sudo -v`, and run it again"),
    ("dockerfile parse error", "correct that line of the Dockerfile"),
    ("Dockerfile parse error", "correct that line of the Dockerfile"),
    ("pull access denied", BASE),
    ("manifest unknown", BASE),
    ("not found: manifest", BASE),
    ("failed to resolve source metadata", BASE),
    ("requires BuildKit", BUILD_KIT_HINT),
    ("buildx component is missing", BUILD_KIT_HINT),
    ("no space left on device", SPACE),
    (
        "received unexpected HTTP status: 5",
        "the registry failed: look at its log and at the room on its disk, then run it again",
    ),
    (
        "server gave HTTP response to HTTPS client",
        "Docker takes a registry without encryption on this host alone: name such a one as localhost:PORT, or list it under \
         `insecure-registries` in /etc/docker/daemon.json",
    ),
    ("denied while trying to connect to the Docker daemon", docker::SOCKET_HINT),
    ("permission denied while trying to connect to the docker API", docker::SOCKET_HINT),
    ("Cannot connect to the Docker daemon", docker::START_HINT),
    ("error during connect", docker::START_HINT),
    ("unexpected EOF", docker::START_HINT),
    ("name resolution", "this machine reaches no name server: look at its network and its proxy, then run it again"),
    ("dial tcp", "the server cannot be reached: look at the network and the proxy, then run it again"),
    ("system does not fully support snapd", "snapd does not work here, as in many containers: use a virtual machine"),
    ("cannot communicate with server", "snapd does not answer: start it with `sudo systemctl start snapd.socket`"),
];

/// The failure of a command with what helps against it, where that is known.
pub fn explained(failure: Failure) -> Failure {
    let text = failure.to_string();
    match KNOWN.iter().find(|(words, _)| text.contains(words)) {
        Some((_, hint)) => failure.hint(*hint),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_get_a_hint() {
        let failure =
            explained(Failure::step("`snap install x` exited with 1").cause("dial tcp: lookup: no such host"));
        assert!(failure.hints[0].contains("proxy"), "{failure:?}");
        assert!(explained(Failure::step("it exited with 7")).hints.is_empty());
    }
}
