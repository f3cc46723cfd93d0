//! The ways in which Longhorn goes, or gets stuck.

use super::*;

const HELD: [&str; 2] = ["engineimages", "nodes"];

fn left(world: &World) -> usize {
    KINDS.iter().filter(|(plural, _)| *plural != "settings").map(|(plural, _)| custom(world, plural).len()).sum()
}

/// Deletes what the manifest has made, in its order: first the namespace and the rights.
fn delete_manifest(world: &World) {
    delete(world, "Namespace", NAMESPACE);
    let options = DeleteOptions::default();
    for plural in ["clusterroles", "clusterrolebindings"] {
        world.store.delete(&rbac(plural), None, "longhorn-role", &options).unwrap();
    }
    for (plural, _) in KINDS {
        delete(world, "CustomResourceDefinition", &format!("{plural}.longhorn.io"));
    }
    settle(world);
}

#[test]
fn the_uninstaller_removes_what_ran_and_leaves_what_was_installed() {
    let world = cluster("");
    install(&world, "", 3);
    uninstall(&world, &["--force"]);
    assert_eq!((outcome(&world).as_str(), left(&world)), ("Complete", 0));
    assert_eq!(custom(&world, "settings").len(), 48);
    assert_eq!(names(&pods(&world)).len(), 1, "only the user interface");
    assert!(find(&world, "StorageClass", "longhorn").is_none());
    assert_eq!(all(&world, "CustomResourceDefinition").len(), 15);
    assert!(find(&world, "Namespace", NAMESPACE).is_some());
}

#[test]
fn a_deleted_manifest_leaves_everything_stuck_until_the_uninstaller_comes() {
    let world = cluster("");
    install(&world, "", 3);
    delete_manifest(&world);
    let namespace = get(&world, "Namespace", NAMESPACE);
    let text = namespace["status"]["conditions"].to_string();
    assert!(text.contains("nodes.longhorn.io has 3 resource instances"), "{text}");
    assert!(text.contains("longhorn.io in 4 resource instances"), "{text}");
    let definitions = all(&world, "CustomResourceDefinition");
    assert_eq!(names(&definitions), HELD.map(|plural| format!("{plural}.longhorn.io")));
    uninstall(&world, &["--force"]);
    assert_eq!(outcome(&world), "Complete");
    assert!(find(&world, "Namespace", NAMESPACE).is_none() && all(&world, "CustomResourceDefinition").is_empty());
    assert!(find(&world, "StorageClass", "longhorn").is_none());
}

#[test]
fn without_rights_or_force_it_refuses_and_says_why() {
    let world = cluster("");
    install(&world, "", 3);
    delete_manifest(&world);
    uninstall(&world, &[]);
    assert_eq!(outcome(&world), "Failed");
    assert_eq!(left(&world), 4);
    let world = cluster("");
    install(&world, "", 3);
    make(&world, claim("p"));
    make(&world, user("p", "lab-1"));
    settle(&world);
    uninstall(&world, &[]);
    assert_eq!((outcome(&world).as_str(), custom(&world, "volumes").len()), ("Failed", 1));
}

#[test]
fn backups_are_never_forced() {
    let world = cluster("");
    install(&world, "", 3);
    let backup = json!({"kind": "BackupVolume", "metadata": {"name": "b", "namespace": NAMESPACE, "finalizers": ["longhorn.io"]}});
    delete_manifest(&world);
    put(&world, &Resource::new("longhorn.io", "backupvolumes"), backup);
    uninstall(&world, &["--force"]);
    assert_eq!(outcome(&world), "", "it waits until its deadline");
    assert_eq!(custom(&world, "backupvolumes").len(), 1);
}

#[test]
fn a_failed_uninstall_leaves_the_rest() {
    let world = cluster("longhorn: {uninstallFails: true}");
    install(&world, "", 3);
    uninstall(&world, &["--force"]);
    assert_eq!(outcome(&world), "Failed");
    assert!(find(&world, "StorageClass", "longhorn").is_some());
    assert!(pods(&world).iter().any(|pod| name(pod).starts_with("csi-attacher")));
    assert!(!pods(&world).iter().any(|pod| name(pod).starts_with("longhorn-manager")));
}

#[test]
fn a_manager_clears_what_is_deleted_and_a_dead_one_does_not() {
    let world = cluster("");
    install(&world, "", 3);
    let delete_node = |node: &str| {
        let nodes = Resource::new("longhorn.io", "nodes");
        world.store.delete(&nodes, Some(NAMESPACE), node, &DeleteOptions::default()).unwrap();
        settle(&world);
    };
    delete_node("lab-3");
    assert_eq!(names(&custom(&world, "nodes")), ["lab-1", "lab-2"]);
    let set = world.store.get(&resource("DaemonSet"), Some(NAMESPACE), "longhorn-manager").unwrap();
    world.delete(&resource("DaemonSet"), &set);
    settle(&world);
    delete_node("lab-2");
    let held = one(&world, "nodes", "lab-2");
    assert!(held["metadata"]["deletionTimestamp"].is_string());
}
