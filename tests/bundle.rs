//! Bundles: saved from the Docker of this machine, loaded where Docker has nothing, broken off, damaged; and with stand-ins of docker
//! and microk8s.

use crate::support::{End, Lab, Place, Run, skipped};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(120);
/// Bytes in each image of these tests.
const SIZE: usize = 4 << 20;

/// A machine with the Docker of this one, and images in it that no other test has.
struct Machine {
    lab: Lab,
    images: [String; 2],
}

impl Machine {
    /// None, and a line that says so, where no Docker answers.
    fn new() -> Option<Machine> {
        if docker(&["version"]).is_none() {
            skipped("no Docker");
            return None;
        }
        let path = std::env::var("PATH").unwrap();
        let mut lab = Lab::new(Place::sim(), "two-pod");
        lab.path = Some(path);
        let own = lab.scratch.path().file_name().unwrap().to_string_lossy().into_owned();
        let machine = Machine { lab, images: [format!("{own}/node:v1.24.17"), format!("{own}/iris:1")] };
        machine.images.iter().for_each(|name| make(name));
        Some(machine)
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args), DEADLINE)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.lab.command(args);
        command.env("IRIS_LAB_CACHE_DIR", self.cache());
        command
    }

    fn cache(&self) -> PathBuf {
        self.lab.scratch.path().join("cache")
    }

    fn saves<'a>(&'a self, file: &'a str) -> Vec<&'a str> {
        let [node, iris] = &self.images;
        let lab = ["--provider", "kind", "--node-image", node, "--image", iris, "--set", "spec.addOns=[storage]"];
        [&["bundle", "save", file, "--images-only"], lab.as_slice()].concat()
    }

    fn remove_images(&self) {
        let args: Vec<&str> =
            ["image", "rm", "--force"].into_iter().chain(self.images.iter().map(String::as_str)).collect();
        docker(&args);
    }

    /// The ids of its images in Docker; none for one that is not there.
    fn ids(&self) -> Vec<Option<String>> {
        self.images.iter().map(|name| docker(&["image", "inspect", "--format", "{{.Id}}", name])).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.remove_images();
    }
}

/// What docker says; none where it fails.
fn docker(args: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// An image with one file of random bytes.
fn make(name: &str) {
    let mut bytes = vec![0; SIZE];
    getrandom::fill(&mut bytes).unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(SIZE as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "data", bytes.as_slice()).unwrap();
    let mut import =
        Command::new("docker").args(["import", "-", name]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    import.stdin.take().unwrap().write_all(&tar.into_inner().unwrap()).unwrap();
    assert!(import.wait().unwrap().success());
}

fn names(document: &Value) -> Vec<&str> {
    document["entries"].as_array().unwrap().iter().filter_map(|entry| entry["name"].as_str()).collect()
}

/// How each step ended, by its id.
fn ends(run: &Run) -> Vec<(String, String)> {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_string();
    let ended = run.events().into_iter().filter(|event| event["event"] == "step-finished");
    ended.map(|event| (text(&event, "step"), text(&event, "result"))).collect()
}

#[test]
fn what_is_saved_is_there_again_after_it_is_loaded() {
    let Some(machine) = Machine::new() else { return };
    let ids = machine.ids();
    machine.run(&machine.saves("lab.bundle")).exits(0).says("lab.bundle is written").says("--provider kind");
    machine.run(&machine.saves("lab.bundle")).exits(2).says("lab.bundle is there already");
    let list = machine.run(&["bundle", "list", "lab.bundle", "-o", "json"]).exits(0).json();
    assert_eq!(names(&list), machine.images);
    assert!(list["entries"][0]["size"].as_u64().unwrap() as usize > SIZE, "{list}");
    machine.remove_images();
    machine.run(&["bundle", "load", "lab.bundle"]).exits(0).says("Loaded into  Docker");
    assert_eq!(machine.ids(), ids);
    let again = machine.run(&["bundle", "load", "lab.bundle", "-o", "json"]).exits(0);
    assert!(ends(&again).iter().all(|(_, result)| result == "unchanged"), "{}", again.transcript());
    // What was removed from Docker alone comes from the cache.
    docker(&["image", "rm", &machine.images[1]]);
    let some = machine.run(&["bundle", "load", "lab.bundle", "-o", "json"]).exits(0);
    assert_eq!(ends(&some), [("load-1".into(), "unchanged".into()), ("load-2".into(), "changed".into())]);
    assert_eq!(machine.ids(), ids);
}

#[test]
fn a_load_that_was_killed_goes_on() {
    let Some(machine) = Machine::new() else { return };
    let ids = machine.ids();
    machine.run(&machine.saves("lab.bundle")).exits(0);
    let load = ["bundle", "load", "lab.bundle", "-o", "json"];
    for event in ["step-started", "step-progress"] {
        machine.remove_images();
        let _ = std::fs::remove_dir_all(machine.cache());
        let mut killed = false;
        let run = Run::until(machine.command(&load), DEADLINE, End::Kill, |line| {
            let said: Value = serde_json::from_str(line).unwrap_or_default();
            killed |= said["event"] == event && said["step"] == "load-2";
            killed
        });
        assert!(killed && run.code.is_none(), "{}", run.transcript());
        let run = machine.run(&load).exits(0);
        assert_eq!(ends(&run), [("load-1".into(), "unchanged".into()), ("load-2".into(), "changed".into())], "{event}");
        assert_eq!(machine.ids(), ids);
        let drafts = std::fs::read_dir(machine.cache().join("bundle")).unwrap().flatten();
        let drafts = drafts.filter(|entry| entry.path().extension().is_some_and(|end| end == "part"));
        assert_eq!(drafts.count(), 0);
    }
}

#[test]
fn what_is_broken_is_named_and_does_not_count_as_loaded() {
    let Some(machine) = Machine::new() else { return };
    machine.run(&machine.saves("lab.bundle")).exits(0);
    machine.remove_images();
    let file = machine.lab.scratch.path().join("work/lab.bundle");
    let whole = std::fs::read(&file).unwrap();
    let write = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        std::fs::write(&file, bytes).unwrap();
    };
    let load = ["bundle", "load", "lab.bundle"];
    let [node, iris] = &machine.images;
    // In the middle of the second image.
    write(&|bytes| bytes[whole.len() - SIZE / 2] ^= 1);
    machine.run(&load).exits(1).says(&format!("the image {iris} in lab.bundle is damaged")).says("its sha256 is");
    assert_eq!(machine.ids().iter().filter(|id| id.is_some()).count(), 1, "the whole one is there, the other is not");
    write(&|bytes| bytes.truncate(whole.len() / 2));
    machine.run(&load).exits(3).says("lab.bundle is not whole").says("copy it again");
    machine.run(&["bundle", "list", "lab.bundle", "-o", "json"]).exits(3).json();
    std::fs::write(&file, "hello").unwrap();
    machine.run(&load).exits(2).says("lab.bundle is no bundle");
    write(&|_| {});
    let run = machine.run(&load).exits(0);
    assert!(run.err.contains(&format!("Load {node}: it is there")), "{}", run.transcript());
    // A damaged file in the cache is found, too.
    let cache = machine.cache().join("bundle");
    let archive = std::fs::read_dir(&cache).unwrap().flatten().map(|entry| entry.path());
    let archive = archive.into_iter().find(|path| path.extension().is_some_and(|end| end == "tar")).unwrap();
    let good = std::fs::read(&archive).unwrap();
    std::fs::write(&archive, &good[..good.len() - 1]).unwrap();
    machine.run(&load).exits(0);
    assert_eq!(std::fs::read(&archive).unwrap(), good);
}

/// A stand-in of docker that has these images for a platform, and an archive of each that is its name.
fn has_docker(lab: &Lab, platform: &str) {
    lab.stand_in(
        "docker",
        &format!(
            "case \"$1 $2\" in\n\
             'info '*) echo '{{\"ServerVersion\":\"25.0\"}}';;\n\
             'ps '*|'images '*|'network ls') ;;\n\
             'network inspect') echo '[]';;\n\
             'image inspect') echo sha256:00 {platform} 1000;;\n\
             'save '*) echo archive of $2;;\n\
             'load '*) echo Loaded;;\n\
             *) echo \"no $*\" >&2; exit 1;;\nesac"
        ),
    );
}

const SAVE: &[&str] =
    &["bundle", "save", "lab.bundle", "--provider", "kind", "--images-only", "--node-image", "node:v1.24.17"];

#[test]
fn what_cannot_be_saved_says_why() {
    let lab = Lab::on_sim();
    lab.run(&["bundle", "save", "lab.bundle"]).exits(2).says("the simulator needs no bundle").says("--provider kind");
    lab.run(SAVE).exits(3).says("nobody here who keeps images").says("its client is not installed");
    has_docker(&lab, "linux/s390x");
    lab.run(SAVE).exits(3).says("the image node:v1.24.17 is not for").says("Docker has it for linux/s390x");
    has_docker(&lab, if cfg!(target_arch = "x86_64") { "linux/amd64" } else { "linux/arm64" });
    let latest = [SAVE, &["--image", "my/iris"]].concat();
    lab.run(&latest).exits(2).says("the image my/iris cannot be bundled").says("--image");
    lab.stand_in(
        "df",
        "printf 'Filesystem Type 1024-blocks Used Available Capacity Mounted on\\n/dev/vda ext4 9 9 1 99%% /\\n'",
    );
    lab.run(SAVE).exits(3).says("there is no room for lab.bundle").says("another disk");
    let left: Vec<_> = std::fs::read_dir(lab.scratch.dir("work")).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    let failed = lab.run(&[SAVE, &["-o", "json"]].concat()).exits(3).json();
    assert_eq!(failed["error"]["kind"], "RequirementMissing", "{failed}");
}

/// A mirror has the images of all registries under their paths; the lab's own names for them are what is saved.
#[test]
fn what_is_missing_comes_from_the_mirror_and_gets_its_own_name() {
    let lab = Lab::on_sim();
    let platform = if cfg!(target_arch = "x86_64") { "linux/amd64" } else { "linux/arm64" };
    let log = lab.scratch.path().join("log");
    lab.stand_in(
        "docker",
        &format!(
            "has() {{ while read -r name; do [ \"$name\" = \"$1\" ] && return 0; done < {log}.has; return 1; }}\n\
             case \"$1 $2\" in\n\
             'info '*) echo '{{\"ServerVersion\":\"25.0\"}}';;\n\
             'ps '*|'images '*|'network ls') ;;\n\
             'network inspect') echo '[]';;\n\
             'image inspect') has \"$5\" && echo id {platform} 1 || {{ echo \"Error: No such image: $5\" >&2; exit 1; }};;\n\
             'pull '*) echo \"$*\" >> {log}; echo \"$4\" >> {log}.has;;\n\
             'tag '*) echo \"$*\" >> {log}; echo \"$3\" >> {log}.has;;\n\
             'save '*) echo archive;;\nesac",
            log = log.display(),
        ),
    );
    std::fs::write(lab.scratch.path().join("log.has"), "").unwrap();
    lab.run(&[SAVE, &["--mirror", "m.local:5000", "--set", "spec.addOns=[registry]"]].concat()).exits(0);
    let lines = [
        format!("pull --platform {platform} m.local:5000/library/node:v1.24.17"),
        "tag id node:v1.24.17".into(),
        format!("pull --platform {platform} m.local:5000/library/registry:2"),
        "tag id registry:2".into(),
        format!("pull --platform {platform} m.local:5000/intersystems/iris-community:2026.1"),
        "tag id containers.intersystems.com/intersystems/iris-community:2026.1".into(),
    ];
    assert_eq!(std::fs::read_to_string(&log).unwrap().lines().collect::<Vec<_>>(), lines);
}

#[test]
fn what_does_not_suit_this_machine_is_not_loaded() {
    let lab = Lab::on_sim();
    let (here, other) = if cfg!(target_arch = "x86_64") { ("amd64", "arm64") } else { ("arm64", "amd64") };
    has_docker(&lab, &format!("linux/{other}"));
    lab.run(&[SAVE, &["--arch", other]].concat()).exits(0);
    lab.run(&["bundle", "load", "lab.bundle"])
        .exits(3)
        .says(&format!("the bundle is for {other}, and this machine is {here}"));
    lab.run(&["bundle", "list", "lab.bundle"]).exits(0).says(other).says("quay.io/metallb/speaker:v0.13.12");
}

#[test]
fn a_microk8s_that_runs_gets_the_images() {
    let lab = Lab::on_sim();
    let here = if cfg!(target_arch = "x86_64") { "linux/amd64" } else { "linux/arm64" };
    has_docker(&lab, here);
    lab.run(SAVE).exits(0);
    std::fs::remove_file(lab.scratch.dir("bin").join("docker")).unwrap();
    let (log, cat) = (lab.scratch.path().join("log").display().to_string(), "/bin/cat");
    lab.stand_in("snap", "echo 'microk8s  v1.24.17  5872  1.24/stable  canonical  classic'");
    lab.stand_in("id", "case \"$*\" in -u) echo 0;; *) echo root;; esac");
    lab.stand_in(
        "microk8s",
        &format!(
            "echo \"$*\" >> {log}\n\
             case \"$*\" in\n\
             status*) echo 'microk8s is running';;\n\
             'ctr images ls'*) echo REF; while read -r word; do echo \"$word t d 1 MiB {here} -\"; done < {log}.loaded;;\n\
             'ctr images import'*) {cat} \"$4\" | while read -r _ _ name; do case $name in */*/*) ;; */*) name=docker.io/$name;; *) name=docker.io/library/$name;; esac; echo $name >> {log}.loaded; done;;\n\
             esac"
        ),
    );
    std::fs::write(format!("{log}.loaded"), "").unwrap();
    lab.run(&["bundle", "load", "lab.bundle"]).exits(0).says("Loaded into  microk8s");
    let imports = || {
        let text = std::fs::read_to_string(&log).unwrap();
        text.lines().filter(|line| line.starts_with("ctr images import")).count()
    };
    let all = imports();
    assert_eq!(all, 5, "the node, the registry, IRIS and both of MetalLB");
    lab.run(&["bundle", "load", "lab.bundle"]).exits(0);
    assert_eq!(imports(), all, "nothing is loaded twice");
}
