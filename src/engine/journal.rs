//! The journal: each change on this host, written and flushed before it is made, so that reset can undo and prove it.

use crate::error::{Failure, Result};
use crate::model::HostObject;
use crate::paths::{LabDir, StateDir, unwritable};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Where a lab lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Name of the provider.
    pub provider: String,
    /// Context of the user's kubeconfig, for an existing cluster.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<String>,
    /// Namespace of the workload.
    pub namespace: String,
    /// Number of pods.
    pub replicas: u32,
    /// The command that brings exactly this lab up again.
    #[serde(default = "plain_up")]
    pub up: String,
}

fn plain_up() -> String {
    "iris-lab up".into()
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum Change {
    /// The lab is (to be) brought up here.
    Target(Target),
    /// A file of ours.
    File {
        /// Its path.
        path: PathBuf,
    },
    /// Longhorn is (to be) installed into the lab's cluster, or taken over by it, with everything that it makes itself and that
    /// carries no label.
    Longhorn,
    /// Something that was made with this host's own tools.
    Host {
        /// What.
        #[serde(flatten)]
        object: HostObject,
    },
    /// The embedded cluster's process, which keeps its files in this folder.
    Sim {
        /// The folder.
        dir: PathBuf,
    },
}

/// The journal of one lab.
pub struct Journal {
    path: PathBuf,
    changes: Vec<Change>,
}

impl Journal {
    /// Reads the journal; a lab that was never brought up has an empty one.
    pub fn read(lab: &LabDir) -> Result<Self> {
        Self::read_file(lab.journal())
    }

    /// Reads what labs that are gone have left on this host for the next one.
    pub fn kept(state: &StateDir) -> Result<Self> {
        Self::read_file(state.kept())
    }

    /// Forgets what was left, but for these objects.
    pub fn forget_kept(state: &StateDir, stays: &[HostObject]) -> Result<()> {
        let path = state.kept();
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(&path, e)),
            _ => {}
        }
        let mut journal = Self::kept(state)?;
        stays.iter().try_for_each(|object| journal.record(Change::Host { object: object.clone() }))?;
        state.remove_if_empty();
        Ok(())
    }

    fn read_file(path: PathBuf) -> Result<Self> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(Failure::requirement(format!("cannot read {}", path.display())).caused_by(e)),
        };
        let mut changes = Vec::new();
        for line in text.split_inclusive('\n') {
            match serde_json::from_str(line) {
                Ok(change) => changes.push(change),
                // A kill in the middle of a write leaves half a last line: its change was not made.
                Err(_) if !line.ends_with('\n') => {}
                Err(e) => return Err(Failure::requirement(format!("{} is damaged", path.display())).caused_by(e)),
            }
        }
        Ok(Journal { path, changes })
    }

    /// Records a change, unless it stands there already. The lab's folder must exist.
    pub fn record(&mut self, change: Change) -> Result<()> {
        let known = match &change {
            Change::Target(_) => self.changes.iter().rfind(|c| matches!(c, Change::Target(_))) == Some(&change),
            other => self.changes.contains(other),
        };
        if known {
            return Ok(());
        }
        let mut line =
            serde_json::to_string(&change).map_err(|e| Failure::step("cannot write the journal").caused_by(e))?;
        line.push('\n');
        self.append(&line).map_err(|e| unwritable(&self.path, e))?;
        self.changes.push(change);
        Ok(())
    }

    fn append(&self, line: &str) -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        let text = fs::read_to_string(&self.path)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64)?;
        }
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }

    /// Where the lab lives, if it was ever brought up.
    pub fn target(&self) -> Option<&Target> {
        self.changes.iter().rev().find_map(|change| match change {
            Change::Target(target) => Some(target),
            _ => None,
        })
    }

    /// Every file that we made, and the folders of the embedded cluster.
    pub fn paths(&self) -> Vec<PathBuf> {
        let path = |change: &Change| match change {
            Change::File { path } | Change::Sim { dir: path } => Some(path.clone()),
            Change::Target(_) | Change::Longhorn | Change::Host { .. } => None,
        };
        self.changes.iter().filter_map(path).collect()
    }

    /// What was made with this host's own tools, in the order in which it was made.
    pub fn made(&self) -> Vec<HostObject> {
        let object = |change: &Change| match change {
            Change::Host { object } => Some(object.clone()),
            _ => None,
        };
        self.changes.iter().filter_map(object).collect()
    }

    /// Whether Longhorn was installed for this lab, or taken over by it.
    pub fn has_longhorn(&self) -> bool {
        self.changes.contains(&Change::Longhorn)
    }

    /// Whether the embedded cluster was ever started for this lab.
    pub fn has_sim(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Sim { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Change {
        let target =
            Target { provider: "sim".into(), context: None, namespace: "iris-lab".into(), replicas: 2, up: plain_up() };
        Change::Target(target)
    }

    fn scratch(name: &str) -> LabDir {
        let dir = std::env::temp_dir().join(format!("iris-lab-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        crate::paths::StateDir::at(dir).lab("x")
    }

    #[test]
    fn a_change_is_read_back_and_recorded_once() {
        let lab = scratch("once");
        lab.create().unwrap();
        let mut journal = Journal::read(&lab).unwrap();
        assert!(journal.target().is_none());
        journal.record(target()).unwrap();
        journal.record(target()).unwrap();
        journal.record(Change::File { path: lab.kubeconfig() }).unwrap();
        let again = Journal::read(&lab).unwrap();
        assert_eq!(again.changes.len(), 2);
        assert_eq!(again.target().unwrap().provider, "sim");
        assert_eq!(again.paths(), [lab.kubeconfig()]);
    }

    #[test]
    fn half_a_last_line_is_dropped_and_the_next_change_is_whole() {
        let lab = scratch("torn");
        lab.create().unwrap();
        Journal::read(&lab).unwrap().record(target()).unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(lab.journal()).unwrap();
        file.write_all(b"{\"change\":\"fi").unwrap();
        let mut journal = Journal::read(&lab).unwrap();
        journal.record(Change::Sim { dir: lab.sim() }).unwrap();
        assert!(Journal::read(&lab).unwrap().has_sim());
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error() {
        let lab = scratch("damaged");
        lab.create().unwrap();
        fs::write(lab.journal(), "nonsense\n").unwrap();
        assert!(Journal::read(&lab).is_err());
    }

    #[test]
    fn what_is_kept_outlives_its_lab_until_it_is_forgotten() {
        let lab = scratch("kept");
        let state = StateDir::at(lab.path().parent().unwrap().into());
        let snap = HostObject::Snap { name: "microk8s".into() };
        for _ in 0..2 {
            Journal::kept(&state).unwrap().record(Change::Host { object: snap.clone() }).unwrap();
        }
        let kept = || Journal::kept(&state).unwrap().made();
        assert_eq!(kept(), std::slice::from_ref(&snap));
        assert_eq!(state.labs().unwrap(), Vec::<String>::new(), "it is no lab");
        Journal::forget_kept(&state, std::slice::from_ref(&snap)).unwrap();
        assert_eq!(kept(), [snap]);
        Journal::forget_kept(&state, &[]).unwrap();
        assert!(!lab.path().parent().unwrap().exists(), "nothing is left");
    }
}
