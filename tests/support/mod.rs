//! What the tests share: the binary run with a home of its own, the places that it runs against, and readers of a cluster.

mod application;
mod browser;
mod cluster;
mod golden;
mod http;
mod lab;
mod live;
mod place;
mod redact;
mod registry;
mod rig;
mod run;
mod scratch;
mod shape;
mod terminal;

pub use application::{answers_alternate, application, lab_with_application, on_base};
pub use browser::Browser;
pub use cluster::{Id, Objects, Reader};
pub use golden::golden;
pub use http::fetch;
pub use lab::Lab;
pub use live::Live;
pub use place::Place;
pub use redact::redacted;
pub use registry::{BASE, Registry, docker_with_base, forget_images};
pub use rig::{FIT_FOR_LONGHORN, Rig};
pub use run::{End, Run};
pub use scratch::Scratch;
pub use shape::{same, shape};
pub use terminal::Terminal;

use std::path::PathBuf;
use std::process::Command;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_iris-lab");

/// Says on the terminal, past the capture of passing tests, that a test had nothing to run against.
pub fn skipped(why: &str) {
    use std::io::Write;
    // Without a terminal there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Every kubectl that is there: on PATH, and the one beside a test control plane. None of them: a line says so.
pub fn kubectls() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let assets = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let first = std::env::split_paths(&path).map(|dir| dir.join("kubectl")).find(|file| file.is_file());
    for file in first.into_iter().chain(assets.map(|dir| dir.join("kubectl"))) {
        let known = found.iter().any(|other: &PathBuf| other.canonicalize().ok() == file.canonicalize().ok());
        if file.is_file() && !known {
            found.push(file);
        }
    }
    if found.is_empty() {
        skipped("no kubectl (put one on PATH, or set KUBEBUILDER_ASSETS to its folder)");
    }
    found
}

/// One kubectl, if there is any.
pub fn kubectl() -> Option<PathBuf> {
    kubectls().into_iter().next()
}

/// `kubectl` against one kubeconfig, without anything of this user's.
pub fn kubectl_command(program: &PathBuf, kubeconfig: &std::path::Path, home: &Scratch) -> Command {
    let mut command = Command::new(program);
    command.env("HOME", home.path()).env("KUBECONFIG", kubeconfig).current_dir(home.path());
    command
}
