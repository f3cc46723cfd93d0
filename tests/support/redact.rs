//! Output with everything replaced that differs from run to run, so that the rest can be compared exactly.

use std::path::Path;

/// The text without this run's folder, times, ports, process ids, unique ids and password hashes.
pub fn redacted(text: &str, folder: &Path) -> String {
    let text = text.replace(&*folder.to_string_lossy(), "<dir>").replace(super::PROGRAM, "iris-lab");
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

fn line(line: &str) -> String {
    let mut text = after(line, "127.0.0.1:", "<port>", |c| c.is_ascii_digit());
    text = after(&text, "localhost:", "<port>", |c| c.is_ascii_digit());
    text = after(&text, "process ", "<pid>", |c| c.is_ascii_digit());
    text = after(&text, " pid ", "<pid>", |c| c.is_ascii_digit());
    text = after(&text, "\"seconds\": ", "<seconds>", |c| c.is_ascii_digit() || c == '.');
    text = after(&text, "PasswordHash=", "<hash>", |c| !c.is_whitespace() && c != '"' && c != '\\');
    text = after(&text, "passwordHash: ", "<hash>", |c| !c.is_whitespace() && c != '"');
    text = after(&text, "\"passwordHash\": \"", "<hash>", |c| c != '"');
    words(&text)
}

/// Replaces what follows a marker for as long as its characters are of that kind.
fn after(text: &str, marker: &str, with: &str, of: impl Fn(char) -> bool) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(marker) {
        let (before, value) = rest.split_at(at + marker.len());
        let end = value.find(|c| !of(c)).unwrap_or(value.len());
        out += before;
        out += if end == 0 { "" } else { with };
        rest = &value[end..];
    }
    out + rest
}

/// Replaces whole words: unique ids, elapsed times with a fraction, times of day.
fn words(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
    let (mut out, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let start = rest.find(is_part).unwrap_or(rest.len());
        out += &rest[..start];
        rest = &rest[start..];
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        out += &word(&rest[..end]);
        rest = &rest[end..];
    }
    out
}

fn word(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let tail = &word[bare.len()..];
    let new = if is_uuid(bare) {
        "<uid>".into()
    } else if bare.strip_prefix("pvc-").is_some_and(is_uuid) {
        "pvc-<uid>".into()
    } else if is_seconds(bare) {
        "<time>".into()
    } else if is_timestamp(bare) {
        "<when>".into()
    } else {
        bare.to_string()
    };
    new + tail
}

pub fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// `0.1s`, `12.3s`: the program's elapsed times below ten seconds have a fraction, deadlines have none.
fn is_seconds(text: &str) -> bool {
    let number = text.strip_suffix('s').filter(|number| number.contains('.'));
    number.is_some_and(|number| number.parse::<f64>().is_ok())
}

/// `2026-01-31T12:00:00Z`, with or without a fraction.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.len() >= 19 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' && bytes[13] == b':'
}
