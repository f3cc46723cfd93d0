//! Contexts in folders of their own: what changes the digest, and what does not.

use super::*;
use crate::image::{Wanted, settle};
use crate::model::ImageBuild;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("iris-lab-context-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("src")).unwrap();
        let folder = Folder(path);
        folder.write("Dockerfile", "FROM scratch\n");
        folder.write("src/a.cls", "a");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
        self.mode(name, 0o644);
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.0.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn digest(&self) -> [u8; 32] {
        read(&self.0, "Dockerfile").unwrap().digest
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn bytes_modes_and_names_change_the_digest_and_nothing_else_does() {
    let folder = Folder::new("digest");
    let first = folder.digest();
    folder.write("src/a.cls", "a");
    assert_eq!(folder.digest(), first, "a file that was only written again");
    let mut seen = vec![first];
    let mut differs = |what: &str| {
        let now = folder.digest();
        assert!(!seen.contains(&now), "{what}");
        seen.push(now);
    };
    folder.write("src/a.cls", "b");
    differs("other bytes");
    folder.mode("src/a.cls", 0o755);
    differs("another mode");
    fs::rename(folder.0.join("src/a.cls"), folder.0.join("src/b.cls")).unwrap();
    differs("another name");
    symlink("b.cls", folder.0.join("src/link")).unwrap();
    differs("a link");
    fs::create_dir(folder.0.join("empty")).unwrap();
    differs("an empty folder");
}

#[test]
fn what_is_left_out_does_not_count() {
    let folder = Folder::new("ignore");
    folder.write(".dockerignore", "*.log\nDockerfile\ncache\n!cache/keep\n");
    fs::create_dir(folder.0.join("cache")).unwrap();
    let first = folder.digest();
    folder.write("a.log", "x");
    folder.write("cache/x", "x");
    assert_eq!(folder.digest(), first);
    folder.write("cache/keep", "x");
    assert_ne!(folder.digest(), first, "it is brought back");
    let second = folder.digest();
    folder.write("Dockerfile", "FROM other\n");
    assert_ne!(folder.digest(), second, "docker reads it all the same");
    folder.write("Dockerfile.dockerignore", "src\n");
    let third = folder.digest();
    folder.write("src/a.cls", "c");
    assert_eq!(folder.digest(), third, "the one for this Dockerfile comes first");
}

#[test]
fn the_largest_files_are_named() {
    let folder = Folder::new("large");
    folder.write("src/big", &"x".repeat(3000));
    let context = read(&folder.0, "Dockerfile").unwrap();
    assert_eq!(context.largest[0], ("src/big".into(), 3000));
    assert_eq!(context.bytes, 3000 + 1 + "FROM scratch\n".len() as u64);
}

#[test]
fn what_cannot_be_built_is_told() {
    let folder = Folder::new("missing");
    let failure = read(&folder.0.join("no"), "Dockerfile").unwrap_err();
    assert!(failure.message.starts_with("there is no folder "), "{failure}");
    let failure = read(&folder.0, "Other").unwrap_err();
    assert!(failure.message.starts_with("there is no Other in "), "{failure}");
}

#[test]
fn the_tag_ends_with_the_content_and_the_built_in_folder_is_the_same_on_disk() {
    let folder = Folder::new("builtin");
    let built = |builtin: Option<&str>, context: &Path, args: &[(&str, &str)]| {
        let build = ImageBuild {
            image: String::new(),
            pushed: true,
            context: context.into(),
            builtin: builtin.map(Into::into),
            file: "Dockerfile".into(),
            args: args.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            secrets: BTreeMap::new(),
        };
        settle(Wanted { registry: "localhost:32000", name: ("simple", Some("1")), build, cache: &folder.0 }).unwrap().0
    };
    let embedded = built(Some("simple"), Path::new(""), &[]);
    assert_eq!(embedded.image.len(), "localhost:32000/simple:1-".len() + 12);
    assert!(embedded.context.starts_with(folder.0.join("contexts")));
    crate::image::write("simple", &embedded.context).unwrap();
    assert_eq!(built(None, &embedded.context, &[]).image, embedded.image);
    assert_ne!(built(None, &embedded.context, &[("BASE", "a")]).image, embedded.image, "an argument changes the image");
}
