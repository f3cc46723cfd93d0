//! Where each field of a lab was given: a line of the file or a flag. Findings and how they are reported.

use crate::yaml::Node;

/// A field: keys and list positions from the root.
pub type Path = Vec<String>;

/// Something wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The field.
    pub path: Path,
    /// Its value, where that helps.
    pub value: Option<String>,
    /// The rule that it breaks.
    pub rule: String,
}

impl Finding {
    /// A finding from its parts.
    pub fn new(path: &[String], value: Option<&str>, rule: impl Into<String>) -> Self {
        Finding { path: path.to_vec(), value: value.map(Into::into), rule: rule.into() }
    }

    /// A finding at a path such as `spec.iris.image`.
    pub fn at(path: &str, value: &str, rule: impl Into<String>) -> Self {
        let path: Vec<String> = path.split('.').map(Into::into).collect();
        Self::new(&path, Some(value), rule)
    }
}

/// The tree of a lab file with the flags that were applied to it.
pub struct Source {
    /// The tree.
    pub root: Node,
    /// What the flags set, and the flag as it was typed; the later one counts.
    pub flags: Vec<(Path, String)>,
}

impl Source {
    /// A file without flags.
    pub fn new(root: Node) -> Self {
        Source { root, flags: Vec::new() }
    }

    /// One line per finding, in order of the file; what flags broke comes last.
    pub fn report(&self, findings: Vec<Finding>) -> Vec<String> {
        let mut lines: Vec<_> = findings.into_iter().map(|finding| (self.place(&finding.path), finding)).collect();
        lines.sort_by_key(|((line, _), _)| *line);
        let text = |((_, place), finding): ((usize, String), Finding)| {
            let path = if finding.path.is_empty() { String::new() } else { finding.path.join(".") + ": " };
            let value = finding.value.map(|value| shorten(&value) + ": ").unwrap_or_default();
            format!("{place}: {path}{value}{}", finding.rule)
        };
        lines.into_iter().map(text).collect()
    }

    /// Where a field was given, or else the nearest one around it: a number to sort by, and the words.
    fn place(&self, path: &[String]) -> (usize, String) {
        match self.flags.iter().rev().find(|(set, _)| path.starts_with(set)) {
            Some((_, flag)) => (usize::MAX, flag.clone()),
            None => {
                let line = line(&self.root, path);
                (line, format!("line {line}"))
            }
        }
    }
}

fn line(node: &Node, path: &[String]) -> usize {
    let Some((key, rest)) = path.split_first() else { return node.line };
    node.get(key).map_or(node.line, |child| line(child, rest))
}

/// A value for a message: on one line, without control characters, not endless.
fn shorten(value: &str) -> String {
    const LONGEST: usize = 60;
    let clean: String = value.chars().map(|c| if c.is_control() { '␤' } else { c }).collect();
    match clean.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None if clean.is_empty() => "\"\"".into(),
        None => clean,
    }
}
