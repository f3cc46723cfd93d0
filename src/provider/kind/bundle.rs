//! The images of a bundle: into Docker, and by way of it into every node.

use super::program;
use crate::lab::Lab;
use crate::model::{Bundled, Cmd, Facts, Step, image_name};
use crate::provider::{Wishes, bundled};

/// The step that loads them into the nodes.
pub(super) fn step(lab: &Lab, facts: &Facts, wishes: &Wishes) -> Option<Step> {
    bundled::step(facts, wishes, |missing| {
        let names = missing.iter().map(|image| image.name.as_str());
        let args = ["load", "docker-image"].into_iter().chain(names).chain(["--name", &lab.metadata.name]);
        let load = Cmd::new(program(wishes.host, wishes.cache), args);
        missing
            .iter()
            .filter(|image| !is_in_docker(image, wishes))
            .map(|image| into_docker(image))
            .chain([load])
            .collect()
    })
}

/// Gives an image to Docker.
pub(super) fn into_docker(image: &Bundled) -> Cmd {
    Cmd::new("docker", ["load", "--quiet", "--input", &image.path.to_string_lossy()])
}

/// Whether Docker has it, as it was seen.
pub(super) fn is_in_docker(image: &Bundled, wishes: &Wishes) -> bool {
    let mut images = wishes.host.docker.iter().flat_map(|docker| &docker.images);
    images.any(|name| image_name::whole(name) == image_name::whole(&image.name))
}
