//! A real browser without a window, for pages that the program writes. It reaches nothing but files.

use super::{Run, Scratch, skipped};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Chromium.
pub struct Browser(PathBuf);

impl Browser {
    /// The one on PATH; without one a line says so.
    pub fn find() -> Option<Browser> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).flat_map(|dir| NAMES.map(|name| dir.join(name))).find(|p| p.is_file());
        if found.is_none() {
            skipped("no browser (put chromium on PATH)");
        }
        found.map(Browser)
    }

    /// The page as it is after its scripts have run.
    pub fn dom(&self, page: &Path, dark: bool) -> String {
        let scheme =
            if dark { "--blink-settings=preferredColorScheme=0" } else { "--blink-settings=preferredColorScheme=1" };
        self.run(page, &[scheme]).out
    }

    /// Whether the page writes to the console: errors, and what its own policy forbids.
    pub fn complaints(&self, page: &Path) -> bool {
        self.run(page, &["--enable-logging=stderr"]).err.contains(":CONSOLE")
    }

    fn run(&self, page: &Path, flags: &[&str]) -> Run {
        let home = Scratch::new();
        let mut command = Command::new(&self.0);
        command.env("HOME", home.path()).args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
        command.args(["--window-size=1300,1000", "--no-first-run", "--disable-background-networking"]);
        command.args(["--disable-component-update", "--disable-sync", "--proxy-server=127.0.0.1:9"]);
        command
            .args(flags)
            .arg(format!("--user-data-dir={}", home.path().display()))
            .arg(format!("file://{}", page.display()));
        Run::of(command, Duration::from_secs(90)).exits(0)
    }
}
