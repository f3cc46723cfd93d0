//! The images of a bundle, for the containerd of microk8s. Its own ones come before it can say that it runs: its node is Ready only
//! when its network is, which is a pod.

use crate::model::bundle::Place;
use crate::model::{Bundled, Cmd, Facts, HostFacts, Step};
use crate::provider::{Wishes, bundled};

/// The step that loads those of the lab.
pub fn step(facts: &Facts, wishes: &Wishes) -> Option<Step> {
    bundled::step(facts, wishes, |missing| missing.iter().map(|image| import(image, wishes.host)).collect())
}

/// The commands that load its own, once its containerd is started.
pub fn own(wishes: &Wishes) -> Vec<Cmd> {
    let own = wishes.bundled.iter().filter(|image| image.place == Place::Provider);
    own.map(|image| import(image, wishes.host)).collect()
}

fn import(image: &Bundled, host: &HostFacts) -> Cmd {
    host.user.microk8s(["ctr", "image", "import", &image.path.to_string_lossy()])
}
