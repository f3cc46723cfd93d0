//! Memory and disk, against what the lab will need. The needs are estimates, and are called so.

use super::{Case, gib};
use crate::lab::Lab;
use crate::model::{Check, Quantity};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Memory of IRIS beside its buffers: the journal's, and its processes.
const IRIS_PROCESSES: u64 = 64 + 400;
/// An unpacked image of IRIS.
const IRIS_IMAGE: u64 = 3 * GIB;
/// What an instance of IRIS writes at its first start.
const IRIS_FIRST: u64 = GIB / 2;
/// Longhorn's eleven images, unpacked.
const LONGHORN_IMAGES: u64 = 2 * GIB;

/// All of them.
pub(super) fn checks(case: &Case) -> Vec<Check> {
    let mut checks = vec![memory(case)];
    checks.extend(disk(case));
    checks
}

fn memory(case: &Case) -> Check {
    let (name, total) = ("memory", case.host.system.memory);
    if total == 0 {
        return Check::warn(name, "how much there is is not known", "see to it that there are 8 GiB");
    }
    let pods = u64::from(case.lab.spec.iris.replicas);
    let cluster = if case.is_kind() { 3 * GIB / 4 + case.nodes() * GIB / 4 } else { GIB };
    let longhorn = if case.longhorn() { GIB + case.nodes() * GIB / 4 } else { 0 };
    let need = cluster + longhorn + pods * of_iris(case.lab, total);
    let found = format!("{}, the lab takes about {}", gib(total), gib(need));
    let mut less = Vec::new();
    less.extend((pods > 1).then_some("`--replicas 1`"));
    less.extend((case.is_kind() && case.nodes() > 1).then_some("`--nodes 1`"));
    let more = format!("give the machine {}", gib((need + GIB).div_ceil(GIB) * GIB));
    let hint = if less.is_empty() { more } else { format!("{more}, or take {}", less.join(", ")) };
    // An estimate stops nobody who is near it.
    match total {
        total if total < need / 4 * 3 => Check::fail(name, found, hint),
        total if total < need + GIB => Check::warn(name, format!("{found}, and little is left for all else"), hint),
        _ => Check::ok(name, found),
    }
}

/// What one pod of IRIS takes: its buffers, or what is reserved for it.
fn of_iris(lab: &Lab, total: u64) -> u64 {
    let setting = |name: &str| {
        let text = lab.spec.iris.cpf.config.get(name).map(String::as_str).unwrap_or_default();
        text.split(',').filter_map(|part| part.trim().parse::<u64>().ok()).sum::<u64>()
    };
    // Without a number IRIS takes a quarter of what there is.
    let globals = match setting("globals") {
        0 => total / 4,
        megabytes => megabytes * MIB,
    };
    let heap = setting("gmheap") * 1024;
    let routines = setting("routines").max(80) * MIB;
    let reserved = lab.spec.iris.resources.memory.as_deref().and_then(bytes).unwrap_or(0);
    reserved.max(globals + routines + heap + IRIS_PROCESSES * MIB)
}

fn disk(case: &Case) -> Option<Check> {
    if case.host.system.os != "linux" {
        return None;
    }
    let name = "disk";
    let Some(disk) = case.disk() else {
        return Some(Check::warn(name, "how much is free is not known", "see to it that 30 GiB are free"));
    };
    let (pods, nodes) = (u64::from(case.lab.spec.iris.replicas), case.nodes());
    let volumes = pods * case.volumes();
    // Each node of kind keeps images of its own.
    let base = if case.is_kind() { GIB + nodes * GIB } else { 3 * GIB };
    let iris = IRIS_IMAGE * pods.min(nodes) + pods * IRIS_FIRST;
    let longhorn = if case.longhorn() { LONGHORN_IMAGES * nodes } else { 0 };
    let first = if case.runs() { 0 } else { base + iris + longhorn };
    let found = format!("{} are free below {}", gib(disk.free), disk.path);
    let hint =
        "make room, for example with `docker system prune` or `journalctl --vacuum-size=200M`, or use a larger disk";
    Some(if case.runs() {
        Check::ok(name, found)
    } else if disk.free < first {
        Check::fail(name, format!("{found}, the lab takes about {} at once", gib(first)), hint)
    } else if disk.free < first + volumes {
        let cause = format!(
            "{found}, the lab takes about {} at once and {} when its volumes are full",
            gib(first),
            gib(first + volumes)
        );
        Check::warn(name, cause, hint)
    } else {
        Check::ok(name, format!("{found}, the lab takes up to {}", gib(first + volumes)))
    })
}

impl Case<'_> {
    /// What the volumes of one pod may come to hold.
    pub(super) fn volumes(&self) -> u64 {
        let storage = &self.lab.spec.iris.storage;
        bytes(&storage.mgr).unwrap_or(0) + bytes(&storage.data).unwrap_or(0)
    }
}

fn bytes(quantity: &str) -> Option<u64> {
    u64::try_from(Quantity::parse(quantity)?.nanos() / 1_000_000_000).ok()
}
