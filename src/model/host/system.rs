//! Operating system, kernel, processor, memory, disk, and who runs this.

use serde::{Deserialize, Serialize};

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct System {
    /// `linux` or `macos`.
    pub os: String,
    /// Distribution, as `ID` in os-release: `ubuntu`, `debian`, `fedora`; empty elsewhere.
    pub distribution: String,
    /// Those that it is like, as `ID_LIKE` in os-release.
    pub like: Vec<String>,
    /// For people: `Ubuntu 22.04.4 LTS`.
    pub name: String,
    /// Kernel release, such as `5.15.0-105-generic`.
    pub kernel: String,
    /// `x86_64` or `aarch64`.
    pub architecture: String,
    /// What it runs in, as systemd-detect-virt says: `none`, `kvm`, `docker`, `lxc`, `wsl`; empty when unknown.
    pub virtualization: String,
    /// Processors.
    pub cpus: u32,
    /// Memory, in bytes.
    pub memory: u64,
    /// Version of the control groups, 1 or 2; 0 when unknown.
    pub cgroups: u8,
    /// `fs.inotify.max_user_watches` and `fs.inotify.max_user_instances`.
    pub inotify: (u64, u64),
    /// Disks under the folders that a lab writes to.
    pub disks: Vec<Disk>,
    /// Proxy variables of the environment, by name, without the passwords in them.
    pub proxies: Vec<(String, String)>,
    /// What an earlier cluster has left on this host: folders and interfaces that nothing owns any more.
    pub leftovers: Vec<String>,
}

/// The disk under a folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Disk {
    /// The folder.
    pub path: String,
    /// Its file system's type, such as `ext4`.
    pub file_system: String,
    /// Size, in bytes.
    pub size: u64,
    /// What is free, in bytes.
    pub free: u64,
}

/// Who runs this.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    /// Name.
    pub name: String,
    /// Whether it is root.
    pub is_root: bool,
    /// Groups that this process has.
    pub groups: Vec<String>,
    /// Groups that a new login would have.
    pub groups_after_login: Vec<String>,
    /// Whether sudo works without a question.
    pub sudo: bool,
}
