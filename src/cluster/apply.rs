//! Makes one object what it should be, by server-side apply. What somebody else owns is never overwritten.

use super::error::ApiError;
use super::request::{APPLY, Call};
use super::{Cluster, Selector, discovery::Resource};
use crate::error::{Failure, Result};
use crate::model::object::FIELD_MANAGER;
use crate::model::{ObjectRef, differs};
use serde_json::Value;

/// What an apply did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The object is new.
    Created,
    /// The object was there and changed.
    Configured,
    /// The object was as it should be.
    Unchanged,
}

/// Who else wants to own which field.
struct Conflict {
    manager: String,
    field: String,
}

impl Cluster {
    /// Makes an object what it should be. An old one of this name that is on its way out is waited for first.
    pub async fn apply(&self, object: &Value) -> Result<Applied> {
        let name = ObjectRef::of(object);
        let resource = self.resource(&name).await?;
        let path = resource.object(name.namespace.as_deref(), &name.name);
        let before = self.find(&Call::get(&path)).await;
        let before = before.map_err(|error| self.failure(&format!("read {name}"), &error))?;
        let leaving = before.as_ref().is_some_and(|live| live["metadata"]["deletionTimestamp"].is_string());
        if leaving {
            self.gone(&name, &resource).await?;
        }
        let before = before.filter(|_| !leaving);
        if before.as_ref().is_some_and(|live| !differs(live, object)) {
            return Ok(Applied::Unchanged);
        }
        let after = self.patch(&name, &path, object, before.as_ref()).await?;
        Ok(match before {
            None => Applied::Created,
            Some(before) if same(&before, &after) => Applied::Unchanged,
            Some(_) => Applied::Configured,
        })
    }

    async fn patch(&self, name: &ObjectRef, path: &str, object: &Value, before: Option<&Value>) -> Result<Value> {
        let call = |object: &Value, force: bool| {
            let address = format!("{path}?fieldManager={FIELD_MANAGER}&force={force}");
            Call::patch(address, APPLY, object.clone())
        };
        let mut answer = self.send(&call(object, false)).await;
        if let Err(error) = &answer
            && error.code() == Some(409)
        {
            let (agreed, foreign) = agree(object, before, foreign(error));
            if !foreign.is_empty() {
                return Err(conflict(name, &foreign));
            }
            // What is left to conflict is our own, from before.
            answer = self.send(&call(&agreed, agreed == *object)).await;
        }
        answer.map_err(|error| match foreign(&error) {
            conflicts if conflicts.is_empty() => self.failure(&format!("apply {name}"), &error),
            conflicts => conflict(name, &conflicts),
        })
    }

    /// Waits until an object that is being deleted is gone.
    async fn gone(&self, name: &ObjectRef, resource: &Resource) -> Result<()> {
        let selector = Selector::fields(format!("metadata.name={}", name.name));
        let mut object = self.follow(resource.clone(), name.namespace.as_deref(), selector).await?;
        while object.only().is_some_and(|live| live["metadata"]["deletionTimestamp"].is_string()) {
            object.changed().await?;
        }
        Ok(())
    }
}

/// Whether an apply changed nothing. Others may have moved the object meanwhile, but only in what is theirs.
fn same(before: &Value, after: &Value) -> bool {
    if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"] {
        return true;
    }
    let ours = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
            if let Some(Value::Array(managers)) = metadata.get_mut("managedFields") {
                managers.retain(|entry| entry["manager"] == FIELD_MANAGER);
            }
        }
        if let Some(object) = object.as_object_mut() {
            object.remove("status");
        }
        object
    };
    ours(before) == ours(after)
}

/// The conflicts with others than us. A message reads: conflict with "kubectl" using apps/v1 at ...
fn foreign(error: &ApiError) -> Vec<Conflict> {
    let causes = error.causes().into_iter().filter(|(reason, ..)| reason == "FieldManagerConflict");
    let named = causes.map(|(_, field, message)| Conflict {
        manager: message.split('"').nth(1).unwrap_or(&message).to_string(),
        field: field.trim_start_matches('.').to_string(),
    });
    named.filter(|conflict| conflict.manager != FIELD_MANAGER).collect()
}

/// The object with the live values where those say the same, and the conflicts where they do not. Such a value takes nothing
/// from anybody: controllers come to own what the server defaulted when they write a status.
fn agree(object: &Value, before: Option<&Value>, conflicts: Vec<Conflict>) -> (Value, Vec<Conflict>) {
    let mut agreed = object.clone();
    let mut left = Vec::new();
    for conflict in conflicts {
        let path = format!("/{}", conflict.field.replace('.', "/"));
        match (before.and_then(|live| live.pointer(&path)), agreed.pointer_mut(&path)) {
            (Some(live), Some(desired)) if !differs(live, desired) => *desired = live.clone(),
            _ => left.push(conflict),
        }
    }
    (agreed, left)
}

fn conflict(name: &ObjectRef, conflicts: &[Conflict]) -> Failure {
    let mut failure =
        Failure::step(format!("{name} is also managed by somebody else, whose values are not overwritten"));
    for conflict in conflicts {
        failure = failure.cause(format!("{} belongs to {}", conflict.field, conflict.manager));
    }
    let kind = name.kind.to_lowercase();
    let place = name.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    let managers = "{.metadata.managedFields[*].manager}";
    failure
        .hint(format!("see who: kubectl get {kind} {}{place} -o jsonpath='{managers}'", name.name))
        .hint("give the lab a value equal to the one in the cluster (--set path=value)")
        .hint(format!("or delete the object and run it again: kubectl delete {kind} {}{place}", name.name))
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, Asked, cluster};
    use super::*;
    use serde_json::json;
    use std::sync::atomic::{AtomicBool, Ordering};

    const PATH: &str = "/api/v1/namespaces/lab/configmaps/cm";

    fn desired() -> Value {
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "cm", "namespace": "lab" },
            "data": { "a": "2" } })
    }

    fn live(version: &str, value: &str) -> Value {
        let mut live = desired();
        live["metadata"]["resourceVersion"] = version.into();
        live["data"]["a"] = value.into();
        live
    }

    fn refused(manager: &str, field: &str) -> Answer {
        Answer::Now(
            409,
            json!({ "kind": "Status", "code": 409, "reason": "Conflict", "message": "Apply failed with 1 conflict",
            "details": { "causes": [{ "reason": "FieldManagerConflict", "field": field,
                "message": format!("conflict with \"{manager}\" using v1 at 2026-01-01T00:00:00Z") }] } }),
        )
    }

    fn forced(asked: &Asked) -> bool {
        asked.query.contains("force=true")
    }

    #[tokio::test]
    async fn a_created_object_whose_answer_was_lost_is_still_created_once() {
        let made = AtomicBool::default();
        let (cluster, log) = cluster(move |asked| match asked.method.as_str() {
            "GET" => Answer::missing(),
            _ if made.swap(true, Ordering::Relaxed) => Answer::ok(live("1", "2")),
            _ => Answer::Lost,
        });
        assert_eq!(cluster.apply(&desired()).await.unwrap(), Applied::Created);
        let patches = log.lock().unwrap().iter().filter(|asked| asked.is("PATCH", PATH)).count();
        assert_eq!(patches, 2);
    }

    #[tokio::test]
    async fn an_object_that_is_as_wished_is_only_read() {
        let (cluster, log) = cluster(|_| Answer::ok(live("7", "2")));
        assert_eq!(cluster.apply(&desired()).await.unwrap(), Applied::Unchanged);
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn the_result_tells_whether_the_object_moved() {
        for (version, value, applied) in
            [("7", "1", Applied::Unchanged), ("8", "1", Applied::Unchanged), ("8", "2", Applied::Configured)]
        {
            let (cluster, _) = cluster(move |asked| match asked.method.as_str() {
                "GET" => Answer::ok(live("7", "1")),
                _ => Answer::ok(live(version, value)),
            });
            assert_eq!(cluster.apply(&desired()).await.unwrap(), applied);
        }
    }

    #[tokio::test]
    async fn a_foreign_conflict_is_reported_and_nothing_is_forced() {
        let (cluster, log) = cluster(|asked| match asked.method.as_str() {
            "GET" => Answer::ok(live("7", "1")),
            _ => refused("kubectl-edit", ".data.a"),
        });
        let failure = cluster.apply(&desired()).await.unwrap_err();
        assert!(failure.message.starts_with("ConfigMap lab/cm is also managed"), "{failure}");
        assert_eq!(failure.causes, ["data.a belongs to kubectl-edit"]);
        assert_eq!(failure.hints.len(), 3);
        assert!(!log.lock().unwrap().iter().any(forced));
    }

    #[tokio::test]
    async fn only_our_own_manager_is_forced() {
        let (cluster, log) = cluster(|asked| match asked.method.as_str() {
            "GET" => Answer::ok(live("7", "1")),
            _ if forced(asked) => Answer::ok(live("8", "2")),
            _ => refused("iris-lab", ".data.a"),
        });
        assert_eq!(cluster.apply(&desired()).await.unwrap(), Applied::Configured);
        assert_eq!(log.lock().unwrap().iter().filter(|asked| forced(asked)).count(), 1);
    }

    #[tokio::test]
    async fn a_foreign_value_that_says_the_same_is_taken_over_as_it_is() {
        let wished = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "cm", "namespace": "lab" },
            "data": { "b": "new" }, "spec": { "list": [{ "a": 1 }] } });
        let (cluster, log) = cluster(|asked| match (asked.method.as_str(), asked.before) {
            ("GET", _) => Answer::ok(json!({ "metadata": { "resourceVersion": "7" },
                "spec": { "list": [{ "a": 1, "defaulted": true }] } })),
            (_, 0) => refused("kube-controller-manager", ".spec.list"),
            _ => Answer::ok(json!({ "metadata": { "resourceVersion": "8" }, "data": { "b": "new" } })),
        });
        assert_eq!(cluster.apply(&wished).await.unwrap(), Applied::Configured);
        let log = log.lock().unwrap();
        assert_eq!(log[2].body["spec"]["list"], json!([{ "a": 1, "defaulted": true }]));
        assert!(!log.iter().any(forced));
    }

    #[tokio::test]
    async fn a_namespace_on_its_way_out_is_named() {
        let (cluster, _) = cluster(|asked| match asked.method.as_str() {
            "GET" => Answer::missing(),
            _ => Answer::error(
                403,
                "Forbidden",
                "configmaps \"cm\" is forbidden: unable to create new content in \
                namespace lab because it is being terminated",
            ),
        });
        let failure = cluster.apply(&desired()).await.unwrap_err();
        assert_eq!(failure.message, "cannot apply ConfigMap lab/cm: namespace lab is being deleted");
    }

    #[tokio::test]
    async fn an_object_on_its_way_out_is_waited_for_and_made_anew() {
        let (cluster, _) = cluster(|asked| {
            let mut old = live("7", "2");
            old["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            match (asked.method.as_str(), asked.path == PATH, asked.watches()) {
                ("GET", true, _) => Answer::ok(old),
                ("GET", _, false) => Answer::list(vec![old], "7"),
                ("GET", _, true) => Answer::Open(super::super::mock::event("DELETED", &old)),
                _ => Answer::ok(live("9", "2")),
            }
        });
        assert_eq!(cluster.apply(&desired()).await.unwrap(), Applied::Created);
    }
}
