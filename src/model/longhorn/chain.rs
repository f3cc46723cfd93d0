//! The chain of what must hold before Longhorn is usable: which objects each link looks at, and what they say. Pure.

use super::{API_VERSION, CLASS, DRIVER, LonghornFacts, SIDECARS};
use crate::model::Link;
use serde_json::Value;

/// Instance managers that one line names.
const NAMED: usize = 3;

/// Says that a link holds, or what is missing, naming nodes and workloads.
pub type Verdict = Result<String, String>;

impl Link {
    /// The links, each after those that it depends on.
    pub const ALL: [Link; 8] = [
        Link::Manager,
        Link::Nodes,
        Link::EngineImage,
        Link::InstanceManagers,
        Link::Deployer,
        Link::Csi,
        Link::Registered,
        Link::Class,
    ];

    /// What holds then, in words: `Wait until ...`.
    pub fn clause(self) -> &'static str {
        match self {
            Link::Manager => "Longhorn's manager is ready on every node",
            Link::Nodes => "Longhorn can put volumes on every node",
            Link::EngineImage => "Longhorn's engine is on the nodes",
            Link::InstanceManagers => "Longhorn's instance managers run on every node",
            Link::Deployer => "Longhorn's driver is being deployed",
            Link::Csi => "Longhorn's CSI driver runs",
            Link::Registered => "every node knows Longhorn's driver",
            Link::Class => "Longhorn's storage class is there",
        }
    }

    /// The kinds of objects that it looks at: apiVersion and kind.
    pub fn kinds(self) -> &'static [(&'static str, &'static str)] {
        const SETS: (&str, &str) = ("apps/v1", "DaemonSet");
        const DEPLOYMENTS: (&str, &str) = ("apps/v1", "Deployment");
        match self {
            Link::Manager => &[SETS],
            Link::Nodes => &[(API_VERSION, "Node"), SETS],
            Link::EngineImage => &[(API_VERSION, "EngineImage")],
            Link::InstanceManagers => &[(API_VERSION, "InstanceManager"), SETS],
            Link::Deployer => &[DEPLOYMENTS],
            Link::Csi => &[DEPLOYMENTS, SETS],
            Link::Registered => &[("storage.k8s.io/v1", "CSINode"), SETS],
            Link::Class => &[("storage.k8s.io/v1", "StorageClass"), ("storage.k8s.io/v1", "CSIDriver")],
        }
    }

    /// Whether a pod of Longhorn's namespace can be what the link waits for, by the pod's name.
    pub fn waits_for(self, pod: &str) -> bool {
        let parts: &[&str] = match self {
            Link::Manager | Link::Nodes => &["longhorn-manager-"],
            Link::EngineImage => &["engine-image-"],
            Link::InstanceManagers => &["instance-manager-"],
            Link::Deployer => &["longhorn-driver-deployer-", "discover-proc-"],
            Link::Csi => &["csi-", "longhorn-csi-plugin-"],
            Link::Registered => &["longhorn-csi-plugin-"],
            Link::Class => &["longhorn-driver-deployer-", "longhorn-manager-"],
        };
        parts.iter().any(|part| pod.starts_with(part))
    }

    /// Whether it holds, as these objects of its kinds say; others among them do not matter.
    pub fn judge(self, objects: &[&Value]) -> Verdict {
        match self {
            Link::Manager => rollout(objects, "DaemonSet", "longhorn-manager"),
            Link::Nodes => nodes(objects),
            Link::EngineImage => engine_image(objects),
            Link::InstanceManagers => instance_managers(objects),
            Link::Deployer => rollout(objects, "Deployment", "longhorn-driver-deployer"),
            Link::Csi => csi(objects),
            Link::Registered => registered(objects),
            Link::Class => class(objects),
        }
    }

    /// Whether it holds, as the facts say.
    pub fn seen(self, facts: &LonghornFacts, storage_classes: &[Value]) -> Verdict {
        let all = facts.workloads.iter().chain(&facts.resources).chain(&facts.csi_nodes).chain(&facts.driver);
        self.judge(&all.chain(storage_classes).collect::<Vec<_>>())
    }
}

/// The first link that does not hold, and why; none when Longhorn is usable as far as its objects tell.
pub fn broken(facts: &LonghornFacts, storage_classes: &[Value]) -> Option<(Link, String)> {
    Link::ALL.into_iter().find_map(|link| link.seen(facts, storage_classes).err().map(|why| (link, why)))
}

/// How many nodes Longhorn runs on: those that its manager was scheduled to.
fn wanted_nodes(objects: &[&Value]) -> Result<u64, String> {
    let set = find(objects, "DaemonSet", "longhorn-manager").ok_or("the DaemonSet longhorn-manager is not there")?;
    match set["status"]["desiredNumberScheduled"].as_u64() {
        Some(count @ 1..) => Ok(count),
        _ => Err("longhorn-manager is on no node yet".into()),
    }
}

/// Whether every pod of a DaemonSet or Deployment is of its newest revision and ready.
fn rollout(objects: &[&Value], kind: &str, name: &str) -> Verdict {
    let object = find(objects, kind, name).ok_or_else(|| format!("the {kind} {name} is not there yet"))?;
    let count = |field: &str| object["status"][field].as_u64().unwrap_or(0);
    if object["status"]["observedGeneration"].as_u64() < object["metadata"]["generation"].as_u64() {
        return Err(format!("{name} was not rolled out yet"));
    }
    let (wanted, ready, updated, unit) = match kind {
        "DaemonSet" => {
            (count("desiredNumberScheduled"), count("numberReady"), count("updatedNumberScheduled"), "nodes")
        }
        _ => {
            let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
            (wanted, count("readyReplicas"), count("updatedReplicas"), "pods")
        }
    };
    match ready.min(updated) {
        _ if wanted == 0 => Err(format!("{name} is on no node yet")),
        ready if ready < wanted => Err(format!("{name} is ready on {ready} of {wanted} {unit}")),
        _ => Ok(format!("{name} is ready on {wanted} {}", if wanted == 1 { unit.trim_end_matches('s') } else { unit })),
    }
}

fn nodes(objects: &[&Value]) -> Verdict {
    let wanted = wanted_nodes(objects)?;
    let nodes: Vec<&Value> = custom(objects, "Node").collect();
    let troubles: Vec<String> = nodes.iter().filter_map(|node| trouble(node)).collect();
    if !troubles.is_empty() {
        return Err(troubles.join("; "));
    }
    match nodes.len() as u64 {
        there if there < wanted => Err(format!("{there} of {wanted} nodes have registered with Longhorn")),
        1 => Ok("1 node takes volumes".into()),
        there => Ok(format!("{there} nodes take volumes")),
    }
}

/// Why a node of Longhorn's takes no volumes; none when it does, or is not meant to.
fn trouble(node: &Value) -> Option<String> {
    let storing = node["spec"]["allowScheduling"] != false;
    let wanted: &[&str] =
        if storing { &["Ready", "MountPropagation", "Schedulable"] } else { &["Ready", "MountPropagation"] };
    let name = name(node);
    if let Some(why) = missing(&node["status"]["conditions"], wanted) {
        return Some(format!("node {name} {why}"));
    }
    if !storing {
        return None;
    }
    let disks = node["status"]["diskStatus"].as_object().filter(|disks| !disks.is_empty());
    let Some(disks) = disks else { return Some(format!("node {name} has no disk yet")) };
    disks.iter().find_map(|(disk, status)| {
        let why = missing(&status["conditions"], &["Ready", "Schedulable"])?;
        Some(format!("disk {disk} of node {name} {why}"))
    })
}

/// The first condition that is not True, with its message. Longhorn 1.2 keeps conditions in a map by their type.
fn missing(conditions: &Value, wanted: &[&str]) -> Option<String> {
    let found = wanted.iter().find(|kind| conditions[**kind]["status"] != "True")?;
    let condition = &conditions[*found];
    let said = [&condition["message"], &condition["reason"]]
        .into_iter()
        .find_map(|text| text.as_str().filter(|t| !t.is_empty()));
    Some(match (condition.is_null(), said) {
        (true, _) => format!("has not reported {found} yet"),
        (false, Some(said)) => format!("is not {found}: {said}"),
        (false, None) => format!("is not {found}"),
    })
}

fn engine_image(objects: &[&Value]) -> Verdict {
    let mut images = custom(objects, "EngineImage").peekable();
    if images.peek().is_none() {
        return Err("there is no engine image yet".into());
    }
    let state = |image: &Value| image["status"]["state"].as_str().unwrap_or("not looked at yet").to_string();
    let (deployed, left): (Vec<&Value>, Vec<&Value>) = images.partition(|image| state(image) == "deployed");
    match deployed.first() {
        Some(image) => Ok(format!("engine image {} is deployed", name(image))),
        None => {
            let left = left.iter().map(|image| format!("engine image {} is {}", name(image), state(image)));
            Err(left.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Two on each node: one for engines, one for replicas.
fn instance_managers(objects: &[&Value]) -> Verdict {
    let wanted = 2 * wanted_nodes(objects)?;
    let state = |manager: &Value| manager["status"]["currentState"].as_str().unwrap_or("not started").to_string();
    let (running, left): (Vec<&Value>, Vec<&Value>) =
        custom(objects, "InstanceManager").partition(|manager| state(manager) == "running");
    if running.len() as u64 >= wanted {
        return Ok(format!("{} instance managers run", running.len()));
    }
    let named = left.iter().take(NAMED).map(|manager| {
        let node = manager["spec"]["nodeID"].as_str().unwrap_or("an unknown node");
        format!("; {} on {node} is {}", name(manager), state(manager))
    });
    Err(format!("{} of {wanted} instance managers run{}", running.len(), named.collect::<String>()))
}

fn csi(objects: &[&Value]) -> Verdict {
    let sidecars = SIDECARS.map(|name| rollout(objects, "Deployment", name));
    let all = sidecars.into_iter().chain([rollout(objects, "DaemonSet", "longhorn-csi-plugin")]);
    let left: Vec<String> = all.filter_map(Result::err).collect();
    if left.is_empty() { Ok("the CSI driver runs".into()) } else { Err(left.join("; ")) }
}

fn registered(objects: &[&Value]) -> Verdict {
    let set = find(objects, "DaemonSet", "longhorn-csi-plugin");
    let wanted = set.and_then(|set| set["status"]["desiredNumberScheduled"].as_u64()).filter(|count| *count > 0);
    let wanted = wanted.ok_or("longhorn-csi-plugin is on no node yet")?;
    let has = |node: &&Value| {
        node["spec"]["drivers"].as_array().is_some_and(|all| all.iter().any(|driver| driver["name"] == DRIVER))
    };
    let (with, without): (Vec<&Value>, Vec<&Value>) =
        objects.iter().copied().filter(|object| object["kind"] == "CSINode").partition(has);
    if with.len() as u64 >= wanted {
        return Ok(format!("the driver is registered on {} of {}", with.len(), plural(with.len() + without.len())));
    }
    let names: Vec<&str> = without.into_iter().map(name).collect();
    Err(format!("the driver is registered on {} of {wanted} nodes, not on {}", with.len(), names.join(", ")))
}

fn plural(nodes: usize) -> String {
    if nodes == 1 { "1 node".into() } else { format!("{nodes} nodes") }
}

fn class(objects: &[&Value]) -> Verdict {
    let class = find(objects, "StorageClass", CLASS).ok_or_else(|| format!("there is no storage class {CLASS} yet"))?;
    if class["provisioner"] != DRIVER {
        let provisioner = class["provisioner"].as_str().unwrap_or_default();
        return Err(format!("the storage class {CLASS} is one of {provisioner}"));
    }
    find(objects, "CSIDriver", DRIVER).ok_or_else(|| format!("there is no CSI driver {DRIVER} yet"))?;
    Ok(format!("the storage class {CLASS} and its driver are there"))
}

fn find<'a>(objects: &[&'a Value], kind: &str, name: &str) -> Option<&'a Value> {
    objects.iter().copied().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
}

/// The custom resources of a kind; Kubernetes has nodes too.
fn custom<'a>(objects: &[&'a Value], kind: &'static str) -> impl Iterator<Item = &'a Value> {
    let of = |object: &&Value| object["apiVersion"] == API_VERSION && object["kind"] == kind;
    objects.iter().copied().filter(of).collect::<Vec<_>>().into_iter()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(name: &str, wanted: u64, ready: u64) -> Value {
        json!({ "kind": "DaemonSet", "metadata": { "name": name, "generation": 1 }, "status": { "observedGeneration": 1,
            "desiredNumberScheduled": wanted, "numberReady": ready, "updatedNumberScheduled": wanted } })
    }

    fn deployment(name: &str, ready: u64) -> Value {
        json!({ "kind": "Deployment", "metadata": { "name": name, "generation": 1 }, "spec": { "replicas": 3 },
            "status": { "observedGeneration": 1, "readyReplicas": ready, "updatedReplicas": 3 } })
    }

    fn resource(kind: &str, name: &str, status: Value) -> Value {
        json!({ "apiVersion": API_VERSION, "kind": kind, "metadata": { "name": name }, "spec": { "nodeID": "lab-1" },
            "status": status })
    }

    fn node(name: &str) -> Value {
        let yes = json!({ "status": "True", "message": "" });
        resource(
            "Node",
            name,
            json!({
                "conditions": { "Ready": yes, "MountPropagation": yes, "Schedulable": yes },
                "diskStatus": { "disk-1": { "conditions": { "Ready": yes, "Schedulable": yes } } },
            }),
        )
    }

    /// A whole and healthy Longhorn on so many nodes.
    fn healthy(count: u64) -> (LonghornFacts, Vec<Value>) {
        let mut workloads = vec![
            set("longhorn-manager", count, count),
            set("longhorn-csi-plugin", count, count),
            deployment("longhorn-driver-deployer", 3),
        ];
        workloads.extend(SIDECARS.map(|name| deployment(name, 3)));
        let mut resources = vec![resource("EngineImage", "ei-1", json!({ "state": "deployed" }))];
        resources.extend((1..=count).map(|number| node(&format!("lab-{number}"))));
        let manager =
            |number| resource("InstanceManager", &format!("im-{number}"), json!({ "currentState": "running" }));
        resources.extend((0..2 * count).map(manager));
        let csi_nodes = (1..=count).map(|number| {
            json!({ "kind": "CSINode", "metadata": { "name": format!("lab-{number}") }, "spec": { "drivers": [{ "name": DRIVER }] } })
        });
        let driver = json!({ "kind": "CSIDriver", "metadata": { "name": DRIVER } });
        let class = json!({ "kind": "StorageClass", "metadata": { "name": CLASS }, "provisioner": DRIVER });
        let csi_nodes = csi_nodes.collect();
        (LonghornFacts { workloads, resources, csi_nodes, driver: Some(driver), ..Default::default() }, vec![class])
    }

    #[test]
    fn a_healthy_longhorn_breaks_no_link() {
        for count in [1, 3] {
            let (facts, classes) = healthy(count);
            assert_eq!(broken(&facts, &classes), None);
        }
    }

    #[test]
    fn the_first_broken_link_is_told_in_words_that_name_the_node() {
        let (facts, classes) = healthy(3);
        let says = |change: &dyn Fn(&mut LonghornFacts)| {
            let mut facts = facts.clone();
            change(&mut facts);
            broken(&facts, &classes).unwrap()
        };
        let told = says(&|facts| facts.workloads[0]["status"]["numberReady"] = 2.into());
        assert_eq!(told, (Link::Manager, "longhorn-manager is ready on 2 of 3 nodes".into()));
        let full = json!({ "status": "False", "message": "the disk is full" });
        let told = says(&|facts| {
            facts.resources[2]["status"]["diskStatus"]["disk-1"]["conditions"]["Schedulable"] = full.clone()
        });
        assert_eq!(told, (Link::Nodes, "disk disk-1 of node lab-2 is not Schedulable: the disk is full".into()));
        let told = says(&|facts| facts.resources[3]["status"] = json!({}));
        assert_eq!(told.1, "node lab-3 has not reported Ready yet");
        let told = says(&|facts| drop(facts.resources.remove(3)));
        assert_eq!(told.1, "2 of 3 nodes have registered with Longhorn");
        let told = says(&|facts| facts.resources[0]["status"]["state"] = "deploying".into());
        assert_eq!(told, (Link::EngineImage, "engine image ei-1 is deploying".into()));
        let told = says(&|facts| facts.resources[4]["status"]["currentState"] = "starting".into());
        assert_eq!(told.1, "5 of 6 instance managers run; im-0 on lab-1 is starting");
        let told = says(&|facts| {
            (4..10).for_each(|one| facts.resources[one]["status"]["currentState"] = "starting".into());
        });
        assert!(
            told.1.starts_with("0 of 6 instance managers run; im-0") && told.1.ends_with("im-2 on lab-1 is starting")
        );
        let told = says(&|facts| facts.csi_nodes[2]["spec"] = json!({ "drivers": null }));
        assert_eq!(told, (Link::Registered, "the driver is registered on 2 of 3 nodes, not on lab-3".into()));
        let told = says(&|facts| facts.driver = None);
        assert_eq!(told.0, Link::Class);
    }

    #[test]
    fn a_node_that_is_not_meant_to_store_needs_no_disk() {
        let mut node = node("lab-1");
        node["spec"]["allowScheduling"] = false.into();
        node["status"]["conditions"]["Schedulable"] = json!({ "status": "False" });
        node["status"]["diskStatus"] = json!({});
        let manager = set("longhorn-manager", 1, 1);
        assert_eq!(Link::Nodes.judge(&[&node, &manager]), Ok("1 node takes volumes".into()));
    }

    #[test]
    fn nothing_holds_of_what_is_not_there_or_was_not_looked_at_yet() {
        for link in Link::ALL {
            assert!(link.judge(&[]).is_err(), "{link:?}");
        }
        let mut old = set("longhorn-manager", 1, 1);
        old["metadata"]["generation"] = 2.into();
        assert_eq!(Link::Manager.judge(&[&old]), Err("longhorn-manager was not rolled out yet".into()));
    }
}
