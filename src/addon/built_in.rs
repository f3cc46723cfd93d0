//! Add-ons that only a provider can bring: the names of Services, and a registry for images. A cluster that is there already has them
//! or has not; the lab's pods do without.

use super::{AddOn, Site};
use crate::error::Result;
use crate::lab::AddOnName;
use crate::model::{Check, Step};

/// Names of Services inside of the cluster.
pub(super) const DNS: BuiltIn = BuiltIn(AddOnName::Dns);
/// An image registry at localhost:32000.
pub(super) const REGISTRY: BuiltIn = BuiltIn(AddOnName::Registry);

/// Something that the provider brings, with steps of its own or from the beginning.
pub struct BuiltIn(AddOnName);

impl AddOn for BuiltIn {
    fn name(&self) -> AddOnName {
        self.0
    }

    fn steps(&self, _: &Site) -> Result<Vec<Step>> {
        Ok(Vec::new())
    }

    fn gives(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    fn checks(&self, _: &Site) -> Vec<Check> {
        Vec::new()
    }
}
