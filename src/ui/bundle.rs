//! What a person reads of bundles; the same as a document.

use super::look::{Look, elapsed};
use super::table::{Table, fields};
use indicatif::HumanBytes;
use serde::Serialize;
use std::time::Duration;

/// A number of bytes, for people.
pub fn bytes(count: u64) -> String {
    HumanBytes(count).to_string()
}

/// A bundle, and what is in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleSummary {
    /// Its file.
    pub file: String,
    /// Its size, in bytes.
    pub size: u64,
    /// The lab that it was made for.
    pub lab: String,
    /// The provider that it was made for.
    pub provider: String,
    /// The processor that it is for.
    pub arch: String,
    /// When it was made.
    pub created: String,
    /// What is in it.
    pub entries: Vec<BundleLine>,
    /// What was done with it; none where it was only looked at.
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    pub done: Option<BundleDone>,
}

/// One thing in a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleLine {
    /// `image` or `program`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its sha256.
    pub sha256: String,
}

/// What was done with a bundle.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "done")]
pub enum BundleDone {
    /// It was written.
    #[serde(rename_all = "camelCase")]
    Saved {
        /// How long that took.
        seconds: f64,
        /// The command that brings its lab up on another machine.
        #[serde(skip)]
        up: String,
    },
    /// It was loaded.
    #[serde(rename_all = "camelCase")]
    Loaded {
        /// How long that took.
        seconds: f64,
        /// The folder that has its images.
        folder: String,
        /// Who has its images besides: `Docker`, `microk8s`.
        stores: Vec<String>,
    },
}

impl BundleSummary {
    /// As text.
    pub fn text(&self, look: &Look) -> String {
        let head = self.head(look);
        let mut table = Table::new(&["KIND", "NAME", "SIZE", "SHA256"]);
        for line in &self.entries {
            let sum: String = line.sha256.chars().take(12).collect();
            table.row([line.kind.clone(), line.name.clone(), bytes(line.size), sum]);
        }
        format!("{head}\n{}{}", table.text(2), self.next())
    }

    fn head(&self, look: &Look) -> String {
        let what = format!("{} for {}", bytes(self.size), self.arch);
        let took = |seconds: f64| elapsed(Duration::from_secs_f64(seconds));
        match &self.done {
            None => format!("{}: {what}, for the lab {} with {}\n", self.file, self.lab, self.provider),
            Some(BundleDone::Saved { seconds, .. }) => {
                format!("{} ({what}, {})\n", look.bold(&format!("{} is written", self.file)), took(*seconds))
            }
            Some(BundleDone::Loaded { seconds, .. }) => {
                format!("{} ({what}, {})\n", look.bold(&format!("{} is loaded", self.file)), took(*seconds))
            }
        }
    }

    fn next(&self) -> String {
        match &self.done {
            None => String::new(),
            Some(BundleDone::Saved { up, .. }) => {
                format!("\nNext, on the other machine:\n  iris-lab bundle load {}\n  {up}\n", self.file)
            }
            Some(BundleDone::Loaded { folder, stores, .. }) => {
                let stores = match stores.as_slice() {
                    [] => "neither Docker nor microk8s is here yet: `iris-lab up` loads the images".to_string(),
                    stores => stores.join(" and "),
                };
                let rows = [("Kept in", folder.clone()), ("Loaded into", stores)];
                format!(
                    "\n{}\nNext:\n  iris-lab up        Bring the lab up, with the flags of `bundle save`\n",
                    fields(&rows, 2)
                )
            }
        }
    }
}
