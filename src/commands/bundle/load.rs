//! `iris-lab bundle load`: from the file into our cache, each thing checked on the way, and its images from there to who keeps images
//! on this host.

use super::{step, steps, summary};
use crate::bundle::{Cache, Content, Kept, Reader};
use crate::cli::LoadArgs;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::host::images::Stores;
use crate::lab::image::Image;
use crate::model::bundle::{Item, Program};
use crate::model::{Arch, StepEnd};
use crate::paths::{self, uncached};
use crate::ui::{BundleDone, Ui, bytes};
use crate::{host, provider};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

/// Loads the bundle.
pub async fn load(ui: &Ui, args: &LoadArgs) -> Result<()> {
    let start = Instant::now();
    let mut reader = Reader::open(&args.file)?;
    suits(&reader)?;
    let cache = Cache::below(&paths::cache()?);
    let stores = Stores::look(&System).await?;
    let contents: Vec<Content> = reader.contents.iter().filter(|content| is_for_here(&content.item)).cloned().collect();
    for other in reader.contents.iter().filter(|content| !is_for_here(&content.item)) {
        ui.note(format!("the program {} is for another system, and left out", other.item.name()));
    }
    let mut summary = summary(&args.file, &reader.head, &reader.contents);
    let held = cache.take()?;
    room(&cache, &contents).await?;
    let ids = (1..=contents.len()).map(|number| format!("load-{number}")).collect();
    let lab = reader.head.lab.clone();
    let work = async {
        for (index, content) in contents.iter().enumerate() {
            let title = format!("Load {}", content.item.name());
            step(ui, format!("load-{}", index + 1), title, async |progress| {
                Ok((one(&mut reader, content, &cache, &stores, progress).await?, ()))
            })
            .await?;
        }
        Ok(())
    };
    steps(ui, "bundle load", &lab, ids, work).await?;
    drop(held);
    summary.done = Some(BundleDone::Loaded {
        seconds: start.elapsed().as_secs_f64(),
        folder: cache.folder().display().to_string(),
        stores: stores.all().map(|store| store.name().to_string()).collect(),
    });
    ui.result(|look| summary.text(look), &summary)
}

/// Refuses what is for another machine, or cannot be what it says. Its sums tell damage; who made it, they do not.
fn suits(reader: &Reader) -> Result<()> {
    let head = &reader.head;
    if Arch::here() != Some(head.arch) {
        let here = Arch::here().map_or("of another kind".to_string(), |arch| arch.to_string());
        return Err(Failure::requirement(format!("the bundle is for {}, and this machine is {here}", head.arch))
            .hint(format!("save one for this machine, with `iris-lab bundle save --arch {here}`")));
    }
    let programs: Vec<Program> = provider::ALL.iter().flat_map(|provider| provider.programs(head.arch)).collect();
    for content in reader.contents.iter().filter(|content| is_for_here(&content.item)) {
        let name = content.item.name();
        let known = match &content.item {
            Item::Image { .. } => Image::parse(name).is_ok(),
            Item::Program { .. } => {
                programs.iter().any(|one| (&one.name, &one.sha256) == (&name.to_string(), &content.sha256))
            }
        };
        if !known {
            return Err(Failure::requirement(format!("the {} {name} in the bundle is not known", content.item.kind()))
                .cause("its name or its sha256 is none that this version of iris-lab takes")
                .hint("use a bundle that this version has saved"));
        }
    }
    Ok(())
}

fn is_for_here(item: &Item) -> bool {
    match item {
        Item::Image { .. } => true,
        Item::Program { os, .. } => Program::system() == Some(os.as_str()),
    }
}

/// Fails where the disk of the cache has no room for what is not there yet.
async fn room(cache: &Cache, contents: &[Content]) -> Result<()> {
    let there = |content: &&Content| !fs::metadata(place(cache, content)).is_ok_and(|data| data.len() == content.size);
    let size: u64 = contents.iter().filter(there).map(|content| content.size).sum();
    match host::free(&System, cache.folder()).await? {
        Some(free) if free < size => Err(Failure::requirement("there is no room for what is in the bundle")
            .cause(format!("it takes {}, and {} are free in {}", bytes(size), bytes(free), cache.folder().display()))
            .hint(format!("free space there, or set {} to a folder on another disk", paths::CACHE_VARIABLE))),
        _ => Ok(()),
    }
}

fn place(cache: &Cache, content: &Content) -> std::path::PathBuf {
    match &content.item {
        Item::Image { .. } => cache.archive(&content.sha256),
        Item::Program { name, .. } => cache.program(name),
    }
}

/// One thing. It has its place in the cache only when all who keep images have it: until then, another run begins with it again.
async fn one(
    reader: &mut Reader,
    content: &Content,
    cache: &Cache,
    stores: &Stores,
    progress: &dyn Fn(String),
) -> Result<StepEnd> {
    let path = place(cache, content);
    let told = |what: &str, done: u64| progress(format!("{what}, {} of {}", bytes(done), bytes(content.size)));
    let there = cache.has(&path, content.size, &content.sha256, &|done| told("it is there: its sha256", done)).await;
    let draft = path.with_extension("part");
    if !there {
        unpack(reader, content, &draft, &|done| told("out of the bundle", done)).await?;
    }
    let archive = if there { &path } else { &draft };
    let loaded = into_stores(content, archive, !there, stores, progress).await?;
    if !there {
        let kept = Kept { item: content.item.clone(), arch: reader.head.arch, sha256: content.sha256.clone() };
        cache.keep(&draft, &path, matches!(content.item, Item::Image { .. }).then_some(&kept))?;
    }
    Ok(match (there, loaded.as_slice()) {
        (true, []) => StepEnd::Unchanged("it is there".into()),
        (false, []) => StepEnd::Changed(bytes(content.size)),
        (_, into) => StepEnd::Changed(format!("{}, into {} too", bytes(content.size), into.join(" and "))),
    })
}

async fn unpack(reader: &mut Reader, content: &Content, draft: &Path, told: &dyn Fn(u64)) -> Result<()> {
    let mut file = File::create(draft).map_err(|e| uncached(draft, e))?;
    let copied = match reader.copy(content, &mut file, told).await {
        Ok(()) => file.sync_all().map_err(|e| uncached(draft, e)),
        Err(failure) => Err(failure),
    };
    let mode = if matches!(content.item, Item::Program { .. }) { 0o755 } else { 0o644 };
    let copied = copied
        .and_then(|()| fs::set_permissions(draft, fs::Permissions::from_mode(mode)).map_err(|e| uncached(draft, e)));
    if copied.is_err() {
        // What is damaged is of no use, and another run would overwrite it.
        let _ = fs::remove_file(draft);
    }
    copied
}

/// Gives an image to all who keep images here: to those that have none by its name or another one, and with `anew` to those too of
/// which nobody can tell. Says who got it.
async fn into_stores(
    content: &Content,
    archive: &Path,
    anew: bool,
    stores: &Stores,
    progress: &dyn Fn(String),
) -> Result<Vec<&'static str>> {
    let Item::Image { name, id, .. } = &content.item else { return Ok(Vec::new()) };
    let mut into = Vec::new();
    for store in stores.all() {
        let has = match store.find(&System, name).await? {
            Some(found) if found.id.is_some() && id.is_some() => found.id == *id,
            Some(_) => !anew,
            None => false,
        };
        if !has {
            progress(format!("into {}", store.name()));
            store.load(&System, name, archive, &|line| progress(line.into())).await?;
            into.push(store.name());
        }
    }
    Ok(into)
}
