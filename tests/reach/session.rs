//! Programs in the pods without a terminal: their input, their output, their exit code.

use super::{keep, on_sim, print};
use crate::support::Lab;

#[test]
fn programs_get_input_and_give_exit_codes() {
    programs(&on_sim());
}

#[test]
fn what_a_session_sets_is_there_after_down_and_up_until_the_data_is_deleted() {
    let lab = on_sim();
    data(&lab);
    lab.run(&["down", "--delete-data", "--yes"]).exits(0);
    lab.up(&[]).exits(0);
    let gone = lab.feed(&["session"], print(&lab)).exits(0);
    assert!(!gone.out.contains("4711") && gone.out.contains("<UNDEFINED> *^kept"), "{}", gone.transcript());
}

#[test]
fn a_session_on_the_simulator_says_that_it_is_emulated() {
    let lab = on_sim();
    let session = lab.feed(&["session", "data-1"], "write $zversion,!\ndo ^x\n").exits(0);
    session.says("emulated by iris-lab: no IRIS runs here").says("Node: data-1").says("do is not emulated");
    lab.run(&["session", "--", "iris", "qlist"]).exits(0).says("^running,");
}

#[test]
fn what_does_not_run_is_told_with_the_next_command() {
    let lab = on_sim();
    lab.run(&["down"]).exits(0);
    nothing_runs(&lab);
}

#[test]
fn a_pod_that_does_not_start_says_why() {
    let faults = "pull:\n- image: '*'\n  message: manifest unknown\n";
    let lab = Lab::on_sim();
    let faults = lab.file("faults.yaml", faults).display().to_string();
    lab.up(&["--sim-faults", &faults]).exits(1);
    let session = lab.run(&["session", "data-0"]).exits(4).says("the pod data-0 does not run");
    session.says("manifest unknown").says("iris-lab status");
}

pub fn programs(lab: &Lab) {
    let input = "a\n\nlast without an end";
    let cat = lab.feed(&["shell", "data-0", "--", "cat"], input).exits(0);
    assert_eq!(cat.out, input, "{}", cat.transcript());
    let long = "0123456789abcdef".repeat(20_000);
    assert!(lab.feed(&["shell", "--", "cat"], &long).exits(0).out == long, "a long input comes back whole");

    lab.run(&["shell", "data-1", "--", "sh", "-c", "exit 7"]).exits(7);
    lab.feed(&["shell", "data-1"], "hostname\nexit 3\n").exits(3).says("data-1");
    // Before Kubernetes 1.30 it is the container's shell that looks for the program, and says it in its own way.
    let missing = lab.run(&["shell", "--", "nosuch-program"]);
    assert!(matches!(missing.code, Some(1 | 127)), "{}", missing.transcript());
    missing.says("nosuch-program").says("not found");
    // A program that does not wait for the end of its input.
    lab.feed(&["shell", "--", "sh", "-c", "exit 5"], &long).exits(5);
    lab.run(&["session", "data-9"]).exits(2).says("has no pod data-9").says("its pods are data-0, data-1");
}

pub fn data(lab: &Lab) {
    lab.feed(&["session", "data-0"], &keep(lab, "4711")).exits(0);
    lab.feed(&["session", "data-0"], print(lab)).exits(0).says("4711");
    let other = lab.feed(&["session", "data-1"], print(lab)).exits(0);
    assert!(!other.out.contains("4711"), "the pods share data\n{}", other.transcript());
    lab.run(&["down"]).exits(0);
    lab.up(&[]).exits(0);
    lab.feed(&["session", "data-0"], print(lab)).exits(0).says("4711");
}

pub fn nothing_runs(lab: &Lab) {
    for command in ["session", "shell", "logs", "portal"] {
        lab.run(&[command]).exits(3).says("has no pods").says("iris-lab up").says("iris-lab status");
    }
    let failure = lab.run(&["logs", "-o", "json"]).exits(3).json();
    assert_eq!(failure["error"]["kind"], "RequirementMissing", "{failure:#}");
}
