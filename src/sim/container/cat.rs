//! `cat FILE...`: prints files, or its input.

use super::{Container, Io, Stream};
use futures::future::BoxFuture;

/// Prints them.
pub fn run<'a>(container: &'a Container, files: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        let mut code = 0;
        for file in files {
            match container.read(file) {
                Some(content) => io.write(Stream::Out, &content).await,
                None => {
                    io.complain(&format!("cat: {file}: No such file or directory\n")).await;
                    code = 1;
                }
            }
        }
        while files.is_empty() {
            let bytes = io.bytes(usize::MAX).await;
            if bytes.is_empty() {
                break;
            }
            io.write(Stream::Out, &bytes).await;
        }
        code
    })
}
