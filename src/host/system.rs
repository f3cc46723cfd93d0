//! The machine itself and who runs this: files of the kernel and a few small programs.

use super::{seen, words};
use crate::error::{Failure, Result};
use crate::exec::Machine;
use crate::model::host::{Disk, System, User};
use futures::future::try_join_all;

/// The folders that labs write to: microk8s' data, Docker's, Longhorn's.
const FOLDERS: &[&str] = &["/var/snap/microk8s", "/var/lib/docker", "/var/lib/longhorn"];

/// Variables of a proxy, in the spelling that wins.
const PROXIES: &[&str] = &["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"];

/// Where the kernel says how many files may be watched.
const INOTIFY: &str = "/proc/sys/fs/inotify";

/// Operating system, kernel, processor, memory, disk.
pub(super) async fn system(machine: &dyn Machine) -> Result<System> {
    let (kernel, virtualization) =
        futures::try_join!(words(machine, "uname", &["-srm"]), words(machine, "systemd-detect-virt", &[]))?;
    let mut kernel = kernel.split_whitespace();
    let os = kernel.next().unwrap_or_default().to_lowercase();
    let system = System {
        kernel: kernel.next().unwrap_or_default().into(),
        architecture: kernel.next().map(architecture).unwrap_or_default(),
        proxies: proxies(machine),
        ..System::default()
    };
    if os == "darwin" {
        return macos(machine, System { os: "macos".into(), ..system }).await;
    }
    linux(machine, System { os, virtualization, ..system }).await
}

async fn linux(machine: &dyn Machine, system: System) -> Result<System> {
    let disks = try_join_all(FOLDERS.iter().map(|folder| disk(machine, folder))).await?.into_iter().flatten();
    let release = machine.read("/etc/os-release")?.or(machine.read("/usr/lib/os-release")?).unwrap_or_default();
    let read = |path: &str| machine.read(path).map(Option::unwrap_or_default);
    let processors = read("/proc/cpuinfo")?.lines().filter(|line| line.starts_with("processor")).count();
    let limit = |name: &str| read(&format!("{INOTIFY}/{name}")).map(|text| text.trim().parse().unwrap_or(0));
    // Its own kernel is named so, whatever else it runs in.
    let wsl = system.kernel.to_lowercase().contains("microsoft");
    Ok(System {
        distribution: release_field(&release, "ID"),
        like: release_field(&release, "ID_LIKE").split_whitespace().map(Into::into).collect(),
        name: release_field(&release, "PRETTY_NAME"),
        virtualization: if wsl { "wsl".into() } else { system.virtualization },
        cpus: u32::try_from(processors).unwrap_or(u32::MAX),
        memory: memory(&read("/proc/meminfo")?),
        cgroups: match () {
            () if machine.exists("/sys/fs/cgroup/cgroup.controllers") => 2,
            () if machine.exists("/sys/fs/cgroup/cpu") || machine.exists("/sys/fs/cgroup/memory") => 1,
            () => 0,
        },
        inotify: (limit("max_user_watches")?, limit("max_user_instances")?),
        disks: disks.collect(),
        leftovers: leftovers(machine),
        ..system
    })
}

/// Its disk is not that of a cluster: Docker has a virtual machine there.
async fn macos(machine: &dyn Machine, system: System) -> Result<System> {
    let (version, cpus, memory) = futures::try_join!(
        words(machine, "sw_vers", &["-productVersion"]),
        words(machine, "sysctl", &["-n", "hw.ncpu"]),
        words(machine, "sysctl", &["-n", "hw.memsize"]),
    )?;
    Ok(System {
        name: format!("macOS {version}").trim_end().into(),
        cpus: cpus.parse().unwrap_or(0),
        memory: memory.parse().unwrap_or(0),
        ..system
    })
}

fn architecture(name: &str) -> String {
    if name == "arm64" { "aarch64".into() } else { name.into() }
}

/// A field of os-release, without its quotation marks.
fn release_field(text: &str, name: &str) -> String {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default().trim().trim_matches(['"', '\'']).into()
}

/// All of it, in bytes.
fn memory(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = total.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// The disk on which a folder is, or will be; none where nobody can say.
pub(super) async fn disk(machine: &dyn Machine, folder: &str) -> Result<Option<Disk>> {
    let mut there = folder;
    while !machine.exists(there) && there != "/" {
        there = there.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !parent.is_empty()).unwrap_or("/");
    }
    let Some(output) = seen(machine, "df", &["-PT", there]).await? else { return Ok(None) };
    let line = output.stdout.lines().nth(1).unwrap_or_default();
    // Its device may have spaces in its name, and so may its mount point: the numbers stand in between.
    let fields: Vec<&str> = line.split_whitespace().collect();
    let Some(percent) = fields.iter().position(|field| field.ends_with('%')).filter(|at| *at >= 5) else {
        return Ok(None);
    };
    let kilobytes = |field: &str| field.parse::<u64>().unwrap_or(0) * 1024;
    Ok(Some(Disk {
        path: folder.into(),
        file_system: fields[percent - 4].into(),
        size: kilobytes(fields[percent - 3]),
        free: kilobytes(fields[percent - 1]),
    }))
}

fn proxies(machine: &dyn Machine) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for name in PROXIES {
        let known = found.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        if let Some(value) = machine.variable(name).filter(|_| !known) {
            found.push((name.to_string(), without_password(&value)));
        }
    }
    found
}

/// An address without the user and the password that may stand in it.
fn without_password(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &address[..scheme + 3], &address[at + 1..]),
        _ => address.into(),
    }
}

/// microk8s leaves its interfaces, and sometimes its folder, when its snap is removed.
fn leftovers(machine: &dyn Machine) -> Vec<String> {
    if machine.exists("/snap/microk8s") || machine.exists("/var/lib/snapd/snap/microk8s") {
        return Vec::new();
    }
    let paths = ["/var/snap/microk8s", "/sys/class/net/vxlan.calico"];
    paths.into_iter().filter(|path| machine.exists(path)).map(Into::into).collect()
}

/// Who runs this.
pub(super) async fn user(machine: &dyn Machine) -> Result<User> {
    let (name, number, groups, sudo) = futures::try_join!(
        words(machine, "id", &["-un"]),
        words(machine, "id", &["-u"]),
        words(machine, "id", &["-Gn"]),
        seen(machine, "sudo", &["-n", "true"]),
    )?;
    if number.is_empty() {
        return Err(Failure::requirement("it is not known who runs this").cause("`id -u` says nothing"));
    }
    // With the name it looks the groups up anew, as a login does.
    let after = words(machine, "id", &["-nG", &name]).await?;
    let list = |text: &str| text.split_whitespace().map(Into::into).collect();
    Ok(User {
        is_root: number == "0",
        groups: list(&groups),
        groups_after_login: list(&after),
        sudo: sudo.is_some_and(|output| output.ok()),
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_proxies_are_left_out() {
        assert_eq!(without_password("http://me:secret@proxy:3128"), "http://proxy:3128");
        assert_eq!(without_password("http://proxy:3128"), "http://proxy:3128");
        assert_eq!(without_password("localhost,.example.org"), "localhost,.example.org");
    }

    #[test]
    fn fields_of_the_release_have_no_quotation_marks() {
        let text = "NAME=\"Fedora Linux\"\nVERSION_ID=40\nID=fedora\nID_LIKE='a b'\n";
        assert_eq!((release_field(text, "ID").as_str(), release_field(text, "ID_LIKE").as_str()), ("fedora", "a b"));
        assert_eq!(release_field(text, "PRETTY_NAME"), "");
    }
}
