//! Who gives addresses to Services of type LoadBalancer in a cluster that is there. Kubernetes has no place where that stands: what
//! gives them shows in the nodes, in MetalLB's namespace, or in a Service that has one.

use crate::cluster::{Cluster, Selector};
use crate::error::{Kind, Result};
use crate::model::ObjectRef;
use serde_json::Value;

/// Beginnings of a node's provider id, and whose it is: their controllers give addresses.
const CLOUDS: &[(&str, &str)] = &[
    ("aws://", "AWS"),
    ("azure://", "Azure"),
    ("gce://", "Google Cloud"),
    ("digitalocean://", "DigitalOcean"),
    ("openstack://", "OpenStack"),
    ("hcloud://", "Hetzner Cloud"),
    ("oci://", "Oracle Cloud"),
];

/// Who it is, for people; none where nobody was seen.
pub async fn load_balancer(cluster: &Cluster, nodes: &[Value]) -> Result<Option<String>> {
    if let Some(who) = nodes.iter().find_map(of_node) {
        return Ok(Some(who));
    }
    if cluster.get(&ObjectRef::new("v1", "Namespace", None, "metallb-system")).await?.is_some() {
        return Ok(Some("MetalLB is there".into()));
    }
    let services = match cluster.list("v1", "Service", None, &Selector::default()).await {
        // Who may not look into other namespaces may still have a load balancer.
        Err(failure) if failure.kind == Kind::Requirement => return Ok(None),
        services => services?,
    };
    Ok(services.iter().find_map(|service| {
        let address = service.pointer("/status/loadBalancer/ingress/0")?;
        let address = address["ip"].as_str().or(address["hostname"].as_str())?;
        let name = service.pointer("/metadata/name")?.as_str()?;
        Some(format!("somebody gives addresses: the Service {name} has {address}"))
    }))
}

fn of_node(node: &Value) -> Option<String> {
    let text = |path: &str| node.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let id = text("/spec/providerID");
    if let Some((_, cloud)) = CLOUDS.iter().find(|(prefix, _)| id.starts_with(prefix)) {
        return Some(format!("that of {cloud}"));
    }
    text("/status/nodeInfo/kubeletVersion")
        .contains("+k3s")
        .then(|| "that of k3s, unless it was started without".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::mock::{Answer, cluster};
    use serde_json::json;

    async fn seen(nodes: &[Value], namespace: bool, services: Vec<Value>) -> Option<String> {
        let (cluster, _) = cluster(move |asked| match asked.path.as_str() {
            "/api/v1/namespaces/metallb-system" if namespace => Answer::ok(json!({ "kind": "Namespace" })),
            "/api/v1/services" => Answer::list(services.clone(), "1"),
            _ => Answer::missing(),
        });
        load_balancer(&cluster, nodes).await.unwrap()
    }

    #[tokio::test]
    async fn the_one_who_gives_addresses_is_seen_in_nodes_namespaces_or_services() {
        let azure = json!({ "spec": { "providerID": "azure:///subscriptions/x" } });
        assert_eq!(seen(&[azure], false, vec![]).await.as_deref(), Some("that of Azure"));
        let k3s = json!({ "status": { "nodeInfo": { "kubeletVersion": "v1.24.17+k3s1" } } });
        assert!(seen(&[k3s], false, vec![]).await.unwrap().contains("k3s"));
        let plain = json!({ "status": { "nodeInfo": { "kubeletVersion": "v1.24.17" } } });
        assert_eq!(seen(std::slice::from_ref(&plain), true, vec![]).await.as_deref(), Some("MetalLB is there"));
        let served = json!({ "metadata": { "name": "web" }, "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.9" }] } } });
        let said = seen(std::slice::from_ref(&plain), false, vec![served]).await.unwrap();
        assert_eq!(said, "somebody gives addresses: the Service web has 10.0.0.9");
        let waiting = json!({ "metadata": { "name": "web" }, "status": { "loadBalancer": {} } });
        assert_eq!(seen(&[plain], false, vec![waiting]).await, None);
    }

    #[tokio::test]
    async fn who_may_not_look_is_told_of_nobody() {
        let (cluster, _) = cluster(|asked| match asked.path.as_str() {
            "/api/v1/services" => Answer::error(403, "Forbidden", "bob cannot list"),
            _ => Answer::missing(),
        });
        assert_eq!(load_balancer(&cluster, &[]).await.unwrap(), None);
    }
}
