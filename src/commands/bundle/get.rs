//! Everything that goes into a bundle, on this host: found, pulled or downloaded.

use super::step;
use crate::cli::SaveArgs;
use crate::error::{Failure, Result};
use crate::exec::System;
use crate::host::images::{Found, Store, Stores};
use crate::lab::ProviderName;
use crate::model::bundle::{Entry, Item, Place, Program};
use crate::model::{Arch, Need, StepEnd, image_name};
use crate::provider::{self, Provider};
use crate::ui::{Ui, bytes};
use crate::{download, paths};

/// What microk8s and its add-ons run, by a part of the images' names.
const OF_MICROK8S: &[&str] =
    &["/calico/", "/coredns/", "/cdkbot/", "/metallb/", "/pause:", "/library/registry:", "/library/busybox:"];

/// An image on its way into the bundle, and who has it here.
pub(super) struct Source<'a> {
    /// Its name and its place.
    pub(super) need: Need,
    /// Who has it, or gets it.
    pub(super) store: &'a Store,
}

/// What the provider runs by itself: microk8s alone has it from elsewhere than our list, and only a microk8s that runs tells.
pub(super) async fn own<'a>(
    ui: &Ui,
    provider: &dyn Provider,
    arch: Arch,
    stores: &'a Stores,
    others: &[Source<'_>],
) -> Result<Vec<Source<'a>>> {
    if provider.name() != ProviderName::Microk8s {
        return Ok(Vec::new());
    }
    ui.note(
        "the snap microk8s is not in the bundle: bring it along with `snap download microk8s --channel=CHANNEL`, and there `snap ack` \
         and `snap install --classic`",
    );
    let Some(store) = stores.microk8s.as_ref().filter(|_| Arch::here() == Some(arch)) else {
        ui.note(
            "warning: what microk8s itself runs is not in the bundle: save it where a microk8s of the same channel and processor runs, \
             with its add-ons",
        );
        return Ok(Vec::new());
    };
    let known = |name: &str| others.iter().any(|other| image_name::whole(&other.need.name) == image_name::whole(name));
    let mut names = store.names(&System).await?;
    names.retain(|name| !name.contains('@') && OF_MICROK8S.iter().any(|part| name.contains(part)) && !known(name));
    Ok(names.into_iter().map(|name| Source { need: Need { name, place: Place::Provider }, store }).collect())
}

/// Sees to it that every image is here; gives what they are in the bundle, and about how many bytes they have.
pub(super) async fn get(ui: &Ui, args: &SaveArgs, sources: &[Source<'_>], arch: Arch) -> Result<(Vec<Entry>, u64)> {
    let (mut entries, mut total) = (Vec::new(), 0);
    for (index, source) in sources.iter().enumerate() {
        let title = format!("Get {}", image_name::without_digest(&source.need.name));
        let found = step(ui, format!("get-{}", index + 1), title, async |progress| {
            let (found, pulled) = here(source, args.mirror.as_deref(), arch, progress).await?;
            let store = source.store.name();
            let end = match pulled {
                true => StepEnd::Changed(format!("{store} has it now")),
                false => StepEnd::Unchanged(format!("{store} has it")),
            };
            Ok((end, found))
        });
        let found = found.await?;
        total += found.size.unwrap_or(0);
        entries.push(Entry { file: format!("images/{:02}.tar", index + 1), item: item_of(&source.need, found.id) });
    }
    Ok((entries, total))
}

fn item_of(need: &Need, id: Option<String>) -> Item {
    let name = image_name::without_digest(&need.name).to_string();
    Item::Image {
        pinned: Some(need.name.clone()).filter(|wanted| *wanted != name),
        of: (need.place == Place::Provider).then(|| provider::word(ProviderName::Microk8s).into()),
        id,
        name,
    }
}

/// One image: found, or pulled, under its name without a digest; and whether it was pulled.
async fn here(
    source: &Source<'_>,
    mirror: Option<&str>,
    arch: Arch,
    progress: &dyn Fn(String),
) -> Result<(Found, bool)> {
    let Source { need: Need { name, .. }, store } = source;
    let from = mirror.map_or_else(|| name.clone(), |mirror| image_name::mirrored(name, mirror));
    let (found, pulled) = match store.find(&System, name).await? {
        Some(found) => (found, false),
        None => {
            store.pull(&System, &from, arch, &|line| progress(line.into())).await?;
            let found = store.find(&System, &from).await?;
            let lost = || Failure::step(format!("{} has no image {from} after it has pulled it", store.name()));
            (found.ok_or_else(lost)?, true)
        }
    };
    if !found.platforms.contains(&arch.platform()) {
        return Err(Failure::requirement(format!("the image {name} is not for {arch}"))
            .cause(format!("{} has it for {}", store.name(), found.platforms.join(", ")))
            .hint(format!(
                "remove it there, so that the one for {arch} is pulled, or ask for another processor with --arch"
            )));
    }
    let tagged = image_name::without_digest(name);
    match store.find(&System, tagged).await? {
        Some(other) if other.id != found.id => {
            Err(Failure::requirement(format!("{tagged} is another image here than {name}"))
                .cause("the bundle has it by its tag alone")
                .hint(format!("take the tag away, if nobody needs it: `docker image rm {tagged}`")))
        }
        Some(_) => Ok((found, pulled)),
        None => {
            store.tag(&System, found.id.as_deref().unwrap_or(&from), tagged).await?;
            Ok((found, pulled))
        }
    }
}

/// The programs: those of our cache, or downloaded.
pub(super) async fn fetch(ui: &Ui, programs: &[Program], arch: Arch) -> Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for program in programs {
        let Program { name, url, sha256, .. } = program.clone();
        let content = step(ui, program.name.clone(), format!("Get {name} for {arch}"), async |_| {
            let cached = std::fs::read(paths::cache()?.join(&name)).unwrap_or_default();
            if download::sha256(&cached) == sha256 {
                return Ok((StepEnd::Unchanged("it is in our cache".into()), cached));
            }
            let address = url.clone();
            let fetched = tokio::task::spawn_blocking(move || download::verified(&address, &sha256)).await;
            let fetched = fetched.map_err(|e| Failure::step(format!("cannot download {url}")).caused_by(e))?;
            let hint = "or leave programs out with --images-only, where the other machine has them";
            let content = fetched.map_err(|failure| failure.hint(hint))?;
            Ok((StepEnd::Changed(bytes(content.len() as u64)), content))
        });
        all.push(content.await?);
    }
    Ok(all)
}

pub(super) fn entry_of(program: &Program) -> Entry {
    let Program { name, os, .. } = program.clone();
    Entry { file: format!("bin/{name}"), item: Item::Program { name, os } }
}
