//! A lab in a home of its own: runs the program on it, and removes whatever is left when the test ends or fails.

use super::scratch::listing;
use super::{End, PROGRAM, Place, Reader, Run, Scratch, redacted};
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A lab and the place where it is tried.
pub struct Lab {
    pub scratch: Scratch,
    pub place: Place,
    pub name: String,
    pub namespace: String,
    /// What every `up`, `plan` and `render` gets besides.
    pub flags: Vec<&'static str>,
    /// The PATH of the program; a folder with nothing in it, where none is given.
    pub path: Option<String>,
}

/// A step of the plan.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    pub id: String,
    pub satisfied: bool,
}

impl Lab {
    /// The default lab on the simulator.
    pub fn on_sim() -> Lab {
        Lab::new(Place::sim(), "two-pod")
    }

    /// A lab somewhere. On the simulator it keeps the default's name and namespace; elsewhere it has its own of both, on a real
    /// cluster one that no earlier or other run of the tests has.
    pub fn new(place: Place, name: &str) -> Lab {
        let (name, namespace) = match &place {
            Place::Sim => ("two-pod".to_string(), "iris-lab".to_string()),
            Place::Existing(existing) => {
                let name = if existing.real { format!("{name}-{}", std::process::id()) } else { name.to_string() };
                (name.clone(), format!("iris-{name}"))
            }
        };
        let lab = Lab { scratch: Scratch::new(), place, name, namespace, flags: Vec::new(), path: None };
        lab.network(5);
        lab
    }

    /// Puts this host into a network that nobody else is in: of loopback, so that whoever is asked there is asked on this host. Its
    /// own address there ends with that number.
    pub fn network(&self, last: u8) {
        let address = format!(r#"[{{"ifname":"eth0","addr_info":[{{"local":"127.9.0.{last}","prefixlen":24}}]}}]"#);
        let route = r#"[{"dst":"default","gateway":"127.9.0.1","dev":"eth0"}]"#;
        self.stand_in("ip", &format!("case $3 in addr) echo '{address}';; route) echo '{route}';; esac"));
    }

    /// Puts a program on PATH that does what a shell script says.
    pub fn stand_in(&self, name: &str, script: &str) {
        let path = self.scratch.dir("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The same lab, brought up with these flags.
    pub fn with(mut self, flags: &[&'static str]) -> Lab {
        self.flags.extend(flags);
        self
    }

    /// The program with this lab's home, and nothing else of this user's.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env_clear().args(args).current_dir(self.scratch.dir("work"));
        // Nothing of this machine's tools: what `auto` chooses must not depend on them.
        let path = self.path.clone().unwrap_or_else(|| self.scratch.dir("bin").display().to_string());
        command.env("HOME", self.scratch.dir("home")).env("PATH", path);
        command.env("IRIS_LAB_CACHE_DIR", self.scratch.path().join("cache"));
        command.env("IRIS_LAB_STATE_DIR", self.state()).env("IRIS_LAB_SIM_SPEED", "instant");
        if let Place::Existing(existing) = &self.place {
            command.env("KUBECONFIG", &existing.kubeconfig);
        }
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        loop {
            let run = self.run_command(self.command(args));
            // Others may use the same real cluster: their run on it has to end first.
            let busy = run.code == Some(3) && run.err.contains("another run is at work on this cluster");
            if !(busy && self.place.is_real()) {
                return run;
            }
            self.reader().wait_until_gone("/apis/coordination.k8s.io/v1/namespaces/default/leases", "iris-lab");
        }
    }

    /// Runs a command that was made from [`Lab::command`] to its end.
    pub fn run_command(&self, command: Command) -> Run {
        Run::of(command, self.deadline())
    }

    /// Runs it to its end, with this as its input.
    pub fn feed(&self, args: &[&str], input: &str) -> Run {
        let input = File::open(self.file("input", input)).unwrap();
        Run::fed(self.command(args), input, self.deadline())
    }

    /// Runs it with events as JSON and kills it (SIGKILL) after the event to which `stop` says yes.
    pub fn killed(&self, args: &[&str], stop: impl FnMut(&Value) -> bool) -> Run {
        self.ended(args, End::Kill, stop)
    }

    /// Runs it with events as JSON and ends it after the event to which `stop` says yes.
    pub fn ended(&self, args: &[&str], how: End, mut stop: impl FnMut(&Value) -> bool) -> Run {
        let mut all = args.to_vec();
        all.extend(["-o", "json"]);
        let stops = |line: &str| serde_json::from_str(line).is_ok_and(|event| stop(&event));
        Run::until(self.command(&all), self.deadline(), how, stops)
    }

    /// `up` with what names this place and lab.
    pub fn up(&self, extra: &[&str]) -> Run {
        self.run(&self.for_lab("up", extra))
    }

    /// The arguments of `up`, `plan` or `render` for this place and lab.
    pub fn for_lab<'a>(&'a self, verb: &'a str, extra: &[&'a str]) -> Vec<&'a str> {
        let mut args = vec![verb];
        if let Place::Existing(existing) = &self.place {
            args.extend(["--provider", "existing", "--context", &existing.context]);
            args.extend(["--name", &self.name, "--namespace", &self.namespace]);
        }
        args.extend(&self.flags);
        args.extend(extra);
        args
    }

    /// `reset --yes`.
    pub fn reset(&self) -> Run {
        self.run(&["reset", "--yes"])
    }

    /// The steps of `up`, as planned now.
    pub fn steps(&self) -> Vec<PlannedStep> {
        let plan = self.run(&self.for_lab("plan", &["-o", "json"])).exits(0).json();
        let step = |step: &Value| PlannedStep {
            id: step["id"].as_str().unwrap_or_default().to_string(),
            satisfied: step["satisfied"].is_string(),
        };
        plan["steps"].as_array().unwrap().iter().map(step).collect()
    }

    /// Reads the cluster: our own kubeconfig's on the simulator, the user's elsewhere.
    pub fn reader(&self) -> Reader {
        match &self.place {
            Place::Sim => Reader::new(&self.kubeconfig(), None),
            Place::Existing(existing) => Reader::new(&existing.kubeconfig, Some(&existing.context)),
        }
    }

    /// The folder of all labs.
    pub fn state(&self) -> PathBuf {
        self.scratch.path().join("state")
    }

    /// The lab's own kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.state().join(&self.name).join("kubeconfig")
    }

    /// The password's hash of this lab, which no two labs share; empty before `up`.
    pub fn hash(&self) -> String {
        let file = self.state().join(&self.name).join("password.hash");
        std::fs::read_to_string(file).unwrap_or_default().trim().to_string()
    }

    /// A file in the folder in which the program runs.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.scratch.dir("work").join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Output of a run, with what differs from run to run replaced.
    pub fn redacted(&self, text: &str) -> String {
        redacted(text, self.scratch.path())
    }

    /// The longest time that one run may take.
    fn deadline(&self) -> Duration {
        Duration::from_secs(if self.path.is_some() {
            600
        } else if self.place.is_real() {
            300
        } else {
            90
        })
    }

    /// Files of the program on this host, and its processes for this lab.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        if self.state().exists() {
            left.push("state".to_string());
        }
        for folder in ["state", "home"] {
            left.extend(listing(&self.scratch.path().join(folder)).iter().map(|name| format!("{folder}/{name}")));
        }
        left.extend(self.processes().into_iter().map(|(pid, line)| format!("process {pid}: {line}")));
        left
    }

    /// Fails the test if a file or a process is left on this host.
    #[track_caller]
    pub fn is_gone(&self) {
        let left = self.left();
        assert!(left.is_empty(), "left on this host:\n{}", left.join("\n"));
    }

    /// Processes whose command line names this lab's folder.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let state = self.state().display().to_string();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(&state) {
                found.push((pid, line));
            }
        }
        found
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.state().exists() {
            // The test has its verdict: what reset cannot do is done below.
            let _ = self.reset();
        }
        for (pid, _) in self.processes() {
            let _ = Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status();
        }
    }
}
