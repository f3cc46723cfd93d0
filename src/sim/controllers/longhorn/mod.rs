//! Longhorn 1.2 as `kubectl` sees it: what its manager, driver deployer, sidecars and uninstaller do to the cluster's objects.
//! Each works only while a pod with its program runs and has its rights, as with the real one. No data is stored.

mod course;
mod daemon;
mod driver;
mod instances;
mod lost_nodes;
mod objects;
mod parts;
mod release;
mod resizer;
mod settings;
mod sidecars;
mod status;
mod uninstall;
mod volumes;

use super::world::World;
pub use course::{Course, course};

/// Lets every part of Longhorn that runs do its work.
pub fn sync(world: &World) {
    let managers = parts::managers(world);
    driver::register(world);
    if !managers.is_empty() {
        daemon::start(world, &managers);
        status::nodes(world, &managers);
        instances::keep(world, &managers);
        volumes::keep(world);
        lost_nodes::free(world);
        release::release(world);
    }
    driver::deploy(world);
    sidecars::sync(world, !managers.is_empty());
    uninstall::sync(world, !managers.is_empty());
}
