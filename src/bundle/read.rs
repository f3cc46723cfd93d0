//! Reading a bundle. Nothing of it is believed before its sha256 is compared.

use super::{HEAD, SUMS, copy, hex, unreadable};
use crate::error::{Failure, Result};
use crate::model::bundle::{FORMAT, Head, Item};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tar::Archive;

/// Longest list of what is in a bundle, in bytes.
const MOST: u64 = 16 << 20;

/// A bundle that is whole, as far as its list and its length tell.
#[derive(Debug)]
pub struct Reader {
    file: File,
    path: PathBuf,
    /// What it says of itself.
    pub head: Head,
    /// What is in it, in its order.
    pub contents: Vec<Content>,
}

/// One thing in a bundle, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What it is.
    pub item: Item,
    /// Its bytes.
    pub size: u64,
    /// Their sha256.
    pub sha256: String,
    at: u64,
}

impl Reader {
    /// Opens a bundle and reads what is in it.
    pub fn open(path: &Path) -> Result<Reader> {
        let file = File::open(path)
            .map_err(|e| unreadable(path, e).hint("name the file that `iris-lab bundle save` has written"))?;
        let places = places(&file);
        let text = |name: &str| {
            let (at, size) = places.get(name)?;
            text(&file, *at, *size).ok()
        };
        let list = text(HEAD).ok_or_else(|| foreign(path).cause(format!("it has no {HEAD}")))?;
        let head = head(path, &list)?;
        let sums = text(SUMS).ok_or_else(|| cut(path, format!("its last file, {SUMS}, is missing")))?;
        let sums: BTreeMap<&str, &str> =
            sums.lines().filter_map(|line| line.split_once("  ")).map(|(a, b)| (b, a)).collect();
        if sums.get(HEAD) != Some(&hex(Sha256::new_with_prefix(&list)).as_str()) {
            return Err(damaged(path, &format!("list {HEAD}"), "its sha256 is another one".into()));
        }
        let mut contents = Vec::new();
        for entry in &head.entries {
            let (place, sum) = (places.get(&entry.file), sums.get(entry.file.as_str()));
            let (Some((at, size)), Some(sha256)) = (place, sum.filter(|sum| is_sum(sum))) else {
                return Err(cut(path, format!("the {} {} is missing", entry.item.kind(), entry.item.name())));
            };
            contents.push(Content { item: entry.item.clone(), size: *size, sha256: (*sha256).into(), at: *at });
        }
        Ok(Reader { file, path: path.into(), head, contents })
    }

    /// Copies one thing, and fails unless its bytes have the sum that the bundle says. `told` gets how many are copied.
    pub async fn copy(&mut self, content: &Content, to: &mut impl Write, told: &dyn Fn(u64)) -> Result<()> {
        let what = format!("{} {}", content.item.kind(), content.item.name());
        self.file.seek(SeekFrom::Start(content.at)).map_err(|e| unreadable(&self.path, e))?;
        let (sum, size) = copy(&mut self.file, to, content.size, told).await.map_err(|e| {
            Failure::step(format!("the {what} cannot be taken out of {}", self.path.display())).caused_by(e)
        })?;
        if size < content.size {
            return Err(cut(&self.path, format!("it ends in the middle of the {what}")));
        }
        match sum == content.sha256 {
            true => Ok(()),
            false => Err(damaged(&self.path, &what, format!("its sha256 is {sum}, and not {}", content.sha256))),
        }
    }
}

/// Whether it is a sha256. Files are named by it, so that it must be nothing else.
fn is_sum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Where each file in a tar begins, and how long it is, as far as it is a tar. Only headers are read.
fn places(file: &File) -> BTreeMap<String, (u64, u64)> {
    let mut archive = Archive::new(file);
    let mut places = BTreeMap::new();
    for entry in archive.entries_with_seek().into_iter().flatten() {
        let Ok(entry) = entry else { break };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        places.insert(name, (entry.raw_file_position(), entry.size()));
    }
    places
}

fn text(mut file: &File, at: u64, size: u64) -> std::io::Result<String> {
    file.seek(SeekFrom::Start(at))?;
    let mut text = String::new();
    file.take(size.min(MOST)).read_to_string(&mut text)?;
    Ok(text)
}

fn head(path: &Path, text: &str) -> Result<Head> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|e| foreign(path).caused_by(e))?;
    match json["format"].as_u64() {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => {
            return Err(Failure::requirement(format!("{} has another form than this version reads", path.display()))
                .cause(format!("it is of form {format}, and this version knows form {FORMAT}"))
                .hint("use the version of iris-lab that has written it"));
        }
        None => return Err(foreign(path).cause(format!("its {HEAD} has no format"))),
    }
    serde_json::from_value(json).map_err(|e| foreign(path).caused_by(e))
}

fn foreign(path: &Path) -> Failure {
    Failure::usage(format!("{} is no bundle", path.display()))
        .hint("name the file that `iris-lab bundle save` has written")
}

fn damaged(path: &Path, what: &str, cause: String) -> Failure {
    Failure::step(format!("the {what} in {} is damaged", path.display()))
        .cause(cause)
        .hint("copy the bundle again, and load it again: what is whole is not loaded twice")
}

fn cut(path: &Path, cause: String) -> Failure {
    Failure::requirement(format!("{} is not whole", path.display()))
        .cause(cause)
        .hint("copy it again from where it was saved")
}
