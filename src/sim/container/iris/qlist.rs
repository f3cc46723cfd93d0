//! `iris qlist [INSTANCE]`: the instance and its status, in fields that are separated by `^`.

use super::{INSTANCE, is_instance};
use crate::sim::container::{Container, Io, WEB_PORT};
use futures::future::BoxFuture;

/// Prints the line.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        if arguments.first().is_none_or(|name| is_instance(name)) {
            let version = container.image().rsplit(':').next().unwrap_or_default();
            let directory = container.data_directory();
            io.print(&format!(
                "{INSTANCE}^{directory}^{version} (emulated)^running, emulated by iris-lab^iris.cpf^1972^{WEB_PORT}\n"
            ))
            .await;
        }
        0
    })
}
