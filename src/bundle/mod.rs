//! Bundles as files: one that is written, one that is read, and the folder of our cache that images go to from there.
//!
//! A bundle is a plain tar. It begins with `bundle.json`, which says what follows, has each image in an archive of its own, and ends with
//! `SHA256SUMS`, by which one knows that it is whole. One archive for all images would hold the layers that they share once; with one
//! for each, an image can be checked and loaded alone, and a load that was broken off goes on behind the last one.

mod cache;
mod read;
mod write;

pub use cache::{Cache, Kept};
pub use read::{Content, Reader};
pub use write::Writer;

use crate::error::Failure;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// The first file in it.
const HEAD: &str = "bundle.json";
/// The last file in it, in the form of `sha256sum`.
const SUMS: &str = "SHA256SUMS";
/// A tar is made of blocks of this many bytes.
const BLOCK: u64 = 512;
/// Bytes that are copied at once: other work goes on in between.
const CHUNK: usize = 1 << 20;
/// How often it is told how far a copy is.
const NOW_AND_THEN: Duration = Duration::from_millis(250);

/// Copies so many bytes, and gives their sha256 and how many there were: fewer where the source ends before. `told` gets now and then how
/// many are copied.
async fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    size: u64,
    told: &dyn Fn(u64),
) -> std::io::Result<(String, u64)> {
    let (mut sum, mut done, mut buffer) = (Sha256::new(), 0, vec![0; CHUNK]);
    let mut last: Option<Instant> = None;
    while done < size {
        let wanted = buffer.len().min(usize::try_from(size - done).unwrap_or(CHUNK));
        let count = match from.read(&mut buffer[..wanted]) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        to.write_all(&buffer[..count])?;
        sum.update(&buffer[..count]);
        done += count as u64;
        if last.is_none_or(|last| last.elapsed() >= NOW_AND_THEN) {
            told(done);
            last = Some(Instant::now());
        }
        tokio::task::yield_now().await;
    }
    Ok((hex(sum), done))
}

fn hex(sum: Sha256) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The sha256 of so many bytes.
async fn sum(from: &mut impl Read, size: u64, told: &dyn Fn(u64)) -> std::io::Result<(String, u64)> {
    copy(from, &mut std::io::sink(), size, told).await
}

/// The failure for a bundle that cannot be written: mostly there is no room for it.
fn unwritable(path: &std::path::Path, error: std::io::Error) -> Failure {
    Failure::step(format!("cannot write {}", path.display()))
        .caused_by(error)
        .hint("free space or give write access there, or name a file on another disk")
}

fn unreadable(path: &std::path::Path, error: std::io::Error) -> Failure {
    Failure::requirement(format!("cannot read {}", path.display())).caused_by(error)
}

#[cfg(test)]
mod tests;
