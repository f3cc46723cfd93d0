//! The provider `microk8s`: the snap on this machine, one node.

use super::{Provider, Wishes};
use crate::error::{Failure, Result};
use crate::lab::{Lab, ProviderName};
use crate::model::{Facts, Step};
use serde_json::{Value, json};

/// Installs the snap where it is missing, and takes one that is there as it is.
pub struct Microk8s;

impl Provider for Microk8s {
    fn name(&self) -> ProviderName {
        ProviderName::Microk8s
    }

    fn uses_host(&self) -> bool {
        true
    }

    fn kubernetes(&self, _: &Lab, _: &Wishes) -> String {
        "1.24.17".into()
    }

    fn nodes(&self, _: &Lab, _: &Wishes) -> Vec<Value> {
        vec![json!({ "metadata": { "name": "microk8s", "labels": { "microk8s.io/cluster": "true" } } })]
    }

    fn steps(&self, _: &Lab, _: &Facts, _: &Wishes) -> Result<Vec<Step>> {
        Err(Failure::usage("the provider microk8s is not there yet"))
    }
}
