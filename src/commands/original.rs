//! The original manifest of Longhorn that a lab names: read or downloaded, before anything is planned.

use crate::addon::longhorn::original::{self, Original};
use crate::cli::LabArgs;
use crate::download;
use crate::error::{Failure, Result};
use crate::lab::{AddOnName, Lab};
use crate::model::address;
use crate::yaml;
use std::path::Path;

/// The manifest, if the lab has Longhorn and names one. The lab then has its release.
pub fn original(lab: &mut Lab, args: &LabArgs) -> Result<Option<Original>> {
    let Some(origin) = lab.spec.longhorn.manifest.clone().filter(|_| lab.has(AddOnName::Longhorn)) else {
        return Ok(None);
    };
    let text = if address::is_address(&origin) {
        let bytes = download::fetch(&origin)?;
        yaml::check_size(bytes.len() as u64, &origin)?;
        String::from_utf8(bytes).map_err(|error| Failure::usage(format!("{origin} is not a text file")).cause(error))?
    } else {
        yaml::read_file(Path::new(&origin)).map_err(|failure| {
            failure.hint("check the path, or leave it out: --longhorn installs a manifest of ours")
        })?
    };
    let sum = download::sha256(text.as_bytes());
    let original = original::read(&text, &sum, lab.spec.longhorn.sha256.as_deref(), &origin)?;
    let name = original.version.name();
    if let Some(Some(asked)) = &args.longhorn
        && asked.trim_start_matches('v') != name
    {
        return Err(Failure::usage(format!("{origin} is Longhorn {name}, and {asked} is asked for"))
            .hint(format!("leave the version out: --longhorn --longhorn-manifest {origin}")));
    }
    lab.spec.longhorn.version = name.into();
    Ok(Some(original))
}
