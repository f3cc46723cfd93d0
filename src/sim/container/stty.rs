//! `stty size`: rows and columns of the terminal.

use super::{Container, Io};
use futures::future::BoxFuture;

/// Prints the size.
pub fn run<'a>(_: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        if arguments != ["size"] {
            io.complain("stty: only `stty size` is emulated\n").await;
            return 1;
        }
        if !io.is_terminal() {
            io.complain("stty: standard input is no terminal\n").await;
            return 1;
        }
        let (columns, rows) = io.size();
        io.print(&format!("{rows} {columns}\n")).await;
        0
    })
}
