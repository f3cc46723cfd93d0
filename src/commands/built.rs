//! The image that a lab builds: its context read, its name settled, Docker and the registry looked at, before anything is planned.

use super::labs;
use crate::cli::LabArgs;
use crate::error::{Failure, Result};
use crate::exec::Machine;
use crate::host;
use crate::image::{self, Context};
use crate::lab::{self, Build, Lab, Overrides};
use crate::model::{ImageBuild, ImageFacts, RegistrySeen};
use crate::plan::image::{Way, way};
use crate::provider::Provider;
use std::path::{Path, PathBuf};

/// A context from which size on it is warned about, in bytes.
const LARGE: u64 = 200 * 1000 * 1000;

/// What the flags say of an image, as the lab has it. Paths are those of the working folder.
pub fn overrides(dir: Option<&Path>, name: Option<&str>, args: &crate::cli::BuildArgs) -> Result<Overrides> {
    let absolute = |path: &Path| {
        let path =
            std::path::absolute(path).map_err(|error| Failure::usage("there is no working folder").caused_by(error));
        path.map(|path| path.display().to_string())
    };
    let secret = |(id, file): &(String, PathBuf)| Ok((id.clone(), absolute(file)?));
    let mut overrides = Overrides {
        build_args: args.build_arg.clone(),
        secrets: args.secret.iter().map(secret).collect::<Result<_>>()?,
        registry: args.registry.clone(),
        ..Overrides::default()
    };
    if let Some(dir) = dir {
        let word = dir.to_string_lossy();
        let path = if image::is_builtin(&word) { word.into_owned() } else { absolute(dir)? };
        overrides.build_image = Some(name.map_or_else(|| name_of(Path::new(&path)), Into::into));
        overrides.build = Some(path);
    }
    Ok(overrides)
}

/// The name of an image that is called after its folder.
fn name_of(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "image".into() } else { parts.join("-") }
}

/// The image of a lab, if it builds one. From then on the lab names it, and builds nothing itself.
pub async fn settle(
    lab: &mut Lab,
    args: &LabArgs,
    provider: &dyn Provider,
    machine: &dyn Machine,
    cache: &Path,
) -> Result<Option<(ImageFacts, Vec<String>)>> {
    if lab.spec.iris.build.context.is_none() {
        return match args.build {
            None => Ok(None),
            Some(_) => Err(Failure::usage("--build has nothing to build")
                .cause(format!("the lab {} has no build.context", lab.metadata.name))
                .hint("name the folder with --build=DIR, or take the lab `simple`, which builds its image")),
        };
    }
    let way = way(&lab.spec, provider.name());
    // A file's own folders are beside it.
    let base = match labs::find(&args.lab) {
        Ok(_) => Path::new(""),
        Err(_) => Path::new(&args.lab).parent().unwrap_or(Path::new("")),
    };
    let (build, context) = content(lab, base, matches!(way, Way::Push { .. }), cache)?;
    let notes = too_large(&build, &context).into_iter().collect();
    let seen = match way {
        Way::Simulated | Way::Nowhere => unseen(build),
        Way::Push { .. } | Way::Load => seen(build, machine).await?,
    };
    lab.spec.iris.image.clone_from(&seen.build.image);
    lab.spec.iris.build = Build::default();
    Ok(Some((seen, notes)))
}

/// Reads what a lab's image is built from, and settles its name. Paths in the lab are beside `base`.
pub fn content(lab: &Lab, base: &Path, pushed: bool, cache: &Path) -> Result<(ImageBuild, Context)> {
    let Build { context, file, args, secrets } = lab.spec.iris.build.clone();
    let context = context.unwrap_or_default();
    let beside = |path: &str| std::path::absolute(base.join(path)).unwrap_or_else(|_| base.join(path));
    let mut files = Vec::new();
    for (id, file) in secrets {
        let path = beside(&file);
        if !path.is_file() {
            return Err(Failure::requirement(format!("there is no file {}", path.display()))
                .cause(format!("the image is built with the secret {id} out of it"))
                .hint("check its path: --secret id=ID,src=FILE, or build.secrets in the lab"));
        }
        files.push((id, path.display().to_string()));
    }
    let builtin = image::is_builtin(&context).then(|| context.clone());
    let folder = if builtin.is_some() { PathBuf::new() } else { beside(&context) };
    let secrets = files.into_iter().collect();
    let build = ImageBuild { image: String::new(), pushed, context: folder, builtin, file, args, secrets };
    let name = lab::image::split(&lab.spec.iris.image);
    image::settle(image::Wanted { registry: &lab.spec.registry, name, build, cache })
}

/// What is to be said of a context that takes its time.
pub fn too_large(build: &ImageBuild, context: &Context) -> Option<String> {
    let size = |bytes: u64| format!("{} MB", bytes.div_ceil(1_000_000));
    let largest: Vec<String> =
        context.largest.iter().map(|(path, bytes)| format!("{path} ({})", size(*bytes))).collect();
    (context.bytes > LARGE).then(|| {
        format!(
            "warning: the build context {} has {}, all of which goes to Docker: the largest are {}; leave out what the image does not \
             need, by lines of .dockerignore",
            build.context.display(),
            size(context.bytes),
            largest.join(", "),
        )
    })
}

/// Looks whether Docker and the registry have it.
pub async fn seen(build: ImageBuild, machine: &dyn Machine) -> Result<ImageFacts> {
    let no_docker = host::no_docker(machine).await?;
    let (mut in_docker, mut takes_secrets) = (false, false);
    if no_docker.is_none() {
        in_docker = host::image_id(machine, &build.image).await?.is_some();
        takes_secrets = !build.secrets.is_empty() && host::has_build_kit(machine).await?;
    }
    let mut registry = RegistrySeen::Unknown;
    if build.pushed {
        registry = image::look(&build.image).await?;
    }
    Ok(ImageFacts { build, no_docker, takes_secrets, in_docker, registry })
}

/// One at which nobody has to look.
fn unseen(build: ImageBuild) -> ImageFacts {
    ImageFacts { build, no_docker: None, takes_secrets: false, in_docker: false, registry: RegistrySeen::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_called_after_its_folder() {
        let names = ["/home/me/My App", "/x/a_b.c", "/", "/x/simple", "/x/..é"].map(|path| name_of(Path::new(path)));
        assert_eq!(names, ["my-app", "a-b-c", "image", "simple", "image"]);
    }
}
