//! What a tool's own words mean, and the next command. One line a case.

use crate::error::Failure;

/// Words in what a tool said, and what helps.
const KNOWN: &[(&str, &str)] = &[
    (
        "Insufficient permissions to access MicroK8s",
        "join its group with `sudo usermod -a -G microk8s $USER`, log in again, and look with `id -nG`; or let sudo work without a \
         question first, with `sudo -v`",
    ),
    ("a password is required", "let sudo work without a question for a while with `sudo -v`, and run it again"),
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
