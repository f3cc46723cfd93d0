//! Which rights are missing, asked before the first change and with few requests.

use super::Cluster;
use super::request::Call;
use crate::error::Result;
use crate::model::Access;
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1";

impl Cluster {
    /// The wanted rights that the user does not have. One request for an administrator.
    pub async fn missing_access(&self, wanted: &[Access]) -> Result<Vec<Access>> {
        let all = |text: &str| text.to_string();
        let everything = Access { verb: all("*"), group: all("*"), resource: all("*"), namespace: None };
        if wanted.is_empty() || self.may(&everything).await? {
            return Ok(Vec::new());
        }
        let namespaces: BTreeSet<&str> = wanted.iter().filter_map(|access| access.namespace.as_deref()).collect();
        let rules = try_join_all(namespaces.iter().map(|namespace| self.rules(namespace))).await?;
        let rules: Vec<(&str, Vec<Value>)> = namespaces.into_iter().zip(rules).collect();
        let granted = |access: &Access| {
            let namespace = access.namespace.as_deref();
            let of_namespace = rules.iter().filter(|(name, _)| Some(*name) == namespace);
            of_namespace.flat_map(|(_, rules)| rules).any(|rule| grants(rule, access))
        };
        // The rules may be incomplete, and say nothing about what is cluster-wide: there the server decides.
        let open: BTreeSet<&Access> = wanted.iter().filter(|access| !granted(access)).collect();
        let answers = try_join_all(open.iter().map(|access| self.may(access))).await?;
        Ok(open.into_iter().zip(answers).filter(|(_, may)| !may).map(|(access, _)| access.clone()).collect())
    }

    async fn may(&self, access: &Access) -> Result<bool> {
        let (resource, subresource) = access.resource.split_once('/').unwrap_or((&access.resource, ""));
        let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": { "verb": access.verb, "group": access.group, "resource": resource,
                "subresource": subresource, "namespace": access.namespace.as_deref().unwrap_or_default() } } });
        let answer = self.send(&Call::post(format!("{REVIEWS}/selfsubjectaccessreviews"), review)).await;
        let answer = answer.map_err(|error| self.failure("ask for our own rights", &error))?;
        Ok(answer["status"]["allowed"] == true)
    }

    async fn rules(&self, namespace: &str) -> Result<Vec<Value>> {
        let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": { "namespace": namespace } });
        let answer = self.send(&Call::post(format!("{REVIEWS}/selfsubjectrulesreviews"), review)).await;
        let mut answer = answer.map_err(|error| self.failure("ask for our own rights", &error))?;
        match answer["status"]["resourceRules"].take() {
            Value::Array(rules) => Ok(rules),
            _ => Ok(Vec::new()),
        }
    }
}

/// Whether one rule grants a right for all objects of the kind.
fn grants(rule: &Value, access: &Access) -> bool {
    let has = |key: &str, wanted: &str| {
        let list = rule[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        list.into_iter().any(|entry| entry == "*" || entry == wanted)
    };
    let every_name = rule["resourceNames"].as_array().is_none_or(Vec::is_empty);
    every_name && has("verbs", &access.verb) && has("apiGroups", &access.group) && has("resources", &access.resource)
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster};
    use super::*;

    fn access(verb: &str, group: &str, resource: &str, namespace: Option<&str>) -> Access {
        Access {
            verb: verb.into(),
            group: group.into(),
            resource: resource.into(),
            namespace: namespace.map(Into::into),
        }
    }

    fn wanted() -> Vec<Access> {
        vec![
            access("create", "apps", "statefulsets", Some("lab")),
            access("get", "", "pods/log", Some("lab")),
            access("list", "", "nodes", None),
        ]
    }

    #[tokio::test]
    async fn an_administrator_is_asked_about_once() {
        let (cluster, log) = cluster(|_| Answer::ok(json!({ "status": { "allowed": true } })));
        assert_eq!(cluster.missing_access(&wanted()).await.unwrap(), []);
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn the_server_decides_what_the_rules_leave_open() {
        let (cluster, log) = cluster(|asked| match asked.path.ends_with("selfsubjectrulesreviews") {
            true => Answer::ok(json!({ "status": { "resourceRules": [
                { "verbs": ["*"], "apiGroups": ["apps"], "resources": ["statefulsets"] },
                { "verbs": ["get"], "apiGroups": [""], "resources": ["pods/log"], "resourceNames": ["data-0"] } ] } })),
            false => {
                let attributes = &asked.body["spec"]["resourceAttributes"];
                Answer::ok(json!({ "status": { "allowed": attributes["subresource"] == "log" } }))
            }
        });
        let missing = cluster.missing_access(&wanted()).await.unwrap();
        assert_eq!(missing, [access("list", "", "nodes", None)]);
        assert_eq!(missing[0].to_string(), "list nodes in the whole cluster");
        assert_eq!(wanted()[0].to_string(), "create statefulsets.apps in the namespace lab");
        assert_eq!(log.lock().unwrap().len(), 4);
    }
}
