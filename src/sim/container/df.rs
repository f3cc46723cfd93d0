//! `df -P -k FILE...`: how large the volumes behind files are, and what is written on them.

use super::{Container, Io};
use crate::model::Quantity;
use futures::future::BoxFuture;

/// What a container's own disk has, in blocks of 1024 bytes.
const OWN: i128 = 100 << 20;

/// Prints a line for each file.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        io.print("Filesystem 1024-blocks Used Available Capacity Mounted on\n").await;
        for file in arguments.iter().filter(|one| !one.starts_with('-')) {
            let volume = container.volume_of(file);
            let size = container.capacity(file).as_deref().and_then(Quantity::parse);
            let blocks = size.map_or(OWN, |size| size.nanos() / 1_000_000_000 / 1024);
            let name = volume.map_or("overlay".into(), |volume| format!("/dev/{volume}"));
            io.print(&format!("{name} {blocks} 0 {blocks} 0% {file}\n")).await;
        }
        0
    })
}
