//! `hostname`: the name of the pod.

use super::{Container, Io};
use futures::future::BoxFuture;

/// Prints the name.
pub fn run<'a>(container: &'a Container, _: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        io.print(&format!("{}\n", container.pod_name())).await;
        0
    })
}
