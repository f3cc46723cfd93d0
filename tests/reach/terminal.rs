//! Programs in the pods with a terminal.

use super::{delete, on_sim};
use crate::support::{Lab, Terminal};

const INTERRUPT: &str = "\x03";

#[test]
fn keys_and_sizes_reach_the_program() {
    keys_and_size(&on_sim());
}

#[test]
fn a_signal_gives_the_terminal_back() {
    signals(&on_sim());
}

#[test]
fn a_pod_that_is_deleted_ends_the_session_with_words() {
    deleted(&on_sim());
}

pub fn keys_and_size(lab: &Lab) {
    let mut terminal = Terminal::start(lab.command(&["shell", "data-0"]));
    terminal.shows("$ ");
    assert!(!terminal.is_as_before(), "keys go to the program");
    terminal.types("stty size\r");
    terminal.shows("24 80");
    terminal.resize(132, 50);
    // The size travels beside the keys: it is asked for until it is there.
    let mut tries = 0..50;
    loop {
        assert!(tries.next().is_some(), "the new size never arrives");
        terminal.types("stty size\r");
        if terminal.shows_one_of(&["50 132", "24 80"]) == 0 {
            break;
        }
    }
    // Ctrl-C goes to the program there, and does not end ours here.
    terminal.shows("$ ");
    terminal.types("nonsense");
    terminal.shows("nonsense");
    terminal.types(INTERRUPT);
    terminal.shows("$ ");
    terminal.types("hostname\r");
    terminal.shows("data-0");
    terminal.types("exit 5\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(5), "{screen}");
    assert!(terminal.is_as_before(), "the terminal is given back");
}

pub fn signals(lab: &Lab) {
    let mut terminal = Terminal::start(lab.command(&["shell", "data-0"]));
    terminal.shows("$ ");
    terminal.signal("TERM");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(130), "{screen}");
    assert!(terminal.is_as_before(), "the terminal is given back");
}

pub fn deleted(lab: &Lab) {
    let reader = lab.reader();
    let mut terminal = Terminal::start(lab.command(&["shell", "data-1"]));
    terminal.shows("$ ");
    delete(lab, &reader, "data-1");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(1), "{screen}");
    assert!(screen.contains("the session in data-1 was cut off") && screen.contains("the pod was deleted"), "{screen}");
    assert!(terminal.is_as_before(), "the terminal is given back");
    assert!(screen.contains("iris-lab status --watch"), "{screen}");
}
