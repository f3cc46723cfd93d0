//! What the logs of a pod's containers say: lines of IRIS whose meaning is known, and actions of the merge file that failed.

use super::{Cause, Finding, Scene, Subject};
use crate::model::facts::Log;
use crate::model::known::{self, Known};
use crate::model::object::{name, text};
use serde_json::Value;

/// Lines that are named for one cause of one container.
const NAMED: usize = 3;
/// The cores that the Community Edition takes at most.
const MOST_CORES: u64 = 20;

/// `ready`: whether the pod is. What ended one of its earlier runs is over then.
pub(super) fn judge(scene: &Scene, pod: &Value, ready: bool) -> Vec<Finding> {
    let own = name(pod);
    let logs: Vec<&Log> =
        scene.facts.details.logs.iter().filter(|log| log.pod == own && !(ready && log.previous)).collect();
    let mut findings: Vec<Finding> = Vec::new();
    for log in logs {
        for (known, lines) in known::of_iris(&log.text) {
            if !(ready && ends_iris(known.cause)) {
                add(&mut findings, meaning(scene, pod, known), log, &lines);
            }
        }
        let foreign: Vec<&str> = log.text.lines().filter(|line| known::is_foreign_content(line)).collect();
        if !ready && !foreign.is_empty() {
            add(&mut findings, foreign_content(scene, own), log, &foreign);
        }
        failed_actions(&log.text)
            .into_iter()
            .for_each(|(what, lines)| add(&mut findings, merge(scene, own, what), log, &lines));
    }
    // What a merge says follows from what is known better.
    findings.sort_by_key(|finding| finding.cause == Cause::MergeFailed);
    findings
}

/// Adds it, or the lines to the one that says the same: two runs of a container end for the same reason.
fn add(findings: &mut Vec<Finding>, finding: Finding, log: &Log, lines: &[&str]) {
    let same = findings.iter().position(|other| other.cause == finding.cause && other.what == finding.what);
    let at = same.unwrap_or(findings.len());
    if same.is_none() {
        findings.push(finding);
    }
    for line in lines.iter().take(NAMED) {
        let told = findings[at].evidence.iter().any(|evidence| evidence.line == line.trim());
        if !told {
            findings[at] = findings[at].clone().seen(log.source(), line);
        }
    }
}

/// Whether IRIS cannot run with it: a pod that is ready has overcome it.
fn ends_iris(cause: Cause) -> bool {
    matches!(cause, Cause::LicenceExpired | Cause::CapabilityMissing | Cause::WebServer)
}

fn meaning(scene: &Scene, pod: &Value, known: &Known) -> Finding {
    let own = name(pod);
    let about = Subject::Pod(own.into());
    let image = format!("take a newer one with {}", scene.up_with("--image", "IMAGE"));
    match known.cause {
        Cause::LicenceExpired => licence(scene, pod, image),
        Cause::NotWritable => {
            let again =
                format!("{} and {}", scene.iris_lab("down --delete-data"), scene.up_with("--storage-class", "CLASS"));
            let mend =
                format!("take a storage class that honours fsGroup with {again}, or give the volume to 51773:51773");
            Finding::new(known.cause, about, known.meaning, mend)
        }
        Cause::CapabilityMissing => {
            let mend =
                format!("{image}; images from 2022.2 on do without (older ones with the argument --check-caps false)");
            Finding::new(known.cause, about, known.meaning, mend)
        }
        Cause::LicenceLimit => {
            let mend =
                format!("end what is connected, or start it anew with {}", scene.kubectl(&format!("delete pod {own}")));
            Finding::new(known.cause, about, known.meaning, mend)
        }
        Cause::PasswordChange => {
            let class = r#"##class(Security.Users).UnExpireUserPasswords("*")"#;
            let command = scene.kubectl(&format!("exec {own} -c iris"));
            let command = command.trim_matches('`');
            let mend = format!("end that for all users with `{command} -- iris session IRIS -U%SYS '{class}'`");
            Finding::new(known.cause, about, known.meaning, mend).but_works()
        }
        _ => Finding::new(known.cause, about, known.meaning, format!("{}; then {}", known.hint, scene.up())),
    }
}

/// The same line is said of a licence that has ended and of a host with too many cores: the node tells which.
fn licence(scene: &Scene, pod: &Value, image: String) -> Finding {
    let about = Subject::Pod(name(pod).into());
    let node = text(pod, "/spec/nodeName");
    let live = scene.facts.nodes.iter().find(|one| name(one) == node);
    let cores = live.and_then(|live| text(live, "/status/capacity/cpu").parse::<u64>().ok());
    match cores.filter(|cores| *cores > MOST_CORES) {
        Some(cores) => {
            let what =
                format!("its node {node} has {cores} cores, and the Community Edition takes {MOST_CORES} at most");
            let mend = "use a node with fewer: a virtual machine, or with kind `docker update --cpuset-cpus 0-19 NODE` \
                        (a limit of cpu hides no cores)";
            let source = format!("status.capacity of node {node}");
            Finding::new(Cause::TooManyCores, about, what, mend).seen(source, format!("cpu {cores}"))
        }
        None => {
            let what = "the image's built-in Community licence has ended, it lasts a year from the release";
            Finding::new(Cause::LicenceExpired, about, what, image)
        }
    }
}

fn foreign_content(scene: &Scene, own: &str) -> Finding {
    let what = "the durable directory has content that is not of IRIS (no mgr in it), and IRIS does not touch it";
    let mend = format!("give it a directory of its own below the volume (ISC_DATA_DIRECTORY), or empty volumes: {}", {
        scene.iris_lab("down --delete-data")
    });
    Finding::new(Cause::ForeignContent, Subject::Pod(own.into()), what, mend)
}

fn merge(scene: &Scene, own: &str, what: String) -> Finding {
    let mend = format!(
        "mend the line in spec.iris.cpf.actions, check it with `iris-lab labs check FILE`, then {}",
        scene.up()
    );
    Finding::new(Cause::MergeFailed, Subject::Pod(own.into()), what, mend)
}

/// The actions of the merge file that failed: what is told of each, and the lines that tell it.
fn failed_actions(log: &str) -> Vec<(String, Vec<&str>)> {
    let section: Vec<&str> = log.lines().filter(|line| line.contains("ERROR #503:")).collect();
    let mut failed: Vec<(String, Vec<&str>)> = Vec::new();
    for line in log.lines().filter(|line| line.contains("ERROR #507:")) {
        failed.push((action(line), vec![line]));
    }
    if failed.is_empty() && !section.is_empty() {
        failed.push(("the section [Actions] of the merge file failed".into(), section));
    }
    failed
}

/// `Action 'NAME' failed at line N, Method CLASS:METHOD(), Error=WHY`, in words; the line itself where it reads otherwise.
fn action(line: &str) -> String {
    let between = |from: &str, to: &str| {
        let (_, rest) = line.split_once(from)?;
        Some(rest.split_once(to).map_or(rest, |(text, _)| text).trim())
    };
    let (Some(name), Some(number), Some(method)) =
        (between("Action '", "'"), between("at line ", ","), between("Method ", ", Error="))
    else {
        return "an action of the merge file failed".into();
    };
    let why = line.split_once("Error=").map_or("", |(_, why)| why.trim());
    format!("the action {name} of the merge file failed, at line {number}, in {method}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_failed_is_told_with_its_line_and_method() {
        let log = "01/07/22-23:11:32:729 (1205) 1 [Utility.Event] ERROR #503: Error executing [Actions] section in file /x.cpf\n\
                   01/07/22-23:11:32:729 (1205) 1 [Utility.Event] ERROR #507: Action 'CreateDatabase' failed at line 2, \
                   Method Config.CPF:CreateOneDatabase(), Error=ERROR #5032: Cannot create directory '/vol-data/A/', Error=-13'";
        let [(what, lines)] = &failed_actions(log)[..] else { panic!("{:?}", failed_actions(log)) };
        assert_eq!(
            what,
            "the action CreateDatabase of the merge file failed, at line 2, in Config.CPF:CreateOneDatabase(): \
             ERROR #5032: Cannot create directory '/vol-data/A/', Error=-13'"
        );
        assert!(lines[0].contains("#507"));
        assert_eq!(failed_actions(&log.replace("#507", "#999"))[0].0, "the section [Actions] of the merge file failed");
        assert!(failed_actions("[INFO] ...started InterSystems IRIS instance IRIS").is_empty());
    }
}
