//! The end of `support`: where the archive is, and what is missing in it.

use super::look::{Look, clean};
use super::table::wrap;
use serde::Serialize;

/// What was packed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SupportSummary {
    /// The archive.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// The lab; none where there was none, and the archive is about this host alone.
    pub lab: Option<String>,
    /// The files in it.
    pub files: Vec<String>,
    /// What is missing in it, and why.
    pub missing: Vec<String>,
}

impl SupportSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let about = self.lab.as_ref().map_or("this host alone, there is no lab".into(), |lab| format!("lab {lab}"));
        let (count, size) = (self.files.len(), self.bytes.div_ceil(1024));
        let mut text = format!("{}\n{count} files, {size} KiB, about {about}\n", look.bold(&self.file));
        for missing in &self.missing {
            text += &wrap(&format!("Missing: {}", clean(&missing.replace('\n', " "))), look.width, 0);
        }
        text + "Secrets are removed; look into it before you send it: tar tzf FILE\n"
    }
}
