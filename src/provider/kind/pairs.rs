//! Which node image goes with which kind: one table. kind's notes say that an image is guaranteed with its own release alone, and
//! that it is named by its digest. Source: the release notes of kind.

use crate::error::{Failure, Result};
use crate::lab::Lab;
use crate::model::host::Kind;

/// A release of kind and the images that were published with it.
struct Release {
    kind: &'static str,
    /// Whether they contain open-iscsi.
    has_iscsi: bool,
    /// Version of Kubernetes and sha256.
    images: &'static [(&'static str, &'static str)],
}

/// The newest first; only what Longhorn 1.2 runs on.
#[rustfmt::skip]
const RELEASES: &[Release] = &[
    Release { kind: Kind::RELEASE, has_iscsi: true, images: &[
        ("1.24.17", "bad10f9b98d54586cba05a7eaa1b61c6b90bfc4ee174fdc43a7b75ca75c95e51"),
        ("1.23.17", "14d0a9a892b943866d7e6be119a06871291c517d279aedb816a4b4bc0ec0a5b3"),
    ]},
    Release { kind: "v0.21.0", has_iscsi: true, images: &[
        ("1.24.17", "ea292d57ec5dd0e2f3f5a2d77efa246ac883c051ff80e887109fabefbd3125c7"),
        ("1.23.17", "fbb92ac580fce498473762419df27fa8664dbaa1c5a361b5957e123b4035bdcf"),
    ]},
    Release { kind: "v0.20.0", has_iscsi: true, images: &[
        ("1.24.15", "7db4f8bea3e14b82d12e044e25e34bd53754b7f2b0e9d56df21774e6f66a70ab"),
        ("1.23.17", "59c989ff8a517a93127d4a536e7014d28e235fb3529d9fba91b3951d461edfdb"),
        ("1.22.17", "f5b2e5698c6c9d6d0adc419c0deae21a425c07d81bbf3b6a6834042f25d4fba2"),
        ("1.21.14", "8a4e9bb3f415d2bb81629ce33ef9c76ba514c14d707f9797a01e3216376ba093"),
    ]},
    Release { kind: "v0.17.0", has_iscsi: true, images: &[
        ("1.24.7", "577c630ce8e509131eab1aea12c022190978dd2f745aac5eb1fe65c0807eb315"),
        ("1.23.13", "ef453bb7c79f0e3caba88d2067d4196f427794086a7d0df8df4f019d5e336b61"),
        ("1.22.15", "7d9708c4b0873f0fe2e171e2b1b7f45ae89482617778c1c875f1053d4cef2e41"),
        ("1.21.14", "9d9eb5fb26b4fbc0c6d95fa8c790414f9750dd583f5d7cee45d92e8c26670aa1"),
        ("1.20.15", "a32bf55309294120616886b5338f95dd98a2f7231519c7dedcec32ba29699394"),
    ]},
    Release { kind: "v0.14.0", has_iscsi: false, images: &[
        ("1.24.0", "0866296e693efe1fed79d5e6c7af8df71fc73ae45e3679af05342239cdc5bc8e"),
        ("1.23.6", "b1fa224cc6c7ff32455e0b1fd9cbfd3d3bc87ecaa8fcb06961ed1afb3db0f9ae"),
        ("1.20.15", "6f2d011dffe182bad80b85f6c00e8ca9d86b5b8922cdf433d53575c4c5212248"),
    ]},
    Release { kind: "v0.12.0", has_iscsi: false, images: &[
        ("1.23.4", "0e34f0d0fd448aa2f2819cfd74e99fe5793a6e4938b328f657c8e3f81ee0dfb9"),
    ]},
    Release { kind: "v0.11.1", has_iscsi: false, images: &[
        ("1.21.1", "69860bda5563ac81e3c0057d654b5253219618a22ec3a346306239bba8cfa1a6"),
    ]},
];

/// The version of Kubernetes where the lab names none.
const DEFAULT: &str = "1.24";

/// The image that nodes are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// Its name with tag and digest.
    pub image: String,
    /// Its version of Kubernetes.
    pub kubernetes: String,
    /// Whether it contains open-iscsi; false also where nobody knows.
    pub has_iscsi: bool,
    /// The release of kind that it belongs to, where another one is to run it.
    pub made_for: Option<&'static str>,
}

/// The image for a lab, with the kind that is installed or will be downloaded: the user's own one, the one that belongs to this
/// kind, or the newest one of that version.
pub(super) fn base(lab: &Lab, installed: Option<&Kind>) -> Result<Base> {
    let wanted = lab.spec.kubernetes.as_deref().unwrap_or(DEFAULT).trim_start_matches('v');
    if let Some(image) = &lab.spec.kind.node_image {
        let kubernetes = version_in(image).unwrap_or(wanted).into();
        return Ok(Base { image: image.clone(), kubernetes, has_iscsi: false, made_for: None });
    }
    let kind = installed.map_or(Kind::RELEASE, |kind| kind.version.as_str());
    let fits =
        |version: &str| version == wanted || version.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'));
    let own = RELEASES.iter().filter(|release| release.kind == kind);
    let mut found = own.chain(RELEASES).filter_map(|release| {
        let (version, sha256) = release.images.iter().find(|(version, _)| fits(version))?;
        Some(Base {
            image: format!("kindest/node:v{version}@sha256:{sha256}"),
            kubernetes: (*version).into(),
            has_iscsi: release.has_iscsi,
            made_for: Some(release.kind).filter(|made_for| *made_for != kind),
        })
    });
    found.next().ok_or_else(|| {
        Failure::requirement(format!("no node image of kind is known for Kubernetes {wanted}"))
            .hint(format!("use --kubernetes with one of {}", known().join(", ")))
            .hint("or name an image with --node-image")
    })
}

/// Every version in the table, the newest first.
fn known() -> Vec<&'static str> {
    let mut all: Vec<&str> = RELEASES.iter().flat_map(|release| release.images).map(|(version, _)| *version).collect();
    let number = |version: &str| -> Vec<u32> { version.split('.').filter_map(|part| part.parse().ok()).collect() };
    all.sort_by_key(|version| std::cmp::Reverse(number(version)));
    all.dedup();
    all
}

/// `1.24.17` in `kindest/node:v1.24.17@sha256:...`.
fn version_in(image: &str) -> Option<&str> {
    let tag = image.split('@').next()?.rsplit_once(':')?.1.strip_prefix('v')?;
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let version = tag.split('-').next()?;
    (version.split('.').count() == 3 && version.split('.').all(number)).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kubernetes: Option<&str>, installed: Option<&str>) -> Option<(String, String, bool, Option<&'static str>)> {
        let mut lab = Lab::default();
        lab.spec.kubernetes = kubernetes.map(Into::into);
        let kind = installed.map(|version| Kind { version: version.into(), ..Kind::default() });
        let base = base(&lab, kind.as_ref()).ok()?;
        let digest = base.image.rsplit_once(':')?.1[..8].to_string();
        Some((base.kubernetes, digest, base.has_iscsi, base.made_for))
    }

    #[test]
    fn a_version_of_kubernetes_and_a_kind_give_a_pair() {
        let pair = |version: &str, digest: &str, has_iscsi, made_for| {
            Some((version.to_string(), digest.to_string(), has_iscsi, made_for))
        };
        assert_eq!(of(None, None), pair("1.24.17", "bad10f9b", true, None));
        assert_eq!(of(None, Some("v0.22.0")), pair("1.24.17", "bad10f9b", true, None));
        assert_eq!(of(Some("v1.24"), Some("v0.14.0")), pair("1.24.0", "0866296e", false, None));
        assert_eq!(of(None, Some("v0.27.0")), pair("1.24.17", "bad10f9b", true, Some("v0.22.0")), "best effort");
        assert_eq!(of(Some("1.20"), None), pair("1.20.15", "a32bf553", true, Some("v0.17.0")));
        assert_eq!(of(Some("1.21.1"), None), pair("1.21.1", "69860bda", false, Some("v0.11.1")));
        assert_eq!(of(Some("1.2"), None), None, "1.2 is not 1.24");
        assert_eq!(of(Some("1.29"), None), None);
    }

    #[test]
    fn an_image_of_the_users_own_comes_first_and_tells_its_version() {
        let mut lab = Lab::default();
        for (image, version) in [
            ("kindest/node:v1.23.17", "1.23.17"),
            ("kindest/node:v1.23.17@sha256:00", "1.23.17"),
            ("localhost:5000/my/node:v1.22.1-iscsi", "1.22.1"),
            ("my/node:latest", DEFAULT),
            ("my/node", DEFAULT),
        ] {
            lab.spec.kind.node_image = Some(image.into());
            let base = base(&lab, None).unwrap();
            assert_eq!((base.image.as_str(), base.kubernetes.as_str()), (image, version));
        }
    }

    #[test]
    fn every_digest_is_whole() {
        for (_, sha256) in RELEASES.iter().flat_map(|release| release.images) {
            assert!(sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sha256}");
        }
        assert_eq!(known()[..2], ["1.24.17", "1.24.15"]);
    }
}
