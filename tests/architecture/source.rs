//! Rust source as the architecture test sees it: no comments, no text, no test code; and the paths that are left.

use std::path::{Path, PathBuf};

/// One file under `src`.
pub struct Source {
    /// Its path below `src`.
    pub path: PathBuf,
    /// Its text as it is.
    pub text: String,
    /// The same with comments, literals and test code blanked; lines stay where they are.
    pub code: String,
}

/// A path such as `crate::model::Plan` and the line on which it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention {
    pub path: String,
    pub line: usize,
}

impl Source {
    /// Every file under `src`, sorted.
    pub fn all() -> Vec<Source> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        collect(&root, &mut files);
        files.sort();
        let read = |file: PathBuf| {
            let text = std::fs::read_to_string(&file).unwrap();
            let path = file.strip_prefix(&root).unwrap().to_path_buf();
            Source { code: without_tests(&blanked(&text)), text, path }
        };
        files.into_iter().map(read).collect()
    }

    /// The top-level module that the file belongs to.
    pub fn module(&self) -> String {
        let first = self.path.iter().next().unwrap_or_default().to_string_lossy();
        first.strip_suffix(".rs").unwrap_or(&first).to_string()
    }

    /// Whether the whole file is test code, which may do what it likes.
    pub fn is_test(&self) -> bool {
        self.path.iter().any(|part| {
            let part = part.to_string_lossy();
            part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs")
        })
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The text with every comment and literal replaced by spaces.
pub fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// The end of the comment or literal that begins here; `at` itself if none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = |n: usize| chars.get(at + n).copied().unwrap_or(' ');
    let find =
        |from: usize, wanted: &dyn Fn(usize) -> bool| (from..chars.len()).find(|i| wanted(*i)).unwrap_or(chars.len());
    match (chars[at], next(1)) {
        ('/', '/') => find(at, &|i| chars[i] == '\n'),
        ('/', '*') => find(at + 2, &|i| chars[i - 1] == '*' && chars[i] == '/' && i > at + 2) + 1,
        ('r', '"' | '#') if at == 0 || !is_word(chars[at - 1]) => raw_end(chars, at),
        ('"', _) => quoted_end(chars, at, '"'),
        ('\'', '\\') => quoted_end(chars, at, '\''),
        ('\'', _) if next(2) == '\'' => at + 3,
        _ => at,
    }
}

fn raw_end(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let ends =
        |i: &usize| chars[*i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    (at + 2 + hashes..chars.len()).find(ends).map_or(chars.len(), |i| i + 1 + hashes)
}

fn quoted_end(chars: &[char], at: usize, quote: char) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Blanked code without the items that stand behind `#[cfg(test)]`.
pub fn without_tests(code: &str) -> String {
    let mut out = code.to_string();
    while let Some(start) = out.find("#[cfg(test)]") {
        let rest = &out[start..];
        let brace = rest.find('{').unwrap_or(rest.len());
        let end = match rest.find(';') {
            Some(semicolon) if semicolon < brace => semicolon + 1,
            _ => closing(rest, brace),
        };
        let blank: String = rest[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..start + end, &blank);
    }
    out
}

/// The end of the block whose brace opens at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (i, c) in code[open.min(code.len())..].char_indices() {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return open + i + 1;
        }
    }
    code.len()
}

/// Every path of two or more parts, with the trees of `use` spread out.
pub fn mentions(code: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        let word = rest.chars().next().is_some_and(is_word);
        if word {
            let (paths, length) = tree(rest);
            let line = code[..at].matches('\n').count() + 1;
            found.extend(paths.into_iter().filter(|path| path.contains("::")).map(|path| Mention { path, line }));
            at += length;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// The paths of `a::b` or `a::{b, c::d}`, and the length of its text.
fn tree(text: &str) -> (Vec<String>, usize) {
    let mut end = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    while text[end..].starts_with("::") && text[end + 2..].chars().next().is_some_and(is_word) {
        let part = text[end + 2..].find(|c: char| !is_word(c)).unwrap_or(text.len() - end - 2);
        end += 2 + part;
    }
    let head = &text[..end];
    if !text[end..].starts_with("::{") {
        return (vec![head.to_string()], end);
    }
    let close = closing(text, end + 2);
    let mut paths = Vec::new();
    let inner = &text[end + 3..close.saturating_sub(1).max(end + 3)];
    let mut at = 0;
    while at < inner.len() {
        let rest = &inner[at..];
        if rest.chars().next().is_some_and(is_word) {
            let (below, length) = tree(rest);
            paths.extend(below.into_iter().map(|path| format!("{head}::{path}")));
            at += length;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    (paths, close)
}
