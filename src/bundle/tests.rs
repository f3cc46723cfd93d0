//! Bundles that are written and read back, whole and broken.

use super::*;
use crate::error::Result;
use crate::model::bundle::{Arch, Entry, FORMAT, Head, Item};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of a test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("iris-lab-bundle-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("lab.bundle")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn image(name: &str) -> Item {
    Item::Image { name: name.into(), pinned: None, of: None, id: None }
}

fn head() -> Head {
    let program = Item::Program { name: "kind".into(), os: "linux".into() };
    Head {
        format: FORMAT,
        version: "1".into(),
        created: "2026-01-31T12:00:00Z".into(),
        lab: "two-pod".into(),
        provider: "kind".into(),
        arch: Arch::Amd64,
        entries: vec![
            Entry { file: "images/01.tar".into(), item: image("iris:1") },
            Entry { file: "bin/kind".into(), item: program },
        ],
    }
}

/// What the image of the test is: more than a chunk, and no whole number of blocks.
fn content() -> Vec<u8> {
    (0..CHUNK + 1000).map(|index| (index % 251) as u8).collect()
}

async fn saved(file: &Path) -> Vec<u8> {
    let mut writer = Writer::create(file, &head(), 1_700_000_000).unwrap();
    let mut into = writer.begin().unwrap();
    into.write_all(&content()).unwrap();
    assert_eq!(writer.length(), content().len() as u64);
    writer.end("images/01.tar", 0o644, &|_| {}).await.unwrap();
    writer.add("bin/kind", 0o755, b"program").await.unwrap();
    assert!(!file.exists(), "it has its name only when it is whole");
    writer.finish().unwrap();
    fs::read(file).unwrap()
}

async fn read_all(file: &Path) -> Result<Vec<Vec<u8>>> {
    let mut reader = Reader::open(file)?;
    let mut all = Vec::new();
    for content in reader.contents.clone() {
        let mut bytes = Vec::new();
        reader.copy(&content, &mut bytes, &|_| {}).await?;
        all.push(bytes);
    }
    Ok(all)
}

#[tokio::test]
async fn what_is_written_is_read_and_any_tar_reads_it_too() {
    let folder = Folder::new("whole");
    saved(&folder.file()).await;
    assert_eq!(read_all(&folder.file()).await.unwrap(), [content(), b"program".to_vec()]);
    let mut archive = tar::Archive::new(fs::File::open(folder.file()).unwrap());
    let names: Vec<String> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    assert_eq!(names, ["bundle.json", "images/01.tar", "bin/kind", "SHA256SUMS"]);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "no draft is left");
}

#[tokio::test]
async fn what_is_not_finished_is_gone() {
    let folder = Folder::new("dropped");
    drop(Writer::create(&folder.file(), &head(), 0).unwrap());
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}

/// Wherever it is cut, it is not taken for whole.
#[tokio::test]
async fn two_runs_do_not_write_one_file() {
    let folder = Folder::new("twice");
    let first = Writer::create(&folder.file(), &head(), 0).unwrap();
    let refused = Writer::create(&folder.file(), &head(), 0).err().unwrap();
    assert!(refused.message.starts_with("another run is writing"), "{refused}");
    first.finish().unwrap();
    assert!(folder.file().is_file());
    Writer::create(&folder.file(), &head(), 0).unwrap().finish().unwrap();
}

#[tokio::test]
async fn a_bundle_that_was_cut_is_not_whole() {
    let folder = Folder::new("cut");
    let whole = saved(&folder.file()).await;
    for length in [0, 100, 512, 1500, 5000, whole.len() / 2, whole.len() - 3000, whole.len() - 1400] {
        fs::write(folder.file(), &whole[..length]).unwrap();
        let failure = read_all(&folder.file()).await.unwrap_err();
        let said = failure.message.ends_with("is not whole") || failure.message.ends_with("is no bundle");
        assert!(said && !failure.causes.is_empty() && !failure.hints.is_empty(), "{length}: {failure:?}");
    }
}

#[tokio::test]
async fn a_damaged_thing_is_named() {
    let folder = Folder::new("damaged");
    let mut bytes = saved(&folder.file()).await;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(folder.file(), bytes).unwrap();
    let failure = read_all(&folder.file()).await.unwrap_err();
    assert!(failure.message.contains("the image iris:1 in") && failure.message.ends_with("is damaged"), "{failure}");
}

#[tokio::test]
async fn a_list_that_was_changed_is_not_believed() {
    let folder = Folder::new("list");
    let mut bytes = saved(&folder.file()).await;
    let at = bytes.windows(7).position(|window| window == b"two-pod").unwrap();
    bytes[at] = b'T';
    fs::write(folder.file(), bytes).unwrap();
    let failure = Reader::open(&folder.file()).unwrap_err();
    assert!(failure.message.starts_with("the list bundle.json in"), "{failure}");
}

#[test]
fn other_files_are_no_bundles() {
    let folder = Folder::new("other");
    let opened = |bytes: &[u8]| {
        fs::write(folder.file(), bytes).unwrap();
        Reader::open(&folder.file()).unwrap_err()
    };
    assert!(opened(&[7; 4096]).message.ends_with("is no bundle"));
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    tar.append_data(&mut header, "manifest.json", &b"{}"[..]).unwrap();
    assert_eq!(opened(&tar.into_inner().unwrap()).causes, ["it has no bundle.json"]);
    let absent = Reader::open(&folder.0.join("absent")).unwrap_err();
    assert!(absent.message.starts_with("cannot read"), "{absent}");
}

#[tokio::test]
async fn a_newer_form_says_so() {
    let folder = Folder::new("newer");
    let newer = Head { format: FORMAT + 1, entries: Vec::new(), ..head() };
    Writer::create(&folder.file(), &newer, 0).unwrap().finish().unwrap();
    let failure = Reader::open(&folder.file()).unwrap_err();
    assert_eq!(failure.causes, ["it is of form 2, and this version knows form 1"]);
}

#[tokio::test]
async fn of_images_by_one_name_the_cache_keeps_the_last_and_nothing_without_its_note() {
    let folder = Folder::new("cache");
    let cache = Cache::below(&folder.0);
    let _held = cache.take().unwrap();
    assert!(cache.take().is_err(), "one run at a time");
    for sha256 in ["aa", "bb"] {
        let draft = cache.folder().join("x.part");
        fs::write(&draft, sha256).unwrap();
        let kept = Kept { item: image("iris:1"), arch: Arch::Amd64, sha256: sha256.into() };
        cache.keep(&draft, &cache.archive(sha256), Some(&kept)).unwrap();
    }
    fs::write(cache.archive("cc"), "no note").unwrap();
    let sums: Vec<String> = cache.images().into_iter().map(|kept| kept.sha256).collect();
    assert_eq!(sums, ["bb"]);
    assert!(!cache.archive("aa").exists());
}
