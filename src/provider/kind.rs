//! The provider `kind`: nodes that are containers of Docker.

use super::{Provider, Wishes};
use crate::error::{Failure, Result};
use crate::lab::{Lab, ProviderName};
use crate::model::{Facts, Step};
use serde_json::Value;

/// Makes a cluster of its own.
pub struct Kind;

impl Provider for Kind {
    fn name(&self) -> ProviderName {
        ProviderName::Kind
    }

    fn uses_host(&self) -> bool {
        true
    }

    fn kubernetes(&self, _: &Lab, _: &Wishes) -> String {
        "1.24.17".into()
    }

    fn nodes(&self, _: &Lab, _: &Wishes) -> Vec<Value> {
        Vec::new()
    }

    fn steps(&self, _: &Lab, _: &Facts, _: &Wishes) -> Result<Vec<Step>> {
        Err(Failure::usage("the provider kind is not there yet"))
    }
}
