//! Names of images: taken apart, written whole, and as a mirror has them.

use serde_json::Value;

/// The registry of names without one.
const DOCKER: &str = "docker.io";
/// Where it keeps images that are nobody's in particular.
const LIBRARY: &str = "library";

/// A name without its digest: Docker's archives keep none.
pub fn without_digest(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

/// The tag of a name; none where it has none.
pub fn tag(name: &str) -> Option<&str> {
    // A colon before a slash is the port of a registry.
    without_digest(name).rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'))
}

/// Whether kubelets ask the registry for it at every start, also when it is there: Kubernetes' rule for pods that name no other.
pub fn is_always_pulled(name: &str) -> bool {
    !name.contains('@') && tag(name).is_none_or(|tag| tag == "latest")
}

/// Its registry, and its path there with tag and digest.
fn parts(name: &str) -> (&str, String) {
    match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path.into()),
        Some(_) => (DOCKER, name.into()),
        None => (DOCKER, format!("{LIBRARY}/{name}")),
    }
}

/// The whole name, as containerd has it.
pub fn whole(name: &str) -> String {
    let (host, path) = parts(name);
    let tagged = tag(name).is_some() || name.contains('@');
    format!("{host}/{path}{}", if tagged { "" } else { ":latest" })
}

/// The same image in a registry that has those of all others under their paths.
pub fn mirrored(name: &str, mirror: &str) -> String {
    format!("{mirror}/{}", parts(name).1)
}

/// Whether a node has it, as its kubelet says.
pub fn is_on(node: &Value, name: &str) -> bool {
    let wanted = whole(name);
    let images = node.pointer("/status/images").and_then(Value::as_array).into_iter().flatten();
    let mut names = images.filter_map(|image| image["names"].as_array()).flatten().filter_map(Value::as_str);
    names.any(|name| whole(name) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_taken_apart() {
        for (name, whole_name, at_mirror) in [
            ("registry:2", "docker.io/library/registry:2", "m:5000/library/registry:2"),
            ("busybox", "docker.io/library/busybox:latest", "m:5000/library/busybox"),
            ("kindest/node:v1@sha256:00", "docker.io/kindest/node:v1@sha256:00", "m:5000/kindest/node:v1@sha256:00"),
            ("quay.io/metallb/speaker:v0.13.12", "quay.io/metallb/speaker:v0.13.12", "m:5000/metallb/speaker:v0.13.12"),
            ("localhost:32000/my/iris", "localhost:32000/my/iris:latest", "m:5000/my/iris"),
            ("localhost/iris:1", "localhost/iris:1", "m:5000/iris:1"),
        ] {
            assert_eq!((whole(name).as_str(), mirrored(name, "m:5000").as_str()), (whole_name, at_mirror));
        }
        assert_eq!(without_digest("kindest/node:v1@sha256:00"), "kindest/node:v1");
        assert_eq!((tag("localhost:32000/iris"), tag("iris:1@sha256:00")), (None, Some("1")));
    }

    #[test]
    fn only_a_fixed_tag_or_a_digest_is_not_pulled_again() {
        let again = ["iris", "iris:latest", "localhost:32000/iris"];
        assert!(again.iter().all(|name| is_always_pulled(name)));
        assert!(["iris:2026.1", "iris@sha256:00", "iris:latest@sha256:00"].iter().all(|name| !is_always_pulled(name)));
    }

    #[test]
    fn a_node_has_what_its_kubelet_lists() {
        let node = json!({ "status": { "images": [{ "names": ["docker.io/library/busybox@sha256:00", "docker.io/library/busybox:1.36"] }] } });
        assert!(is_on(&node, "busybox:1.36") && !is_on(&node, "busybox:1.37") && !is_on(&json!({}), "busybox:1.36"));
    }
}
