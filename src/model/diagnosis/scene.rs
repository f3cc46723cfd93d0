//! What the judges look at: the facts of a lab, what stands on what in it, and the words for commands.

use crate::model::longhorn::DRIVER;
use crate::model::object::{list, name, text};
use crate::model::pod::time;
use crate::model::{Facts, LabIdentity};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt;

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The lab as a whole.
    Lab(String),
    /// The cluster as a whole.
    Cluster,
    /// The lab's namespace.
    Namespace(String),
    /// A node.
    Node(String),
    /// Longhorn as a whole.
    Longhorn,
    /// A claim.
    Claim(String),
    /// A pod.
    Pod(String),
    /// A Service.
    Service(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Lab(name) => write!(f, "lab {name}"),
            Subject::Cluster => f.write_str("the cluster"),
            Subject::Namespace(name) => write!(f, "namespace {name}"),
            Subject::Node(name) => write!(f, "node {name}"),
            Subject::Longhorn => f.write_str("Longhorn"),
            Subject::Claim(name) => write!(f, "claim {name}"),
            Subject::Pod(name) => write!(f, "pod {name}"),
            Subject::Service(name) => write!(f, "service {name}"),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is judged.
pub(super) struct Scene<'a> {
    pub identity: &'a LabIdentity,
    pub facts: &'a Facts,
}

impl<'a> Scene<'a> {
    /// What something stands on: what is wrong there is why it does not work itself.
    pub fn stands_on(&self, subject: &Subject) -> Vec<Subject> {
        let mut ground = match subject {
            Subject::Lab(_) | Subject::Service(_) => Vec::new(),
            Subject::Cluster | Subject::Namespace(_) | Subject::Node(_) => return Vec::new(),
            Subject::Longhorn => return self.under_longhorn(),
            Subject::Claim(claim) => self.under_claim(claim),
            Subject::Pod(pod) => self.under_pod(pod),
        };
        ground.insert(0, Subject::Namespace(self.identity.namespace.clone()));
        ground
    }

    /// It has a part on every node.
    fn under_longhorn(&self) -> Vec<Subject> {
        let nodes = self.facts.nodes.iter().map(|node| Subject::Node(name(node).into()));
        std::iter::once(Subject::Cluster).chain(nodes).collect()
    }

    fn under_pod(&self, pod: &str) -> Vec<Subject> {
        let Some(pod) = self.facts.pods.iter().find(|one| name(one) == pod) else { return Vec::new() };
        let node = Some(text(pod, "/spec/nodeName")).filter(|node| !node.is_empty());
        let node = node.map(|node| Subject::Node(node.into()));
        let claims = list(pod, "/spec/volumes").map(|volume| text(volume, "/persistentVolumeClaim/claimName"));
        let claims = claims.filter(|claim| !claim.is_empty()).map(|claim| Subject::Claim(claim.into()));
        let claims: Vec<Subject> = claims.collect();
        let deeper: Vec<Subject> = claims.iter().flat_map(|claim| self.stands_on(claim)).collect();
        std::iter::once(Subject::Cluster).chain(node).chain(claims).chain(deeper).collect()
    }

    fn under_claim(&self, claim: &str) -> Vec<Subject> {
        let Some(claim) = self.facts.claims.iter().find(|one| name(one) == claim) else { return Vec::new() };
        let class = self.facts.storage_classes.iter().find(|one| name(one) == text(claim, "/spec/storageClassName"));
        if class.is_none_or(|class| text(class, "/provisioner") != DRIVER) {
            return Vec::new();
        }
        let volume = text(claim, "/spec/volumeName");
        let copies = self.facts.longhorn.iter().flat_map(|seen| &seen.resources).filter(|one| {
            text(one, "/kind") == "Replica" && !volume.is_empty() && text(one, "/spec/volumeName") == volume
        });
        let nodes = copies.map(|copy| Subject::Node(text(copy, "/spec/nodeID").into()));
        std::iter::once(Subject::Longhorn).chain(nodes).chain(self.under_longhorn()).collect()
    }

    /// The newest warning about an object of a kind that `telling` takes.
    pub fn warning(&self, kind: &str, object: &str, telling: impl Fn(&Value) -> bool) -> Option<&'a Value> {
        let about = |event: &&Value| {
            let of = &event["involvedObject"];
            of["kind"] == kind && of["name"] == object && telling(event)
        };
        self.facts.warnings.iter().filter(about).max_by_key(|event| time(event))
    }

    /// The command that brings the lab up with another value of a flag, in backquotes.
    pub fn up_with(&self, flag: &str, value: &str) -> String {
        format!("`{} {flag} {value}`", without(&self.identity.up, flag))
    }

    /// The command that brings the lab up again, in backquotes.
    pub fn up(&self) -> String {
        format!("`{}`", self.identity.up)
    }

    /// A command of this program on this lab, in backquotes.
    pub fn iris_lab(&self, command: &str) -> String {
        format!("`iris-lab {command}{}`", self.identity.select)
    }

    /// A command of kubectl in the lab's namespace, in backquotes.
    pub fn kubectl(&self, command: &str) -> String {
        format!("`kubectl {command} -n {}`", self.identity.namespace)
    }

    /// The command that shows an object, after the word for looking at it.
    pub fn describe(&self, kind: &str, name: &str) -> String {
        format!("see {}", self.kubectl(&format!("describe {kind} {name}")))
    }
}

/// A command line without a flag and its value: it must not stand there twice.
fn without(command: &str, flag: &str) -> String {
    let flag = format!(" {flag} ");
    let Some((before, rest)) = command.split_once(&flag) else { return command.into() };
    match rest.find(" --") {
        Some(end) => format!("{before}{}", &rest[end..]),
        None => before.into(),
    }
}

/// Where an event stands.
pub(super) fn event_of(event: &Value) -> String {
    let kind = text(event, "/involvedObject/kind").to_lowercase();
    let kind = if kind == "persistentvolumeclaim" { "claim".to_string() } else { kind };
    format!("event {} of {kind} {}", text(event, "/reason"), text(event, "/involvedObject/name"))
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_flag_does_not_stand_there_twice() {
        let up = "iris-lab up my.yaml --name a --image 'x y' --storage 5Gi";
        assert_eq!(without(up, "--image"), "iris-lab up my.yaml --name a --storage 5Gi");
        assert_eq!(without("iris-lab up --image x", "--image"), "iris-lab up");
        assert_eq!(without("iris-lab up", "--image"), "iris-lab up");
    }
}
