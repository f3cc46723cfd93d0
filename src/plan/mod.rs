//! Pure: what is wanted and what is there in, the whole plan out.

mod access;
mod checks;
mod host;
pub mod image;
mod kept;
mod longhorn;
mod needs;
mod password;
mod pause;
pub mod probe;
mod remove;
mod resize;
mod unstick;
mod up;

pub use crate::model::object::RECORD;
pub use access::access;
pub use checks::checks;
pub use host::{Case, checks as host_checks, mend};
pub use longhorn::Removal;
pub use needs::needs;
pub use password::{Password, set_password};
pub use pause::Paused;
pub use remove::{PROOF, down, reset};
pub use resize::Resize;
pub use unstick::{Unstick, unstick};
pub use up::{RECORD_HASH, RECORD_LAB, Wanted, objects, up};

#[cfg(test)]
mod longhorn_tests;
#[cfg(test)]
mod tests;
