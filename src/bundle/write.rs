//! Writing a bundle. It has its own name only when it is whole and on the disk; until then, and for ever where it fails, it is a draft.

use super::{BLOCK, HEAD, SUMS, hex, sum, unwritable};
use crate::error::{Failure, Result};
use crate::model::bundle::Head;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tar::{EntryType, Header};

/// A bundle that is being written.
pub struct Writer {
    file: File,
    path: PathBuf,
    draft: PathBuf,
    sums: String,
    created: u64,
    /// Where the header of the file that was begun last is.
    start: u64,
    whole: bool,
}

impl Writer {
    /// Begins one: `head` says what will be in it. `created` is the time of its files, in seconds since 1970.
    pub fn create(path: &Path, head: &Head, created: u64) -> Result<Writer> {
        let draft = PathBuf::from(format!("{}.part", path.display()));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&draft);
        let file = file.map_err(|e| unwritable(path, e))?;
        // The lock goes with its process, so what a killed run has left is begun anew.
        file.try_lock().map_err(|_| {
            Failure::requirement(format!("another run is writing {}", path.display()))
                .cause(format!("it holds {}", draft.display()))
                .hint("wait until it has ended, or name another file")
        })?;
        file.set_len(0).map_err(|e| unwritable(path, e))?;
        let mut writer =
            Writer { file, path: path.into(), draft, sums: String::new(), created, start: 0, whole: false };
        let text = serde_json::to_string_pretty(head)
            .map_err(|e| Failure::step("the list of what is in the bundle cannot be written").caused_by(e))?;
        let text = text + "\n";
        writer.small(HEAD, &text)?;
        writer.sums = line(&hex(Sha256::new_with_prefix(&text)), HEAD);
        Ok(writer)
    }

    /// Begins a file whose size is not known yet. What is written to the handle that comes back becomes its content.
    pub fn begin(&mut self) -> Result<File> {
        let begin = |writer: &mut Writer| {
            writer.start = writer.file.stream_position()?;
            writer.file.write_all(&[0; BLOCK as usize])?;
            writer.file.try_clone()
        };
        begin(self).map_err(|e| self.unwritable(e))
    }

    /// Ends it: its size is known now, and its sha256 is that of what is on the disk. `told` gets how many bytes are read.
    pub async fn end(&mut self, name: &str, mode: u32, told: &dyn Fn(u64)) -> Result<u64> {
        self.end_file(name, mode, told).await.map_err(|e| self.unwritable(e))
    }

    /// A whole file.
    pub async fn add(&mut self, name: &str, mode: u32, content: &[u8]) -> Result<u64> {
        self.begin()?.write_all(content).map_err(|e| self.unwritable(e))?;
        self.end(name, mode, &|_| {}).await
    }

    /// How much of the file that was begun is there.
    pub fn length(&self) -> u64 {
        self.file.metadata().map_or(0, |data| data.len().saturating_sub(self.start + BLOCK))
    }

    /// Ends the bundle, and gives its size.
    pub fn finish(mut self) -> Result<u64> {
        let sums = std::mem::take(&mut self.sums);
        self.small(SUMS, &sums)?;
        let last = |writer: &mut Writer| {
            writer.file.write_all(&[0; 2 * BLOCK as usize])?;
            writer.file.sync_all()?;
            std::fs::rename(&writer.draft, &writer.path)?;
            writer.whole = true;
            writer.file.metadata()
        };
        last(&mut self).map(|data| data.len()).map_err(|e| self.unwritable(e))
    }

    async fn end_file(&mut self, name: &str, mode: u32, told: &dyn Fn(u64)) -> std::io::Result<u64> {
        let end = self.file.seek(SeekFrom::End(0))?;
        let size = end - self.start - BLOCK;
        self.file.seek(SeekFrom::Start(self.start + BLOCK))?;
        let (sum, _) = sum(&mut self.file, size, told).await?;
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.write_all(header(name, size, mode, self.created)?.as_bytes())?;
        self.file.seek(SeekFrom::Start(end))?;
        self.file.write_all(&vec![0; (size.next_multiple_of(BLOCK) - size) as usize])?;
        self.sums += &line(&sum, name);
        Ok(size)
    }

    /// A small file.
    fn small(&mut self, name: &str, content: &str) -> Result<()> {
        let size = content.len() as u64;
        let write = |writer: &mut Writer| {
            writer.file.write_all(header(name, size, 0o644, writer.created)?.as_bytes())?;
            writer.file.write_all(content.as_bytes())?;
            writer.file.write_all(&vec![0; (size.next_multiple_of(BLOCK) - size) as usize])
        };
        write(self).map_err(|e| self.unwritable(e))
    }

    fn unwritable(&self, error: std::io::Error) -> Failure {
        unwritable(&self.path, error)
    }
}

/// What is not whole goes: another run begins anew.
impl Drop for Writer {
    fn drop(&mut self) {
        if !self.whole {
            // The failure is told already, and it is no bundle by its name.
            let _ = std::fs::remove_file(&self.draft);
        }
    }
}

/// A line of `sha256sum`.
fn line(sum: &str, name: &str) -> String {
    format!("{sum}  {name}\n")
}

fn header(name: &str, size: u64, mode: u32, created: u64) -> std::io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(created);
    header.set_cksum();
    Ok(header)
}
