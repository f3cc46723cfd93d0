//! From a machine without microk8s to a lab and back, by stand-ins of `snap` and `microk8s` that behave, and misbehave, as the real
//! ones do, over a real cluster. Only where that cluster's program is named: it is started by `snap install`.

use crate::support::{
    End, FIT_FOR_LONGHORN, Lab, Reader, Run, answers_alternate, docker_with_base, forget_images, lab_with_application,
    on_base, skipped,
};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The program that starts and stops the cluster; beside it is the folder `bin` with the stand-ins.
const RIG: &str = "IRIS_LAB_E2E_RIG";
const RANGE: &str = "10.64.140.40-10.64.140.49";
const UP: &[&str] = &["up", "--provider", "microk8s", "--yes", "--lb-range", RANGE];
const WITH_LONGHORN: &[&str] = &["up", "--provider", "microk8s", "--yes", "--lb-range", RANGE, "--longhorn"];
/// What `ip` says where that range is a part of the network.
const ADDRESSES: &str = r#"[{"ifname":"eth0","addr_info":[{"local":"10.64.140.5","prefixlen":24}]}]"#;
const ROUTES: &str = r#"[{"dst":"default","gateway":"10.64.140.1","dev":"eth0"}]"#;
const DEADLINE: Duration = Duration::from_secs(300);

/// A machine with snapd and nothing else, one at a time.
struct Machine {
    lab: Lab,
    rig: PathBuf,
    _turn: File,
}

impl Machine {
    /// None, and a line that says so, where no cluster's program is named.
    fn bare() -> Option<Machine> {
        let Some(rig) = std::env::var_os(RIG).map(PathBuf::from) else {
            skipped(
                "no stand-ins of snap and microk8s (set IRIS_LAB_E2E_RIG to the program that starts their cluster)",
            );
            return None;
        };
        let turn = File::create(std::env::temp_dir().join("iris-lab-e2e.lock")).unwrap();
        turn.lock().unwrap();
        let rig = std::path::absolute(rig).unwrap();
        let machine = Machine { lab: Lab::on_sim(), rig, _turn: turn };
        FIT_FOR_LONGHORN.iter().for_each(|(name, script)| machine.lab.stand_in(name, script));
        // The range is one of this machine's network. What starts the cluster asks for other things, of the real program.
        let ip = machine.real("ip");
        machine.lab.stand_in("ip", &format!("case \"$*\" in '-4 -j addr'*) echo '{ADDRESSES}';; '-4 -j route'*) echo '{ROUTES}';; *) exec {ip} \"$@\";; esac"));
        machine.rig("down");
        Some(machine)
    }

    /// Where a program of this machine really is.
    fn real(&self, name: &str) -> String {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
        found.unwrap_or_else(|| panic!("no {name} on PATH")).display().to_string()
    }

    fn rig(&self, verb: &str) {
        let status = Command::new(&self.rig).arg(verb).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "the cluster does not go {verb}");
    }

    /// The program, or a stand-in, on this machine.
    fn command(&self, args: &[&str], faults: &[(&str, &str)]) -> Command {
        let mut command = self.lab.command(args);
        let system = std::env::var("PATH").unwrap_or_default();
        let tools = self.rig.parent().unwrap_or(Path::new("/")).join("bin");
        let own = self.lab.scratch.dir("bin");
        command
            .env("PATH", format!("{}:{}:{system}", own.display(), tools.display()))
            .env("MICROK8S_STATE", self.snap());
        command.env("IRIS_LAB_CACHE_DIR", self.lab.scratch.path().join("cache")).envs(faults.iter().copied());
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        self.faulty(args, &[])
    }

    fn faulty(&self, args: &[&str], faults: &[(&str, &str)]) -> Run {
        Run::of(self.command(args, faults), DEADLINE)
    }

    /// Runs it and kills it when a step begins, or has ended.
    fn killed(&self, args: &[&str], event: &str, step: &str) {
        let args = [args, &["-o", "json"]].concat();
        let mut seen = false;
        let run = Run::until(self.command(&args, &[]), DEADLINE, End::Kill, |line| {
            let said: Value = serde_json::from_str(line).unwrap_or_default();
            seen |= said["event"] == event && said["step"] == step;
            seen
        });
        assert!(seen, "no {event} of {step}\n{}", run.transcript());
    }

    /// Runs a stand-in as the user would.
    fn tool(&self, program: &str, args: &[&str]) -> Run {
        let ours = self.command(&[], &[]);
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(ours.get_envs().filter_map(|(key, value)| Some((key, value?))));
        Run::of(command, DEADLINE)
    }

    /// What the stand-in of the snap keeps while it is installed.
    fn snap(&self) -> PathBuf {
        self.lab.scratch.path().join("microk8s")
    }

    fn enabled(&self) -> Vec<String> {
        let status = self.tool("microk8s", &["status", "--format", "short"]).out;
        let lines = status.lines().filter_map(|line| line.strip_suffix(": enabled"));
        lines.map(|name| name.trim_start_matches("core/").to_string()).collect()
    }

    #[track_caller]
    fn has_no_snap(&self) {
        assert!(!self.snap().exists(), "the snap is still there");
    }

    /// Nothing on this host: no snap, no file, nothing in a journal.
    #[track_caller]
    fn is_bare(&self) {
        self.has_no_snap();
        self.has_no_lab();
    }

    /// No file of a lab. The kubectl of the stand-in keeps a cache of its own.
    #[track_caller]
    fn has_no_lab(&self) {
        let mut left = self.lab.left();
        left.retain(|name| !name.starts_with("home/.kube"));
        assert!(left.is_empty(), "left on this host:\n{}", left.join("\n"));
    }

    fn reader(&self) -> Reader {
        Reader::new(&self.lab.kubeconfig(), None)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The test has its verdict.
        let _ = self.command(&["reset", "--purge", "--yes"], &[]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = Command::new(&self.rig).arg("down").stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = std::fs::remove_dir_all(self.lab.state());
    }
}

/// The last number of an address in the range.
fn in_range(address: &str) -> bool {
    let last = address.strip_prefix("10.64.140.").and_then(|last| last.parse::<u32>().ok());
    last.is_some_and(|last| (40..=49).contains(&last))
}

#[test]
fn microk8s_from_no_snap_to_iris_with_longhorn_and_back() {
    let Some(machine) = Machine::bare() else { return };
    let up = machine.run(&[WITH_LONGHORN, &["-o", "json"]].concat()).exits(0);
    let ended = |step: &str| {
        let mut events = up.events().into_iter();
        events.find(|event| event["event"] == "step-finished" && event["step"] == step).unwrap_or_default().to_string()
    };
    for step in ["microk8s", "kubeconfig", "dns", "storage", "registry", "metallb", "longhorn-canary-1", "data-1-ready"]
    {
        assert!(ended(step).contains("changed"), "{step}: {}", ended(step));
    }
    let set = machine.reader().get("/apis/apps/v1/namespaces/iris-lab/statefulsets/data").unwrap();
    assert_eq!(set["status"]["readyReplicas"], 2, "{:#}", set["status"]);
    let status = machine.run(&["status", "-o", "json"]).exits(0).json();
    let address = status["services"][0]["addresses"][0].as_str().unwrap_or_default().to_string();
    assert!(in_range(&address), "{status:#}");

    let again = machine.run(&[WITH_LONGHORN, &["-o", "json"]].concat()).exits(0).json();
    assert_eq!(again["changed"], 0, "{again:#}");

    let claims = || machine.reader().get("/api/v1/namespaces/iris-lab/persistentvolumeclaims").unwrap();
    let volumes = |claims: Value| -> Vec<Value> {
        claims["items"].as_array().into_iter().flatten().map(|claim| claim["spec"]["volumeName"].clone()).collect()
    };
    let before = volumes(claims());
    machine.run(&["stop"]).exits(0).says("Lab two-pod is stopped");
    machine.run(&["stop"]).exits(0).says("already");
    machine.run(&["status"]).exits(4).says("Lab two-pod is stopped").says("`iris-lab start`");
    machine.run(&["reset", "--yes"]).exits(3).says("`iris-lab start`").says("--purge");
    machine.run(&["start"]).exits(0).says("Lab two-pod runs");
    let status = machine.run(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(status["services"][0]["addresses"][0], address.as_str(), "the portal is where it was");
    assert_eq!(volumes(claims()), before, "the volumes are the same");

    machine.run(&["reset", "--purge", "--yes"]).exits(0).says("Nothing is left of lab two-pod");
    machine.is_bare();
}

#[test]
fn microk8s_with_every_fault_ends_with_a_cause_and_goes_on() {
    let Some(machine) = Machine::bare() else { return };
    let fault = |name: &'static str| [("MICROK8S_FAULT", name)];
    let offline = machine.faulty(UP, &[("SNAP_FAULT", "offline")]).exits(1);
    offline.says("name resolution").says("look at its network").says("goes on from here");
    machine.has_no_snap();
    machine.run(&["reset", "--yes"]).exits(0);
    machine.is_bare();

    let never = machine.faulty(&[UP, &["--timeout", "40s"]].concat(), &fault("never-ready")).exits(4);
    never.says("gave up after").says("microk8s is not running. Use microk8s inspect");
    machine.faulty(UP, &fault("no-group")).exits(3).says("Insufficient permissions").says("usermod -a -G microk8s");
    machine.faulty(&["status"], &fault("no-group")).exits(3).says("usermod -a -G microk8s");
    // Its first `enable` is refused, and passes when it is tried again.
    machine.faulty(UP, &fault("enable-busy")).exits(0).says("Enable the add-on dns");
    assert!(machine.snap().join("was-busy").exists(), "the fault was met");

    let other = ["up", "--provider", "microk8s", "--yes", "--lb-range", "10.64.140.60-10.64.140.69"];
    machine.run(&other).exits(3).says(RANGE).says("nothing was changed");

    machine.tool("microk8s", &["stop"]).exits(0);
    machine.run(&["status"]).exits(4).says("is stopped");
    machine.run(UP).exits(0);
    machine.run(&["status"]).exits(0);

    let reset = machine.run(&["reset", "--yes"]).exits(0);
    reset.says("snap microk8s, for the next lab; `iris-lab reset --purge` removes it");
    machine.tool("microk8s", &["status"]).says("microk8s is not running");
    machine.run(&["reset"]).exits(0).says("There is no lab").says("Kept: snap microk8s");
    machine.run(UP).exits(0);
    machine.run(&["reset", "--yes"]).exits(0);
    machine.run(&["reset", "--purge"]).exits(2).says("the snap microk8s, with whatever else is in it");
    machine.run(&["reset", "--purge", "--yes"]).exits(0).says("What was kept for the next lab is removed");
    machine.is_bare();
}

/// Built by the real Docker, pushed to the registry that is an add-on there, and pulled from it by the nodes.
#[test]
fn microk8s_runs_an_image_of_ones_own() {
    let Some(machine) = Machine::bare() else { return };
    let Some(_docker) = docker_with_base() else { return };
    lab_with_application(&machine.lab, "e2e-microk8s");
    let base = on_base();
    let up = [UP, &["own.yaml", "--build-arg", &base]].concat();
    machine.run(&up).exits(0).says("Push the image to localhost:32000");
    answers_alternate(&machine.run(&["status", "-o", "json"]).exits(0).json());
    let again = machine.run(&[&up[..], &["-o", "json"]].concat()).exits(0);
    assert_eq!(again.json()["changed"], 0, "{}", again.transcript());
    machine.run(&["reset", "--purge", "--yes"]).exits(0);
    forget_images("e2e-microk8s");
    machine.is_bare();
}

#[test]
fn microk8s_of_somebody_else_is_used_and_left_as_it_was() {
    let Some(machine) = Machine::bare() else { return };
    machine.tool("snap", &["install", "microk8s", "--classic", "--channel=1.24/stable"]).exits(0);
    machine.tool("microk8s", &["enable", "dns"]).exits(0);
    let before = machine.enabled();
    machine.run(UP).exits(0).says("is installed");
    machine.run(&["reset", "--purge", "--yes"]).exits(0);
    assert_eq!(machine.enabled(), before);
    machine.has_no_lab();
    machine.tool("snap", &["remove", "microk8s"]).exits(0);
}

#[test]
fn microk8s_half_made_is_gone_on_with_and_removed() {
    let Some(machine) = Machine::bare() else { return };
    machine.killed(UP, "step-finished", "microk8s");
    machine.run(UP).exits(0);
    machine.run(&["reset", "--purge", "--yes"]).exits(0);
    machine.is_bare();
    machine.killed(UP, "step-started", "registry");
    machine.run(&["reset", "--purge", "--yes"]).exits(0);
    machine.is_bare();
}
