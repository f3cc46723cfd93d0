//! The plans of `stop` and `start`: IRIS first leaves its volumes in order, then the cluster stops; and back.

use crate::error::Result;
use crate::model::{Action, HostFacts, ObjectRef, Plan, Step, Verb, WaitFor};
use crate::provider::{CLUSTER, Provider, word};
use crate::workload;
use std::time::Duration;

const SCALE: &str = "iris";
const STOP_TIMEOUT: Duration = Duration::from_secs(8 * 60);
const SCALE_TIMEOUT: Duration = Duration::from_secs(60);
const READY_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The lab that is stopped or started.
pub struct Paused<'a> {
    /// Its name.
    pub lab: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Number of its pods while it is up.
    pub replicas: u32,
    /// Its provider.
    pub provider: &'a dyn Provider,
    /// This host.
    pub host: &'a HostFacts,
}

impl Paused<'_> {
    /// The plan of `stop`. A cluster that is taken away from under IRIS costs it a recovery, and leaves the node with volumes whose
    /// other end is gone: so its pods end first.
    pub fn stop(&self) -> Result<Plan> {
        let pods = self.scale(0, "Stop IRIS, and wait until its volumes are detached", STOP_TIMEOUT);
        let cluster = self.provider.stop(self.lab, self.host)?.after([SCALE]);
        Ok(self.plan(Verb::Stop, vec![pods, cluster]))
    }

    /// The plan of `start`.
    pub fn start(&self) -> Result<Plan> {
        let mut steps = self.provider.start(self.lab, self.host)?;
        steps.push(self.scale(self.replicas, "Start IRIS", SCALE_TIMEOUT).after([CLUSTER]));
        let target = WaitFor::Lab { namespace: self.namespace.into(), lab: self.lab.into() };
        let title = "Wait until its pods are Ready and its address is back";
        steps.push(Step::new("ready", title, READY_TIMEOUT, Action::Wait { target }).after([SCALE]));
        Ok(self.plan(Verb::Start, steps))
    }

    fn scale(&self, replicas: u32, title: &str, timeout: Duration) -> Step {
        let set = ObjectRef::new("apps/v1", "StatefulSet", Some(self.namespace), workload::STATEFUL_SET);
        Step::new(SCALE, title, timeout, Action::Scale { set, replicas })
    }

    fn plan(&self, verb: Verb, steps: Vec<Step>) -> Plan {
        let (provider, simulated) = (word(self.provider.name()).to_string(), self.provider.is_simulated());
        Plan { verb, lab: self.lab.into(), provider, simulated, steps }
    }
}
