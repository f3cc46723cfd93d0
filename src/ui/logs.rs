//! Lines of several logs: each after the name of its pod, in a colour of its own.

use super::look::{Look, clean};
use crate::model::log::{Entry, Level};

/// A line; `sources` are all of them, so that their names take the same width.
pub fn log_line(entry: &Entry, sources: &[String], look: &Look) -> String {
    let width = sources.iter().map(String::len).max().unwrap_or_default();
    let number = sources.iter().position(|source| *source == entry.source).unwrap_or_default();
    let source = look.hue(number, &format!("{:width$} |", entry.source));
    let text = clean(&entry.text);
    let text = match entry.level {
        Level::Info => text,
        Level::Warn => look.yellow(&text),
        Level::Error | Level::Fatal => look.red(&text),
    };
    format!("{source} {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_take_the_same_width_and_colours_only_add() {
        let sources = ["data-0".to_string(), "data-10".to_string()];
        let entry =
            |level| Entry { source: "data-0".into(), time: String::new(), level, text: "a\x1b[2Jb".to_string() };
        assert_eq!(log_line(&entry(Level::Fatal), &sources, &Look::plain()), "data-0  | a[2Jb\n");
        let colored = Look { color: true, ..Look::plain() };
        assert_eq!(log_line(&entry(Level::Info), &sources, &colored), "\x1b[36mdata-0  |\x1b[0m a[2Jb\n");
        assert!(log_line(&entry(Level::Error), &sources, &colored).contains("\x1b[31ma[2Jb"));
    }
}
