//! Looks whether anything of some traces is left.

use super::{Cluster, Labelled};
use crate::error::Result;
use crate::model::{ObjectRef, Trace};
use serde_json::Value;

const DEFINITION: (&str, &str) = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");

impl Cluster {
    /// Everything that is left of the traces, and what could not be looked at. `lab` is whose label is meant.
    pub async fn traces(&self, lab: &str, of: &[Trace]) -> Result<Labelled> {
        let mut found = Labelled::default();
        for trace in of {
            match trace {
                Trace::Label => {
                    let Labelled { objects, unseen } = self.labelled(Some(lab)).await?;
                    found.objects.extend(objects);
                    found.unseen.extend(unseen);
                }
                Trace::Object(object) => found.objects.extend(self.exists(object).await?.then(|| object.clone())),
                Trace::Group { group } => found.objects.extend(self.definitions(group).await?),
                Trace::Driver { driver } => {
                    found.objects.extend(self.volumes_of_driver(driver).await?.iter().map(ObjectRef::of));
                }
            }
        }
        found.objects.sort();
        found.objects.dedup();
        Ok(found)
    }

    async fn exists(&self, object: &ObjectRef) -> Result<bool> {
        match self.known(object).await? {
            Some(_) => Ok(self.get(object).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Definitions of custom resources of a group.
    async fn definitions(&self, group: &str) -> Result<Vec<ObjectRef>> {
        let (version, kind) = DEFINITION;
        let Some(resource) = self.known(&ObjectRef::new(version, kind, None, "")).await? else { return Ok(Vec::new()) };
        let (_, all) = self.list_all(&resource, None, &super::Selector::default()).await?;
        let of_group = |one: &&Value| one["spec"]["group"] == group;
        Ok(all.iter().filter(of_group).map(ObjectRef::of).collect())
    }
}
