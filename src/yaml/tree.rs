//! The tree of a YAML document with the place of each node, built within limits: depth, aliases, duplicate keys.

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, options};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Deepest nesting.
const MAX_DEPTH: usize = 64;
/// Most nodes that anchors and aliases may copy, in all.
const MAX_COPIES: usize = 50_000;

/// One node of a document and where it stands. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Line; of the key, for an entry of a mapping.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// What stands there.
    pub content: Content,
}

/// What stands at a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A scalar as written. `plain` means without quotes, so that `1`, `true` and `null` are no texts.
    Scalar {
        /// The text.
        text: String,
        /// Whether it was written without quotes and without a tag.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Node)>),
}

/// Why a text is no YAML that we take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl SyntaxError {
    fn at(span: &Span, message: impl Into<String>) -> Self {
        let start = span.start;
        SyntaxError { line: start.line(), column: start.col() + 1, message: message.into() }
    }
}

impl From<ScanError> for SyntaxError {
    fn from(error: ScanError) -> Self {
        let message = match error.kind() {
            ErrorKind::RecursionLimitExceeded => format!("nested deeper than {MAX_DEPTH} levels"),
            kind => kind.to_string(),
        };
        SyntaxError { line: error.marker().line(), column: error.marker().col() + 1, message }
    }
}

impl Node {
    /// A field of a mapping, or an entry of a list by its position.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, child)| child),
            Content::List(items) => items.get(key.parse::<usize>().ok()?),
            Content::Scalar { .. } => None,
        }
    }

    /// A scalar that is nothing: empty, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Number of nodes in this tree.
    fn size(&self) -> usize {
        1 + match &self.content {
            Content::Scalar { .. } => 0,
            Content::List(items) => items.iter().map(Node::size).sum(),
            Content::Map(entries) => entries.iter().map(|(_, node)| node.size()).sum(),
        }
    }
}

/// The trees of all documents of a text. A document without content is a null scalar.
pub fn read_nodes(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let mut builder = Builder::default();
    let limits = options! { emit_comments: false, flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH };
    for event in Parser::new_from_str_with_options(text, limits) {
        let (event, span) = event?;
        builder.take(event, &span)?;
    }
    Ok(builder.documents)
}

/// A list or mapping whose end was not reached yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value, and its place.
    key: Option<(String, usize, usize)>,
    /// Line of each key so far.
    keys: HashMap<String, usize>,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    /// Anchors of collections that are still open: an alias to them would never end.
    circular: HashSet<usize>,
    copies: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), SyntaxError> {
        let place = |content| Node { line: span.start.line(), column: span.start.col() + 1, content };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                self.close(place(Content::Scalar { text: text.into_owned(), plain }), anchor, span)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(place(Content::List(Vec::new())), anchor, span),
            Event::MappingStart(_, anchor, _) => self.begin(place(Content::Map(Vec::new())), anchor, span),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    self.circular.remove(&open.anchor);
                    self.close(open.node, open.anchor, span)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => self.copy(anchor, span),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: Node, anchor: usize, span: &Span) -> Result<(), SyntaxError> {
        if self.open.len() == MAX_DEPTH {
            return Err(SyntaxError::at(span, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.circular.insert(anchor);
        self.open.push(Open { node, anchor, key: None, keys: HashMap::new() });
        Ok(())
    }

    fn copy(&mut self, anchor: usize, span: &Span) -> Result<(), SyntaxError> {
        if self.circular.contains(&anchor) {
            return Err(SyntaxError::at(span, "the alias stands inside of what it refers to"));
        }
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(SyntaxError::at(span, "the alias refers to nothing"));
        };
        let size = *size;
        let content = node.content.clone();
        self.spend(size, span)?;
        self.close(Node { line: span.start.line(), column: span.start.col() + 1, content }, 0, span)
    }

    /// Counts what anchors and aliases copy, so that a short text cannot become a huge tree.
    fn spend(&mut self, nodes: usize, span: &Span) -> Result<(), SyntaxError> {
        self.copies += nodes;
        if self.copies > MAX_COPIES {
            return Err(SyntaxError::at(span, format!("aliases expand to more than {MAX_COPIES} values")));
        }
        Ok(())
    }

    /// Hands a complete node to the collection that it stands in.
    fn close(&mut self, node: Node, anchor: usize, span: &Span) -> Result<(), SyntaxError> {
        if anchor != 0 {
            let size = node.size();
            self.spend(size, span)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut parent.node.content {
            Content::List(items) => items.push(node),
            Content::Map(entries) => match parent.key.take() {
                Some((key, line, column)) => entries.push((key, Node { line, column, ..node })),
                None => {
                    let Content::Scalar { text, .. } = node.content else {
                        return Err(SyntaxError::at(span, "a list or mapping cannot be a key"));
                    };
                    if let Some(first) = parent.keys.insert(text.clone(), node.line) {
                        let message = format!("the key {text} is given twice, first on line {first}");
                        return Err(SyntaxError { line: node.line, column: node.column, message });
                    }
                    parent.key = Some((text, node.line, node.column));
                }
            },
            Content::Scalar { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn error(text: &str) -> String {
        read_nodes(text).unwrap_err().to_string()
    }

    #[test]
    fn each_node_knows_its_line() {
        let nodes = read_nodes("# comment\na:\n  b: [1, '2']\n  c:\n---\nsecond\n").unwrap();
        let Content::Map(root) = &nodes[0].content else { panic!("not a mapping") };
        let Content::Map(a) = &root[0].1.content else { panic!("not a mapping") };
        assert_eq!((a[0].0.as_str(), a[0].1.line, a[0].1.column), ("b", 3, 3));
        let Content::List(items) = &a[0].1.content else { panic!("not a list") };
        assert_eq!(items[1].content, Content::Scalar { text: "2".into(), plain: false });
        assert!(a[1].1.is_null());
        assert_eq!((nodes[1].line, nodes.len()), (6, 2));
    }

    #[test]
    fn aliases_are_copied_but_bombs_are_not() {
        let nodes = read_nodes("a: &x [1, 2]\nb: *x\n").unwrap();
        let Content::Map(root) = &nodes[0].content else { panic!("not a mapping") };
        assert_eq!(root[0].1.content, root[1].1.content);

        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..30 {
            let row = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{row}]\n");
        }
        let start = Instant::now();
        assert!(error(&bomb).ends_with("aliases expand to more than 50000 values"));
        assert!(start.elapsed() < Duration::from_millis(500));
        assert!(error("a: &a [*a]").contains("inside of what it refers to"));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert_eq!(error(&"[".repeat(100_000)), "line 1, column 65: nested deeper than 64 levels");
        assert!(error(&"- ".repeat(70)).contains("nested deeper than 64 levels"));
    }

    #[test]
    fn broken_text_names_its_place() {
        assert_eq!(error("a: 1\nb: [1, 2\n"), "line 2, column 4: unclosed bracket '['");
    }
}
