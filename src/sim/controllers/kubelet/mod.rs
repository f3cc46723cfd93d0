//! The kubelets: what happens to a pod on its node, from the first pull of its image to its end.

mod at;
mod config;
mod container;
mod image;
mod logs;
mod probe;
mod program;
mod status;
mod stop;

use super::nodes::is_dead;
use super::object::{core, is_deleting, items, name, text};
use super::pods::{is_finished, qos_class};
use super::world::World;
use at::At;
pub use image::is_iris;
pub use logs::{container_log, log_begin, messages};
use serde_json::{Value, json};

/// Lets every kubelet that lives look at its pods.
pub fn sync(world: &World) {
    let nodes = world.all(&core("nodes"));
    for pod in world.all(&core("pods")) {
        let home = text(&pod, "/spec/nodeName");
        let Some(node) = nodes.iter().find(|node| name(node) == home) else { continue };
        if is_dead(world, node) {
            continue;
        }
        let at = At { world, node, pod: &pod };
        if is_deleting(&pod) {
            stop::stop(&at);
        } else if !is_finished(&pod) {
            at.run();
        }
    }
}

impl At<'_> {
    /// Takes the pod as far as it comes now.
    fn run(&self) {
        let mut status = self.pod["status"].clone();
        let now = self.world.store.now();
        if status["startTime"].is_null() {
            status["startTime"] = json!(now);
            status["hostIP"] = json!(host_address(self.node));
        }
        if status["qosClass"].is_null() {
            status["qosClass"] = json!(qos_class(self.pod));
        }
        if config::volumes_are_mounted(self) {
            if status["podIP"].is_null() {
                let address = self.address();
                status["podIP"] = json!(address);
                status["podIPs"] = json!([{"ip": address}]);
            }
            self.advance(&mut status);
        } else {
            self.wait(&mut status);
        }
        status::conclude(self.pod, &mut status, &now);
        let notes = logs::notes(self);
        if status == self.pod["status"] && notes.is_empty() {
            return;
        }
        self.world.change(&core("pods"), self.pod, |pod| {
            // Somebody else was faster: the next round looks at what it is now.
            if pod["metadata"]["resourceVersion"] != self.pod["metadata"]["resourceVersion"] {
                return;
            }
            pod["status"] = status;
            for (annotation, lines) in notes {
                pod["metadata"]["annotations"][annotation] = json!(lines);
            }
        });
    }

    /// Init containers one after the other, then all containers together.
    fn advance(&self, status: &mut Value) {
        let mut ready = true;
        let mut states = Vec::new();
        for spec in items(self.pod, "/spec/initContainers") {
            let before = container::find(status, "initContainerStatuses", spec, true);
            let after = if ready { container::advance(self, spec, before, true) } else { before };
            ready = ready && after["state"]["terminated"]["exitCode"] == 0;
            states.push(after);
        }
        if !states.is_empty() {
            status["initContainerStatuses"] = Value::Array(states);
        }
        let initializing = !items(self.pod, "/spec/initContainers").is_empty();
        let one = |spec: &Value| {
            let before = container::find(status, "containerStatuses", spec, initializing);
            if ready { container::advance(self, spec, before, false) } else { before }
        };
        status["containerStatuses"] = items(self.pod, "/spec/containers").iter().map(one).collect();
    }

    /// Every container waits for something that the pod needs as a whole.
    fn wait(&self, status: &mut Value) {
        let initializing = !items(self.pod, "/spec/initContainers").is_empty();
        for (field, specs) in
            [("initContainerStatuses", "/spec/initContainers"), ("containerStatuses", "/spec/containers")]
        {
            let states: Vec<Value> =
                items(self.pod, specs).iter().map(|spec| container::find(status, field, spec, initializing)).collect();
            if !states.is_empty() {
                status[field] = Value::Array(states);
            }
        }
    }

    /// The next free address of the node's range.
    fn address(&self) -> String {
        if self.pod["spec"]["hostNetwork"] == true {
            return host_address(self.node).to_owned();
        }
        let pods = self.world.all(&core("pods"));
        let taken: Vec<&str> = pods.iter().map(|pod| text(pod, "/status/podIP")).collect();
        let number: String = name(self.node).chars().rev().take_while(char::is_ascii_digit).collect();
        let number: String = number.chars().rev().collect();
        let number = number.parse::<u32>().unwrap_or(254) % 255;
        let free =
            (2..=254).map(|host| format!("10.1.{number}.{host}")).find(|address| !taken.contains(&address.as_str()));
        free.unwrap_or_else(|| format!("10.1.{number}.255"))
    }
}

/// The address of a node.
fn host_address(node: &Value) -> &str {
    let internal = items(node, "/status/addresses").iter().find(|one| one["type"] == "InternalIP");
    internal.map_or("", |one| text(one, "/address"))
}
