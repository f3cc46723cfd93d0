//! What shall go wrong in the embedded cluster, as data: read once, at its start, from a small YAML file.

use crate::error::{Failure, Result};
use crate::yaml;
use serde::Deserialize;
use std::path::Path;

/// Everything that shall go wrong.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// Images that cannot be pulled.
    pub pull: Vec<Pull>,
    /// Containers that end by themselves.
    pub crash: Vec<Crash>,
    /// What containers have printed that go on all the same.
    pub print: Vec<Print>,
    /// Pods that fit on no node.
    pub unschedulable: Vec<PodFault>,
    /// Nodes whose kubelet has stopped.
    pub nodes: Vec<NodeFault>,
    /// Claims that never get a volume.
    pub unbound: Vec<ClaimFault>,
    /// Pods whose readiness probe fails.
    pub unready: Vec<PodFault>,
    /// What goes wrong with Longhorn.
    pub longhorn: LonghornFaults,
    /// What the API server does to its clients.
    pub api: ApiFaults,
}

/// An image that cannot be pulled.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pull {
    /// Pattern of the image reference; `*` stands for any text.
    pub image: String,
    /// The waiting reason of the container.
    #[serde(default = "err_image_pull")]
    pub reason: String,
    /// What the registry said.
    #[serde(default)]
    pub message: String,
}

/// A pod whose containers end by themselves.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Crash {
    /// Pattern of the pod's name.
    pub pod: String,
    /// Exit code.
    #[serde(default = "one")]
    pub exit_code: i64,
    /// Why, in the kubelet's word, such as `OOMKilled`.
    #[serde(default = "error")]
    pub reason: String,
    /// Last lines of the container's log.
    #[serde(default)]
    pub log: String,
    /// How many times each container ends; 0 means always.
    #[serde(default)]
    pub times: i64,
}

/// A pod whose containers print something.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Print {
    /// Pattern of the pod's name.
    pub pod: String,
    /// The lines.
    pub log: String,
}

/// A pod and what is said about it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodFault {
    /// Pattern of the pod's name.
    pub pod: String,
    /// What users read.
    #[serde(default)]
    pub message: String,
}

/// A node whose kubelet may have stopped.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeFault {
    /// Pattern of the node's name.
    pub name: String,
    /// Whether its kubelet has stopped.
    #[serde(default)]
    pub dead: bool,
}

/// A claim that never gets a volume.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimFault {
    /// Pattern of the claim's name.
    pub claim: String,
    /// What the provisioner says.
    #[serde(default)]
    pub message: String,
}

/// What goes wrong with Longhorn.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LonghornFaults {
    /// Pattern of the names of nodes without iSCSI: the manager does not start there.
    pub no_iscsi: Option<String>,
    /// No volume is ever attached, though everything runs.
    pub no_attach: Option<AttachFault>,
    /// The uninstaller ends with an error when it has deleted the managers.
    pub uninstall_fails: bool,
}

/// What is said about volumes that are not attached.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AttachFault {
    /// What the driver says.
    pub message: String,
}

/// What the API server does to its clients. Rates are shares of the requests, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ApiFaults {
    /// Requests answered with 500.
    pub error500: f64,
    /// Requests answered with 429 and Retry-After.
    pub error429: f64,
    /// Requests whose connection is dropped.
    pub reset: f64,
    /// Watch streams that end early.
    pub cut_watch: f64,
    /// Start of the random numbers, so that a run can be repeated.
    pub seed: u64,
    /// Delay of each answer in milliseconds.
    pub latency_ms: u64,
    /// Requests answered with 403.
    pub forbid: Vec<Forbid>,
    /// Whether the server's certificate has expired.
    pub expired_certificate: bool,
}

/// Requests answered with 403. `*` stands for all.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forbid {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    #[serde(default = "all")]
    pub verb: String,
    /// Plural name of the kind.
    #[serde(default = "all")]
    pub resource: String,
}

impl Faults {
    /// Reads a file of faults.
    pub fn read(path: &Path) -> Result<Faults> {
        Self::parse(&yaml::read_file(path)?, &path.display().to_string())
    }

    /// Faults from YAML text; `origin` is named in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Faults> {
        let invalid = |why: String| {
            Failure::usage(format!("the faults file {origin} is invalid"))
                .cause(why)
                .hint("its fields are: pull, crash, print, unschedulable, nodes, unbound, unready, longhorn, api")
        };
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Faults::default());
        }
        let faults: Faults = yaml::parse(text).map_err(|error| invalid(error.causes.join(": ")))?;
        match faults.api.rates().into_iter().find(|(_, rate)| !(0.0..=1.0).contains(rate)) {
            Some((field, rate)) => Err(invalid(format!("{field}: {rate} is not a rate between 0 and 1"))),
            None => Ok(faults),
        }
    }

    /// Whether a node has no iSCSI.
    pub fn has_no_iscsi(&self, node: &str) -> bool {
        self.longhorn.no_iscsi.as_ref().is_some_and(|pattern| glob(pattern, node))
    }

    /// What Longhorn says when it can attach no volume; none when it can, empty for its usual words.
    pub fn no_attach(&self) -> Option<&str> {
        self.longhorn.no_attach.as_ref().map(|fault| fault.message.as_str())
    }

    /// Whether faults stop the kubelet of a node.
    pub fn is_dead(&self, node: &str) -> bool {
        self.nodes.iter().any(|fault| fault.dead && glob(&fault.name, node))
    }
}

impl ApiFaults {
    fn rates(&self) -> [(&'static str, f64); 4] {
        [
            ("api.error500", self.error500),
            ("api.error429", self.error429),
            ("api.reset", self.reset),
            ("api.cutWatch", self.cut_watch),
        ]
    }
}

/// Whether text matches a pattern in which `*` stands for any text.
pub fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => match text.strip_prefix(head) {
            None => false,
            Some(tail) => rest.is_empty() || tail.char_indices().any(|(i, _)| glob(rest, &tail[i..])) || glob(rest, ""),
        },
    }
}

fn err_image_pull() -> String {
    "ErrImagePull".into()
}

fn error() -> String {
    "Error".into()
}

fn one() -> i64 {
    1
}

fn all() -> String {
    "*".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, matches) in [
            ("data-0", "data-0", true),
            ("data-0", "data-01", false),
            ("*", "", true),
            ("data-*", "data-0", true),
            ("*/nosuch:*", "docker.io/nosuch:1", true),
            ("*/nosuch:*", "nosuch:1", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("*ß", "ßß", true),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn every_field_is_optional() {
        assert_eq!(Faults::parse("# nothing\n", "f").unwrap(), Faults::default());
        let text = "crash: [{pod: data-0}]\nnodes: [{name: lab-3, dead: true}]\napi: {error500: 0.2, forbid: [{verb: create}]}";
        let longhorn = Faults::parse("longhorn: {noIscsi: 'lab-*', noAttach: {}}", "f").unwrap();
        assert!(
            longhorn.has_no_iscsi("lab-1") && longhorn.no_attach() == Some("") && !longhorn.longhorn.uninstall_fails
        );
        let faults = Faults::parse(text, "f").unwrap();
        assert_eq!(faults.crash[0].exit_code, 1);
        assert!(faults.is_dead("lab-3") && !faults.is_dead("lab-1"));
        assert_eq!(faults.api.forbid[0].resource, "*");
    }

    #[test]
    fn errors_name_the_file_and_the_field() {
        for (text, field) in [
            ("crash: [{pot: x}]", "pot"),
            ("krash: []", "krash"),
            ("api: {error500: 2}", "api.error500"),
            ("api: {cutWatch: .nan}", "api.cutWatch"),
            ("crash: [{pod: x, exitCode: many}]", "exitCode"),
        ] {
            let error = Faults::parse(text, "faults.yaml").unwrap_err().to_string();
            assert!(error.contains("faults.yaml") && error.contains(field), "{error}");
        }
    }
}
