//! One run at a time on a lab's files: a file lock that the kernel releases with the process.

use crate::error::{Failure, Result};
use crate::paths::{LabDir, unwritable};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Held for as long as it lives.
#[derive(Debug)]
pub struct HostLock {
    _file: File,
}

impl HostLock {
    /// Takes the lock of a lab, whose folder must exist. `what` is what this run does, as others read it.
    pub fn take(lab: &LabDir, what: &str) -> Result<Self> {
        let path = lab.lock();
        loop {
            let Some(mut file) = try_lock(&path)? else {
                let mut holder = String::new();
                let _ = File::open(&path).and_then(|mut file| file.read_to_string(&mut holder));
                return Err(Failure::requirement("another run is at work on this lab")
                    .cause(format!("held by {}", holder.trim()))
                    .hint("wait until it has ended, or end it with Ctrl-C"));
            };
            if is_at(&file, &path) {
                write_holder(&mut file, what).map_err(|e| unwritable(&path, e))?;
                return Ok(HostLock { _file: file });
            }
        }
    }
}

/// Opens and locks the file; none if another process holds it.
pub fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(|e| unwritable(path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(unwritable(path, e)),
    }
}

/// Whether the file is still the one at that path: a reset may have removed it between opening and locking.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

fn write_holder(file: &mut File, what: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "process {}: {what}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::StateDir;

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() {
        let dir = std::env::temp_dir().join(format!("iris-lab-lock-{}", std::process::id()));
        let lab = StateDir::at(dir.clone()).lab("x");
        lab.create().unwrap();
        let held = HostLock::take(&lab, "up two-pod").unwrap();
        let failure = HostLock::take(&lab, "reset").unwrap_err();
        assert!(failure.causes[0].ends_with(&format!("process {}: up two-pod", std::process::id())), "{failure}");
        drop(held);
        HostLock::take(&lab, "reset").unwrap();
        std::fs::remove_dir_all(dir).unwrap();
    }
}
