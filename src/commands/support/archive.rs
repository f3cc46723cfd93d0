//! The archive: files of text without secrets, and a list of what is missing. Each file passes the [`Redactor`] on its way in, so
//! that there is no way around it.

use crate::error::{Failure, Result};
use crate::model::redact::Redactor;
use crate::yaml;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What is gathered.
pub struct Archive {
    redactor: Redactor,
    files: Vec<(String, String)>,
    missing: Vec<(String, String)>,
}

impl Archive {
    /// An empty one.
    pub fn new(redactor: Redactor) -> Self {
        Archive { redactor, files: Vec::new(), missing: Vec::new() }
    }

    /// Adds a text, or why it is missing.
    pub fn text(&mut self, path: &str, text: Result<String>) {
        match text {
            Ok(text) => self.files.push((path.into(), self.redactor.text(&text))),
            Err(failure) => self.lacks(path, &failure),
        }
    }

    /// Adds a document, or why it is missing.
    pub fn json<T: Serialize>(&mut self, path: &str, value: Result<T>) {
        let document = value.and_then(|value| {
            let value = serde_json::to_value(value).map_err(|e| Failure::step("it cannot be written").caused_by(e))?;
            let plain = self.redactor.object(&value);
            serde_json::to_string_pretty(&plain).map_err(|e| Failure::step("it cannot be written").caused_by(e))
        });
        self.text(path, document.map(|text| text + "\n"));
    }

    /// Adds objects of Kubernetes as YAML, or why they are missing.
    pub fn objects(&mut self, path: &str, objects: Result<Vec<Value>>) {
        let plain = objects.map(|objects| {
            let plain: Vec<Value> = objects.iter().map(|object| self.redactor.object(&slim(object))).collect();
            yaml::to_documents(&plain)
        });
        self.text(path, plain);
    }

    /// Notes that something is missing.
    pub fn lacks(&mut self, path: &str, why: &dyn std::fmt::Display) {
        self.missing.push((path.into(), self.redactor.text(&why.to_string())));
    }

    /// What is missing, and why: one line each.
    pub fn missing(&self) -> Vec<String> {
        self.missing.iter().map(|(path, why)| format!("{path}: {why}")).collect()
    }

    /// Names of the files, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.files.iter().map(|(path, _)| path.clone()).collect();
        names.sort();
        names
    }

    /// Writes it to a new file that only its owner can read, everything in one folder. Returns the size in bytes.
    pub fn write(&self, path: &Path, folder: &str) -> Result<u64> {
        let failed = |error: std::io::Error| {
            Failure::usage(format!("cannot write {}", path.display()))
                .caused_by(error)
                .hint("name a file in a folder that is there and yours: iris-lab support FILE")
        };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let packed = self.pack(&file, folder);
        if packed.is_err() {
            // Half an archive is none.
            let _ = std::fs::remove_file(path);
        }
        packed.and_then(|()| Ok(file.metadata()?.len())).map_err(|error| {
            Failure::step(format!("cannot write {} to its end", path.display()))
                .caused_by(error)
                .hint("make room there, or name a file elsewhere: iris-lab support FILE")
        })
    }

    fn pack(&self, file: impl Write, folder: &str) -> std::io::Result<()> {
        let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
        for (path, text) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(now);
            archive.append_data(&mut header, format!("{folder}/{path}"), text.as_bytes())?;
        }
        archive.into_inner()?.finish()?.flush()
    }
}

/// An object without who wrote which field of it, which is long and tells nobody anything.
fn slim(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}
