//! An image that is built on this host and pushed to a registry: what it is built from, and what was seen of it.

use super::cmd::Cmd;
use super::object::{FIELD_MANAGER, MANAGED_BY};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Id of the step that builds it.
pub const BUILD: &str = "image-build";
/// Id of the step that pushes it.
pub const PUSH: &str = "image-push";
/// Id of the step that loads it into the nodes, where there is no registry.
pub const LOAD: &str = "image-load";
/// Id of the step that looks at what the pods run.
pub const PROOF: &str = "image-proof";

/// What helps against a registry that cannot be used.
pub const REGISTRY_HINT: &str = "see that it runs, or name another one with `--registry HOST:PORT`";
/// What helps where Docker has no BuildKit.
pub const BUILD_KIT_HINT: &str =
    "install BuildKit's client, on Ubuntu and Debian in the package docker-buildx or docker-buildx-plugin";

/// What an image is built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageBuild {
    /// The image as pods name it, with its registry and its tag: `localhost:32000/simple:1-0123456789ab`.
    pub image: String,
    /// Whether it is pushed to that registry; else it is loaded into the nodes.
    pub pushed: bool,
    /// The folder of the build context.
    pub context: PathBuf,
    /// The name of the context that is part of iris-lab; it is written to that folder first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builtin: Option<String>,
    /// The Dockerfile, in the context.
    pub file: String,
    /// Values of its arguments.
    pub args: BTreeMap<String, String>,
    /// Files of its secrets, by their ids.
    pub secrets: BTreeMap<String, String>,
}

impl ImageBuild {
    /// The call that builds it. Docker knows the image by both names: as pods do, and as it is pushed.
    pub fn command(&self) -> Cmd {
        let mut words = vec!["build".to_string()];
        let mut option = |name: &str, value: String| words.extend([name.to_string(), value]);
        option("--tag", self.image.clone());
        if pushed_as(&self.image) != self.image {
            option("--tag", pushed_as(&self.image));
        }
        option("--label", format!("{MANAGED_BY}={FIELD_MANAGER}"));
        option("--file", self.context.join(&self.file).display().to_string());
        self.args.iter().for_each(|(name, value)| option("--build-arg", format!("{name}={value}")));
        self.secrets.iter().for_each(|(id, file)| option("--secret", format!("id={id},src={file}")));
        words.push(self.context.display().to_string());
        Cmd::new("docker", words)
    }
}

/// The call that pushes an image.
pub fn push(image: &str) -> Cmd {
    Cmd::new("docker", ["push", &pushed_as(image)])
}

/// The registry of an image, and the rest of its name.
pub fn registry(image: &str) -> (&str, &str) {
    image.split_once('/').unwrap_or(("", image))
}

/// The name by which this host pushes an image: by address where its registry is `localhost`, which may be ::1 here, where no
/// registry listens.
pub fn pushed_as(image: &str) -> String {
    match image.strip_prefix("localhost:") {
        Some(rest) => format!("127.0.0.1:{rest}"),
        None => image.into(),
    }
}

/// What was seen of an image that a lab builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// What it is built from.
    pub build: ImageBuild,
    /// Why Docker cannot be used; none when it can.
    pub no_docker: Option<(String, String)>,
    /// Whether Docker can mount secrets into a build, which needs BuildKit.
    pub takes_secrets: bool,
    /// Whether Docker has the image.
    pub in_docker: bool,
    /// Its registry.
    pub registry: RegistrySeen,
}

/// A registry as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrySeen {
    /// Nobody looked.
    Unknown,
    /// Nothing answers there, and why.
    Silent(String),
    /// Something answers that is no registry, or one that lets nobody in; and why that is known.
    Other(String),
    /// It answers.
    Answers {
        /// The digest of the image's manifest, where it has the image.
        digest: Option<String>,
        /// The digest of the image's configuration, where its manifest names one: what Docker calls the image's id.
        config: Option<String>,
    },
}

impl RegistrySeen {
    /// The digest of the manifest, where the registry has the image.
    pub fn digest(&self) -> Option<&str> {
        match self {
            RegistrySeen::Answers { digest, .. } => digest.as_deref(),
            _ => None,
        }
    }

    /// Whether what it has is the image with this id in Docker, which is the digest of the configuration or, in newer stores, that of
    /// the manifest.
    pub fn holds(&self, id: &str) -> bool {
        match self {
            RegistrySeen::Answers { digest, config } => [digest, config].into_iter().flatten().any(|one| one == id),
            _ => false,
        }
    }
}

/// A digest as people read it.
pub fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_one_call_and_its_push_goes_by_address() {
        let build = ImageBuild {
            image: "localhost:32000/simple:1-ab".into(),
            pushed: true,
            context: "/home/me/my app".into(),
            builtin: None,
            file: "docker/Dockerfile".into(),
            args: BTreeMap::from([("BASE".into(), "rig/iris:1".into())]),
            secrets: BTreeMap::from([("npm".into(), "/home/me/.npmrc".into())]),
        };
        assert_eq!(
            build.command().line(),
            "docker build --tag localhost:32000/simple:1-ab --tag 127.0.0.1:32000/simple:1-ab \
             --label app.kubernetes.io/managed-by=iris-lab --file '/home/me/my app/docker/Dockerfile' \
             --build-arg BASE=rig/iris:1 --secret id=npm,src=/home/me/.npmrc '/home/me/my app'"
        );
        assert_eq!(push(&build.image).line(), "docker push 127.0.0.1:32000/simple:1-ab");
        assert_eq!(pushed_as("example.org/simple:1"), "example.org/simple:1");
        assert_eq!(registry("localhost:32000/a/b:1"), ("localhost:32000", "a/b:1"));
    }

    #[test]
    fn a_registry_holds_what_docker_has_by_either_digest() {
        let answers = RegistrySeen::Answers { digest: Some("sha256:m".into()), config: Some("sha256:c".into()) };
        assert!(answers.holds("sha256:c") && answers.holds("sha256:m") && !answers.holds("sha256:x"));
        assert!(!RegistrySeen::Unknown.holds("sha256:c"));
        assert_eq!(short(&format!("sha256:{}", "0123456789ab".repeat(5))), "sha256:0123456789ab");
    }
}
