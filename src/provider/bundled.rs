//! The images of a bundle on their way into the nodes of a cluster that we make: before anything there asks for them, so that nothing
//! is pulled.

use super::Wishes;
use crate::model::bundle::Place;
use crate::model::{Action, Bundled, Cmd, Facts, Step, image_name};
use std::time::Duration;

/// Id of the step that loads them.
pub(super) const STEP: &str = "images";
const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The step that loads what the nodes do not have, as their kubelets say; none where no bundle has anything for them.
pub(super) fn step(facts: &Facts, wishes: &Wishes, load: impl FnOnce(&[&Bundled]) -> Vec<Cmd>) -> Option<Step> {
    let all: Vec<&Bundled> = wishes.bundled.iter().filter(|image| image.place == Place::Pods).collect();
    let everywhere = |image: &Bundled| facts.nodes.iter().all(|node| image_name::is_on(node, &image.name));
    let missing: Vec<&Bundled> =
        all.iter().copied().filter(|image| facts.nodes.is_empty() || !everywhere(image)).collect();
    let count = if missing.is_empty() { all.len() } else { missing.len() };
    let images = if count == 1 { "1 image".to_string() } else { format!("{count} images") };
    let there = missing.is_empty().then(|| "every node has them".to_string());
    let action = Action::Run { unless: None, commands: load(&missing) };
    let title = format!("Load {images} of the bundle into the nodes");
    (!all.is_empty()).then(|| Step::new(STEP, title, TIMEOUT, action).satisfied_by(there))
}

/// What the bundle has for an image by this name.
pub(super) fn find<'a>(wanted: &str, wishes: &Wishes<'a>) -> Option<&'a Bundled> {
    wishes.bundled.iter().find(|image| image.wanted == wanted)
}
