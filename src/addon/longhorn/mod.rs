//! The add-on `longhorn`: volumes that live on several nodes at once.

mod crds;
pub mod manifest;
mod older;
pub mod original;

pub use crate::model::longhorn::version;
