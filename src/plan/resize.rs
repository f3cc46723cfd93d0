//! The plan of `resize`: the volumes grow, detached first where they have to be, the StatefulSet follows, and the pods see it.

use super::kept::{self, is_of, requested};
use super::up::{apply, count_of, pod_step, record};
use crate::addon::{self, PODS, RECORDED};
use crate::error::{Failure, Result};
use crate::lab::Lab;
use crate::lab::image::{Edition, Image};
use crate::model::object::{condition, labelled};
use crate::model::{Action, Facts, ObjectRef, Plan, Quantity, Step, Verb};
use crate::provider::{Provider, word};
use crate::workload::{self, volumes};
use serde_json::Value;
use std::time::Duration;

const STOP: &str = "stop";
const GROW: &str = "grow";
const STOP_TIMEOUT: Duration = Duration::from_secs(8 * 60);
const GROW_TIMEOUT: Duration = Duration::from_secs(10 * 60);
const REPLACE_TIMEOUT: Duration = Duration::from_secs(60);
const MEASURE_TIMEOUT: Duration = Duration::from_secs(3 * 60);
/// Data that a Community Edition holds.
const COMMUNITY_DATA: &str = "10Gi";

/// Which volumes shall have which size.
pub struct Resize<'a> {
    /// The lab as it was brought up.
    pub lab: &'a Lab,
    /// Its provider.
    pub provider: &'a dyn Provider,
    /// What was seen of it.
    pub facts: &'a Facts,
    /// The hash of its password.
    pub password_hash: &'a str,
    /// Names of the claim templates whose volumes grow.
    pub templates: &'a [&'a str],
    /// The size, as the API server writes it.
    pub size: &'a str,
}

impl Resize<'_> {
    /// The claims whose volumes shall have the size, those without a pod too: a pod that comes back finds them.
    pub fn claims(&self) -> Vec<&Value> {
        let wanted = |claim: &&Value| self.templates.iter().any(|template| is_of(claim, template));
        self.facts.claims.iter().filter(wanted).collect()
    }

    /// Those among them whose volumes are smaller.
    fn smaller(&self) -> Vec<&Value> {
        self.claims().into_iter().filter(|claim| !self.is_grown(claim)).collect()
    }

    /// Whether a claim's volume has the size; its file system may only follow when it is mounted.
    fn is_grown(&self, claim: &Value) -> bool {
        let has = claim.pointer("/status/capacity/storage").and_then(Quantity::of) >= Quantity::parse(self.size);
        let asked = requested(claim).and_then(Quantity::parse) >= Quantity::parse(self.size);
        let follows = condition(claim, "FileSystemResizePending").is_some_and(|pending| pending["status"] == "True");
        asked && (has || follows)
    }

    /// The class of a claim.
    fn class(&self, claim: &Value) -> Option<&Value> {
        let name = &claim["spec"]["storageClassName"];
        self.facts.storage_classes.iter().find(|class| class["metadata"]["name"] == *name)
    }

    /// Whether there are pods, or something that makes them.
    pub fn is_up(&self) -> bool {
        !self.facts.pods.is_empty() || self.facts.find(&kept::set(self.lab)).is_some()
    }

    /// Whether the pods have to stop.
    pub fn stops_pods(&self) -> bool {
        let detached = |claim: &&Value| {
            self.class(claim).and_then(|class| class["provisioner"].as_str()).is_some_and(volumes::grow_detached)
        };
        self.is_up() && self.smaller().iter().any(detached)
    }

    /// Why it cannot be done, if it cannot.
    pub fn refusal(&self) -> Option<Failure> {
        let claims = self.claims();
        if claims.is_empty() {
            let failure = Failure::requirement(format!("the lab {} has no volumes yet", self.lab.metadata.name));
            return Some(failure.hint(format!("bring it up with `iris-lab up --storage {}`", self.size)));
        }
        let larger: Vec<String> = claims
            .iter()
            .filter_map(|claim| Some((claim, requested(claim)?)))
            .filter(|(_, size)| Quantity::parse(size) > Quantity::parse(self.size))
            .map(|(claim, size)| format!("{} has {size}, and {} is asked for", ObjectRef::of(claim).name, self.size))
            .collect();
        if !larger.is_empty() {
            let mut failure = Failure::usage("a volume cannot become smaller");
            failure.causes = larger;
            return Some(failure.hint(format!(
                "to begin anew with less, give the data up: `iris-lab down --delete-data`, then `iris-lab up --storage {}`",
                self.size
            )));
        }
        self.smaller().into_iter().find_map(|claim| self.cannot_grow(claim))
    }

    fn cannot_grow(&self, claim: &Value) -> Option<Failure> {
        let name = ObjectRef::of(claim).name;
        let failure = Failure::requirement("the volumes cannot grow; nothing was changed");
        if claim["metadata"]["deletionTimestamp"].is_string() {
            return Some(failure.cause(format!("{name} is being deleted")).hint("wait until it is gone"));
        }
        if claim["status"]["phase"] != "Bound" {
            return Some(failure.cause(format!("{name} has no volume yet")).hint("see why with `iris-lab status`"));
        }
        let class_name = claim["spec"]["storageClassName"].as_str().unwrap_or_default();
        let elsewhere = format!(
            "take another class, which gives the data up: `iris-lab down --delete-data`, then `iris-lab up --longhorn` or \
             `iris-lab up --storage-class NAME --storage {}`",
            self.size
        );
        let Some(class) = self.class(claim) else {
            let cause = match class_name {
                "" => format!("{name} has no storage class: its volume was made by hand"),
                class => format!("the storage class {class} of {name} is not there any more"),
            };
            return Some(failure.cause(cause).hint(elsewhere));
        };
        if class["allowVolumeExpansion"] == true {
            return None;
        }
        let failure =
            failure.cause(format!("the storage class {class_name} does not allow it: allowVolumeExpansion is not set"));
        let provisioner = class["provisioner"].as_str().unwrap_or_default();
        Some(match volumes::ignores_fs_group(provisioner) {
            Some(what) => failure
                .cause(format!("its volumes are {what}: they have no size of their own, and take what the disk has"))
                .hint("to have more room, free it on the disk of the node")
                .hint(elsewhere),
            None => failure
                .hint(format!(
                    "if its driver {provisioner} can, allow it: \
                     `kubectl patch storageclass {class_name} -p '{{\"allowVolumeExpansion\":true}}'`"
                ))
                .hint(elsewhere),
        })
    }

    /// What is worth knowing before.
    pub fn warning(&self) -> Option<String> {
        let community = Image::parse(&self.lab.spec.iris.image).is_ok_and(|image| image.edition == Edition::Community);
        let beyond = Quantity::parse(self.size) > Quantity::parse(COMMUNITY_DATA);
        let data = self.templates.contains(&workload::CLAIM_TEMPLATES[1]);
        (community && beyond && data)
            .then(|| "Community Edition holds 10 GB of data at most: more room than that stays empty".into())
    }

    /// The lab as it will be.
    fn resized(&self) -> Lab {
        let mut lab = self.lab.clone();
        let storage = &mut lab.spec.iris.storage;
        for (template, size) in workload::CLAIM_TEMPLATES.into_iter().zip([&mut storage.mgr, &mut storage.data]) {
            if self.templates.contains(&template) && Quantity::parse(size) != Quantity::parse(self.size) {
                *size = self.size.into();
            }
        }
        lab
    }

    /// The steps. Those that the facts already satisfy are marked so.
    pub fn plan(&self) -> Result<Plan> {
        let (lab, facts, namespace) = (&self.resized(), self.facts, self.lab.spec.iris.namespace.as_str());
        let claims: Vec<ObjectRef> = self.claims().into_iter().map(ObjectRef::of).collect();
        let have = || self.smaller().is_empty().then(|| format!("they have {}", self.size));
        let (up, stops) = (self.is_up(), self.stops_pods());
        let mut steps = Vec::new();
        if stops {
            let action = Action::Scale { set: kept::set(lab), replicas: 0 };
            let title = "Stop IRIS, and wait until its volumes are detached";
            steps.push(Step::new(STOP, title, STOP_TIMEOUT, action));
        }
        let title = format!("Grow {} to {}", count_of(u32::try_from(claims.len()).unwrap_or(0), "volume"), self.size);
        let grow = Action::Grow { claims: claims.clone(), size: self.size.into() };
        let stopped: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
        steps.push(Step::new(GROW, title, GROW_TIMEOUT, grow).after(stopped).satisfied_by(have()));
        let record = labelled(vec![record(lab, self.provider, self.password_hash)?], &lab.metadata.name);
        steps.push(apply(RECORDED, "Write the size down in the cluster", record, facts).after([GROW]));
        if up {
            steps.extend(self.pods(lab, stops));
            steps.push(self.measure(lab, namespace, &claims, &steps));
        }
        Ok(Plan {
            verb: Verb::Resize,
            lab: lab.metadata.name.clone(),
            namespace: None,
            provider: word(self.provider.name()).into(),
            simulated: self.provider.is_simulated(),
            steps,
        })
    }

    /// The StatefulSet with its new templates, and a wait for each pod.
    fn pods(&self, lab: &Lab, stops: bool) -> Vec<Step> {
        let class = addon::class_for(lab, &self.facts.storage_classes);
        let provisioner = class.and_then(|class| class["provisioner"].as_str());
        let objects = workload::objects(lab, provisioner, self.password_hash).into_iter();
        let mut steps: Vec<Step> = objects
            .filter(|object| object["kind"] == "StatefulSet")
            .map(|object| {
                let current = !stops && self.facts.show(std::slice::from_ref(&object));
                Step::new(PODS, "Give the StatefulSet the size", REPLACE_TIMEOUT, Action::Replace { object })
                    .after([GROW, RECORDED])
                    .satisfied_by(current.then(|| "it has it".into()))
            })
            .collect();
        let current = steps.iter().all(|step| step.satisfied.is_some());
        steps.extend((0..lab.spec.iris.replicas).map(|index| pod_step(lab, index, self.facts, current)));
        steps
    }

    /// Only a pod can tell whether its file systems have followed.
    fn measure(&self, lab: &Lab, namespace: &str, claims: &[ObjectRef], before: &[Step]) -> Step {
        let mounts = workload::CLAIM_TEMPLATES.into_iter().zip(workload::MOUNTS);
        let paths = mounts.filter(|(template, _)| self.templates.contains(template)).map(|(_, path)| path.to_string());
        let names = workload::pods(lab);
        let used = |claim: &&ObjectRef| names.iter().any(|pod| claim.name.ends_with(&format!("-{pod}")));
        let action = Action::Measure {
            pods: names.iter().map(|name| ObjectRef::new("v1", "Pod", Some(namespace), name)).collect(),
            paths: paths.collect(),
            claims: claims.iter().filter(used).cloned().collect(),
            size: self.size.into(),
        };
        let done = before.iter().all(|step| step.satisfied.is_some());
        let whole = done && self.claims().iter().all(|claim| condition(claim, "FileSystemResizePending").is_none());
        let needs = before.iter().filter(|step| matches!(step.action, Action::Wait { .. }));
        let needs: Vec<String> = needs.map(|step| step.id.clone()).collect();
        Step::new("size", "Look whether the pods see it", MEASURE_TIMEOUT, action)
            .after(needs)
            .satisfied_by(whole.then(|| "nothing has changed".into()))
    }
}

#[cfg(test)]
#[path = "resize_tests.rs"]
mod tests;
