//! From the arguments of `up`, `plan` and `render` to a valid lab and the provider that makes its cluster.

use super::addresses::{self, Ground};
use super::original::original;
use super::{again, built, credentials, labs};
use crate::addon::longhorn::original::Original;
use crate::bundle::{Cache, Kept};
use crate::cli::LabArgs;
use crate::cluster::kubeconfig;
use crate::engine::journal::{Journal, Target};
use crate::error::{Failure, Result};
use crate::exec::Machine;
use crate::host;
use crate::lab::{self, Lab, Overrides};
use crate::model::bundle::{Item, Place};
use crate::model::{Arch, Bundled, HostFacts, HostObject, ImageFacts, Need, SimSettings};
use crate::paths::{self, LabDir, StateDir};
use crate::plan::{self, Wanted};
use crate::provider::{self, DEFAULT_KUBERNETES, Provider, Tools, Wishes};
use crate::sim::faults::Faults;
use crate::yaml;
use std::path::{Path, PathBuf};

/// What the user asked for, resolved and valid.
pub struct Request {
    /// The lab.
    pub lab: Lab,
    /// The original manifest of Longhorn that takes the place of ours.
    pub longhorn: Option<Original>,
    /// Its provider.
    pub provider: &'static dyn Provider,
    /// Why this provider.
    pub reason: String,
    /// The context of the user's kubeconfig.
    pub context: Option<String>,
    /// How the embedded cluster is to behave.
    pub sim: SimSettings,
    /// This host; nothing of it where the provider does not use it.
    pub host: HostFacts,
    /// A kubeconfig for the cluster that the provider has made already, as its tool prints it; none while there is none that runs.
    pub access: Option<String>,
    /// What was made on this host, as the lab's journal says and that of what earlier labs have left.
    pub made: Vec<HostObject>,
    /// What was seen of the image that the lab builds; none where it builds none.
    pub image: Option<ImageFacts>,
    /// What is to be said of it.
    pub image_notes: Vec<String>,
    /// The images of bundles in our cache that the lab needs.
    pub bundled: Vec<Bundled>,
    /// What is to be said of the addresses of its load balancer.
    pub addresses: Vec<String>,
    /// The folder of what may be downloaded again.
    pub cache: PathBuf,
    /// Checks of this host whose failure does not stop the run.
    pub ignored: Vec<String>,
    /// The command that brings exactly this lab up again.
    pub again: String,
    /// The folder of all labs.
    pub state: StateDir,
    /// The lab's folder.
    pub dir: LabDir,
}

impl Request {
    /// Reads the lab and chooses the provider. Nothing is changed.
    pub async fn new(args: &LabArgs, machine: &dyn Machine) -> Result<Self> {
        Self::of(load(args)?, args, machine).await
    }

    /// The same for a lab that was read already.
    pub async fn of(mut lab: Lab, args: &LabArgs, machine: &dyn Machine) -> Result<Self> {
        if let Some(faults) = &args.sim_faults {
            // The simulator reads them itself; an error in them is to be told before anything is made.
            Faults::read(faults)?;
        }
        let longhorn = original(&mut lab, args)?;
        let state = StateDir::resolve()?;
        let dir = state.lab(&lab.metadata.name);
        let journal = Journal::read(&dir)?;
        let target = journal.target().cloned();
        let on = target.as_ref().map(|target| target.provider.as_str());
        let mut tools = Tools::default();
        if provider::depends_on_tools(lab.spec.provider, on, args.context.as_deref()) {
            (tools.microk8s, tools.kind) = host::tools(machine).await?;
        }
        let (provider, reason) = provider::choose(lab.spec.provider, on, args.context.as_deref(), tools)?;
        lab.spec.provider = provider.name();
        let cache = paths::cache()?;
        let host = if provider.uses_host() { host::facts(machine, &cache).await? } else { HostFacts::default() };
        let sim = SimSettings {
            nodes: lab.spec.nodes,
            kubernetes: lab.spec.kubernetes.clone().unwrap_or_else(|| DEFAULT_KUBERNETES.into()),
            speed: args.sim_speed.0,
            faults: args.sim_faults.clone().map(|path| std::path::absolute(&path).unwrap_or(path)),
        };
        let context = args.context.clone().or_else(|| target.as_ref().and_then(|target| target.context.clone()));
        let again = again::up(args);
        let made = [journal.made(), Journal::kept(&state)?.made()].concat();
        let before = target.as_ref().and_then(|target| target.lb_range.as_deref());
        let ground = Ground { provider, host: &host, made: &made, before };
        let addresses = addresses::settle(&mut lab, &ground, machine).await?;
        let (image, image_notes) = built::settle(&mut lab, args, provider, machine, &cache).await?.unzip();
        let image_notes = image_notes.unwrap_or_default();
        let ignored = args.ignore_check.clone();
        let mut request = Request {
            lab,
            longhorn,
            provider,
            reason,
            context,
            sim,
            host,
            access: None,
            made,
            image,
            image_notes,
            bundled: Vec::new(),
            addresses,
            cache,
            ignored,
            again,
            state,
            dir,
        };
        request.bundled = request.bundled();
        if let Some(command) = provider.access(&request.lab, &request.wishes(false)) {
            let output = machine.run(&command, &|_| {}).await?;
            request.access = if output.ok() { kubeconfig::alone(&output.stdout).ok() } else { None };
        }
        if let Some(target) = target {
            request.agree_with(&target)?;
        }
        Ok(request)
    }

    /// Where the lab will live.
    pub fn target(&self) -> Target {
        Target {
            provider: provider::word(self.provider.name()).into(),
            context: self.context.clone().filter(|_| !self.provider.makes_cluster()),
            namespace: self.lab.spec.iris.namespace.clone(),
            replicas: self.lab.spec.iris.replicas,
            lb_range: self.lab.spec.metallb.range.clone().filter(|_| self.provider.makes_cluster()),
            up: self.again.clone(),
        }
    }

    /// What the plan is made from.
    pub fn wanted<'a>(&'a self, password_hash: &'a str, kubeconfig_is_current: bool) -> Wanted<'a> {
        let wishes = self.wishes(kubeconfig_is_current);
        let longhorn = self.longhorn.as_ref().map(|original| original.objects.as_slice());
        let image = self.image.as_ref();
        Wanted { lab: &self.lab, longhorn, provider: self.provider, wishes, password_hash, image }
    }

    /// What the provider plans from.
    pub fn wishes(&self, kubeconfig_is_current: bool) -> Wishes<'_> {
        Wishes {
            context: self.context.as_deref(),
            kubeconfig_is_current,
            sim: &self.sim,
            host: &self.host,
            made: &self.made,
            bundled: &self.bundled,
            was_whole: self.dir.kubeconfig().exists(),
            dir: self.dir.path(),
            cache: &self.cache,
        }
    }

    /// The images of bundles in our cache that the lab needs. A lab that cannot be planned needs none: its plan says why.
    fn bundled(&self) -> Vec<Bundled> {
        let cache = Cache::below(&self.cache);
        let Some(arch) = Arch::here().filter(|_| !self.provider.is_simulated()) else { return Vec::new() };
        let kept: Vec<Kept> = cache.images().into_iter().filter(|kept| kept.arch == arch).collect();
        if kept.is_empty() {
            return Vec::new();
        }
        let needs = plan::needs(&self.wanted("", false), arch).unwrap_or_default().images;
        kept.iter().filter_map(|kept| bundled(&cache, kept, &needs, self.provider)).collect()
    }

    /// The hash that stands for one that is not made yet, in plans that are only shown.
    pub fn shown_hash(&self) -> Result<String> {
        Ok(credentials::stored_hash(&self.dir)?.unwrap_or_else(|| "made-by-up".into()))
    }

    /// A lab stays where it is: another cluster or namespace would leave the first one behind.
    fn agree_with(&self, there: &Target) -> Result<()> {
        let here = self.target();
        let name = &self.lab.metadata.name;
        let place = |target: &Target| {
            let context = target.context.as_ref().map(|context| format!(", context {context}")).unwrap_or_default();
            format!("provider {}{context}, namespace {}", target.provider, target.namespace)
        };
        if (&here.provider, &here.context, &here.namespace) == (&there.provider, &there.context, &there.namespace) {
            return Ok(());
        }
        Err(Failure::requirement(format!("the lab {name} is somewhere else already"))
            .cause(format!("it is on {}; now {} is asked for", place(there), place(&here)))
            .hint(format!("remove it there first with `iris-lab reset --name {name}`"))
            .hint("or give this one another name with --name NAME and another namespace"))
    }
}

/// What an image in our cache is to the lab; none where the lab does not need it.
fn bundled(cache: &Cache, kept: &Kept, needs: &[Need], provider: &dyn Provider) -> Option<Bundled> {
    let Item::Image { name, pinned, of, .. } = &kept.item else { return None };
    let own = of.as_ref().filter(|of| *of == provider::word(provider.name()));
    // An image by its tag alone may be another one than that with the digest which is asked for.
    let fits = |need: &&Need| need.name == *name || Some(&need.name) == pinned.as_ref();
    let (wanted, place) = match needs.iter().find(fits) {
        Some(need) => (need.name.clone(), need.place),
        None => own.map(|_| (name.clone(), Place::Provider))?,
    };
    Some(Bundled { name: name.clone(), wanted, path: cache.archive(&kept.sha256), place })
}

/// The lab: a file or a built-in one, with the flags over it.
pub fn load(args: &LabArgs) -> Result<Lab> {
    let of_image =
        built::overrides(args.build.as_ref().and_then(Option::as_deref), args.image.as_deref(), &args.image_build)?;
    let overrides = Overrides {
        provider: args.provider.map(|name| provider::word(name).to_string()),
        name: args.name.clone(),
        namespace: args.namespace.clone(),
        replicas: args.replicas.map(|n| n.to_string()),
        image: args.image.clone(),
        no_registry: args.no_registry,
        cpf: args.cpf.as_deref().map(merge_file).transpose()?,
        storage_class: args.storage_class.clone(),
        storage: args.storage.clone(),
        nodes: args.nodes.map(|n| n.to_string()),
        kubernetes: args.kubernetes.clone(),
        channel: args.channel.clone(),
        node_image: args.node_image.clone(),
        experimental_host_iscsi: args.experimental_host_iscsi,
        lb_range: args.lb_range.clone(),
        longhorn: args.longhorn.is_some() || args.longhorn_manifest.is_some(),
        longhorn_version: args.longhorn.clone().flatten(),
        longhorn_manifest: args.longhorn_manifest.clone(),
        sha256: args.sha256.clone(),
        no_canary: args.no_canary,
        set: args.set.clone(),
        ..of_image
    };
    let path = Path::new(&args.lab);
    let is_path = args.lab.contains(['/', '.']) || path.exists();
    match labs::find(&args.lab) {
        Ok(builtin) => lab::load_with(builtin.text, &format!("the lab {}", builtin.name), &overrides),
        Err(_) if is_path => lab::load_with(&yaml::read_file(path)?, &args.lab, &overrides),
        Err(failure) => Err(failure),
    }
}

/// A merge file: its name in messages, and its text.
fn merge_file(path: &Path) -> Result<(String, String)> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let failure = Failure::usage(format!("cannot read the merge file {name}")).caused_by(error);
        failure.hint("check the path: --cpf FILE")
    })?;
    yaml::check_size(text.len() as u64, &name)?;
    Ok((name, text))
}
