//! The steps that make an image of the lab's own: built, and pushed to the registry from which the nodes pull it.

use crate::model::image::{BUILD, PROOF, PUSH, registry};
use crate::model::{Action, ImageFacts, Step};
use std::time::Duration;

const BUILD_TIMEOUT: Duration = Duration::from_secs(15 * 60);
const PUSH_TIMEOUT: Duration = Duration::from_secs(10 * 60);
const PROOF_TIMEOUT: Duration = Duration::from_secs(60);

/// Name and tag, as they stand in titles.
fn title(image: &str) -> &str {
    registry(image).1
}

/// The step that builds it; it needs nothing else.
pub fn build(seen: &ImageFacts) -> Step {
    let there = match (seen.in_docker, seen.registry.digest()) {
        (true, _) => Some("Docker has it".into()),
        (false, Some(_)) => Some("its registry has it".into()),
        (false, None) => None,
    };
    let name = format!("Build the image {}", title(&seen.build.image));
    Step::new(BUILD, name, BUILD_TIMEOUT, Action::BuildImage(seen.build.clone())).satisfied_by(there)
}

/// The step that pushes it. `comes` means that the registry is made by the same plan.
pub fn push(seen: &ImageFacts, comes: bool) -> Step {
    let image = seen.build.image.clone();
    let name = format!("Push the image to {}", registry(&image).0);
    // With an image in Docker, its digest has to be compared: the step itself does that.
    let there = seen.registry.digest().filter(|_| !seen.in_docker).map(|_| "the registry has it".into());
    Step::new(PUSH, name, PUSH_TIMEOUT, Action::PushImage { image, comes }).satisfied_by(there).after([BUILD])
}

/// The step that proves that the pods run it.
pub fn proof(seen: &ImageFacts, namespace: &str) -> Step {
    let (image, namespace) = (seen.build.image.clone(), namespace.into());
    let name = "Look whether the pods run what the registry has";
    Step::new(PROOF, name, PROOF_TIMEOUT, Action::ProveImage { image, namespace })
}
