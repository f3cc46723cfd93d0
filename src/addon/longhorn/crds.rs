//! The fifteen custom resource definitions of Longhorn 1.2, from one table. Source: deploy/longhorn.yaml at v1.2.6; they are the
//! same in every 1.2.x.

use crate::model::longhorn::{API_VERSION, GROUP};
use serde_json::{Value, json};

/// One kind. Its plural is its name in lower case with an s.
struct Kind {
    name: &'static str,
    short: &'static str,
    /// What `kubectl get` shows after the name.
    columns: &'static [Column],
}

/// Title, type and JSONPath.
type Column = (&'static str, &'static str, &'static str);

const AGE: Column = ("Age", "date", ".metadata.creationTimestamp");
const SETTING: &str = "Setting";
const RECURRING_JOB: &str = "RecurringJob";

#[rustfmt::skip]
const KINDS: [Kind; 15] = [
    Kind { name: "Engine", short: "lhe", columns: &[
        ("State", "string", ".status.currentState"),
        ("Node", "string", ".spec.nodeID"),
        ("InstanceManager", "string", ".status.instanceManagerName"),
        ("Image", "string", ".status.currentImage"),
        AGE,
    ]},
    Kind { name: "Replica", short: "lhr", columns: &[
        ("State", "string", ".status.currentState"),
        ("Node", "string", ".spec.nodeID"),
        ("Disk", "string", ".spec.diskID"),
        ("InstanceManager", "string", ".status.instanceManagerName"),
        ("Image", "string", ".status.currentImage"),
        AGE,
    ]},
    Kind { name: SETTING, short: "lhs", columns: &[("Value", "string", ".value"), AGE] },
    Kind { name: "Volume", short: "lhv", columns: &[
        ("State", "string", ".status.state"),
        ("Robustness", "string", ".status.robustness"),
        ("Scheduled", "string", ".status.conditions['scheduled']['status']"),
        ("Size", "string", ".spec.size"),
        ("Node", "string", ".status.currentNodeID"),
        AGE,
    ]},
    Kind { name: "EngineImage", short: "lhei", columns: &[
        ("State", "string", ".status.state"),
        ("Image", "string", ".spec.image"),
        ("RefCount", "integer", ".status.refCount"),
        ("BuildDate", "date", ".status.buildDate"),
        AGE,
    ]},
    Kind { name: "Node", short: "lhn", columns: &[
        ("Ready", "string", ".status.conditions['Ready']['status']"),
        ("AllowScheduling", "boolean", ".spec.allowScheduling"),
        ("Schedulable", "string", ".status.conditions['Schedulable']['status']"),
        AGE,
    ]},
    Kind { name: "InstanceManager", short: "lhim", columns: &[
        ("State", "string", ".status.currentState"),
        ("Type", "string", ".spec.type"),
        ("Node", "string", ".spec.nodeID"),
        AGE,
    ]},
    Kind { name: "ShareManager", short: "lhsm", columns: &[
        ("State", "string", ".status.state"),
        ("Node", "string", ".status.ownerID"),
        AGE,
    ]},
    Kind { name: "BackingImage", short: "lhbi", columns: &[("Image", "string", ".spec.image"), AGE] },
    Kind { name: "BackingImageManager", short: "lhbim", columns: &[
        ("State", "string", ".status.currentState"),
        ("Image", "string", ".spec.image"),
        ("Node", "string", ".spec.nodeID"),
        ("DiskUUID", "string", ".spec.diskUUID"),
        ("DiskPath", "string", ".spec.diskPath"),
        AGE,
    ]},
    Kind { name: "BackingImageDataSource", short: "lhbids", columns: &[
        ("State", "string", ".status.currentState"),
        ("SourceType", "string", ".spec.sourceType"),
        ("Node", "string", ".spec.nodeID"),
        ("DiskUUID", "string", ".spec.diskUUID"),
        AGE,
    ]},
    Kind { name: "BackupTarget", short: "lhbt", columns: &[
        ("URL", "string", ".spec.backupTargetURL"),
        ("Credential", "string", ".spec.credentialSecret"),
        ("Interval", "string", ".spec.pollInterval"),
        ("Available", "boolean", ".status.available"),
        ("LastSyncedAt", "string", ".status.lastSyncedAt"),
    ]},
    Kind { name: "BackupVolume", short: "lhbv", columns: &[
        ("CreatedAt", "string", ".status.createdAt"),
        ("LastBackupName", "string", ".status.lastBackupName"),
        ("LastBackupAt", "string", ".status.lastBackupAt"),
        ("LastSyncedAt", "string", ".status.lastSyncedAt"),
    ]},
    Kind { name: "Backup", short: "lhb", columns: &[
        ("SnapshotName", "string", ".status.snapshotName"),
        ("SnapshotSize", "string", ".status.size"),
        ("SnapshotCreatedAt", "string", ".status.snapshotCreatedAt"),
        ("State", "string", ".status.state"),
        ("LastSyncedAt", "string", ".status.lastSyncedAt"),
    ]},
    Kind { name: RECURRING_JOB, short: "lhrj", columns: &[
        ("Groups", "string", ".spec.groups"),
        ("Task", "string", ".spec.task"),
        ("Cron", "string", ".spec.cron"),
        ("Retain", "integer", ".spec.retain"),
        ("Concurrency", "integer", ".spec.concurrency"),
        AGE,
        ("Labels", "string", ".spec.labels"),
    ]},
];

/// The definitions.
pub fn definitions() -> Vec<Value> {
    KINDS.iter().map(definition).collect()
}

fn definition(kind: &Kind) -> Value {
    let singular = kind.name.to_lowercase();
    let plural = format!("{singular}s");
    let columns = kind.columns.iter().map(|(name, kind, path)| json!({ "name": name, "type": kind, "jsonPath": path }));
    let mut version = json!({
        "name": API_VERSION.trim_start_matches(GROUP).trim_start_matches('/'),
        "served": true,
        "storage": true,
        "schema": { "openAPIV3Schema": schema(kind.name) },
        "additionalPrinterColumns": columns.collect::<Vec<_>>(),
    });
    // A setting has a value, and neither spec nor status.
    if kind.name != SETTING {
        version["subresources"] = json!({ "status": {} });
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{GROUP}"), "labels": { "longhorn-manager": kind.name } },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.name,
                "listKind": format!("{}List", kind.name),
                "plural": plural,
                "singular": singular,
                "shortNames": [kind.short],
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    })
}

/// The API server judges recurring jobs only, which people write; all else is the manager's own.
fn schema(kind: &str) -> Value {
    let any = json!({ "x-kubernetes-preserve-unknown-fields": true });
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer" });
    match kind {
        SETTING => any,
        RECURRING_JOB => json!({
            "type": "object",
            "properties": {
                "metadata": { "type": "object", "properties": { "name": text } },
                "spec": { "type": "object", "properties": {
                    "groups": { "type": "array", "items": text },
                    "task": { "type": "string", "pattern": "^snapshot|backup$" },
                    "cron": text,
                    "retain": number,
                    "concurrency": number,
                    "labels": any,
                }},
                "status": any,
            },
        }),
        _ => json!({ "type": "object", "properties": { "spec": any, "status": any } }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::longhorn;
    use std::collections::BTreeSet;

    #[test]
    fn there_is_a_definition_for_every_kind() {
        let named = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).unwrap().to_string();
        let defined: BTreeSet<_> = definitions()
            .iter()
            .map(|one| (named(one, "/spec/names/plural"), named(one, "/spec/names/kind")))
            .collect();
        let known = longhorn::KINDS.iter().map(|(plural, kind)| (plural.to_string(), kind.to_string())).collect();
        assert_eq!(defined, known);
        assert!(definitions().iter().all(|one| one["spec"]["versions"][0]["name"] == "v1beta1"));
    }
}
