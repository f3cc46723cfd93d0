//! How text looks on one stream: colours, marks and width. Meaning never depends on colour.

use std::time::Duration;
use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::UnicodeWidthStr;

/// What one stream can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are used.
    pub color: bool,
    /// Whether characters beyond ASCII are used.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

/// How a line ended, as its first character or word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Done, healthy.
    Good,
    /// Nothing was to be done.
    Same,
    /// To know of.
    Warn,
    /// Failed, not healthy.
    Bad,
    /// Not started.
    Skipped,
    /// Not there yet.
    Waiting,
}

impl Look {
    /// No colours, 80 columns.
    pub fn plain() -> Self {
        Look { color: false, unicode: true, width: 80 }
    }

    /// A look for this environment; without a known width it is 80 columns.
    pub(super) fn detect(color: bool, width: Option<usize>) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| {
            let value = std::env::var(name).ok()?;
            (!value.is_empty()).then_some(value)
        });
        Look { color, unicode: locale.is_some_and(|name| is_utf8(&name)), width: width.unwrap_or(80) }
    }

    /// Bold text.
    pub fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Dim text.
    pub fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Red text.
    pub fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }

    /// Yellow text.
    pub fn yellow(&self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Cyan text.
    pub fn cyan(&self, text: &str) -> String {
        self.paint("36", text)
    }

    /// Text in the colour of the one of several things that has this number.
    pub fn hue(&self, number: usize, text: &str) -> String {
        const HUES: [&str; 5] = ["36", "35", "32", "34", "33"];
        self.paint(HUES[number % HUES.len()], text)
    }

    /// The mark: one character, or a word of four letters where only ASCII can be shown.
    pub fn mark(&self, mark: Mark) -> String {
        let (sign, word, code) = match mark {
            Mark::Good => ("✓", "ok  ", "32"),
            Mark::Same => ("·", "same", "2"),
            Mark::Warn => ("!", "warn", "33"),
            Mark::Bad => ("✗", "FAIL", "31"),
            Mark::Skipped => ("-", "skip", "2"),
            Mark::Waiting => ("…", "wait", "33"),
        };
        self.paint(code, if self.unicode { sign } else { word })
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// A duration in at most six columns: `0.4s`, `12s`, `4m05s`, `1h02m`.
pub fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=9 => format!("{:.1}s", time.as_secs_f64()),
        10..=59 => format!("{seconds}s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Text from elsewhere without what a terminal would obey; line breaks stay.
pub(super) fn clean(text: &str) -> String {
    text.replace('\t', "    ").chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// The same in one line.
pub(super) fn one_line(text: &str) -> String {
    clean(text).split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Columns of the terminal that this stream leads to.
pub(super) fn width_of(stream: impl std::os::fd::AsFd) -> Option<usize> {
    terminal_size_of(stream).map(|(Width(columns), _)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// As much of a text as fits the terminal that this stream leads to: what has scrolled away cannot be drawn over.
pub(super) fn fit_screen(text: &str, stream: impl std::os::fd::AsFd) -> String {
    match terminal_size_of(stream) {
        Some((Width(columns), Height(rows))) if columns > 0 && rows > 1 => {
            fit(text, usize::from(columns), usize::from(rows) - 1)
        }
        _ => text.into(),
    }
}

fn fit(text: &str, columns: usize, rows: usize) -> String {
    let height = |line: &str| line.width().div_ceil(columns).max(1);
    let lines: Vec<&str> = text.lines().collect();
    if lines.iter().map(|line| height(line)).sum::<usize>() <= rows {
        return text.into();
    }
    let mut left = rows - 1;
    let shown = lines.iter().take_while(|line| match left.checked_sub(height(line)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    let shown: Vec<&str> = shown.copied().collect();
    let more = lines.len() - shown.len();
    format!("{}\n({more} more lines, the screen is too small)", shown.join("\n"))
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let text = |ms: u64| elapsed(Duration::from_millis(ms));
        assert_eq!(text(449), "0.4s");
        assert_eq!(text(12_400), "12s");
        assert_eq!(text(245_000), "4m05s");
        assert_eq!(text(3_720_000), "1h02m");
    }

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\r\nc\td"), "a[2Jb\nc    d");
        assert_eq!(one_line("a\n\n  b\n"), "a b");
    }

    #[test]
    fn a_screen_shows_what_fits_and_says_what_does_not() {
        assert_eq!(fit("a\nb\nc", 10, 3), "a\nb\nc");
        assert_eq!(fit("a\nb\nc\nd", 10, 3), "a\nb\n(2 more lines, the screen is too small)");
        assert_eq!(fit("a long line\nb\nc", 6, 3), "a long line\n(2 more lines, the screen is too small)");
    }

    #[test]
    fn without_colour_and_unicode_the_meaning_stays() {
        let look = Look { color: false, unicode: false, width: 80 };
        assert_eq!(look.mark(Mark::Bad), "FAIL");
        assert!(is_utf8("en_US.UTF-8") && is_utf8("C.utf8") && !is_utf8("POSIX"));
    }
}
