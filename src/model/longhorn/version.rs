//! The releases of Longhorn 1.2 that we install: one table of their images and of the sha256 of their original manifests.
//! Sources: deploy/longhorn-images.txt and deploy/longhorn.yaml at the tags v1.2.0 to v1.2.6, and the defaults of the driver
//! deployer for the sidecars.

use crate::error::{Failure, Result};
use std::fmt;

/// The newest release of Longhorn 1.2, and the one that is installed by default.
pub const DEFAULT: Version = Version::V1_2_6;

const OFFERED: &str = "there are 1.2.1, 1.2.2, 1.2.3, 1.2.4, 1.2.5 and 1.2.6";
const REFUSED: (&str, &str) =
    ("1.2.0", "is not offered: it ignores fsGroup, so that IRIS cannot write to its volumes; use 1.2.1 to 1.2.6");
/// sha256 of the original manifest of the release that is refused.
const REFUSED_SHA256: &str = "b92fad10a37efe2687f15fc67bfd9f752ecd81a75d4e10135c54df1960662ff0";

/// A release that we install. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.2.1
    V1_2_1,
    /// 1.2.2
    V1_2_2,
    /// 1.2.3
    V1_2_3,
    /// 1.2.4
    V1_2_4,
    /// 1.2.5
    V1_2_5,
    /// 1.2.6
    V1_2_6,
}

/// What differs between the releases besides their name.
struct Release {
    version: Version,
    name: &'static str,
    /// Tags of longhorn-instance-manager, longhorn-share-manager and backing-image-manager.
    managers: [&'static str; 3],
    /// Where the CSI sidecars come from.
    sidecars: &'static str,
    /// sha256 of deploy/longhorn.yaml.
    sha256: &'static str,
}

const COMMUNITY: &str = "k8s.gcr.io/sig-storage";
const LONGHORN: &str = "longhornio";

#[rustfmt::skip]
const RELEASES: [Release; 6] = [
    Release {
        version: Version::V1_2_1, name: "1.2.1", sidecars: COMMUNITY,
        managers: ["v1_20210731", "v1_20210914", "v2_20210820"],
        sha256: "9a9847e8b8c525140372fb4122aad1964e76fa661f63dfdc377774b07bbe25d4",
    },
    Release {
        version: Version::V1_2_2, name: "1.2.2", sidecars: COMMUNITY,
        managers: ["v1_20210731", "v1_20210914", "v2_20210820"],
        sha256: "8df4e98166c8cf8d0211589d80607d9408915924b7b99e016bf60a3622ed2180",
    },
    Release {
        version: Version::V1_2_3, name: "1.2.3", sidecars: LONGHORN,
        managers: ["v1_20211210", "v1_20211020", "v2_20210820"],
        sha256: "77833c78a62f0755c230f306a58b2bdbeb7d94db25f4fb95f2f199bcde9d0249",
    },
    Release {
        version: Version::V1_2_4, name: "1.2.4", sidecars: LONGHORN,
        managers: ["v1_20220303", "v1_20211020", "v2_20210820"],
        sha256: "4f1002abaa7e8f178fda3934852b8ca6f0b5a280b2628a549f9e26fc7170a022",
    },
    Release {
        version: Version::V1_2_5, name: "1.2.5", sidecars: LONGHORN,
        managers: ["v1_20220303_patch1", "v1_20211020_patch1", "v2_20210820_patch1"],
        sha256: "e84f9451d000c9ca8cc04446f7db0e204c572d2314cad9418025b14cab4914c4",
    },
    Release {
        version: Version::V1_2_6, name: "1.2.6", sidecars: LONGHORN,
        managers: ["v1_20220303_patch2", "v1_20211020_patch2", "v2_20221027"],
        sha256: "cebeb544ea2fb18d74081210d1ab4d41792f6d4ec1dd3742dbe48ce55f846061",
    },
];

/// Name and tag of the CSI sidecars, the same in every 1.2.x.
const SIDECARS: [&str; 5] = [
    "csi-attacher:v3.2.1",
    "csi-provisioner:v2.1.2",
    "csi-resizer:v1.2.0",
    "csi-snapshotter:v3.0.3",
    "csi-node-driver-registrar:v2.3.0",
];

/// The images of a release, with their tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The engine, which is also the DaemonSet `engine-image`.
    pub engine: String,
    /// The manager, the driver deployer, the CSI plugin and the uninstall job.
    pub manager: String,
    /// The web interface.
    pub ui: String,
    /// The pods that engines and replicas run in.
    pub instance_manager: String,
    /// The pods of volumes that several pods share.
    pub share_manager: String,
    /// The pods of backing images.
    pub backing_image_manager: String,
    /// csi-attacher, csi-provisioner, csi-resizer, csi-snapshotter, csi-node-driver-registrar. The driver deployer knows them by
    /// itself: they stand in no manifest.
    pub sidecars: [String; 5],
}

impl Images {
    /// The images that stand in a manifest.
    pub fn named(&self) -> [&str; 6] {
        let Images { engine, manager, ui, instance_manager, share_manager, backing_image_manager, .. } = self;
        [engine, manager, ui, instance_manager, share_manager, backing_image_manager]
    }

    /// All eleven images that a node may need.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.named().into_iter().chain(self.sidecars.iter().map(String::as_str))
    }
}

impl Version {
    /// Every release that we install, oldest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Version> {
        RELEASES.iter().map(|release| release.version)
    }

    /// The release with that name, such as `1.2.6` or `v1.2.6`.
    pub fn parse(text: &str) -> Result<Version> {
        Version::find(text).map_err(|why| Failure::usage(format!("Longhorn {text} {why}")))
    }

    /// The same for a lab file: why there is no such release, to be read after the name.
    pub fn find(text: &str) -> std::result::Result<Version, String> {
        let name = text.strip_prefix('v').unwrap_or(text);
        match RELEASES.iter().find(|release| release.name == name) {
            Some(release) => Ok(release.version),
            None if name == REFUSED.0 => Err(REFUSED.1.into()),
            None => Err(format!("is unknown: {OFFERED}")),
        }
    }

    /// The release whose original manifest has this sha256; none when no release has. The refused one is an error.
    pub fn of_manifest(sha256: &str) -> Result<Option<Version>> {
        if sha256 == REFUSED_SHA256 {
            return Version::parse(REFUSED.0).map(Some);
        }
        Ok(RELEASES.iter().find(|release| release.sha256 == sha256).map(|release| release.version))
    }

    /// Its name, such as `1.2.6`.
    pub fn name(self) -> &'static str {
        self.release().name
    }

    /// Its images.
    pub fn images(self) -> Images {
        let Release { name, managers: [instance, share, backing], sidecars, .. } = self.release();
        Images {
            engine: format!("longhornio/longhorn-engine:v{name}"),
            manager: format!("longhornio/longhorn-manager:v{name}"),
            ui: format!("longhornio/longhorn-ui:v{name}"),
            instance_manager: format!("longhornio/longhorn-instance-manager:{instance}"),
            share_manager: format!("longhornio/longhorn-share-manager:{share}"),
            backing_image_manager: format!("longhornio/backing-image-manager:{backing}"),
            sidecars: SIDECARS.map(|name| format!("{sidecars}/{name}")),
        }
    }

    /// What is to be said before it is installed; it begins with the version.
    pub fn warning(self) -> Option<String> {
        let release = self.release();
        (release.sidecars == COMMUNITY).then(|| {
            format!(
                "{} takes its CSI sidecars from {COMMUNITY}, a registry that was frozen in 2023 and may go away; \
                 1.2.3 and later do not",
                release.name
            )
        })
    }

    fn release(self) -> &'static Release {
        &RELEASES[self as usize]
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_of_the_versions() {
        for (release, version) in RELEASES.iter().zip(Version::all()) {
            assert_eq!(version.name(), release.name);
            assert_eq!(Version::parse(release.name).unwrap(), version);
            assert_eq!(Version::of_manifest(release.sha256).unwrap(), Some(version));
            assert_eq!(version.images().all().count(), 11);
        }
        assert_eq!(Version::all().next_back(), Some(DEFAULT));
        assert_eq!(DEFAULT.images().instance_manager, "longhornio/longhorn-instance-manager:v1_20220303_patch2");
    }

    #[test]
    fn what_is_not_offered_says_why() {
        let message = |text: &str| Version::parse(text).unwrap_err().message;
        assert!(message("1.2.0").contains("Longhorn 1.2.0 is not offered: it ignores fsGroup"));
        assert_eq!(message("1.4.0"), format!("Longhorn 1.4.0 is unknown: {OFFERED}"));
        assert!(Version::of_manifest(REFUSED_SHA256).unwrap_err().message.contains("1.2.0"));
        assert_eq!(Version::of_manifest(&"0".repeat(64)).unwrap(), None);
    }

    #[test]
    fn releases_with_sidecars_from_the_frozen_registry_warn() {
        let warned: Vec<&str> = Version::all().filter(|v| v.warning().is_some()).map(Version::name).collect();
        assert_eq!(warned, ["1.2.1", "1.2.2"]);
    }
}
