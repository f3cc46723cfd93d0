//! One run at a time: on a lab's files on this host, and on a cluster; and what Ctrl-C leaves of a run.

use crate::support::{End, Lab, Place, Run};
use serde_json::Value;

/// A pod that never gets ready keeps the first run waiting for as long as the test needs it.
const STUCK: &str = "unready: [{ pod: data-0, message: 'Readiness probe failed: not yet' }]\n";

fn waits_for_a_pod(event: &Value) -> bool {
    event["event"] == "step-started" && event["step"] == "data-0-ready"
}

/// Runs `first` until it waits for its pod, then `second`, then kills `first`. Returns the second run.
fn while_running(first: &Lab, args: &[&str], second: impl Fn() -> Run) -> Run {
    let mut result = None;
    let run = first.killed(args, |event| {
        if waits_for_a_pod(event) {
            result = Some(second());
        }
        result.is_some()
    });
    result.unwrap_or_else(|| panic!("the first run never waited for its pod\n{}", run.transcript()))
}

#[test]
fn a_second_run_on_the_same_lab_is_told_who_is_at_work() {
    let lab = Lab::on_sim();
    let file = lab.file("faults.yaml", STUCK);
    let faults = ["up", "--sim-faults", file.to_str().unwrap()];
    for verb in [vec!["up"], vec!["down"], vec!["reset", "--yes"]] {
        let second = while_running(&lab, &faults, || lab.run(&verb));
        second.exits(3).says("another run is at work").says("up two-pod").says("process ");
    }
    // The first run was killed: its locks hold nobody up.
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_second_run_on_the_same_cluster_is_told_who_is_at_work() {
    let first = Lab::new(Place::served_with(Some(STUCK)), "first");
    let second = Lab::new(first.place.again(), "second");
    let class = ["--set", "spec.addOns=[]"];
    let args = first.for_lab("up", &class);
    let told = while_running(&first, &args, || second.up(&class));
    told.exits(3).says("another run is at work").says("up first");
    second.is_gone();
    // The dead holder's lock is taken over at once.
    let run = second.up(&["--set", "spec.addOns=[]", "--timeout", "3s"]).exits(4);
    assert!(!run.err.contains("another run"), "{}", run.transcript());
    second.reset().exits(0);
    second.is_gone();
    first.reset().exits(0);
    first.is_gone();
}

#[test]
fn ctrl_c_ends_a_run_and_the_next_one_goes_on() {
    let lab = Lab::on_sim();
    let file = lab.file("faults.yaml", STUCK);
    let args = ["up", "--sim-faults", file.to_str().unwrap()];
    let run = lab.ended(&args, End::Interrupt, waits_for_a_pod).exits(130);
    assert_eq!(run.json()["error"]["exitCode"], 130, "{}", run.transcript());
    let ends: Vec<Value> = run.events().into_iter().filter(|event| event["event"] == "plan-finished").collect();
    assert_eq!(ends.len(), 1, "{}", run.transcript());
    assert_eq!(ends[0]["ok"], false);
    lab.up(&["--timeout", "2s"]).exits(4).says("it runs already");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn the_simulator_keeps_nothing_open_that_its_caller_had() {
    let lab = Lab::on_sim();
    let inner = lab.command(&["up"]);
    let program = inner.get_program().display();
    let mut command = std::process::Command::new("sh");
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // The third stream is what this test reads to its end.
    command.args(["-c", &format!("exec 3>&1; '{program}' up --provider sim >/dev/null 2>&1")]);
    Run::of(command, std::time::Duration::from_secs(60)).exits(0);
    lab.reset().exits(0);
    lab.is_gone();
}
