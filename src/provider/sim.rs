//! The provider `sim`: the embedded cluster. It rehearses a lab; nothing real is made.

use super::{CLUSTER, Provider, Undo, Wishes};
use crate::error::{Failure, Result};
use crate::lab::{AddOnName, Lab, ProviderName};
use crate::model::object::is_ready;
use crate::model::{Action, Facts, Step, WaitFor};
use serde_json::{Value, json};
use std::time::Duration;

/// Kubernetes version of the embedded cluster when the lab names none: the newest that Longhorn 1.2 runs on.
pub const DEFAULT_KUBERNETES: &str = "1.24.17";

/// Starts the embedded cluster as a background process.
pub struct Sim;

impl Provider for Sim {
    fn name(&self) -> ProviderName {
        ProviderName::Sim
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn no_stop(&self) -> Failure {
        Failure::requirement("the simulated cluster cannot be stopped and kept")
            .cause("nothing real is made: all of it lives in the memory of one process")
            .hint("`iris-lab down` removes the lab's pods, `iris-lab reset` ends the cluster")
    }

    fn kubernetes(&self, _: &Lab, wishes: &Wishes) -> String {
        wishes.sim.kubernetes.clone()
    }

    fn nodes(&self, _: &Lab, wishes: &Wishes) -> Vec<Value> {
        let node = |name: String| json!({ "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } } });
        (1..=wishes.sim.nodes).map(|number| node(format!("lab-{number}"))).collect()
    }

    /// Names are answered by nobody there, and an image registry has nothing to serve.
    fn add_on(&self, add_on: AddOnName, _: &Lab, _: &Facts, _: &Wishes) -> Option<Result<Vec<Step>>> {
        matches!(add_on, AddOnName::Dns | AddOnName::Registry).then(|| Ok(Vec::new()))
    }

    fn steps(&self, _: &Lab, facts: &Facts, wishes: &Wishes) -> Result<Vec<Step>> {
        let count = wishes.sim.nodes;
        let plural = if count == 1 { "" } else { "s" };
        let start = Step::new(
            "simulator",
            format!("Start the simulated cluster with {count} node{plural}"),
            Duration::from_secs(30),
            Action::StartSim(wishes.sim.clone()),
        );
        let nodes = Step::new(
            CLUSTER,
            "Wait until its nodes are Ready",
            Duration::from_secs(120),
            Action::Wait { target: WaitFor::NodesReady { count } },
        );
        let runs = facts.reachable.then(|| "it runs already".to_string());
        let ready = facts.nodes.iter().filter(|node| is_ready(node)).count();
        let all_ready = ready == facts.nodes.len() && ready >= count as usize;
        let ready = all_ready.then(|| "they are Ready".to_string());
        Ok(vec![start.satisfied_by(runs), nodes.after(["simulator"]).satisfied_by(ready)])
    }

    /// The simulated cluster takes whatever is left in it along.
    fn removal(&self, _: &Undo) -> Result<Vec<Step>> {
        Ok(vec![Step::new("simulator", "End the simulated cluster", Duration::from_secs(60), Action::StopSim)])
    }
}
