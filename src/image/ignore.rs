//! `.dockerignore` as Docker reads it. Its patterns are not those of `.gitignore`: each is about a path from the root of the context,
//! also without a slash, and a folder that is left out may still have a file that a later `!` brings back.

/// The patterns of a file.
#[derive(Clone, Debug, Default)]
pub struct Ignore(Vec<Pattern>);

#[derive(Clone, Debug)]
struct Pattern {
    /// The pattern, in parts between slashes.
    parts: Vec<String>,
    /// Whether it brings back what an earlier one has left out.
    brings_back: bool,
}

impl Ignore {
    /// Reads the file: a pattern a line, comments with a # at their very beginning.
    pub fn new(text: &str) -> Self {
        let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.starts_with('#'));
        Ignore(lines.filter_map(|line| pattern(line.trim())).collect())
    }

    /// Whether a path, with slashes and from the root of the context, is left out: the last pattern that is about it, or about a folder
    /// around it, decides.
    pub fn excludes(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let about = |pattern: &Pattern| (1..=parts.len()).any(|count| matches(&pattern.parts, &parts[..count]));
        self.0.iter().rfind(|pattern| about(pattern)).is_some_and(|pattern| !pattern.brings_back)
    }

    /// Whether nothing below an excluded folder can be brought back, so that nobody has to look there.
    pub fn is_final(&self) -> bool {
        !self.0.iter().any(|pattern| pattern.brings_back)
    }
}

/// The pattern of a line, its dots resolved as in a path.
fn pattern(line: &str) -> Option<Pattern> {
    let (brings_back, text) = match line.strip_prefix('!') {
        Some(rest) => (true, rest.trim()),
        None => (false, line),
    };
    let mut parts: Vec<String> = Vec::new();
    for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last().map(String::as_str)) {
            ("..", Some(last)) if last != ".." => drop(parts.pop()),
            _ => parts.push(part.into()),
        }
    }
    (!parts.is_empty()).then_some(Pattern { parts, brings_back })
}

/// Whether the pattern is about exactly this path; `**` stands for any number of folders, none included.
fn matches(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((first, rest)), _) if first == "**" => {
            // At the end it is about everything below, and not about the folder itself.
            let least = usize::from(rest.is_empty());
            (least..=path.len()).any(|skipped| matches(rest, &path[skipped..]))
        }
        (Some((first, rest)), Some((name, below))) => {
            let (first, name): (Vec<char>, Vec<char>) = (first.chars().collect(), name.chars().collect());
            part(&first, &name) && matches(rest, below)
        }
        (Some(_), None) => false,
    }
}

/// Whether one part of a pattern is about one name: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` before what is meant as it is.
fn part(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|skipped| part(rest, &name[skipped..])),
        ['?', rest @ ..] => name.split_first().is_some_and(|(_, below)| part(rest, below)),
        ['[', rest @ ..] => match (class(rest), name.split_first()) {
            (Some((takes, rest)), Some((first, below))) => takes(*first) && part(rest, below),
            _ => false,
        },
        ['\\', meant, rest @ ..] | [meant, rest @ ..] => {
            name.split_first().is_some_and(|(first, below)| first == meant && part(rest, below))
        }
    }
}

/// What a class takes, and the pattern after it; none if it is not closed.
fn class(pattern: &[char]) -> Option<(impl Fn(char) -> bool, &[char])> {
    let (negated, body) = match pattern {
        ['^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let end = body.iter().skip(1).position(|c| *c == ']')? + 1;
    let (inside, rest) = (body[..end].to_vec(), &body[end + 1..]);
    let takes = move |c: char| {
        let (mut at, mut found) = (0, false);
        while at < inside.len() {
            match inside[at..] {
                [low, '-', high, ..] => (found, at) = (found || (low..=high).contains(&c), at + 3),
                _ => (found, at) = (found || inside[at] == c, at + 1),
            }
        }
        found != negated
    };
    Some((takes, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, excluded: &[&str], kept: &[&str]) {
        let ignore = Ignore::new(text);
        excluded.iter().for_each(|path| assert!(ignore.excludes(path), "{path} is left out by {text:?}"));
        kept.iter().for_each(|path| assert!(!ignore.excludes(path), "{path} is not left out by {text:?}"));
    }

    #[test]
    fn the_rules_of_docker() {
        check(
            "# comment\n*/temp*\n*/*/temp*\ntemp?",
            &["a/temp.txt", "a/b/temp", "tempa", "tempa/x"],
            &["temp", "a/b/c/temp", "# comment"],
        );
        check("*.md", &["README.md"], &["docs/README.md"]);
        check("**/*.go", &["a.go", "x/y/a.go"], &["a.got"]);
        check("/foo/bar\n./baz/\nx/../y\n../up", &["foo/bar", "foo/bar/x", "baz", "y"], &["foo", "x/foo/bar", "up"]);
        check("*.md\n!README.md", &["a.md"], &["README.md"]);
        check("*.md\n!README*.md\nREADME-secret.md", &["a.md", "README-secret.md"], &["README-1.md"]);
        check("*.md\nREADME-secret.md\n!README*.md", &["a.md"], &["README-secret.md"]);
        check("*\n!src/**", &["a", "lib/x", "src"], &["src/a", "src/b/c"]);
        check(
            "node_modules/**\n!node_modules/keep",
            &["node_modules/x/y"],
            &["node_modules", "node_modules/keep", "node_modules/keep/z"],
        );
        check("a/**/z", &["a/z", "a/b/z", "a/b/c/z/q"], &["a/y", "b/a/z"]);
        check("[a-c].txt\n[^x]1\n\\*.log", &["b.txt", "y1", "*.log"], &["d.txt", "x1", "a.log"]);
        check("  spaced  \n\n!\n/", &["spaced"], &["x"]);
    }

    #[test]
    fn a_folder_is_only_passed_over_where_nothing_comes_back() {
        assert!(Ignore::new("a\nb/**").is_final() && !Ignore::new("a\n!a/b").is_final());
    }
}
