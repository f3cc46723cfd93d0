//! `iris merge IRIS FILE`: of what a merge file can say, only the passwords of accounts.

use super::accounts::Accounts;
use super::is_instance;
use crate::sim::container::{Container, Io};
use futures::future::BoxFuture;

/// Annotation of a pod whose instance merges nothing, with what it says.
const FAILS: &str = "sim.iris-lab/merge-fails";

/// Merges the file.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        let [instance, file] = arguments else {
            io.complain("iris merge: only `iris merge IRIS FILE` is emulated\n").await;
            return 1;
        };
        let content = container.read(file).filter(|_| is_instance(instance));
        let Some(content) = content else {
            io.complain(&format!("iris merge: there is no instance {instance} with a file {file}\n")).await;
            return 1;
        };
        let text = String::from_utf8_lossy(&content).into_owned();
        if let Some(why) = container.annotation(FAILS) {
            let line = text.lines().last().unwrap_or_default();
            io.print(&format!("ERROR #507: {why} in: {line}\n")).await;
            return 0;
        }
        let mut accounts = Accounts::load(container);
        accounts.merge(&text);
        accounts.save(container);
        io.print("IRIS Merge of a file (emulated by iris-lab)\n").await;
        0
    })
}
