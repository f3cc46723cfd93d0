//! What every handler knows: the cluster, and what a path names.

use crate::sim::container::Disks;
use crate::sim::kinds::{Kind, Kinds};
use crate::sim::status::Status;
use crate::sim::store::Store;
use std::sync::Arc;

/// The user that the token stands for.
pub const USER: &str = "iris-lab";

/// What every handler needs.
pub struct Api {
    /// The objects.
    pub store: Store,
    /// The served kinds.
    pub kinds: Kinds,
    /// `v1.24.17`.
    pub version: String,
    /// The minor release: 24.
    pub minor: u32,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// What the user may not do.
    pub forbidden: Vec<(String, String)>,
    /// What the emulated containers have written.
    pub disks: Disks,
    /// Whether a watch breaks off at this point.
    pub cut: crate::sim::api::watch::Cut,
}

/// What a path names.
#[derive(Clone, Debug)]
pub struct Target {
    /// The kind.
    pub kind: Arc<Kind>,
    /// In this version.
    pub version: String,
    /// In this namespace; none means all, or that the kind has none.
    pub namespace: Option<String>,
    /// One object; none means all.
    pub name: Option<String>,
    /// A part of the object.
    pub subresource: Option<String>,
}

impl Target {
    /// The name, where one is needed.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// `apps/v1`.
    pub fn api_version(&self) -> String {
        self.kind.api_version(&self.version)
    }

    /// The error for an object that is not there.
    pub fn not_found(&self) -> Status {
        Status::not_found(&self.kind.qualified(), self.name())
    }
}

impl Api {
    /// Whether the user may do this with this kind of object; `*` is all of it.
    pub fn may(&self, verb: &str, resource: &str) -> bool {
        let same = |pattern: &str, text: &str| pattern == "*" || text == "*" || pattern == text;
        !self.forbidden.iter().any(|(verbs, resources)| same(verbs, verb) && same(resources, resource))
    }

    /// 403 in the words of RBAC, unless the user may do this.
    pub fn authorize(&self, verb: &str, target: &Target) -> Result<(), Status> {
        let resource = match &target.subresource {
            Some(subresource) => format!("{}/{subresource}", target.kind.plural),
            None => target.kind.plural.clone(),
        };
        if self.may(verb, &resource) {
            return Ok(());
        }
        let scope = match &target.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".into(),
        };
        let group = &target.kind.group;
        let why = format!("User \"{USER}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {scope}");
        Err(Status::forbidden(&target.kind.qualified(), target.name(), &why))
    }
}
