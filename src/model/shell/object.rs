//! Names of objects and calls of kubectl, as people write them.

use crate::model::{Cmd, ObjectRef};

/// Columns of a condition after which its loop begins a line of its own.
const MOST_COLUMNS: usize = 80;

/// A call of kubectl in one line.
pub(super) fn kubectl<S: AsRef<str>>(words: &[S]) -> String {
    Cmd::new("kubectl", words.iter().map(AsRef::as_ref)).line()
}

/// The same in a namespace, or in none.
pub(super) fn kubectl_in<S: AsRef<str>>(namespace: Option<&str>, words: &[S]) -> String {
    let namespace = namespace.into_iter().flat_map(|namespace| ["-n", namespace]);
    kubectl(&namespace.chain(words.iter().map(AsRef::as_ref)).collect::<Vec<_>>())
}

/// `statefulset.apps/data`, `namespace/iris-lab`.
pub(super) fn named(object: &ObjectRef) -> String {
    let kind = object.kind.to_lowercase();
    match object.group() {
        "" => format!("{kind}/{}", object.name),
        group => format!("{kind}.{group}/{}", object.name),
    }
}

/// A line that goes on when something is true.
pub(super) fn until(condition: &str) -> String {
    match condition.len() {
        0..MOST_COLUMNS => format!("until {condition}; do sleep 2; done\n"),
        _ => format!("until {condition}\ndo sleep 2; done\n"),
    }
}

/// Waits until an object is there.
pub(super) fn until_there(namespace: Option<&str>, name: &str) -> String {
    until(&format!("{} >/dev/null 2>&1", kubectl_in(namespace, &["get", name])))
}

/// Objects that are deleted in one call each namespace: kubectl waits until they are gone.
pub(super) fn delete(objects: &[ObjectRef]) -> String {
    let chunks = objects.chunk_by(|a, b| a.namespace == b.namespace);
    let line = |chunk: &[ObjectRef]| {
        let mut words = vec!["delete".to_string(), "--ignore-not-found".into()];
        words.extend(chunk.iter().map(named));
        kubectl_in(chunk[0].namespace.as_deref(), &words) + "\n"
    };
    chunks.map(line).collect()
}
