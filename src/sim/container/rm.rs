//! `rm [-f] FILE...`: removes files.

use super::{Container, Io};
use futures::future::BoxFuture;

/// Removes them.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        let (flags, files): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|one| one.starts_with('-'));
        let mut code = 0;
        for file in files {
            if !container.remove(file) && flags.is_empty() {
                io.complain(&format!("rm: cannot remove '{file}': No such file or directory\n")).await;
                code = 1;
            }
        }
        code
    })
}
