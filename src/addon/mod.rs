//! What is installed into a cluster beside IRIS. One file an add-on and one visible list; all pure.

pub mod longhorn;
mod metallb;
mod storage;

use crate::error::Result;
use crate::lab::{AddOnName, Lab};
use crate::model::{Check, Facts};
use serde_json::Value;

/// Every add-on.
pub const ALL: &[&dyn AddOn] = &[&storage::Storage, &metallb::Metallb];

/// Something that a lab needs in its cluster.
pub trait AddOn: Sync {
    /// Its name, as in the lab file.
    fn name(&self) -> AddOnName;

    /// Its name as people write it.
    fn title(&self) -> &'static str;

    /// Id of its step.
    fn step(&self) -> &'static str;

    /// What is applied into a cluster that iris-lab makes.
    fn objects(&self) -> Result<Vec<Value>>;

    /// Whether a cluster that was there before has what it gives.
    fn check(&self, lab: &Lab, facts: &Facts) -> Check;
}

/// The add-ons of a lab.
pub fn of(lab: &Lab) -> impl Iterator<Item = &'static dyn AddOn> {
    ALL.iter().copied().filter(|add_on| lab.spec.add_ons.contains(&add_on.name()))
}

pub use storage::class_for;
