//! What emulated containers have written: files of volumes, which outlive pods, and of containers, which do not.

use crate::sim::controllers::object::{core, items, name};
use crate::sim::store::Store;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Files = BTreeMap<String, Vec<u8>>;

/// The files of every disk, by the name of the disk and the path in the container. Cheap to clone.
#[derive(Clone, Default)]
pub struct Disks(Arc<Mutex<BTreeMap<String, Files>>>);

/// The disk of a PersistentVolume. Any other disk has the id of its container.
pub fn of_volume(volume: &str) -> String {
    format!("volume/{volume}")
}

impl Disks {
    /// The content of a file.
    pub fn read(&self, disk: &str, path: &str) -> Option<Vec<u8>> {
        self.all().get(disk)?.get(path).cloned()
    }

    /// Writes a whole file.
    pub fn write(&self, disk: &str, path: &str, content: Vec<u8>) {
        self.all().entry(disk.into()).or_default().insert(path.into(), content);
    }

    /// Removes a file; false when there is none.
    pub fn remove(&self, disk: &str, path: &str) -> bool {
        self.all().get_mut(disk).is_some_and(|files| files.remove(path).is_some())
    }

    /// Forgets the disks of volumes and containers that are gone.
    pub fn forget_lost(&self, store: &Store) {
        let volumes = store.list(&core("persistentvolumes"), None);
        let mut known: HashSet<String> = volumes.iter().map(|volume| of_volume(name(volume))).collect();
        for pod in store.list(&core("pods"), None) {
            let containers = items(&pod, "/status/containerStatuses").iter();
            known.extend(containers.filter_map(|one| one["containerID"].as_str().map(Into::into)));
        }
        self.all().retain(|disk, _| known.contains(disk));
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Files>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_disk_lives_as_long_as_its_volume() {
        let (store, disks) = (Store::new(), Disks::default());
        let volume = json!({"metadata": {"name": "pvc-1"}, "spec": {}});
        store.create(&core("persistentvolumes"), volume).unwrap();
        disks.write(&of_volume("pvc-1"), "/a", b"kept".to_vec());
        disks.write("containerd://1", "/a", b"lost".to_vec());
        disks.forget_lost(&store);
        assert_eq!(disks.read(&of_volume("pvc-1"), "/a"), Some(b"kept".to_vec()));
        assert_eq!(disks.read("containerd://1", "/a"), None);
        store.remove(&core("persistentvolumes"), None, "pvc-1");
        disks.forget_lost(&store);
        assert_eq!(disks.read(&of_volume("pvc-1"), "/a"), None);
    }
}
