//! iris-lab turns a laptop into a Kubernetes lab for InterSystems IRIS and back again. The binary is the product; this library
//! exists so that the tests can reach its parts.

pub mod addon;
pub mod bundle;
pub mod cli;
pub mod cluster;
pub mod commands;
pub mod download;
pub mod engine;
pub mod error;
pub mod exec;
pub mod host;
pub mod image;
pub mod lab;
pub mod model;
pub mod observe;
pub mod paths;
pub mod plan;
pub mod provider;
pub mod sim;
pub mod ui;
pub mod workload;
pub mod yaml;
