//! An original manifest of Longhorn that is installed instead of ours: it is known by its sha256, and must be what it says.

use super::version::Version;
use crate::error::{Failure, Result};
use crate::model::longhorn::version_of;
use crate::yaml;
use serde_json::Value;

/// An original manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Original {
    /// Its release.
    pub version: Version,
    /// Its objects, in its order.
    pub objects: Vec<Value>,
}

/// Reads a manifest with this sha256. `wanted` is the one that it must have; without it, only the manifests of the releases are
/// taken. `origin` is its name in messages.
pub fn read(text: &str, sha256: &str, wanted: Option<&str>, origin: &str) -> Result<Original> {
    if let Some(wanted) = wanted.filter(|wanted| !wanted.eq_ignore_ascii_case(sha256)) {
        return Err(Failure::requirement(format!("{origin} is not the manifest that was asked for"))
            .cause(format!("its sha256 is {sha256}"))
            .cause(format!("the one asked for is {}", wanted.to_lowercase()))
            .hint("get the right file, or name the right sum with --sha256"));
    }
    let known = Version::of_manifest(sha256)?;
    if known.is_none() && wanted.is_none() {
        return Err(Failure::requirement(format!("{origin} is no original manifest of Longhorn 1.2.1 to 1.2.6"))
            .cause(format!("its sha256 is {sha256}, which is none of theirs"))
            .hint("if it is changed on purpose, and you know who changed it: add --sha256 with that sum"));
    }
    let objects = objects(text, origin)?;
    let version = match known {
        Some(version) => version,
        None => version(&objects, origin)?,
    };
    Ok(Original { version, objects })
}

/// Its objects, without the fields that are null: an API server takes them for fields that are not there.
fn objects(text: &str, origin: &str) -> Result<Vec<Value>> {
    let mut objects = yaml::documents(text)
        .map_err(|failure| Failure { message: format!("{origin}: {}", failure.message), ..failure })?;
    for object in &mut objects {
        drop_nulls(object);
        let named = |path: &str| object.pointer(path).is_some_and(Value::is_string);
        if !["/apiVersion", "/kind", "/metadata/name"].iter().all(|path| named(path)) {
            return Err(Failure::usage(format!("{origin} is no Kubernetes manifest"))
                .cause("it has a document without apiVersion, kind or name"));
        }
    }
    Ok(objects)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The release by the image of the manager.
fn version(objects: &[Value], origin: &str) -> Result<Version> {
    let manager = objects.iter().find(|o| o["kind"] == "DaemonSet" && o["metadata"]["name"] == "longhorn-manager");
    let version = manager.and_then(version_of).ok_or_else(|| {
        Failure::usage(format!("{origin} is no manifest of Longhorn"))
            .cause("it has no DaemonSet longhorn-manager with an image whose tag is its version")
    })?;
    Version::parse(version).map_err(|failure| Failure::usage(format!("{origin} cannot be installed")).cause(failure))
}
