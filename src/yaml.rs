//! The only door to YAML: reading within limits, writing, and the tree of a document with the line of each node.

mod tree;

pub use tree::{Content, Node, SyntaxError, read_nodes};

use crate::error::{Failure, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// Longest text that is read, in bytes. The largest manifests of add-ons have a quarter of it.
pub const MAX_BYTES: u64 = 1 << 20;

/// Reads a YAML file. Its size is looked at first: a file over [`MAX_BYTES`] is refused without being read.
pub fn read_file(path: &Path) -> Result<String> {
    let name = path.display();
    let fail = |error: std::io::Error| Failure::usage(format!("{name} cannot be read")).cause(error);
    let file = std::fs::File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        return Err(Failure::usage(format!("{name} is a directory, not a file")));
    }
    check_size(metadata.len(), &name.to_string())?;
    // A pipe or a growing file has no size yet, so the reading is bounded too.
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(&name.to_string(), "it has more than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Failure::usage(format!("{name} is not a text file")).cause(format!("line {line}: not valid UTF-8"))
    })
}

/// Refuses a text that is longer than [`MAX_BYTES`].
pub fn check_size(bytes: u64, origin: &str) -> Result<()> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let size = if bytes >= 10 * MAX_BYTES { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) };
    Err(too_large(origin, &format!("it has {size}, and the limit is 1 MiB")))
}

fn too_large(origin: &str, cause: &str) -> Failure {
    Failure::usage(format!("{origin} is too large")).cause(cause)
}

/// Reads exactly one document into a type.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    guard(text)?;
    serde_yaml::from_str(text).map_err(invalid)
}

/// Reads every document of a text; empty documents are left out.
pub fn documents(text: &str) -> Result<Vec<Value>> {
    guard(text)?;
    let values = serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).map_err(invalid));
    values.filter(|value| !matches!(value, Ok(Value::Null))).collect()
}

/// Writes one document: keys in order of the alphabet, lines of a text kept.
pub fn to_string(value: &Value) -> String {
    serde_yaml::to_string(value).expect("a JSON value has string keys only, which YAML can always hold")
}

/// Writes several documents, each after a line `---`, as `kubectl apply -f` reads them.
pub fn to_documents(values: &[Value]) -> String {
    values.iter().map(|value| format!("---\n{}", to_string(value))).collect()
}

/// Size, depth, aliases and duplicate keys are judged before values are built from the text.
fn guard(text: &str) -> Result<()> {
    check_size(text.len() as u64, "the YAML")?;
    read_nodes(text)?;
    Ok(())
}

fn invalid(error: serde_yaml::Error) -> Failure {
    Failure::usage("the YAML is not valid").cause(error)
}

impl From<SyntaxError> for Failure {
    fn from(error: SyntaxError) -> Failure {
        Failure::usage("the YAML is not valid").cause(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_read_and_written_again() {
        let text = "---\na: 1\n---\n# nothing\n---\nb: [x, \"1\"]\nc: |\n  one\n  two\n";
        let values = documents(text).unwrap();
        assert_eq!(values, [json!({"a": 1}), json!({"b": ["x", "1"], "c": "one\ntwo\n"})]);
        assert_eq!(documents(&to_documents(&values)).unwrap(), values);
        assert_eq!(to_string(&values[1]), "b:\n- x\n- '1'\nc: |\n  one\n  two\n");
    }

    #[test]
    fn duplicate_keys_are_an_error_with_both_lines() {
        let failure = documents("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(failure.causes, ["line 3, column 1: the key a is given twice, first on line 1"]);
    }

    #[test]
    fn a_huge_file_is_refused_without_being_read() {
        let path = std::env::temp_dir().join(format!("iris-lab-huge-{}.yaml", std::process::id()));
        std::fs::File::create(&path).unwrap().set_len(50 << 20).unwrap();
        let failure = read_file(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(failure.message.ends_with("is too large"), "{failure}");
        assert_eq!(failure.causes, ["it has 50 MiB, and the limit is 1 MiB"]);
    }

    #[test]
    fn a_file_that_never_ends_is_refused() {
        let endless = read_file(Path::new("/dev/zero")).unwrap_err();
        assert!(endless.message.ends_with("is too large"), "{endless}");
        assert_eq!(endless.causes, ["it has more than 1 MiB"]);
        assert!(read_file(Path::new("/")).unwrap_err().message.ends_with("not a file"));
    }
}
