//! Carries out a plan and tells its readers what happens. It never prints.

mod actions;
mod host;
mod image;
mod instance;
pub mod journal;
pub mod lock;
pub mod record;
mod removal;
mod run;
pub mod simulator;

pub use actions::Session;
pub use run::{Cancel, Outcome, Perform, run};
