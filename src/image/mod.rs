//! What an image is built from, as it is on this host, and what its registry has of it.

mod builtin;
mod context;
mod ignore;
mod registry;

pub use builtin::{is_builtin, names, write};
pub use context::{Context, read};
pub use registry::{Tagged, list, look};

use crate::error::Result;
use crate::model::ImageBuild;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Hexadecimal digits of the content that a tag ends with.
const DIGITS: usize = 12;

/// What an image is to be built from, and what it is to be called.
pub struct Wanted<'a> {
    /// Where it is pushed to.
    pub registry: &'a str,
    /// Name, and tag where one is given.
    pub name: (&'a str, Option<&'a str>),
    /// What docker is to be called with; its image and, for a built-in context, its folder are settled here.
    pub build: ImageBuild,
    /// Where built-in contexts are written to.
    pub cache: &'a Path,
}

/// The build with its whole name: the tag that was given, and the content of the context, the Dockerfile and the arguments.
pub fn settle(wanted: Wanted) -> Result<(ImageBuild, Context)> {
    let Wanted { registry, name: (name, tag), mut build, cache } = wanted;
    let context = match &build.builtin {
        Some(builtin) => builtin::context(builtin)?,
        None => read(&build.context, &build.file)?,
    };
    let mut hash = Sha256::new();
    hash.update(context.digest);
    for (key, value) in [("file", &build.file)].into_iter().chain(build.args.iter().map(|(k, v)| (k.as_str(), v))) {
        hash.update(format!("\0{key}\0{value}"));
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).take(DIGITS / 2).collect();
    let tag = tag.map(|tag| format!("{tag}-")).unwrap_or_default();
    build.image = format!("{registry}/{name}:{tag}{digits}");
    if let Some(builtin) = &build.builtin {
        build.context = PathBuf::from(cache).join("contexts").join(format!("{builtin}-{digits}"));
    }
    Ok((build, context))
}
