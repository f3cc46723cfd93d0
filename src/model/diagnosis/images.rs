//! Images that do not come.

use super::scene::event_of;
use super::{Cause, Finding, Scene, Subject};
use crate::model::object::{list, text};
use crate::model::pod::Why;
use serde_json::Value;

/// What is wrong with the image that a pod waits for.
pub(super) fn judge(scene: &Scene, pod: &Value, about: Subject, why: Why) -> Finding {
    let container = waiting(pod).unwrap_or(&Value::Null);
    let (image, own) = (text(container, "/image"), text(pod, "/metadata/name"));
    let message = text(container, "/state/waiting/message");
    let event = scene.warning("Pod", own, |event| is_of_pull(event, image));
    let said = event.map_or(message, |event| error(text(event, "/message"), image));
    let (cause, what, mend) = verdict(scene, image, why, said);
    let finding = Finding::new(cause, about, what, mend);
    match event {
        Some(event) => finding.seen(event_of(event), said),
        None => finding.seen(format!("state of container {} of pod {own}", text(container, "/name")), message),
    }
}

fn verdict(scene: &Scene, image: &str, why: Why, said: &str) -> (Cause, String, String) {
    let another = format!("name another with {}", scene.up_with("--image", "IMAGE"));
    let said = said.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match why {
        Why::ImageName => (Cause::ImageName, format!("the image name {image} is not valid"), another),
        Why::ImageNotLoaded => (
            Cause::ImageMissing,
            format!("the image {image} is not on the node, and the pod forbids to pull it"),
            format!("load it into the nodes, or {another}"),
        ),
        Why::ImageRefused if any(&["not found", "notfound", "unknown"]) => {
            let what = format!("cannot pull its image {image}: the registry has no such image");
            (Cause::ImageMissing, what, format!("check the name and the tag, or {another}"))
        }
        Why::ImageRefused => {
            let what = format!("cannot pull its image {image}: the registry refuses it, it may want a login");
            (Cause::ImageDenied, what, format!("see that it is public, or {another}"))
        }
        _ => {
            let what = format!("cannot pull its image {image}: the registry does not answer, or breaks off");
            let mend = format!("see that the nodes reach {} (network, proxy, DNS), or {another}", registry(image));
            (Cause::RegistrySilent, what, mend)
        }
    }
}

/// The container that waits.
fn waiting(pod: &Value) -> Option<&Value> {
    let statuses = list(pod, "/status/initContainerStatuses").chain(list(pod, "/status/containerStatuses"));
    // Those after an init container only wait for it.
    let held = |status: &&Value| {
        let reason = text(status, "/state/waiting/reason");
        !matches!(reason, "" | "PodInitializing" | "ContainerCreating")
    };
    statuses.into_iter().find(held)
}

fn is_of_pull(event: &Value, image: &str) -> bool {
    let message = text(event, "/message");
    message.starts_with("Failed to pull image")
        || message.starts_with("Failed to apply default image tag")
        || (message.contains("InvalidImageName") && message.contains(image))
}

/// The error itself, from where it stops to repeat the image.
fn error<'a>(message: &'a str, image: &str) -> &'a str {
    let quoted = format!("{image}\": ");
    message.rsplit_once(quoted.as_str()).map_or(message, |(_, error)| error)
}

/// The host of an image's registry.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}
