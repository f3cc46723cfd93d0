//! The build contexts that are part of the program: folders of `labs/`.

use super::context::{Context, Entry, Kind};
use crate::error::{Failure, Result};
use crate::paths::uncached;
use include_dir::{Dir, include_dir};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

static SIMPLE: Dir = include_dir!("$CARGO_MANIFEST_DIR/labs/simple");

/// Each with its name.
const ALL: &[(&str, &Dir)] = &[("simple", &SIMPLE)];

/// Whether there is one with that name.
pub fn is_builtin(name: &str) -> bool {
    ALL.iter().any(|(known, _)| *known == name)
}

/// Their names.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|(name, _)| *name).collect()
}

fn find(name: &str) -> Result<&'static Dir<'static>> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, dir)| *dir).ok_or_else(|| {
        Failure::usage(format!("there is no built-in context {name:?}"))
            .hint(format!("there is {}", names().join(", ")))
    })
}

/// The embedded files keep no mode: scripts can be run, and the rest is read.
fn mode(path: &Path) -> u32 {
    if path.extension().is_some_and(|extension| extension == "sh") { 0o755 } else { 0o644 }
}

/// What is in it.
pub(super) fn context(name: &str) -> Result<Context> {
    let mut entries = Vec::new();
    collect(find(name)?, &mut entries);
    // What .dockerignore leaves out is left out here, too.
    super::context::sum(
        entries,
        find(name)?.get_file(".dockerignore").and_then(|file| file.contents_utf8()),
        "Dockerfile",
    )
}

fn collect(dir: &Dir, entries: &mut Vec<Entry>) {
    for file in dir.files() {
        let (path, bytes) = (file.path(), file.contents());
        let kind = Kind::File { bytes: bytes.len() as u64, sha256: super::context::sha256(bytes) };
        entries.push(Entry { path: path.display().to_string(), mode: mode(path), kind });
    }
    for dir in dir.dirs() {
        entries.push(Entry { path: dir.path().display().to_string(), mode: 0o755, kind: Kind::Folder });
        collect(dir, entries);
    }
}

/// Writes it into a folder, where docker can read it.
pub fn write(name: &str, folder: &Path) -> Result<()> {
    fn all(dir: &Dir, folder: &Path) -> std::io::Result<()> {
        for file in dir.files() {
            let path = folder.join(file.path());
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            // Another run's docker may be reading what is there already.
            if fs::read(&path).ok().as_deref() != Some(file.contents()) {
                fs::write(&path, file.contents())?;
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(mode(&path)))?;
        }
        for dir in dir.dirs() {
            let path = folder.join(dir.path());
            fs::create_dir_all(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
            all(dir, folder)?;
        }
        Ok(())
    }
    all(find(name)?, folder).map_err(|error| uncached(folder, error))
}
