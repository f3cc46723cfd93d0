//! The machine itself and who runs this: files of the kernel and a few small programs.

use crate::error::Result;
use crate::exec::Machine;
use crate::model::host::{System, User};

/// Operating system, kernel, processor, memory, disk.
pub(super) async fn system(_: &dyn Machine) -> Result<System> {
    Ok(System::default())
}

/// Who runs this.
pub(super) async fn user(machine: &dyn Machine) -> Result<User> {
    let id = |args: &'static [&'static str]| crate::exec::ask(machine, "id", args);
    let (name, number, groups) = futures::try_join!(id(&["-un"]), id(&["-u"]), id(&["-Gn"]))?;
    Ok(User {
        name: name.stdout.trim().into(),
        is_root: number.stdout.trim() == "0",
        groups: groups.stdout.split_whitespace().map(Into::into).collect(),
        ..User::default()
    })
}
