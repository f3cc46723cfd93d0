//! An image registry of a test's own: the real one, where its program is installed.

use super::{Scratch, skipped};
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program, as Debian packages it.
const PROGRAM: &str = "/usr/bin/docker-registry";
/// A base image that takes the commands of IRIS: the stand-in of the test cluster.
pub const BASE: &str = "rig/iris:1";

/// A registry that runs, until the test is over.
pub struct Registry {
    /// Its name in images, such as `localhost:5000`.
    pub host: String,
    child: Child,
    _dir: Scratch,
}

impl Registry {
    /// On a port that is free; none, with a line that says so, where there is no program.
    pub fn new() -> Option<Registry> {
        let dir = Scratch::new();
        let data = dir.dir("data");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Registry::at(port, &data, dir)
    }

    /// On this port, with its data in this folder.
    pub fn at(port: u16, data: &Path, dir: Scratch) -> Option<Registry> {
        if !Path::new(PROGRAM).is_file() {
            skipped(&format!("no image registry ({PROGRAM}, of the package docker-registry)"));
            return None;
        }
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n",
            data.display()
        );
        let mut command = Command::new(PROGRAM);
        command.arg("serve").arg(dir.file("config.yml", &config)).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let registry = Registry { host: format!("localhost:{port}"), child, _dir: dir };
        let (address, start) = (SocketAddr::from(([127, 0, 0, 1], port)), Instant::now());
        while TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "the registry does not serve at {address}");
            std::thread::yield_now();
        }
        Some(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Docker, if it answers and has the base image; else a line says what is missing. One test at a time: a build fails when another one
/// removes the layers that it goes on from.
pub fn docker_with_base() -> Option<File> {
    let ok = |args: &[&str]| Command::new("docker").args(args).output().is_ok_and(|output| output.status.success());
    if !ok(&["version", "--format", "{{.Server.Version}}"]) {
        skipped("no Docker that answers");
        return None;
    }
    if !ok(&["image", "inspect", BASE]) {
        skipped(&format!("no base image {BASE} in Docker (the program of the test cluster makes it: images)"));
        return None;
    }
    let turn = File::create(std::env::temp_dir().join("iris-lab-e2e-docker.lock")).unwrap();
    turn.lock().unwrap();
    Some(turn)
}

/// Removes every image of a repository from Docker, by all of its names.
pub fn forget_images(repository: &str) {
    let list = Command::new("docker").args(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]).output().unwrap();
    let names = String::from_utf8_lossy(&list.stdout).into_owned();
    for name in names.lines().filter(|name| name.contains(&format!("/{repository}:"))) {
        let _ = Command::new("docker").args(["image", "rm", name]).output();
    }
}
