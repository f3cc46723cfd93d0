//! The password of a lab: generated once, kept in a file that only its owner reads; everything else gets the hash.

use crate::engine::journal::{Change, Journal};
use crate::error::{Failure, Result};
use crate::lab::Lab;
use crate::model::Facts;
use crate::model::object::is_of;
use crate::paths::{LabDir, write_private};
use crate::plan::{RECORD, RECORD_HASH};
use crate::workload::{self, password};
use std::fs;
use std::path::Path;

/// The hash of the lab's password. One that the cluster keeps wins, because the volumes know only that one; else the one on
/// this host; else a new password is made.
pub fn ensure(lab: &Lab, dir: &LabDir, journal: &mut Journal, facts: &Facts) -> Result<String> {
    if let Some(hash) = recorded_hash(lab, facts) {
        return Ok(hash);
    }
    if let Some(hash) = stored_hash(dir)?
        && dir.password().exists()
    {
        return Ok(hash);
    }
    let text = match &lab.spec.iris.password.file {
        Some(file) => first_line(Path::new(file))?,
        None => password::generate(lab.spec.iris.password.length)?,
    };
    let hash = password::new_hash(&text, workload::hash_form(&lab.spec.iris.image))?;
    for (path, content) in [(dir.password(), &text), (dir.password_hash(), &hash)] {
        journal.record(Change::File { path: path.clone() })?;
        write_private(&path, &format!("{content}\n"))?;
    }
    Ok(hash)
}

/// The hash on this host, if there is one.
pub fn stored_hash(dir: &LabDir) -> Result<Option<String>> {
    match fs::read_to_string(dir.password_hash()) {
        Ok(text) => Ok(Some(text.trim().to_string())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::requirement(format!("cannot read {}", dir.password_hash().display())).caused_by(e)),
    }
}

/// The hash that the cluster keeps for this lab, if there is one.
fn recorded_hash(lab: &Lab, facts: &Facts) -> Option<String> {
    let record = facts.objects.iter().find(|object| {
        object["kind"] == "ConfigMap" && object["metadata"]["name"] == RECORD && is_of(object, &lab.metadata.name)
    })?;
    record["data"][RECORD_HASH].as_str().map(str::to_string)
}

/// The file on this host with the password of that hash; none when another host made it.
pub fn file_of(dir: &LabDir, hash: &str) -> Option<String> {
    let text = fs::read_to_string(dir.password()).ok()?;
    password::verify(hash, text.trim_end()).then(|| dir.password().display().to_string())
}

fn first_line(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path)
        .map_err(|e| Failure::requirement(format!("cannot read the password file {}", path.display())).caused_by(e))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_string()),
        _ => Err(Failure::requirement(format!("the password file {} has no first line", path.display()))),
    }
}
