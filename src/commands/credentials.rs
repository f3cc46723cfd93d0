//! The password of a lab: generated once, kept in a file that only its owner reads; everything else gets the hash.

use crate::engine::journal::{Change, Journal};
use crate::error::{Failure, Result};
use crate::lab::Lab;
use crate::model::Facts;
use crate::model::object::is_of;
use crate::paths::{LabDir, unwritable, write_private};
use crate::plan::{RECORD, RECORD_HASH};
use crate::workload::{self, accounts, password};
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The hash of the lab's password. One that the cluster keeps wins, because the volumes know only that one; else the one on
/// this host; else a new password is made.
pub fn ensure(lab: &Lab, dir: &LabDir, journal: &mut Journal, facts: &Facts) -> Result<String> {
    if let Some(hash) = recorded_hash(lab, facts) {
        settle(dir, &hash, lab)?;
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
    read(&dir.password_hash())
}

/// The hash that the cluster keeps for this lab, if there is one.
fn recorded_hash(lab: &Lab, facts: &Facts) -> Option<String> {
    let record = facts.objects.iter().find(|object| {
        object["kind"] == "ConfigMap" && object["metadata"]["name"] == RECORD && is_of(object, &lab.metadata.name)
    })?;
    record["data"][RECORD_HASH].as_str().map(str::to_string)
}

/// The accounts that log in with the lab's password, as far as this host knows: not those with one of their own.
pub fn logins(dir: &LabDir, lab: &Lab) -> Vec<String> {
    accounts::logins(lab).into_iter().filter(|name| !dir.password_of(name).exists()).collect()
}

/// The file on this host with the password of that hash; none when another host made it.
pub fn file_of(dir: &LabDir, hash: &str) -> Option<String> {
    let text = read(&dir.password()).ok().flatten()?;
    password::verify(hash, &text).then(|| dir.password().display().to_string())
}

/// The file with the password of an account, or the lab's own.
pub fn file(dir: &LabDir, account: Option<&str>) -> PathBuf {
    account.map_or_else(|| dir.password(), |account| dir.password_of(account))
}

/// The file with the password that is to take the place of that one, for as long as not every instance has it.
pub fn next(dir: &LabDir, account: Option<&str>) -> PathBuf {
    let mut name = file(dir, account).into_os_string();
    name.push(".next");
    name.into()
}

/// Keeps a password that is to be set, so that it is known whatever becomes of the run.
pub fn prepare(dir: &LabDir, account: Option<&str>, text: &str, journal: &mut Journal) -> Result<()> {
    let mut paths = vec![file(dir, account), next(dir, account)];
    paths.extend(account.is_none().then(|| dir.password_hash()));
    paths.into_iter().try_for_each(|path| journal.record(Change::File { path }))?;
    write_private(&next(dir, account), &format!("{text}\n"))
}

/// The password that an earlier run began to set, if there is one.
pub fn prepared(dir: &LabDir, account: Option<&str>) -> Result<Option<String>> {
    read(&next(dir, account))
}

/// Makes the prepared password the one that is valid; the lab's own is so for all who share it.
pub fn take_over(dir: &LabDir, account: Option<&str>, hash: &str, lab: &Lab) -> Result<()> {
    if account.is_none() {
        forget(dir, &accounts::sharing(lab))?;
        write_private(&dir.password_hash(), &format!("{hash}\n"))?;
    }
    let path = file(dir, account);
    fs::rename(next(dir, account), &path).map_err(|error| unwritable(&path, error))
}

/// Removes the files of accounts that had a password of their own, or were to have one.
fn forget(dir: &LabDir, accounts: &[String]) -> Result<()> {
    for path in accounts.iter().flat_map(|account| [dir.password_of(account), next(dir, Some(account))]) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unwritable(&path, error)),
            _ => {}
        }
    }
    Ok(())
}

/// Does so when the cluster has taken it over already, and the run that did it came no further.
pub fn settle(dir: &LabDir, hash: &str, lab: &Lab) -> Result<()> {
    match prepared(dir, None)? {
        Some(text) if password::verify(hash, &text) => take_over(dir, None, hash, lab),
        _ => Ok(()),
    }
}

/// The password in the first line of a file; `-` is what the program reads.
pub fn first_line(path: &Path) -> Result<String> {
    let name = path.display();
    let unreadable =
        |error: std::io::Error| Failure::requirement(format!("cannot read the password file {name}")).caused_by(error);
    let mut text = String::new();
    match path == Path::new("-") {
        true => std::io::stdin().read_to_string(&mut text).map(drop),
        false => fs::read_to_string(path).map(|read| text = read),
    }
    .map_err(unreadable)?;
    let line = text.lines().next().unwrap_or_default();
    let wrong = |why: &str| {
        Failure::requirement(format!("the password file {name} has no password"))
            .cause(why)
            .hint("write the password alone into its first line")
    };
    match line {
        "" => Err(wrong("it has no first line")),
        line => password::check(line).map(|()| line.to_string()).map_err(wrong),
    }
}

/// The text of a file of ours without its line break; none when there is no such file.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim_end_matches('\n').to_string())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::requirement(format!("cannot read {}", path.display())).caused_by(error)),
    }
}
