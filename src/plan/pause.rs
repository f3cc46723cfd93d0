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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::host::{Microk8s, User};
    use crate::provider;

    fn paused<T>(name: &str, use_it: impl FnOnce(&Paused) -> T) -> T {
        let microk8s = Microk8s { version: "v1.24.17".into(), ..Microk8s::default() };
        let user = User { is_root: true, ..User::default() };
        let host = HostFacts { microk8s: Some(microk8s), user, ..HostFacts::default() };
        let provider = provider::named(name).unwrap();
        use_it(&Paused { lab: "two-pod", namespace: "iris-lab", replicas: 2, provider, host: &host })
    }

    fn steps(plan: &Plan) -> Vec<(&str, Vec<&str>)> {
        plan.steps.iter().map(|step| (step.id.as_str(), step.needs.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn iris_ends_before_its_cluster_and_begins_after_it() {
        let stop = paused("microk8s", |paused| paused.stop().unwrap());
        assert_eq!(steps(&stop), [("iris", vec![]), ("microk8s-stop", vec!["iris"])]);
        assert!(matches!(stop.steps[0].action, Action::Scale { replicas: 0, .. }) && !stop.goes_on());
        let start = paused("microk8s", |paused| paused.start().unwrap());
        assert_eq!(
            steps(&start),
            [
                ("microk8s-runs", vec![]),
                ("kubeconfig", vec!["microk8s-runs"]),
                ("cluster", vec!["kubeconfig"]),
                ("iris", vec!["cluster"]),
                ("ready", vec!["iris"]),
            ]
        );
        assert!(matches!(start.steps[3].action, Action::Scale { replicas: 2, .. }));
    }

    #[test]
    fn where_nothing_can_be_stopped_the_failure_says_why() {
        for (name, why) in [("existing", "not ours"), ("sim", "cannot be stopped")] {
            let failure = paused(name, |paused| paused.stop().unwrap_err());
            assert!(failure.message.contains(why) && !failure.hints.is_empty(), "{failure:?}");
            assert_eq!(paused(name, |paused| paused.start().unwrap_err()).message, failure.message);
        }
    }
}
