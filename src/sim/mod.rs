//! The embedded Kubernetes cluster: an API server with its own store, for rehearsing and testing where no cluster can be made.

pub mod admission;
pub mod aggregation;
pub mod api;
pub mod bootstrap;
pub mod clock;
pub mod container;
pub mod controllers;
pub mod faults;
pub mod kinds;
pub mod patch;
pub mod pki;
pub mod serve;
pub mod status;
pub mod store;

pub use serve::{Options, Sim, serve, start};

#[cfg(test)]
mod tests;
