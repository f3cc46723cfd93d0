//! The provider `existing`: a cluster that is there already, named by a context of the user's kubeconfig.

use super::{CLUSTER, Provider, Wishes};
use crate::error::{Failure, Result};
use crate::lab::{Lab, ProviderName};
use crate::model::{Action, Facts, Step};
use serde_json::Value;
use std::time::Duration;

/// Takes a cluster as it is and never changes it beyond labelled objects.
pub struct Existing;

impl Provider for Existing {
    fn name(&self) -> ProviderName {
        ProviderName::Existing
    }

    fn makes_cluster(&self) -> bool {
        false
    }

    fn no_stop(&self) -> Failure {
        Failure::requirement("this cluster is not ours to stop or start")
            .cause("the lab is on a cluster that was there before it, and others may use that")
            .hint("`iris-lab down` removes the lab's pods and keeps their data; `iris-lab up` brings them back")
    }

    fn kubernetes(&self, _: &Lab, _: &Wishes) -> String {
        String::new()
    }

    fn nodes(&self, _: &Lab, _: &Wishes) -> Vec<Value> {
        Vec::new()
    }

    fn steps(&self, _: &Lab, _: &Facts, wishes: &Wishes) -> Result<Vec<Step>> {
        let Some(context) = wishes.context else { return Ok(Vec::new()) };
        let action = Action::WriteKubeconfig { context: context.into() };
        let title = format!("Keep the access to context {context} in a kubeconfig of our own");
        let current = wishes.kubeconfig_is_current.then(|| "it is there already".into());
        Ok(vec![Step::new(CLUSTER, title, Duration::from_secs(30), action).satisfied_by(current)])
    }
}
