//! The ranges of addresses that MetalLB gives out of: those in its ConfigMap before 0.13, and in its own objects since.

use crate::cluster::Cluster;
use crate::error::Result;
use crate::model::ObjectRef;
use crate::yaml;
use serde_json::Value;

const NAMESPACE: &str = "metallb-system";

/// All ranges; none at all where nothing of MetalLB is there.
pub async fn lb_ranges(cluster: &Cluster) -> Result<Option<Vec<String>>> {
    let namespace = ObjectRef::new("v1", "Namespace", None, NAMESPACE);
    let config = ObjectRef::new("v1", "ConfigMap", Some(NAMESPACE), "config");
    let pools =
        ObjectRef::new("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, "ipaddresspools.metallb.io");
    let (namespace, config, pools) =
        futures::try_join!(cluster.get(&namespace), cluster.get(&config), cluster.get(&pools))?;
    if namespace.is_none() {
        return Ok(None);
    }
    let mut ranges = Vec::new();
    if let Some(text) = config.as_ref().and_then(|config| config["data"]["config"].as_str()) {
        // What nobody can read gives no addresses.
        let config: Value = yaml::parse(text).unwrap_or_default();
        ranges.extend(
            config["address-pools"].as_array().into_iter().flatten().flat_map(|pool| texts(&pool["addresses"])),
        );
    }
    if let Some(definition) = &pools {
        let pools = cluster.list_defined(definition).await?;
        ranges.extend(pools.iter().flat_map(|pool| texts(&pool["spec"]["addresses"])));
    }
    Ok(Some(ranges))
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(Into::into)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::mock::{Answer, Asked, cluster};
    use serde_json::json;

    fn old(asked: &Asked) -> Answer {
        let config = "address-pools:\n- name: default\n  protocol: layer2\n  addresses:\n  - 10.0.0.1-10.0.0.9\n  - 10.0.1.0/28\n";
        match asked.path.rsplit('/').next() {
            Some("metallb-system") => Answer::ok(json!({ "kind": "Namespace" })),
            Some("config") => Answer::ok(json!({ "data": { "config": config } })),
            _ => Answer::error(404, "NotFound", "not found"),
        }
    }

    fn new(asked: &Asked) -> Answer {
        let definition = json!({ "spec": { "group": "metallb.io", "scope": "Namespaced",
            "names": { "kind": "IPAddressPool", "plural": "ipaddresspools" },
            "versions": [{ "name": "v1beta1", "served": true, "storage": true }] } });
        match asked.path.rsplit('/').next() {
            Some("metallb-system") => Answer::ok(json!({ "kind": "Namespace" })),
            Some("ipaddresspools.metallb.io") => Answer::ok(definition),
            Some("ipaddresspools") => Answer::list(vec![json!({ "spec": { "addresses": ["10.0.0.240/28"] } })], "1"),
            _ => Answer::error(404, "NotFound", "not found"),
        }
    }

    #[tokio::test]
    async fn both_generations_are_read() {
        let (before, _) = cluster(old);
        assert_eq!(lb_ranges(&before).await.unwrap().unwrap(), ["10.0.0.1-10.0.0.9", "10.0.1.0/28"]);
        let (since, _) = cluster(new);
        assert_eq!(lb_ranges(&since).await.unwrap().unwrap(), ["10.0.0.240/28"]);
        let (without, _) = cluster(|_| Answer::error(404, "NotFound", "not found"));
        assert_eq!(lb_ranges(&without).await.unwrap(), None);
    }
}
