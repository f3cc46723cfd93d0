//! A bundle: what a lab needs from outside, in one file. Here: what is in it, as data.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The form of the file. Another one is another number.
pub const FORMAT: u32 = 1;

/// A processor that images are for, by Docker's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// 64-bit ARM.
    Arm64,
}

impl Arch {
    /// That of this machine; none where there are no images for it.
    pub fn here() -> Option<Arch> {
        match () {
            () if cfg!(target_arch = "x86_64") => Some(Arch::Amd64),
            () if cfg!(target_arch = "aarch64") => Some(Arch::Arm64),
            () => None,
        }
    }

    /// Docker's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
        }
    }

    /// The platform of its images.
    pub fn platform(self) -> String {
        format!("linux/{}", self.name())
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What stands at the beginning of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the program that wrote it.
    pub version: String,
    /// When that was.
    pub created: String,
    /// The lab that it was made for.
    pub lab: String,
    /// The provider that it was made for.
    pub provider: String,
    /// The processor that everything in it is for.
    pub arch: Arch,
    /// What is in it, in its order.
    pub entries: Vec<Entry>,
}

/// One thing in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The name of its file in the bundle.
    pub file: String,
    /// What it is.
    #[serde(flatten)]
    pub item: Item,
}

/// What can be in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum Item {
    /// An image, as an archive that Docker and containerd read.
    Image {
        /// Its name with its tag, as it stands in the archive.
        name: String,
        /// The name that the lab has for it, where that is another one: with a digest, which no archive keeps.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pinned: Option<String>,
        /// The provider that it belongs to, where the lab itself does not name it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        of: Option<String>,
        /// Its id in Docker; none where it came from elsewhere.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        id: Option<String>,
    },
    /// A program that is otherwise downloaded.
    Program {
        /// The name of its file in our cache.
        name: String,
        /// The system that it is for: `linux`, `darwin`.
        os: String,
    },
}

impl Item {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Item::Image { name, .. } | Item::Program { name, .. } => name,
        }
    }

    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Item::Image { .. } => "image",
            Item::Program { .. } => "program",
        }
    }
}

/// What a lab needs from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Images.
    pub images: Vec<Need>,
    /// Programs for this host.
    pub programs: Vec<Program>,
}

/// An image that a lab needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Its name, as the lab has it: with a digest where it is pinned.
    pub name: String,
    /// Where it must be.
    pub place: Place,
}

/// Where an image must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On this host itself.
    Host,
    /// On the nodes, for the lab's pods.
    Pods,
    /// On the nodes, for what the provider runs there by itself.
    Provider,
}

/// A program that a lab needs on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The name of its file in our cache.
    pub name: String,
    /// The system that it is for: `linux`, `darwin`.
    pub os: String,
    /// Where it is downloaded from.
    pub url: String,
    /// What its bytes must be.
    pub sha256: String,
}

impl Program {
    /// The system of this machine, as the names of programs have it; none where we know no programs for it.
    pub fn system() -> Option<&'static str> {
        match () {
            () if cfg!(target_os = "linux") => Some("linux"),
            () if cfg!(target_os = "macos") => Some("darwin"),
            () => None,
        }
    }
}

/// An image of a bundle that is in our cache, and that the lab needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Its name with its tag, as the archive has it.
    pub name: String,
    /// The name that the lab has for it.
    pub wanted: String,
    /// The archive.
    pub path: PathBuf,
    /// Where it must be.
    pub place: Place,
}
