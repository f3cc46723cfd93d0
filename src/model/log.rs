//! Lines of logs: how bad they are, as IRIS says it, and when they were written.

use serde::Serialize;
use std::fmt;

/// How bad a line is: the severities of messages.log, 0 to 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// To know of.
    #[default]
    Info,
    /// May become a problem.
    Warn,
    /// Something failed.
    Error,
    /// IRIS cannot go on.
    Fatal,
}

/// The words in brackets before lines of the program that starts IRIS.
const WORDS: &[(&str, Level)] = &[
    ("INFO", Level::Info),
    ("WARN", Level::Warn),
    ("WARNING", Level::Warn),
    ("ERROR", Level::Error),
    ("FATAL", Level::Fatal),
];

impl Level {
    /// All of them, as the severities of IRIS are numbered.
    pub const ALL: [Level; 4] = [Level::Info, Level::Warn, Level::Error, Level::Fatal];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A line of a log of a lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The pod; with its container, where it has several.
    pub source: String,
    /// When it was written: RFC 3339, as far as the log says it; empty when it does not.
    pub time: String,
    /// How bad it is.
    pub level: Level,
    /// The line as it is in the log.
    pub text: String,
}

/// The level of a line; that of the line before, where it only goes on with that one.
pub fn level(text: &str, before: Level) -> Level {
    if text.starts_with(char::is_whitespace) {
        return before;
    }
    if let Some(severity) = message(text).map(|(_, severity)| severity) {
        return severity;
    }
    let word = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(word, _)| word);
    if let Some((_, level)) = WORDS.iter().find(|(name, _)| Some(*name) == word) {
        return *level;
    }
    // As IRIS shows a %Status that is an error.
    if text.starts_with("ERROR #") { Level::Error } else { Level::Info }
}

/// The time of a line of messages.log: RFC 3339 without a zone, because IRIS writes the time of its own zone.
pub fn message_time(text: &str) -> Option<String> {
    message(text).map(|(time, _)| time)
}

/// Time and severity of a line of messages.log: `MM/DD/YY-hh:mm:ss:mmm (process) severity text`.
fn message(text: &str) -> Option<(String, Level)> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let (stamp, process, severity) = (words.next()?, words.next()?, words.next()?);
    let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "00/00/00-00:00:00:000" || !process.starts_with('(') {
        return None;
    }
    let severity = Level::ALL.get(severity.parse::<usize>().ok()?)?;
    let (month, day, year) = (&stamp[..2], &stamp[3..5], &stamp[6..8]);
    Some((format!("20{year}-{month}-{day}T{}.{}", &stamp[9..17], &stamp[18..]), *severity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_of_messages_log() {
        let line = "11/26/26-07:15:42:123 (1234) 2 [Utility.Event] Error: -13";
        assert_eq!(level(line, Level::Info), Level::Error);
        assert_eq!(message_time(line).as_deref(), Some("2026-11-26T07:15:42.123"));
        assert_eq!(level("11/26/26-07:15:42:123 (1234) 7 [x] y", Level::Fatal), Level::Info);
        assert_eq!(message_time("11/26/26 07:15:42"), None);
    }

    #[test]
    fn other_lines() {
        for (text, wanted) in [
            ("[INFO] Starting", Level::Info),
            ("[WARNING] x", Level::Warn),
            ("[FATAL] x", Level::Fatal),
            ("ERROR #5032: Cannot create", Level::Error),
            ("    at line 3", Level::Fatal),
            ("no level at all", Level::Info),
            ("[1/2] Error", Level::Info),
            ("", Level::Info),
        ] {
            assert_eq!(level(text, Level::Fatal), wanted, "{text:?}");
        }
        assert!(Level::Info < Level::Warn && Level::Error < Level::Fatal);
    }
}
