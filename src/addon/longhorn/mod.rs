//! The add-on `longhorn`: volumes that live on several nodes at once.

pub mod manifest;
pub mod version;
