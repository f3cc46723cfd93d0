//! The API server: from a request to an answer.

pub mod chaos;
pub mod context;
pub mod discovery;
pub mod http;
pub mod identify;
pub mod log;
pub mod protobuf;
pub mod read;
pub mod reviews;
pub mod route;
pub mod selectors;
pub mod streams;
pub mod subresources;
pub mod tables;
pub mod view;
pub mod watch;
pub mod write;
