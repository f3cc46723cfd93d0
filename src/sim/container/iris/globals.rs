//! Variables and globals. The globals of a namespace are a file of the instance's own volume, in the form in which ZWRITE shows them.

use super::values::{Reader, Reference, Term, shown};
use crate::sim::container::Container;
use std::collections::BTreeMap;

/// Variables or globals with their values, in the order in which IRIS has them.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<Reference, String>);

impl Values {
    /// The value of one.
    pub fn get(&self, reference: &Reference) -> Option<&str> {
        self.0.get(reference).map(String::as_str)
    }

    /// Gives one a value.
    pub fn set(&mut self, reference: Reference, value: String) {
        self.0.insert(reference, value);
    }

    /// Removes one and all below it.
    pub fn kill(&mut self, reference: &Reference) {
        self.0.retain(|one, _| !one.is_in(reference));
    }

    /// A line for each that is one or stands below it, as ZWRITE shows them; all of them, if none is named.
    pub fn lines(&self, reference: Option<&Reference>) -> String {
        let wanted = self.0.iter().filter(|(one, _)| reference.is_none_or(|reference| one.is_in(reference)));
        wanted.map(|(one, value)| format!("{one}={}\n", shown(value))).collect()
    }

    /// The globals of a namespace.
    pub fn load(container: &Container, namespace: &str) -> Values {
        let content = container.read(&path(container, namespace)).unwrap_or_default();
        let mut values = Values::default();
        for line in String::from_utf8_lossy(&content).lines() {
            let mut reader = Reader(line);
            if let Ok(reference) = reader.reference()
                && reader.take("=")
                && let Ok([Term::Literal(value)]) = reader.expression().as_deref()
            {
                values.set(reference, value.clone());
            }
        }
        values
    }

    /// Keeps them as the globals of a namespace.
    pub fn save(&self, container: &Container, namespace: &str) {
        container.write(&path(container, namespace), self.lines(None));
    }
}

fn path(container: &Container, namespace: &str) -> String {
    format!("{}/mgr/emulated/{namespace}", container.data_directory())
}
