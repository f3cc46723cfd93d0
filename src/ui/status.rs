//! The state of a lab as one screen.

use super::look::{Look, Mark};
use super::table::{Table, fields, wrap};
use crate::model::status::{ClassStatus, LabState, Status};

/// Columns from which the names of the volumes are shown too: they are long.
const WIDE: usize = 110;

/// The whole state for people: one screen of 80 by 24 for a lab of two pods.
pub fn status_text(status: &Status, look: &Look) -> String {
    let mut text = format!("{}\n", head(status, look));
    for problem in &status.problems {
        let mark = if matches!(status.state, LabState::Down | LabState::Stopped) { Mark::Same } else { Mark::Bad };
        let line = wrap(problem, look.width.saturating_sub(2), 2);
        text += &format!("{} {}", look.mark(mark), line.trim_start());
    }
    if status.problems.iter().any(|problem| problem.contains("`kubectl ")) {
        text += &look.dim("kubectl needs: export KUBECONFIG=\"$(iris-lab kubeconfig)\"\n");
    }
    if matches!(status.state, LabState::Unreachable | LabState::Stopped) {
        return text + &notes(status, look);
    }
    if !status.problems.is_empty() {
        text.push('\n');
    }
    text += &facts(status);
    let sections = [nodes(status), pods(status), volumes(status, look)];
    sections.iter().filter(|section| !section.is_empty()).for_each(|section| text += &format!("\n{section}"));
    text + &notes(status, look)
}

fn notes(status: &Status, look: &Look) -> String {
    let notes = status.notes.iter().map(|note| wrap(&format!("Note: {note}"), look.width, 0));
    if status.notes.is_empty() { String::new() } else { format!("\n{}", notes.collect::<String>()) }
}

fn head(status: &Status, look: &Look) -> String {
    let lab = &status.lab;
    let (mark, text) = match status.state {
        LabState::Healthy => (Mark::Good, format!("Lab {lab} is healthy")),
        LabState::Unhealthy if status.problems.len() == 1 => (Mark::Bad, format!("Lab {lab} has a problem")),
        LabState::Unhealthy => (Mark::Bad, format!("Lab {lab} has {} problems", status.problems.len())),
        LabState::Down => (Mark::Same, format!("Lab {lab} is down")),
        LabState::Stopped => (Mark::Same, format!("Lab {lab} is stopped")),
        LabState::Absent => (Mark::Bad, format!("Lab {lab} is not there")),
        LabState::Unreachable => (Mark::Bad, format!("Lab {lab} cannot be reached")),
    };
    let simulated = if status.simulated { ", simulated: nothing real was made" } else { "" };
    format!("{} {}{}", look.mark(mark), look.bold(&text), look.yellow(simulated))
}

fn facts(status: &Status) -> String {
    let mut rows = vec![
        ("Cluster", format!("{}, {}, Kubernetes {}", status.provider, status.server, status.version)),
        ("Storage", storage(&status.storage_classes)),
    ];
    rows.extend(status.longhorn.iter().map(|longhorn| ("Longhorn", longhorn.line())));
    for service in &status.services {
        let address = match service.addresses.is_empty() {
            true => "none yet".into(),
            false => service.addresses.join(", "),
        };
        // The portal's URL shows the address of its service already.
        if service.addresses.is_empty() || status.portal_urls.is_empty() {
            rows.push(("Address", format!("{address} for service {}", service.name)));
        }
    }
    for (number, url) in status.portal_urls.iter().enumerate() {
        rows.push((if number == 0 { "Portal" } else { "" }, url.clone()));
    }
    if matches!(status.state, LabState::Healthy | LabState::Unhealthy) {
        rows.push(("Users", status.users.join(", ")));
        rows.extend(status.password_file.iter().map(|file| ("Password", format!("in {file}"))));
    }
    fields(&rows, 0)
}

/// The classes that the lab's volumes have; before there are volumes, the default one.
fn storage(classes: &[ClassStatus]) -> String {
    let used = classes.iter().any(|class| class.used);
    let shown: Vec<_> = classes
        .iter()
        .filter(|class| if used { class.used } else { class.default })
        .map(|class| {
            format!("{}{} by {}", class.name, if class.default { " (default)" } else { "" }, class.provisioner)
        })
        .collect();
    match (shown.is_empty(), classes.is_empty()) {
        (false, _) => shown.join(", "),
        (true, true) => "no storage class".into(),
        (true, false) => "no default storage class".into(),
    }
}

fn nodes(status: &Status) -> String {
    let mut table = Table::new(&["NODE", "STATUS", "ROLES", "VERSION"]);
    for node in &status.nodes {
        table.row([node.name.clone(), node.status.clone(), node.roles.join(","), node.version.clone()]);
    }
    if status.nodes.is_empty() { String::new() } else { table.text(0) }
}

fn pods(status: &Status) -> String {
    let mut table = Table::new(&["POD", "READY", "STATUS", "RESTARTS", "NODE", "IP"]);
    for pod in &status.pods {
        let (pod, restarts) = (pod.clone(), pod.restarts.to_string());
        table.row([pod.name, pod.containers, pod.status, restarts, pod.node, pod.ip]);
    }
    if status.pods.is_empty() { String::new() } else { table.text(0) }
}

fn volumes(status: &Status, look: &Look) -> String {
    let titles = ["CLAIM", "STATUS", "SIZE", "CLASS", "VOLUME"];
    let columns = if look.width >= WIDE { 5 } else { 4 };
    let mut table = Table::new(&titles[..columns]);
    for volume in &status.volumes {
        let volume = volume.clone();
        let state = match volume.robustness.filter(|robustness| robustness != "healthy") {
            Some(robustness) => format!("{}, {robustness}", volume.phase),
            None => volume.phase,
        };
        table.row([volume.claim, state, volume.size, volume.class, volume.volume].into_iter().take(columns));
    }
    if status.volumes.is_empty() { String::new() } else { table.text(0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Facts;
    use crate::model::status::LabIdentity;
    use serde_json::{Value, json};

    fn status(change: impl FnOnce(&mut Facts)) -> Status {
        let node = |number: u32| {
            json!({
                "metadata": {"name": format!("lab-{number}"), "labels": {"node-role.kubernetes.io/worker": ""}},
                "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.24.17"}},
            })
        };
        let pod = |number: u32| {
            json!({
                "metadata": {"name": format!("data-{number}")},
                "spec": {"nodeName": format!("lab-{}", number + 1), "containers": [{}]},
                "status": {
                    "phase": "Running", "podIP": format!("10.1.0.{}", number + 7),
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [{"ready": true, "restartCount": 0, "state": {"running": {}}}],
                },
            })
        };
        let claim = |name: &str| {
            json!({
                "metadata": {"name": name},
                "spec": {"storageClassName": "fast", "volumeName": "pvc-0f4c0b8e-6f0a-4d53-8d8e-0d9b3f6e1a55"},
                "status": {"phase": "Bound", "capacity": {"storage": "5Gi"}},
            })
        };
        let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
        let service = json!({
            "kind": "Service", "metadata": {"name": "iris-ext"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 52773}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.240"}]}},
        });
        let mut facts = Facts {
            reachable: true,
            server: "https://127.0.0.1:36443".into(),
            version: "v1.24.17".into(),
            nodes: [1, 2, 3].map(node).to_vec(),
            storage_classes: vec![
                json!({"metadata": {"name": "fast", "annotations": annotations}, "provisioner": "disk"}),
            ],
            objects: vec![json!({"kind": "StatefulSet", "metadata": {"name": "data"}}), service],
            pods: [0, 1].map(pod).to_vec(),
            claims: ["dbv-data-data-0", "dbv-data-data-1", "dbv-mgr-data-0", "dbv-mgr-data-1"].map(claim).to_vec(),
            ..Facts::default()
        };
        change(&mut facts);
        let identity = LabIdentity {
            lab: "two-pod".into(),
            namespace: "iris-lab".into(),
            provider: "sim".into(),
            simulated: true,
            replicas: 2,
            up: "iris-lab up".into(),
            password_file: Some("/home/user/.local/state/iris-lab/two-pod/password".into()),
            ..LabIdentity::default()
        };
        Status { users: vec!["SuperUser".into(), "_SYSTEM".into()], ..Status::of(&identity, &facts) }
    }

    #[test]
    fn a_healthy_lab_is_one_screen() {
        let text = status_text(&status(|_| ()), &Look::plain());
        assert_eq!(
            text,
            "\
✓ Lab two-pod is healthy, simulated: nothing real was made
Cluster   sim, https://127.0.0.1:36443, Kubernetes v1.24.17
Storage   fast (default) by disk
Portal    http://10.0.0.240:52773/csp/sys/UtilHome.csp
Users     SuperUser, _SYSTEM
Password  in /home/user/.local/state/iris-lab/two-pod/password

NODE    STATUS   ROLES    VERSION
lab-1   Ready    worker   v1.24.17
lab-2   Ready    worker   v1.24.17
lab-3   Ready    worker   v1.24.17

POD      READY   STATUS    RESTARTS   NODE    IP
data-0   1/1     Running   0          lab-1   10.1.0.7
data-1   1/1     Running   0          lab-2   10.1.0.8

CLAIM             STATUS   SIZE   CLASS
dbv-data-data-0   Bound    5Gi    fast
dbv-data-data-1   Bound    5Gi    fast
dbv-mgr-data-0    Bound    5Gi    fast
dbv-mgr-data-1    Bound    5Gi    fast

Note: the pods are independent databases, they share no data
"
        );
        assert!(text.lines().count() < 24 && text.lines().all(|line| line.chars().count() <= 80));
        let wide = status_text(&status(|_| ()), &Look { width: 120, ..Look::plain() });
        assert!(wide.contains("pvc-0f4c0b8e"));
    }

    #[test]
    fn problems_come_first_with_the_next_command() {
        let broken = status(|facts| {
            facts.objects[1]["status"] = Value::Null;
            facts.pods[1]["status"] = json!({"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient cpu."}]});
        });
        let text = status_text(&broken, &Look::plain());
        assert!(
            text.starts_with(
                "\
✗ Lab two-pod has 2 problems, simulated: nothing real was made
✗ pod data-1: it has no node: no node has enough free cpu: 0/3 nodes are
    available: 3 Insufficient cpu; ask for less with
    `iris-lab up --set spec.iris.resources.cpu=SIZE`, or see what fills the
    nodes with `kubectl describe nodes`
✗ service iris-ext: it has no address, nothing in the cluster has given it
    one; until then use
    `kubectl port-forward service/iris-ext 52773 -n iris-lab`
kubectl needs: export KUBECONFIG=\"$(iris-lab kubeconfig)\"
"
            ),
            "{text}"
        );
        assert!(text.contains("Address   none yet for service iris-ext\n"));
    }

    #[test]
    fn down_shows_the_volumes_that_are_kept() {
        let down = status(|facts| {
            facts.objects.clear();
            facts.pods.clear();
        });
        let text = status_text(&down, &Look::plain());
        assert!(text.starts_with("· Lab two-pod is down"));
        assert!(text.contains("`iris-lab up`") && text.contains("dbv-mgr-data-1"));
        assert!(!text.contains("POD"));
    }
}
