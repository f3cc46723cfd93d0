//! What the program prints, word by word: help, plans, manifests, the list of labs, a run and its status.

use crate::support::{End, Lab, PROGRAM, Run, golden, kubectl, kubectl_command};
use std::time::Duration;

/// Every command that a user sees.
const COMMANDS: &[&str] = &[
    "",
    "up",
    "plan",
    "doctor",
    "status",
    "explain",
    "support",
    "users",
    "password",
    "resize",
    "timeline",
    "down",
    "reset",
    "unstick",
    "labs",
    "labs show",
    "labs check",
    "labs schema",
    "image",
    "image build",
    "image push",
    "image list",
    "render",
    "render longhorn",
    "kubeconfig",
    "completions",
    "stop",
    "start",
];

#[test]
fn help_of_every_command() {
    let lab = Lab::on_sim();
    for command in COMMANDS {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("--help");
        let run = lab.run(&args).exits(0);
        assert_eq!(run.err, "", "{}", run.transcript());
        assert!(run.out.contains("Examples:"), "the help of `{command}` has no example");
        let name = if command.is_empty() { "iris-lab".into() } else { command.replace(' ', "-") };
        golden(&format!("help/{name}"), &lab.redacted(&run.transcript()));
    }
    lab.is_gone();
}

#[test]
fn labs() {
    let lab = Lab::on_sim();
    for (name, args) in [
        ("labs", vec!["labs"]),
        ("labs-json", vec!["labs", "-o", "json"]),
        ("labs-yaml", vec!["labs", "-o", "yaml"]),
        ("labs-schema", vec!["labs", "schema"]),
    ] {
        golden(name, &lab.redacted(&lab.run(&args).exits(0).transcript()));
    }
    let shown = lab.run(&["labs", "show", "two-pod"]).exits(0);
    lab.file("my.yaml", &shown.out);
    golden("labs-check", &lab.redacted(&lab.run(&["labs", "check", "my.yaml"]).exits(0).transcript()));
    lab.is_gone();
}

#[test]
fn plan_of_the_default_lab() {
    let lab = Lab::on_sim();
    golden("plan", &lab.redacted(&lab.run(&["plan"]).exits(0).transcript()));
    let json = lab.run(&["plan", "-o", "json"]).exits(0);
    assert_eq!(json.json()["steps"].as_array().map(Vec::is_empty), Some(false));
    golden("plan-json", &lab.redacted(&json.out));
    let dry = lab.run(&["up", "--dry-run"]).exits(0);
    assert_eq!(dry.out, lab.run(&["plan"]).exits(0).out, "plan is `up --dry-run`");
    lab.is_gone();
}

#[test]
fn render_of_the_default_lab() {
    let lab = Lab::on_sim();
    let run = lab.run(&["render"]).exits(0);
    golden("render", &lab.redacted(&run.transcript()));
    let again = lab.run(&["render"]).exits(0);
    assert_eq!(run.out, again.out, "the same lab renders the same");
    let objects = iris_lab::yaml::documents(&run.out).unwrap();
    assert!(objects.iter().all(|object| object["kind"].is_string()));
    let password = std::fs::read_to_string(lab.state().join("two-pod/password")).unwrap();
    assert!(!run.out.contains(password.trim()), "the manifest holds the password itself");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn kubectl_takes_what_render_prints() {
    let Some(program) = kubectl() else { return };
    let lab = Lab::on_sim();
    lab.up(&[]).exits(0);
    let file = lab.file("rendered.yaml", &lab.run(&["render"]).exits(0).out);
    let mut command = kubectl_command(&program, &lab.kubeconfig(), &lab.scratch);
    command.args(["apply", "--dry-run=client", "-o", "name", "-f"]).arg(file);
    let run = Run::of(command, Duration::from_secs(60)).exits(0);
    assert!(run.out.contains("statefulset.apps/data"), "{}", run.transcript());
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_run_and_its_status() {
    let lab = Lab::on_sim();
    let up = lab.up(&[]).exits(0);
    golden("up-summary", &lab.redacted(&up.out));
    golden("up-again", &lab.redacted(&lab.up(&[]).exits(0).transcript()));
    let status = lab.run(&["status"]).exits(0);
    assert!(status.out.lines().count() <= 40, "status is one screen:\n{}", status.out);
    golden("status", &lab.redacted(&status.transcript()));
    golden("down", &lab.redacted(&lab.run(&["down"]).exits(0).out));
    golden("reset", &lab.redacted(&lab.reset().exits(0).out));
    golden("reset-again", &lab.redacted(&lab.reset().exits(0).transcript()));
    lab.is_gone();
}

#[test]
fn the_next_commands_are_those_of_this_lab() {
    let lab = Lab::on_sim();
    let again = ["up", "--name", "demo", "--namespace", "shown", "--replicas", "1"];
    lab.run(&again).exits(0);
    let line = format!("iris-lab {}", again.join(" "));
    let down = lab.run(&["down"]).exits(0);
    assert!(down.out.contains(&format!("  {line}")), "{}", down.transcript());
    lab.run(&["status"]).exits(4).says(&format!("`{line}`")).says("the lab demo is down");
    let up = lab.run(&again).exits(0);
    assert!(up.out.contains("  iris-lab down   "), "it is the only one\n{}", up.transcript());
    let other = lab.up(&[]).exits(0);
    assert!(other.out.contains("  iris-lab down --name two-pod  "), "{}", other.transcript());
    let pid = std::fs::read_to_string(lab.state().join("two-pod/sim/pid")).unwrap();
    assert!(std::process::Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
    lab.run(&["down", "--name", "two-pod"]).exits(3).says("`iris-lab reset --name two-pod`");
    lab.run(&["reset", "--name", "demo", "--yes"]).exits(0);
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_watch_shows_each_change() {
    let lab = Lab::on_sim();
    lab.up(&[]).exits(0);
    let mut command = std::process::Command::new("sh");
    command.env("IRIS_LAB_STATE_DIR", lab.state());
    // The frames go to stderr here, where the test reads line by line.
    command.args(["-c", &format!("exec '{PROGRAM}' status --watch -o json >&2")]);
    let mut states = Vec::new();
    Run::until(command, Duration::from_secs(60), End::Kill, |line| {
        let state = serde_json::from_str::<serde_json::Value>(line).expect(line)["state"].clone();
        if states.is_empty() {
            lab.run(&["down"]).exits(0);
        }
        states.push(state);
        states.last().is_some_and(|state| state == "down")
    });
    assert_eq!(states.first().map(|state| state == "healthy"), Some(true), "{states:?}");
    assert_eq!(states.last().map(|state| state == "down"), Some(true), "{states:?}");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn progress_is_plain_lines_or_json_and_quiet_is_silent() {
    let lab = Lab::on_sim();
    let plain = lab.up(&[]).exits(0);
    assert!(!plain.err.contains('\u{1b}'), "no colour or cursor movement without a terminal:\n{}", plain.err);
    lab.reset().exits(0);
    let json = lab.up(&["-o", "json"]).exits(0);
    let events = json.events();
    assert_eq!(events.last().map(|event| event["event"].clone()), Some("plan-finished".into()));
    assert!(json.json().is_object());
    lab.reset().exits(0);
    let quiet = lab.up(&["--quiet"]).exits(0);
    assert_eq!(quiet.err, "", "{}", quiet.transcript());
    lab.reset().exits(0);
    lab.is_gone();
}
