//! The machine itself and who runs this: files of the kernel and a few small programs.

use crate::error::Result;
use crate::exec::{Machine, ask};
use crate::model::host::{System, User};

/// Operating system, kernel, processor, memory, disk.
pub(super) async fn system(_: &dyn Machine) -> Result<System> {
    Ok(System::default())
}

/// Who runs this.
pub(super) async fn user(machine: &dyn Machine) -> Result<User> {
    let id = |args: &'static [&'static str]| ask(machine, "id", args);
    let (name, number, groups) = futures::try_join!(id(&["-un"]), id(&["-u"]), id(&["-Gn"]))?;
    let is_root = number.stdout.trim() == "0";
    let name = name.stdout.trim();
    let after = ask(machine, "id", &["-nG", name]).await?;
    let words = |text: &str| text.split_whitespace().map(Into::into).collect();
    let sudo = !is_root && machine.find("sudo").is_some() && ask(machine, "sudo", &["-n", "true"]).await?.ok();
    Ok(User {
        name: name.into(),
        is_root,
        groups: words(&groups.stdout),
        groups_after_login: words(&after.stdout),
        sudo,
    })
}
