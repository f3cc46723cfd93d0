//! What is known of storage classes by their provisioners: whose volumes ignore fsGroup, and whose have to be detached to grow.

use crate::model::longhorn::DRIVER;

/// Provisioners of such classes, and why. A provisioner that is not listed is trusted to honour fsGroup.
const IGNORE_FS_GROUP: &[(&str, &str)] = &[
    ("microk8s.io/hostpath", "directories of the node, made by root"),
    ("rancher.io/local-path", "directories of the node (kind, k3s, k3d)"),
    ("k8s.io/minikube-hostpath", "directories of the node, made by root"),
    ("docker.io/hostpath", "directories of the virtual machine of Docker Desktop"),
    ("kubernetes.io/host-path", "directories of the node, in clusters for developers"),
    ("openebs.io/local", "directories of the node, where the class is of the kind hostpath"),
    ("kubernetes.io/no-provisioner", "volumes made by hand, which may be directories of the node"),
];

/// Why the volumes of a provisioner ignore fsGroup, if they do.
pub fn ignores_fs_group(provisioner: &str) -> Option<&'static str> {
    IGNORE_FS_GROUP.iter().find(|(name, _)| *name == provisioner).map(|(_, why)| *why)
}

/// Provisioners whose volumes grow only while no node has them: Longhorn before 1.4. All others grow under a running pod, as the
/// standard of such drivers has it.
const GROW_DETACHED: &[&str] = &[DRIVER];

/// Whether the volumes of a provisioner have to be detached to grow.
pub fn grow_detached(provisioner: &str) -> bool {
    GROW_DETACHED.contains(&provisioner)
}
