//! The Lab type, its defaults, overrides and validation: every error at once, with line numbers. No I/O.

pub mod accounts;
pub mod image;
pub mod types;

mod build;
mod builtin;
mod cpf;
mod names;
mod overrides;
mod rules;
mod source;
mod structure;

pub use builtin::{Builtin, builtin};
pub use overrides::Overrides;
pub use types::*;

use crate::error::{Failure, Result};
use crate::yaml::{self, Content, Node};
use serde_json::Value;
use source::{Finding, Source};

/// Reads a lab file. `origin` is its name in messages. All errors of the file are reported at once.
pub fn load(text: &str, origin: &str) -> Result<Lab> {
    load_with(text, origin, &Overrides::default())
}

/// Reads a lab file and applies the flags of the command line before it is judged.
pub fn load_with(text: &str, origin: &str, overrides: &Overrides) -> Result<Lab> {
    let schema = schema();
    let mut source = Source::new(read(text, origin)?);
    let mut findings = overrides.apply(&mut source, &schema);
    let value = structure::check(&source.root, &schema, &mut findings);
    // What broke the structure is left out of the value, so that the rules can still judge all the rest.
    match serde_json::from_value::<Lab>(value) {
        Ok(lab) => {
            let broken: Vec<_> = findings.iter().map(|finding| finding.path.clone()).collect();
            let judged = rules::check(&lab).into_iter().chain(build::check(&lab));
            let judged = judged.chain(accounts::check(&lab)).chain(cpf::check(&lab));
            findings.extend(judged.filter(|finding| !broken.iter().any(|path| finding.path.starts_with(path))));
            if findings.is_empty() { Ok(lab) } else { Err(invalid(origin, &source, findings)) }
        }
        Err(error) => {
            findings.push(Finding::new(&[], None, error.to_string()));
            Err(invalid(origin, &source, findings))
        }
    }
}

/// The JSON Schema of lab files, for editors.
pub fn schema() -> Value {
    schemars::schema_for!(Lab).to_value()
}

/// The one document of a lab file.
fn read(text: &str, origin: &str) -> Result<Node> {
    yaml::check_size(text.len() as u64, origin)?;
    let fail = |cause: String| Failure::usage(format!("{origin} is not a lab")).cause(cause);
    let mut nodes = yaml::read_nodes(text).map_err(|error| fail(error.to_string()))?;
    if let Some(second) = nodes.get(1) {
        return Err(fail(format!("line {}: a second document begins; a lab file has one", second.line)));
    }
    match nodes.pop() {
        Some(node) if matches!(node.content, Content::Map(_)) => Ok(node),
        Some(node) if !node.is_null() => {
            Err(fail(format!("line {}: must be a mapping that begins with apiVersion: iris-lab/v1", node.line)))
        }
        _ => Err(Failure::usage(format!("{origin} is empty"))
            .cause("a lab begins with the lines: apiVersion: iris-lab/v1, kind: Lab, metadata: {name: my-lab}")
            .hint("iris-lab labs show two-pod prints a complete, commented one")),
    }
}

fn invalid(origin: &str, source: &Source, findings: Vec<Finding>) -> Failure {
    let count = findings.len();
    let failure = Failure::usage(format!("{origin} has {count} error{}", if count == 1 { "" } else { "s" }));
    let failure = source.report(findings).into_iter().fold(failure, Failure::cause);
    failure.hint("iris-lab labs schema prints every field with its meaning")
}

#[cfg(test)]
mod tests;
