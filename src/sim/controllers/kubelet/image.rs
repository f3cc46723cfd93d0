//! Images: names, pulls that take time once per node, and pulls that fail.

use super::at::At;
use crate::sim::controllers::object::{core, items, text, uid};
use crate::sim::faults::{Pull, glob};
use serde_json::{Value, json};
use std::time::Duration;

/// Why a container waits: reason and message.
pub type Waiting = (String, String);

/// How long ErrImagePull is shown before the back-off.
const FAILED_FOR: Duration = Duration::from_secs(5);

/// Whether an image is InterSystems IRIS.
pub fn is_iris(image: &str) -> bool {
    image.contains("iris") && !image.contains("irislab")
}

/// The full name of an image as the runtime knows it; none when the reference is malformed.
pub fn full_name(image: &str) -> Option<String> {
    let (path, digest) = image.split_once('@').map_or((image, None), |(path, digest)| (path, Some(digest)));
    let (path, tag) = match path.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (path, None),
    };
    let first = path.split('/').next().unwrap_or_default();
    let has_host = path.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let repository = if has_host { path.split_once('/').map_or("", |(_, rest)| rest) } else { path };
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        part.starts_with(letter) && part.ends_with(letter) && part.chars().all(|c| letter(c) || "._-".contains(c))
    };
    let tag_is_valid = |tag: &str| {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        tag.starts_with(word) && tag.len() <= 128 && tag.chars().all(|c| word(c) || c == '.' || c == '-')
    };
    if !repository.split('/').all(part) || !tag.is_none_or(tag_is_valid) || digest.is_some_and(|one| !one.contains(':'))
    {
        return None;
    }
    let host = match (has_host, path.contains('/')) {
        (true, _) => "",
        (false, true) => "docker.io/",
        (false, false) => "docker.io/library/",
    };
    let end = match (tag, digest) {
        (_, Some(digest)) => format!("@{digest}"),
        (Some(tag), None) => format!(":{tag}"),
        (None, None) => ":latest".into(),
    };
    Some(format!("{host}{path}{end}"))
}

/// How long the pull of an image takes.
fn pull_time(image: &str) -> Duration {
    match () {
        () if is_iris(image) => Duration::from_secs(8),
        () if image.contains("longhorn") => Duration::from_secs(3),
        () => Duration::from_secs(1),
    }
}

/// Has the image of a container on the node, or tells why the container waits. None: it is being pulled.
pub fn ensure(at: &At, container: &Value, state: &Value) -> Result<(), Option<Waiting>> {
    let image = text(container, "/image");
    let Some(full) = full_name(image) else { return Err(Some(invalid_name(at, container))) };
    let pulling = at.key("pulling", text(container, "/name"));
    let policy = pull_policy(container);
    let present = policy != "Always" && is_present(at, &full);
    if present && !at.world.runs(&pulling) {
        if at.world.once(at.key("image", text(container, "/name"))) {
            at.normal("Pulled", &format!("Container image \"{image}\" already present on machine"));
        }
        return Ok(());
    }
    if policy == "Never" {
        let message = format!("Container image \"{image}\" is not present with pull policy of Never");
        if at.world.once(at.key("never", text(container, "/name"))) {
            at.warning("ErrImageNeverPull", &message);
            at.warning("Failed", "Error: ErrImageNeverPull");
        }
        return Err(Some(("ErrImageNeverPull".into(), message)));
    }
    let faults = &at.world.faults.pull;
    match faults.iter().find(|fault| glob(&fault.image, image) || glob(&fault.image, &full)) {
        Some(fault) => Err(fail(at, container, state, fault, &full)),
        None => pull(at, image, &full, &pulling),
    }
}

fn pull_policy(container: &Value) -> &str {
    let image = text(container, "/image");
    match text(container, "/imagePullPolicy") {
        "" if image.ends_with(":latest") || !image.rsplit('/').next().unwrap_or_default().contains([':', '@']) => {
            "Always"
        }
        "" => "IfNotPresent",
        policy => policy,
    }
}

fn is_present(at: &At, full: &str) -> bool {
    let node = at.world.store.get(&core("nodes"), None, text(at.node, "/metadata/name"));
    node.is_some_and(|node| knows(&node, full))
}

fn knows(node: &Value, full: &str) -> bool {
    items(node, "/status/images").iter().any(|one| items(one, "/names").iter().any(|name| name == full))
}

/// Several containers that pull the same image on the same node wait for the same pull.
fn pull(at: &At, image: &str, full: &str, pulling: &str) -> Result<(), Option<Waiting>> {
    if at.world.once(pulling) {
        at.normal("Pulling", &format!("Pulling image \"{image}\""));
    }
    let known = is_present(at, full);
    let time = if known { Duration::ZERO } else { pull_time(image) };
    let shared = format!("pull/{}/{full}", uid(at.node));
    // With the image there already, only its registry is asked.
    if !known && !at.world.timer(shared, time).over {
        return Err(None);
    }
    if !known {
        at.world.change(&core("nodes"), at.node, |node| {
            if !knows(node, full) {
                let mut images = items(node, "/status/images").to_vec();
                images.push(json!({"names": [full], "sizeBytes": size(image)}));
                node["status"]["images"] = Value::Array(images);
            }
        });
    }
    if at.world.once(format!("{pulling}/done")) {
        at.normal("Pulled", &format!("Successfully pulled image \"{image}\" in {}s", pull_time(image).as_secs()));
    }
    Ok(())
}

fn size(image: &str) -> u64 {
    if is_iris(image) { 1_400_000_000 } else { 40_000_000 }
}

/// A pull that fails: an attempt, then a growing back-off, then the next attempt.
fn fail(at: &At, container: &Value, state: &Value, fault: &Pull, full: &str) -> Option<Waiting> {
    let image = text(container, "/image");
    let container_name = text(container, "/name");
    let back_off = (String::from("ImagePullBackOff"), format!("Back-off pulling image \"{image}\""));
    let attempts = at.key("pulls", container_name);
    match text(state, "/waiting/reason") {
        "ImagePullBackOff" => {
            let tries = at.world.attempts(&attempts).clamp(1, 6);
            let pause = Duration::from_secs((10 << (tries - 1)).min(300));
            if !at.world.pause(at.key("pull-pause", container_name), pause, tries.into()).over {
                return Some(back_off);
            }
        }
        reason if reason == fault.reason => {
            if !at.world.timer(at.key("pull-failed", container_name), FAILED_FOR).over {
                return Some((fault.reason.clone(), text(state, "/waiting/message").into()));
            }
            at.normal("BackOff", &back_off.1);
            at.warning("Failed", "Error: ImagePullBackOff");
            return Some(back_off);
        }
        _ => {}
    }
    at.world.attempt(&attempts);
    let why = match fault.message.as_str() {
        "" => format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{full}\": failed to resolve reference \"{full}\": {full}: not found"
        ),
        message => message.to_owned(),
    };
    at.normal("Pulling", &format!("Pulling image \"{image}\""));
    at.warning("Failed", &format!("Failed to pull image \"{image}\": {why}"));
    at.warning("Failed", &format!("Error: {}", fault.reason));
    Some((fault.reason.clone(), why))
}

fn invalid_name(at: &At, container: &Value) -> Waiting {
    let image = text(container, "/image");
    let path = image.split(['@']).next().unwrap_or_default();
    let upper = if path.chars().any(|c| c.is_ascii_uppercase()) { ": repository name must be lowercase" } else { "" };
    let message = format!(
        "Failed to apply default image tag \"{image}\": couldn't parse image reference \"{image}\": invalid reference format{upper}"
    );
    if at.world.once(at.key("invalid", text(container, "/name"))) {
        at.warning("InspectFailed", &message);
        at.warning("Failed", "Error: InvalidImageName");
    }
    ("InvalidImageName".into(), message)
}

#[cfg(test)]
mod tests {
    use super::full_name;

    #[test]
    fn names_of_images() {
        for (image, full) in [
            ("busybox", Some("docker.io/library/busybox:latest")),
            ("busybox:1.28", Some("docker.io/library/busybox:1.28")),
            ("a/b:1", Some("docker.io/a/b:1")),
            ("localhost:5000/b:1", Some("localhost:5000/b:1")),
            ("localhost:5000/b", Some("localhost:5000/b:latest")),
            (
                "containers.intersystems.com/intersystems/iris-community:2026.1",
                Some("containers.intersystems.com/intersystems/iris-community:2026.1"),
            ),
            ("x@sha256:00", Some("docker.io/library/x@sha256:00")),
            ("Upper/case", None),
            ("", None),
            ("a b", None),
            ("a:", None),
            ("a//b", None),
        ] {
            assert_eq!(full_name(image).as_deref(), full, "{image}");
        }
    }
}
