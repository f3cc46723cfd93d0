//! Plain aligned columns without borders, as kubectl prints them.

use unicode_width::UnicodeWidthStr;

const GAP: usize = 3;

/// Rows of text under a header.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column titles.
    pub fn new(titles: &[&str]) -> Self {
        Table { rows: vec![titles.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row; an empty cell is shown as `-`.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| if cell.is_empty() { "-".into() } else { cell }).collect());
    }

    /// The text, each line indented by so many columns.
    pub fn text(&self, indent: usize) -> String {
        aligned(&self.rows, indent, GAP)
    }
}

/// Names and values, aligned: `  Portal  http://...`. A name that is empty continues the one above.
pub fn fields(rows: &[(&str, String)], indent: usize) -> String {
    let rows: Vec<_> = rows.iter().map(|(name, value)| vec![name.to_string(), value.clone()]).collect();
    aligned(&rows, indent, 2)
}

/// Breaks a text at spaces so that it fits the width; every line is indented, those after the first by two columns more.
/// A command in backticks stays in one line if it fits there: it is there to be copied.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut lines = vec![" ".repeat(indent)];
    let mut filled = indent;
    for word in words(text, width.saturating_sub(indent + 2)) {
        let full = filled + 1 + word.width() > width;
        let start = lines.last().is_none_or(|line| line.trim().is_empty());
        match lines.last_mut() {
            Some(line) if !full || start => {
                let space = if start { "" } else { " " };
                line.push_str(&format!("{space}{word}"));
                filled += space.len() + word.width();
            }
            _ => {
                lines.push(format!("{}{word}", " ".repeat(indent + 2)));
                filled = indent + 2 + word.width();
            }
        }
    }
    lines.join("\n") + "\n"
}

fn words(text: &str, room: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if last.matches('`').count() % 2 == 1 && last.width() + 1 + word.width() <= room => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.into()),
        }
    }
    words
}

fn aligned(rows: &[Vec<String>], indent: usize, gap: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = " ".repeat(indent);
        for (cell, width) in row.iter().zip(&widths) {
            line += cell;
            line.push_str(&" ".repeat(width - cell.width() + gap));
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_whatever_the_characters_are() {
        let mut table = Table::new(&["NAME", "STATUS", "NODE"]);
        table.row(["データ".into(), "Running".into(), "node-1".into()]);
        table.row(["data-1".into(), String::new(), "ñode-2".into()]);
        assert_eq!(
            table.text(2),
            "  NAME     STATUS    NODE\n  データ   Running   node-1\n  data-1   -         ñode-2\n"
        );
    }

    #[test]
    fn long_text_breaks_at_spaces() {
        assert_eq!(wrap("one two three", 9, 1), " one two\n   three\n");
        assert_eq!(wrap("see the `kubectl logs`", 16, 0), "see the\n  `kubectl logs`\n");
        assert_eq!(wrap("unbreakable", 5, 0), "unbreakable\n");
    }

    #[test]
    fn fields_align() {
        assert_eq!(fields(&[("Pods", "a".into()), ("Portal", "b".into())], 0), "Pods    a\nPortal  b\n");
    }
}
