//! What is installed into a cluster beside IRIS. One file an add-on and one visible list; all pure.

mod built_in;
pub mod longhorn;
pub mod metallb;
mod storage;

use crate::error::Result;
use crate::lab::{AddOnName, Lab};
use crate::model::{Check, Facts, Step};
use serde_json::Value;

/// Every add-on.
pub const ALL: &[&dyn AddOn] =
    &[&built_in::DNS, &storage::Storage, &built_in::REGISTRY, &metallb::Metallb, &longhorn::Longhorn];

/// Id of the step that makes the lab's record; its namespace is there by then.
pub const RECORDED: &str = "settings";
/// Id of the step that applies the pods of the lab.
pub const PODS: &str = "iris";
/// Id of the step that waits for the address of the lab.
pub const ADDRESS: &str = "address";

/// Where add-ons are installed, and for which lab.
pub struct Site<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// What was seen of the cluster; nothing while it is not made yet.
    pub facts: &'a Facts,
    /// Its nodes, or those that will be made.
    pub nodes: &'a [Value],
    /// The version of Kubernetes that it runs or will run, such as `v1.24.17`.
    pub kubernetes: String,
    /// The objects of an original manifest of Longhorn, which is wanted instead of ours.
    pub manifest: Option<&'a [Value]>,
    /// Whether we make the cluster.
    pub is_ours: bool,
    /// Where the kubelet keeps its files, when Longhorn cannot find out by itself.
    pub kubelet_root: Option<&'a str>,
}

/// Something that a lab needs in its cluster.
pub trait AddOn: Sync {
    /// Its name, as in the lab file.
    fn name(&self) -> AddOnName;

    /// Whether it is installed into a cluster that we did not make, too.
    fn goes_everywhere(&self) -> bool {
        false
    }

    /// The steps that install it. What needs no other step needs the cluster.
    fn steps(&self, site: &Site) -> Result<Vec<Step>>;

    /// Id of the step of its own after which the lab can ask for what it gives, and of the lab's step that does; none where no step
    /// of the lab asks for it.
    fn gives(&self) -> Option<(&'static str, &'static str)>;

    /// Images that it runs without naming them in the pods of its steps.
    fn images(&self, _: &Site) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// The storage class that it brings.
    fn storage_class(&self) -> Result<Option<Value>> {
        Ok(None)
    }

    /// What must hold before the first change.
    fn checks(&self, site: &Site) -> Vec<Check>;
}

/// The add-ons of a lab.
pub fn of(lab: &Lab) -> impl Iterator<Item = &'static dyn AddOn> {
    ALL.iter().copied().filter(|add_on| lab.has(add_on.name()))
}

/// The add-ons of a lab that are installed into this cluster.
pub fn installed(site: &Site) -> impl Iterator<Item = &'static dyn AddOn> {
    of(site.lab).filter(|add_on| site.is_ours || add_on.goes_everywhere())
}

pub use storage::class_for;
