//! `iris-lab bundle save`: what the lab needs, got together and written into one file.

use super::get::{Source, entry_of, fetch, get, own};
use super::{step, steps, summary};
use crate::bundle::{Reader, Writer};
use crate::cli::SaveArgs;
use crate::commands::original::original;
use crate::commands::{again, request};
use crate::error::{Failure, Result};
use crate::exec::{Machine, System};
use crate::host::images::{Store, Stores};
use crate::lab::{Lab, ProviderName};
use crate::model::bundle::{Entry, FORMAT, Head, Place};
use crate::model::{Arch, HostFacts, Need, Needs, SimSettings, StepEnd, image_name};
use crate::plan::{self, Wanted};
use crate::provider::{self, Provider, Tools, Wishes};
use crate::ui::{BundleDone, Ui, bytes};
use crate::{host, paths};
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

/// How often a file that grows is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Writes the bundle.
pub async fn save(ui: &Ui, args: &SaveArgs) -> Result<()> {
    let start = Instant::now();
    absent(&args.file)?;
    let arch = args.arch.or_else(Arch::here).ok_or_else(|| {
        Failure::requirement("there are no images for this machine's processor").hint("name one with --arch amd64")
    })?;
    let mut lab = request::load(&args.lab)?;
    if lab.spec.iris.build.context.is_some() {
        return Err(Failure::usage(
            "the image of this lab is built where the lab is brought up, and cannot be bundled",
        )
        .hint("build it here with `iris-lab image build`, and name it with --image, without the build in the lab"));
    }
    let manifest = original(&mut lab, &args.lab)?;
    let provider = chosen(&lab, args).await?;
    let objects = manifest.as_ref().map(|original| original.objects.as_slice());
    let needs = needed(&lab, provider, objects, arch)?;
    bearable(&needs)?;
    let stores = Stores::look(&System).await?;
    let mut sources = Vec::new();
    for need in needs.images {
        sources.push(Source { need, store: stores.first()? });
    }
    sources.extend(own(ui, provider, arch, &stores, &sources).await?);
    let programs = if args.images_only { Vec::new() } else { needs.programs };
    let word = provider::word(provider.name());
    let mut head = Head {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").into(),
        created: format!("{:.0}", jiff::Timestamp::now()),
        lab: lab.metadata.name.clone(),
        provider: word.into(),
        arch,
        entries: Vec::new(),
    };
    let ids = (1..=sources.len()).flat_map(|number| [format!("get-{number}"), format!("save-{number}")]);
    let ids = ids.chain(programs.iter().map(|program| program.name.clone())).collect();
    let work = async {
        let (entries, size) = get(ui, args, &sources, arch).await?;
        let contents = fetch(ui, &programs, arch).await?;
        head.entries = entries;
        head.entries.extend(programs.iter().map(entry_of));
        room(&args.file, size + contents.iter().map(|content| content.len() as u64).sum::<u64>()).await?;
        write(ui, &args.file, &head, &sources, &contents).await
    };
    steps(ui, "bundle save", &lab.metadata.name, ids, work).await?;
    let reader = Reader::open(&args.file)?;
    let mut placed = args.lab.clone();
    placed.provider = Some(provider.name());
    if provider.name() == ProviderName::Existing {
        placed.context.get_or_insert_with(|| "NAME".into());
    }
    let mut summary = summary(&args.file, &reader.head, &reader.contents);
    summary.done = Some(BundleDone::Saved { seconds: start.elapsed().as_secs_f64(), up: again::elsewhere(&placed) });
    ui.result(|look| summary.text(look), &summary)
}

/// A file that is there is somebody's.
fn absent(file: &Path) -> Result<()> {
    match file.exists() {
        true => Err(Failure::usage(format!("{} is there already", file.display()))
            .hint("remove it, if nobody needs it, or name another file")),
        false => Ok(()),
    }
}

/// The provider that the bundle is for. What it makes is of no interest here, so that it needs neither a context nor a lab.
async fn chosen(lab: &Lab, args: &SaveArgs) -> Result<&'static dyn Provider> {
    let (wanted, context) = (lab.spec.provider, args.lab.context.as_deref());
    let mut tools = Tools::default();
    if provider::depends_on_tools(wanted, None, context) {
        (tools.microk8s, tools.kind) = host::tools(&System).await?;
    }
    let provider = match wanted {
        ProviderName::Existing => provider::named(provider::word(wanted))?,
        _ => provider::choose(wanted, None, context, tools)?.0,
    };
    if provider.is_simulated() {
        return Err(Failure::usage("the simulator needs no bundle")
            .cause("nothing real is made there, and nothing is pulled: it works without a network as it is")
            .hint("name the provider of the other machine with --provider kind or --provider microk8s"));
    }
    Ok(provider)
}

/// What the lab needs on a machine that has nothing yet.
fn needed(
    lab: &Lab,
    provider: &'static dyn Provider,
    longhorn: Option<&[serde_json::Value]>,
    arch: Arch,
) -> Result<Needs> {
    let (host, cache) = (HostFacts::default(), paths::cache()?);
    let sim = SimSettings { nodes: lab.spec.nodes, kubernetes: String::new(), speed: None, faults: None };
    let wishes = Wishes {
        context: None,
        kubeconfig_is_current: false,
        sim: &sim,
        host: &host,
        made: &[],
        bundled: &[],
        was_whole: false,
        dir: &cache,
        cache: &cache,
    };
    plan::needs(&Wanted { lab, longhorn, provider, wishes, password_hash: "", image: None }, arch)
}

/// Refuses what a node would ask a registry for, although it has it.
fn bearable(needs: &Needs) -> Result<()> {
    let name = |need: &Need| match () {
        () if need.place != Place::Pods => None,
        () if image_name::is_always_pulled(&need.name) => {
            Some((need.name.clone(), "without a fixed tag, it is asked for at every start"))
        }
        () if need.name.contains('@') => {
            Some((need.name.clone(), "no archive keeps its digest, by which it is asked for"))
        }
        () => None,
    };
    let Some((name, why)) = needs.images.iter().find_map(name) else { return Ok(()) };
    Err(Failure::usage(format!("the image {name} cannot be bundled"))
        .cause(format!("{why}: without a network, its pods would not start"))
        .hint("name one with a tag such as 2026.1 with --image, also for `up`"))
}

/// Fails where the disk has no room for the bundle. How large its archives become is only known when they are there.
async fn room(file: &Path, size: u64) -> Result<()> {
    let folder = std::path::absolute(file).ok().and_then(|path| path.parent().map(Path::to_path_buf));
    let folder = folder.unwrap_or_else(|| "/".into());
    match host::free(&System, &folder).await? {
        Some(free) if free < size => Err(Failure::requirement(format!("there is no room for {}", file.display()))
            .cause(format!("it takes about {}, and {} are free in {}", bytes(size), bytes(free), folder.display()))
            .hint("free space there, or name a file on another disk")),
        _ => Ok(()),
    }
}

async fn write(ui: &Ui, file: &Path, head: &Head, sources: &[Source<'_>], programs: &[Vec<u8>]) -> Result<()> {
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
    let mut writer = Writer::create(file, head, now)?;
    for (index, (source, entry)) in sources.iter().zip(&head.entries).enumerate() {
        let title = format!("Save {}", entry.item.name());
        step(ui, format!("save-{}", index + 1), title, async |progress| {
            let size = pour(&mut writer, source.store, entry, head.arch, progress).await?;
            Ok((StepEnd::Changed(bytes(size)), ()))
        })
        .await?;
    }
    for (content, entry) in programs.iter().zip(&head.entries[sources.len()..]) {
        writer.add(&entry.file, 0o755, content).await?;
    }
    writer.finish().map(|_| ())
}

/// The archive of one image, from who keeps it right into the bundle.
async fn pour(writer: &mut Writer, store: &Store, entry: &Entry, arch: Arch, progress: &dyn Fn(String)) -> Result<u64> {
    let command = store.save(entry.item.name(), arch);
    let into = writer.begin()?;
    let mut pouring = pin!(System.pour(&command, into));
    let output = loop {
        tokio::select! {
            output = &mut pouring => break output?,
            () = tokio::time::sleep(LOOK) => progress(format!("{} so far", bytes(writer.length()))),
        }
    };
    if !output.ok() {
        return Err(host::explained(store.failure(&command, &output)));
    }
    writer.end(&entry.file, 0o644, &|done| progress(format!("its sha256, {} so far", bytes(done)))).await
}
