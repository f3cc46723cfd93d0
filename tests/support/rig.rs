//! The rig: a real Kubernetes on this machine with stand-ins of the tools that make clusters, for one test at a time.

use super::{Scratch, skipped};
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The path of the rig's program.
const RIG: &str = "IRIS_LAB_E2E_RIG";

/// Programs that stand for those of a virtual machine on which Longhorn's volumes can be attached: open-iscsi, its service and its module,
/// and a disk with room.
pub const FIT_FOR_LONGHORN: &[(&str, &str)] = &[
    (
        "iscsiadm",
        "case \"$*\" in *--version*) echo 'iscsiadm version 2.1.5';; *) echo 'iscsiadm: No active sessions.' >&2; exit 21;; esac",
    ),
    ("systemctl", "case \"$*\" in *iscsid*) echo active; echo active;; *) echo inactive; echo inactive; exit 3;; esac"),
    ("modinfo", "echo /lib/modules/iscsi_tcp.ko"),
    (
        "df",
        "printf 'Filesystem Type 1024-blocks Used Available Capacity Mounted on\\n/dev/vda ext4 500000000 1000 499999000 1%% /\\n'",
    ),
    ("systemd-detect-virt", "echo kvm"),
    ("findmnt", "exit 0"),
    ("blkid", "exit 0"),
    ("lsblk", "exit 0"),
    ("mount.nfs", "exit 0"),
];

/// The rig, down at the beginning and at the end, and programs of a test's own before its stand-ins.
pub struct Rig {
    program: PathBuf,
    own: Scratch,
    _turn: File,
}

impl Rig {
    /// The rig, if there is one and no other test is on it; else a line says that there is none.
    pub fn alone() -> Option<Rig> {
        let Some(program) = std::env::var_os(RIG).map(PathBuf::from) else {
            skipped("no stand-ins (set IRIS_LAB_E2E_RIG to the rig's program)");
            return None;
        };
        let turn = File::create(std::env::temp_dir().join("iris-lab-e2e.lock")).unwrap();
        turn.lock().unwrap();
        let rig = Rig { program, own: Scratch::new(), _turn: turn };
        rig.run("down");
        // Those that Docker itself runs are built once for all.
        let known = Command::new("docker").args(["image", "inspect", "kindest/node:v1.24.17", "registry:2"]).output();
        if !known.is_ok_and(|output| output.status.success()) {
            rig.run("images");
        }
        Some(rig)
    }

    fn run(&self, verb: &str) {
        let log = File::create(self.own.path().join("rig.log")).unwrap();
        let mut command = Command::new(&self.program);
        command.arg(verb).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        assert!(command.status().unwrap().success(), "rig {verb} failed");
    }

    /// What a PATH is on which everything is that a host with these tools has.
    pub fn path(&self) -> String {
        let stand_ins = self.program.parent().unwrap().join("bin");
        let rest = std::env::var("PATH").unwrap_or_default();
        format!("{}:{}:{rest}", self.own.dir("bin").display(), stand_ins.display())
    }

    /// A file of this test's own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.own.path().join(name)
    }

    /// Keeps the registry that the nodes pull from away from its port.
    pub fn without_registry(&self) -> Deaf {
        let base: u16 = std::env::var("RIG_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(16443);
        let deaf = Deaf { ended: Arc::default(), port: base + 10 };
        let (listener, ended) = (TcpListener::bind(("127.0.0.1", deaf.port)).unwrap(), deaf.ended.clone());
        std::thread::spawn(move || {
            let mut connections = listener.incoming();
            while connections.next().is_some() && !ended.load(Ordering::Relaxed) {}
        });
        deaf
    }

    /// Puts a program on the PATH, before any other of its name: a shell script.
    pub fn fake(&self, name: &str, script: &str) {
        let (draft, path) = (self.own.path().join(format!("{name}.new")), self.own.dir("bin").join(name));
        std::fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(draft, path).unwrap();
    }

    /// Where a program really is.
    pub fn find(&self, name: &str) -> String {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
        found.unwrap_or_else(|| panic!("no {name} on PATH")).display().to_string()
    }
}

/// Stands where the nodes' registry would be: it takes every connection, and says nothing.
pub struct Deaf {
    ended: Arc<AtomicBool>,
    port: u16,
}

impl Drop for Deaf {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // The last connection, which wakes it up.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // The test has its verdict: what of it is left would be in the next one's way.
        let _ = Command::new(&self.program)
            .arg("down")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
