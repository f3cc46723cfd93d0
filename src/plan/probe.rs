//! The probe of nodes: the objects that look at them, what they print, and the checks on it. Where a node is not this host, its
//! mends are for the user to run there.

use super::host::{Case, about_longhorn};
use crate::error::Result;
use crate::model::object::labelled;
use crate::model::{Check, ObjectRef};
use crate::yaml;
use serde_json::Value;

const MANIFEST: &str = include_str!("../../manifests/probe.yaml");
/// Namespace of the probe, which takes all of it along when it goes.
const NAMESPACE: &str = "iris-lab-probe";
/// The heading of its checks.
const TOPIC: &str = "Nodes";

/// The namespace of the probe.
pub fn namespace() -> ObjectRef {
    ObjectRef::new("v1", "Namespace", None, NAMESPACE)
}

/// The objects of the probe, the DaemonSet last, with another image where one is given.
pub fn objects(lab: &str, image: Option<&str>) -> Result<Vec<Value>> {
    let mut objects = labelled(yaml::documents(MANIFEST)?, lab);
    for set in objects.iter_mut().filter(|object| object["kind"] == "DaemonSet") {
        for containers in ["initContainers", "containers"] {
            let list = set["spec"]["template"]["spec"][containers].as_array_mut();
            list.into_iter().flatten().for_each(|one| one["image"] = image.map_or(one["image"].clone(), Value::from));
        }
    }
    Ok(objects)
}

/// The image that the pods run.
pub fn image(objects: &[Value]) -> &str {
    let image = objects.last().and_then(|set| set.pointer("/spec/template/spec/containers/0/image")?.as_str());
    image.unwrap_or_default()
}

/// What a pod printed, without what a container's start may have put before it.
pub fn printed(log: &str) -> &str {
    log.find("commands:\n").map_or(log, |at| &log[at..])
}

/// The checks on one node.
pub fn checks(node: &str, case: &Case) -> Vec<Check> {
    let of_node = |check: Check| Check {
        topic: TOPIC,
        name: format!("{node}: {}", check.name),
        hint: check.way_out(),
        mend: Vec::new(),
        ..check
    };
    about_longhorn(case).into_iter().map(of_node).collect()
}

/// The check on a node that could not be looked at.
pub fn unseen(node: &str, why: &str) -> Check {
    let hint = "a privileged pod must be allowed there, and the node have a shell; look at it by hand";
    Check::warn(format!("{node}: probe"), format!("it could not be looked at: {why}"), hint).about(TOPIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_is_ours_and_takes_another_image() {
        let objects = objects("two-pod", Some("registry.example.org/busybox:1")).unwrap();
        assert!(objects.iter().all(|object| crate::model::object::is_of(object, "two-pod")));
        assert_eq!(image(&objects), "registry.example.org/busybox:1");
        assert_eq!(ObjectRef::of(&objects[0]), namespace());
        assert_eq!(objects.last().unwrap()["kind"], "DaemonSet");
        assert!(!objects[1].to_string().contains("busybox:1.36"));
    }

    #[test]
    fn what_a_container_says_before_is_left_out() {
        assert_eq!(printed("started busybox\ncommands:\n  \"uname\": []\n"), "commands:\n  \"uname\": []\n");
    }
}
