//! Where iris-lab keeps its files on this host: one folder for each lab, readable by its owner alone.

use crate::error::{Failure, Result};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Environment variable that moves the state folder.
pub const STATE_VARIABLE: &str = "IRIS_LAB_STATE_DIR";

/// Environment variable that moves the cache folder.
pub const CACHE_VARIABLE: &str = "IRIS_LAB_CACHE_DIR";

/// The folder of all labs.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

/// The folder of one lab, with the files in it.
#[derive(Clone, Debug)]
pub struct LabDir(PathBuf);

impl StateDir {
    /// The folder that `IRIS_LAB_STATE_DIR` names, else the platform's state folder for programs.
    pub fn resolve() -> Result<Self> {
        if let Some(dir) = std::env::var_os(STATE_VARIABLE).filter(|dir| !dir.is_empty()) {
            let dir =
                std::path::absolute(PathBuf::from(dir)).map_err(|e| Failure::usage("no state folder").caused_by(e))?;
            return Ok(StateDir(dir));
        }
        directories::ProjectDirs::from("", "", "iris-lab")
            .map(|dirs| StateDir(dirs.state_dir().unwrap_or(dirs.data_local_dir()).to_path_buf()))
            .ok_or_else(|| {
                Failure::requirement("no state folder")
                    .cause("this user has no home directory")
                    .hint(format!("set {STATE_VARIABLE} to a folder of yours"))
            })
    }

    /// A state folder at a given place.
    pub fn at(path: PathBuf) -> Self {
        StateDir(path)
    }

    /// Makes the folder, readable by its owner alone.
    pub fn create(&self) -> Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(|e| unwritable(&self.0, e))
    }

    /// The folder of one lab; it need not exist.
    pub fn lab(&self, name: &str) -> LabDir {
        LabDir(self.0.join(name))
    }

    /// The journal of what labs that are gone have left on this host for the next one.
    pub fn kept(&self) -> PathBuf {
        self.0.join("kept.jsonl")
    }

    /// Names of the labs that have a folder, sorted.
    pub fn labs(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Failure::requirement(format!("cannot read {}", self.0.display())).caused_by(e)),
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().join("journal.jsonl").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Removes the folder itself when no lab is left in it.
    pub fn remove_if_empty(&self) {
        // A folder with something in it stays, which is what is wanted.
        let _ = fs::remove_dir(&self.0);
    }
}

impl LabDir {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal of changes on this host.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.jsonl")
    }

    /// Our kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.0.join("kubeconfig")
    }

    /// The password, on one line.
    pub fn password(&self) -> PathBuf {
        self.0.join("password")
    }

    /// The password of an account that has one of its own, on one line.
    pub fn password_of(&self, account: &str) -> PathBuf {
        self.0.join(format!("password-{account}"))
    }

    /// The password's hash, on one line.
    pub fn password_hash(&self) -> PathBuf {
        self.0.join("password.hash")
    }

    /// Held by the run that works on this lab.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The record of the last run.
    pub fn last_run(&self) -> PathBuf {
        self.0.join("last-run.jsonl")
    }

    /// The embedded cluster's folder.
    pub fn sim(&self) -> PathBuf {
        self.0.join("sim")
    }

    /// Makes the folder, readable by its owner alone.
    pub fn create(&self) -> Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(|e| unwritable(&self.0, e))
    }
}

/// The folder of what may be downloaded again, which `reset` leaves: the platform's cache folder for programs, or the one that
/// `IRIS_LAB_CACHE_DIR` names.
pub fn cache() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os(CACHE_VARIABLE).filter(|dir| !dir.is_empty()) {
        return std::path::absolute(PathBuf::from(dir)).map_err(|e| Failure::usage("no cache folder").caused_by(e));
    }
    directories::ProjectDirs::from("", "", "iris-lab").map(|dirs| dirs.cache_dir().to_path_buf()).ok_or_else(|| {
        Failure::requirement("no cache folder")
            .cause("this user has no home directory")
            .hint(format!("set {CACHE_VARIABLE} to a folder of yours"))
    })
}

/// Writes a file that only its owner can read, in one piece: a reader sees the old content or the new one.
pub fn write_private(path: &Path, content: &str) -> Result<()> {
    let draft = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let _ = fs::remove_file(&draft);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(|e| {
        let _ = fs::remove_file(&draft);
        unwritable(path, e)
    })
}

/// The failure for a file or folder that cannot be written.
pub fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    unwritable_unless(path, error, STATE_VARIABLE)
}

/// The same for a file in the cache folder.
pub fn uncached(path: &Path, error: std::io::Error) -> Failure {
    unwritable_unless(path, error, CACHE_VARIABLE)
}

fn unwritable_unless(path: &Path, error: std::io::Error, variable: &str) -> Failure {
    Failure::requirement(format!("cannot write {}", path.display()))
        .caused_by(error)
        .hint(format!("free space or give write access there, or set {variable} to another folder"))
}
