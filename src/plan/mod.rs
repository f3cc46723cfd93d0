//! Pure: what is wanted and what is there in, the whole plan out.

mod access;
mod checks;
mod remove;
mod up;

pub use crate::model::object::RECORD;
pub use access::access;
pub use checks::checks;
pub use remove::{down, reset};
pub use up::{RECORD_HASH, Wanted, objects, up};

#[cfg(test)]
mod tests;
