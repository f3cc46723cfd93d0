//! The images of bundles in our cache: each an archive named by its sha256, with a note that says what it is. An image without its note
//! does not count: the note comes last.

use super::sum;
use crate::error::{Failure, Result};
use crate::model::bundle::{Arch, Item};
use crate::paths::uncached;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The folder, below that of our cache.
const FOLDER: &str = "bundle";

/// The folder of the images.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    programs: PathBuf,
}

/// An image that is there and whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What it is.
    #[serde(flatten)]
    pub item: Item,
    /// The processor that it is for.
    pub arch: Arch,
    /// Its sha256.
    pub sha256: String,
}

impl Cache {
    /// The one below a cache folder.
    pub fn below(cache: &Path) -> Cache {
        Cache { folder: cache.join(FOLDER), programs: cache.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the archive of an image is or will be.
    pub fn archive(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}.tar"))
    }

    /// Where a program is or will be: where it is looked for before it is downloaded.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The images that are there. A folder that is not there has none.
    pub fn images(&self) -> Vec<Kept> {
        let notes = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let notes = notes.filter(|path| path.extension().is_some_and(|end| end == "json"));
        let read = notes.filter_map(|path| serde_json::from_slice::<Kept>(&fs::read(path).ok()?).ok());
        let mut images: Vec<Kept> = read.filter(|kept| self.archive(&kept.sha256).is_file()).collect();
        images.sort_by(|a, b| a.item.name().cmp(b.item.name()));
        images
    }

    /// Makes the folder, and holds it for this run alone.
    pub fn take(&self) -> Result<File> {
        let path = self.folder.join("lock");
        fs::create_dir_all(&self.folder).map_err(|e| uncached(&self.folder, e))?;
        let file = File::create(&path).map_err(|e| uncached(&path, e))?;
        file.try_lock().map(|()| file).map_err(|_| {
            Failure::requirement("another run is at work on the bundles in the cache")
                .cause(format!("it holds {}", path.display()))
                .hint("wait until it has ended, or end it with Ctrl-C")
        })
    }

    /// Whether a file is there with this sum. `told` gets how many bytes are read.
    pub async fn has(&self, path: &Path, size: u64, sha256: &str, told: &dyn Fn(u64)) -> bool {
        let Ok(mut file) = File::open(path) else { return false };
        let length = file.metadata().map_or(0, |data| data.len());
        length == size && sum(&mut file, size, told).await.is_ok_and(|(found, _)| found == sha256)
    }

    /// Gives a draft its name. Of images by the same name the last one counts: what it takes the place of goes.
    pub fn keep(&self, draft: &Path, path: &Path, kept: Option<&Kept>) -> Result<()> {
        fs::rename(draft, path).map_err(|e| uncached(path, e))?;
        let Some(kept) = kept else { return Ok(()) };
        let note = |sha256: &str| self.folder.join(format!("{sha256}.json"));
        let failed = |e: std::io::Error| uncached(&note(&kept.sha256), e);
        let text = serde_json::to_vec_pretty(kept).map_err(|e| failed(e.into()))?;
        let new = note(&kept.sha256).with_extension("new");
        fs::write(&new, text).and_then(|()| fs::rename(&new, note(&kept.sha256))).map_err(failed)?;
        let older = self
            .images()
            .into_iter()
            .filter(|one| (one.item.name(), one.arch) == (kept.item.name(), kept.arch) && one.sha256 != kept.sha256);
        for one in older {
            // The note first: without it, an archive is nothing. What cannot be removed is removed with the whole folder.
            let _ = fs::remove_file(note(&one.sha256)).and_then(|()| fs::remove_file(self.archive(&one.sha256)));
        }
        Ok(())
    }
}
