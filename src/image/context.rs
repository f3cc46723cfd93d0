//! The content of a build context: every file that docker gets, its mode and its bytes, as one digest.

use super::ignore::Ignore;
use crate::error::{Failure, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Most files that are named as the largest.
const LARGEST: usize = 5;

/// What a context holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The digest of all that docker gets.
    pub digest: [u8; 32],
    /// Bytes of all files.
    pub bytes: u64,
    /// Its largest files with their bytes, the largest first.
    pub largest: Vec<(String, u64)>,
}

/// Something in a context.
pub(super) struct Entry {
    /// Its path from the root, with slashes.
    pub(super) path: String,
    /// Its permissions.
    pub(super) mode: u32,
    /// What it is.
    pub(super) kind: Kind,
}

/// What it is.
pub(super) enum Kind {
    /// A file.
    File {
        /// Its size.
        bytes: u64,
        /// The digest of its content.
        sha256: [u8; 32],
    },
    /// A symbolic link, and where it leads to: docker takes it as it is.
    Link(String),
    /// A folder.
    Folder,
}

/// Reads a folder. `file` is its Dockerfile, which counts in any case.
pub fn read(folder: &Path, file: &str) -> Result<Context> {
    let shown = folder.display();
    if !folder.is_dir() {
        return Err(Failure::requirement(format!("there is no folder {shown} to build an image from"))
            .hint("check the path of the build context"));
    }
    if !folder.join(file).is_file() {
        return Err(Failure::requirement(format!("there is no {file} in {shown}"))
            .cause("it says how the image is built")
            .hint("name another file of that folder with --file, or another folder"));
    }
    let text = |name: &str| match fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&folder.join(name), error)),
    };
    // One for this Dockerfile alone comes first.
    let patterns = match text(&format!("{file}.dockerignore"))? {
        Some(own) => Some(own),
        None => text(".dockerignore")?,
    };
    let ignore = Ignore::new(patterns.as_deref().unwrap_or_default());
    let mut entries = Vec::new();
    walk(folder, "", &ignore, file, &mut entries)?;
    sum(entries, patterns.as_deref(), file)
}

/// Collects what is in a folder, in no order. Sockets, pipes and devices are passed over, as docker does.
fn walk(folder: &Path, prefix: &str, ignore: &Ignore, file: &str, entries: &mut Vec<Entry>) -> Result<()> {
    for item in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let item = item.map_err(|error| unreadable(folder, error))?;
        let (at, name) = (item.path(), item.file_name());
        let path = format!("{prefix}{}", name.to_string_lossy());
        let excluded = ignore.excludes(&path) && path != file;
        let about = fs::symlink_metadata(&at).map_err(|error| unreadable(&at, error))?;
        let mode = about.permissions().mode() & 0o7777;
        let kind = if about.is_dir() {
            if !(excluded && ignore.is_final() && !file.starts_with(&format!("{path}/"))) {
                walk(&at, &format!("{path}/"), ignore, file, entries)?;
            }
            Kind::Folder
        } else if excluded {
            continue;
        } else if about.is_symlink() {
            let target = fs::read_link(&at).map_err(|error| unreadable(&at, error))?;
            Kind::Link(target.to_string_lossy().into_owned())
        } else if about.is_file() {
            let (bytes, sha256) = digest(&at).map_err(|error| unreadable(&at, error))?;
            Kind::File { bytes, sha256 }
        } else {
            continue;
        };
        if !excluded {
            entries.push(Entry { path, mode, kind });
        }
    }
    Ok(())
}

/// Sums up what the patterns let through.
pub(super) fn sum(mut entries: Vec<Entry>, patterns: Option<&str>, file: &str) -> Result<Context> {
    let ignore = Ignore::new(patterns.unwrap_or_default());
    entries.retain(|entry| entry.path == file || !ignore.excludes(&entry.path));
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    let (mut hash, mut total, mut largest) = (Sha256::new(), 0, Vec::new());
    for Entry { path, mode, kind } in entries {
        hash.update(format!("{mode:o} {path}\0"));
        match kind {
            Kind::File { bytes, sha256 } => {
                hash.update(sha256);
                total += bytes;
                largest.push((path, bytes));
            }
            Kind::Link(target) => hash.update(format!("-> {target}\0")),
            Kind::Folder => hash.update("/\0"),
        }
    }
    largest.sort_by(|(one, bytes), (other, more)| more.cmp(bytes).then_with(|| one.cmp(other)));
    largest.truncate(LARGEST);
    Ok(Context { digest: hash.finalize().into(), bytes: total, largest })
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Size and digest of a file, which may be larger than the memory.
fn digest(path: &Path) -> std::io::Result<(u64, [u8; 32])> {
    let (mut file, mut hash, mut total, mut buffer) = (File::open(path)?, Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((total, hash.finalize().into())),
            count => {
                hash.update(&buffer[..count]);
                total += count as u64;
            }
        }
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> Failure {
    Failure::requirement(format!("cannot read {}", path.display()))
        .caused_by(error)
        .hint("it is part of the build context: give yourself read access, or leave it out by a line of .dockerignore")
}

#[cfg(test)]
#[path = "context_tests.rs"]
mod tests;
