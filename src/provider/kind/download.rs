//! The program kind, where this machine has none: one release, known by its sha256 for each system and processor.

use crate::model::bundle::Program;
use crate::model::{Action, Arch, Step, host};
use crate::provider::Wishes;
use std::path::Path;
use std::time::Duration;

/// Id of the step that has the program.
const STEP: &str = "kind";
const TIMEOUT: Duration = Duration::from_secs(2 * 60);

/// System, processor and sha256 of each program of kind that we download.
#[rustfmt::skip]
const DOWNLOADS: &[(&str, Arch, &str)] = &[
    ("linux", Arch::Amd64, "e4264d7ee07ca642fe52818d7c0ed188b193c214889dd055c929dbcb968d1f62"),
    ("linux", Arch::Arm64, "4431805115da3b54290e3e976fe2db9a7e703f116177aace6735dfa1d8a4f3fe"),
    ("darwin", Arch::Amd64, "28a9f7ad7fd77922c639e21c034d0f989b33402693f4f842099cd9185b144d20"),
    ("darwin", Arch::Arm64, "c8dd3b287965150ae4db668294edc48229116e95d94620c306d8fae932ee633f"),
];

/// The one for this system and a processor; none where kind has none, or we do not know it.
pub(super) fn program(arch: Arch) -> Option<Program> {
    let here = Program::system()?;
    let (os, _, sha256) = DOWNLOADS.iter().find(|(os, of, _)| *os == here && *of == arch)?;
    let release = host::Kind::RELEASE;
    Some(Program {
        name: host::Kind::file(),
        os: (*os).into(),
        url: format!("https://kind.sigs.k8s.io/dl/{release}/kind-{os}-{arch}"),
        sha256: (*sha256).into(),
    })
}

/// The one for this machine.
pub(super) fn here() -> Option<Program> {
    program(Arch::here()?)
}

/// The step that gets it, where this machine has none.
pub(super) fn step(wishes: &Wishes) -> Option<Step> {
    let Program { name, url, sha256, .. } = here().filter(|_| wishes.host.kind.is_none())?;
    let action = Action::Download { url, sha256, path: Path::new(wishes.cache).join(name) };
    Some(Step::new(STEP, format!("Download kind {}", host::Kind::RELEASE), TIMEOUT, action))
}
