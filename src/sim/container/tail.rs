//! `tail [-n N] [-F] FILE`: the end of a file, and what is added to it.

use super::{Container, Io};
use futures::future::BoxFuture;

/// Which lines are shown, and whether it goes on.
struct Wanted<'a> {
    lines: Lines,
    follow: bool,
    file: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    Last(usize),
    /// From the line with this number on; the first is 1.
    From(usize),
}

/// Prints it.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        let Some(wanted) = parse(arguments) else {
            io.complain("tail: only `tail [-n N|+N] [-f|-F] FILE` is emulated\n").await;
            return 1;
        };
        let mut changes = container.changes();
        let read = || container.read(wanted.file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let Some(mut shown) = read() else {
            io.complain(&format!("tail: cannot open '{}' for reading: No such file or directory\n", wanted.file)).await;
            return 1;
        };
        let all: Vec<&str> = shown.split_inclusive('\n').collect();
        let first = match wanted.lines {
            Lines::Last(count) => all.len().saturating_sub(count),
            Lines::From(number) => number.saturating_sub(1).min(all.len()),
        };
        io.print(&all[first..].concat()).await;
        if !wanted.follow {
            return 0;
        }
        loop {
            tokio::select! {
                change = changes.changed() => if change.is_err() { return 0 },
                () = io.interrupted() => return 130,
            }
            let Some(now) = read() else { return 0 };
            let added = now.strip_prefix(&shown).unwrap_or(&now).to_string();
            io.print(&added).await;
            shown = now;
        }
    })
}

fn parse(arguments: &[String]) -> Option<Wanted<'_>> {
    let mut wanted = Wanted { lines: Lines::Last(10), follow: false, file: "" };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-f" | "-F" => wanted.follow = true,
            "-n" => {
                let lines = rest.next()?;
                wanted.lines = match lines.strip_prefix('+') {
                    Some(number) => Lines::From(number.parse().ok()?),
                    None => Lines::Last(lines.parse().ok()?),
                };
            }
            file if !file.starts_with('-') && wanted.file.is_empty() => wanted.file = file,
            _ => return None,
        }
    }
    (!wanted.file.is_empty()).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let parse = |line: &str| {
            let words: Vec<String> = line.split(' ').map(Into::into).collect();
            parse(&words).map(|wanted| (wanted.lines, wanted.follow, wanted.file.to_string()))
        };
        assert_eq!(parse("-n 5 -F /a"), Some((Lines::Last(5), true, "/a".into())));
        assert_eq!(parse("-n +1 /a"), Some((Lines::From(1), false, "/a".into())));
        assert_eq!(parse("/a"), Some((Lines::Last(10), false, "/a".into())));
        assert_eq!((parse("-x /a"), parse("-n five /a"), parse("-F")), (None, None, None));
    }
}
