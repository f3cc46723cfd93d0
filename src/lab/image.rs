//! Image references, and what is known about the IRIS images: the one list of facts that depend on edition and release.

/// A year and the number of the release in it: `2026.1` is (2026, 1).
pub type Release = (u16, u16);

/// Which edition of IRIS an image holds, judged by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// A Community Edition, with a licence built in that ends, and with a web server.
    Community,
    /// A licensed edition: it needs a key, and since 2023.2 it has no web server.
    Licensed,
    /// Somebody's own image: what is inside cannot be told from its name.
    Own,
}

/// An image reference, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Edition.
    pub edition: Edition,
    /// Release, where the tag names one. `latest` and the like do not.
    pub release: Option<Release>,
}

/// Releases of IRIS and when they came out, as (release, year, month, day): the built-in Community licence ends a year
/// later. Only what is known is listed: the date of 2025.1 follows from the end of its licence on 2026-06-04, that of
/// 2026.1 is the earliest day on which its documentation was seen, and that of 2026.2 is its build date.
pub const RELEASES: &[(Release, (i16, i8, i8))] =
    &[((2025, 1), (2025, 6, 4)), ((2026, 1), (2026, 4, 20)), ((2026, 2), (2026, 7, 22))];

/// Names of the licensed images, where InterSystems' registry or user publishes them.
const LICENSED: &[&str] = &["iris", "irishealth", "healthconnect", "iris-ml"];

impl Image {
    /// Reads a reference; the error is the rule that it breaks.
    pub fn parse(reference: &str) -> Result<Image, &'static str> {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (reference, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err("the digest after @ must be sha256: and 64 hex digits");
        }
        let (repository, tag) = split(rest);
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err("the tag must be 1 to 128 letters, digits, _, . or -, and not begin with . or -");
        }
        let mut parts: Vec<&str> = repository.split('/').collect();
        if names_registry(repository) {
            if !is_host(parts[0]) {
                return Err("the registry before the first / must be a host name, with a port or without");
            }
            parts.remove(0);
        }
        if repository.len() > 255 || !parts.iter().all(|part| is_path_part(part)) {
            return Err("must be an image reference such as registry/name:tag, its name in lower case");
        }
        let edition = edition(repository);
        // The tag of somebody's own image counts something else.
        let release = tag.and_then(release).filter(|_| edition != Edition::Own);
        Ok(Image { edition, release })
    }

    /// Whether its release is known and not after the given one.
    fn up_to(&self, last: Release) -> bool {
        self.release.is_some_and(|release| release <= last)
    }

    /// The group that must own the volumes.
    pub fn fs_group(&self) -> i64 {
        if self.up_to((2021, 1)) { 52773 } else { 51773 }
    }

    /// Whether `PasswordHash` has four fields (hash, salt, work factor, algorithm) instead of two.
    pub fn four_field_hash(&self) -> bool {
        !self.up_to((2021, u16::MAX))
    }

    /// Whether iris-main refuses to start without Linux capabilities that container runtimes drop, unless it is told not
    /// to look.
    pub fn checks_capabilities(&self) -> bool {
        self.up_to((2022, 1)) && !self.up_to((2020, u16::MAX))
    }

    /// Whether it has the private web server that the portal needs. Own images are taken to be as Community images are.
    pub fn has_web_server(&self) -> bool {
        self.edition != Edition::Licensed || self.up_to((2023, 1))
    }

    /// Whether it takes actions in the merge file.
    pub fn takes_actions(&self) -> bool {
        !self.up_to((2020, u16::MAX))
    }
}

/// The name and the tag of a reference without a digest.
pub fn split(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once(':') {
        // A colon before a slash is the port of a registry.
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (reference, None),
    }
}

/// Whether a reference names its registry.
pub fn names_registry(reference: &str) -> bool {
    reference.split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost")
}

fn edition(repository: &str) -> Edition {
    let (place, name) = repository.rsplit_once('/').unwrap_or(("", repository));
    let name = name.trim_end_matches("-arm64").trim_end_matches("-lockeddown");
    if name.ends_with("-community") {
        Edition::Community
    } else if LICENSED.contains(&name) && place.contains("intersystems") {
        Edition::Licensed
    } else {
        Edition::Own
    }
}

/// The release that a tag names: `2022.1.0.209.0-zpm` is 2022.1.
fn release(tag: &str) -> Option<Release> {
    let mut parts = tag.split(['.', '-']);
    let (year, number) = (parts.next()?, parts.next()?);
    let year = year.parse().ok().filter(|year| (2018..2100).contains(year))?;
    Some((year, number.parse().ok()?))
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// A host name, with a port or without.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "443"));
    port.parse::<u16>().is_ok()
        && !host.is_empty()
        && !host.starts_with(['-', '.'])
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

fn is_path_part(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    edge(text.as_bytes().first())
        && edge(text.as_bytes().last())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        for (text, edition, release) in [
            ("containers.intersystems.com/intersystems/iris-community:2026.1", Edition::Community, Some((2026, 1))),
            ("intersystemsdc/iris-community:2022.1.0.209.0-zpm", Edition::Community, Some((2022, 1))),
            ("intersystems/iris-community-arm64:latest-em", Edition::Community, None),
            ("containers.intersystems.com/intersystems/iris:2025.1", Edition::Licensed, Some((2025, 1))),
            (
                "containers.intersystems.com/intersystems/irishealth-lockeddown:2025.3",
                Edition::Licensed,
                Some((2025, 3)),
            ),
            ("localhost:32000/simple", Edition::Own, None),
            ("dpmeister/simple:latest", Edition::Own, None),
            ("me/iris:2021.1", Edition::Own, None),
        ] {
            assert_eq!(Image::parse(text), Ok(Image { edition, release }), "{text}");
        }
        assert!(Image::parse(&format!("a/b@sha256:{}", "0".repeat(64))).is_ok());
    }

    #[test]
    fn malformed_references_are_refused() {
        for text in [
            "",
            "Iris:1",
            "iris:",
            "iris:-1",
            "iris community:1",
            "a//b:1",
            "/a:1",
            "a/:1",
            "a@sha256:12",
            "h:99999/a",
            "a:1\n",
        ] {
            assert!(Image::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn facts_follow_the_release() {
        let facts = |tag: &str| {
            let image = Image::parse(&format!("intersystems/iris-community:{tag}")).unwrap();
            (image.fs_group(), image.four_field_hash(), image.checks_capabilities(), image.takes_actions())
        };
        assert_eq!(facts("2020.4.0.524.0"), (52773, false, false, false));
        assert_eq!(facts("2021.1.0.215.3"), (52773, false, true, true));
        assert_eq!(facts("2021.2"), (51773, false, true, true));
        assert_eq!(facts("2022.1.0.209.0-zpm"), (51773, true, true, true));
        assert_eq!(facts("2022.2"), (51773, true, false, true));
        assert_eq!(facts("latest-cd"), (51773, true, false, true));
    }
}
