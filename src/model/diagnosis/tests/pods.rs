//! Pods that are not ready, and the lines that their logs have.

use super::*;

/// Each case: a pod, the newest warning about it, the cause, and all of it in one line.
#[test]
fn a_pod_that_is_not_ready_says_why_and_what_to_do() {
    let mut terminating = pod("data-1");
    terminating["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let mut killed = waiting("CrashLoopBackOff", "");
    killed["lastState"] = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
    let mut init = broken("Pending", &waiting("PodInitializing", ""));
    init["status"]["initContainerStatuses"] =
        json!([{"name": "own", "restartCount": 2, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]);
    let pull = |said: &str| ("Failed", format!("Failed to pull image \"iris:1\": rpc error: {said}"));
    let none = || ("", String::new());
    let held = |reason: &str| broken("Pending", &waiting(reason, "it says so"));
    let see = "see `kubectl describe pod data-1 -n iris-lab`";
    let another = "name another with `iris-lab up --image IMAGE`";
    let cases: Vec<(Value, (&str, String), Cause, String)> = vec![
        (
            unschedulable(),
            none(),
            Cause::NoRoom,
            "it has no node: no node has enough free memory: 0/3 nodes are available: 3 Insufficient memory; ask for less with \
             `iris-lab up --set spec.iris.resources.memory=SIZE`, or see what fills the nodes with \
             `kubectl describe nodes`"
                .into(),
        ),
        (
            held("ImagePullBackOff"),
            pull("manifest unknown"),
            Cause::ImageMissing,
            format!("cannot pull its image iris:1: the registry has no such image: rpc error: manifest unknown; check the name and the tag, or {another}"),
        ),
        (
            held("ImagePullBackOff"),
            pull("pull access denied"),
            Cause::ImageDenied,
            format!("cannot pull its image iris:1: the registry refuses it, it may want a login: rpc error: pull access denied; see that it is public, or {another}"),
        ),
        (
            held("ImagePullBackOff"),
            pull("dial tcp: i/o timeout"),
            Cause::RegistrySilent,
            format!("cannot pull its image iris:1: the registry does not answer, or breaks off: rpc error: dial tcp: i/o timeout; see that the nodes reach docker.io (network, proxy, DNS), or {another}"),
        ),
        (held("InvalidImageName"), none(), Cause::ImageName, format!("the image name iris:1 is not valid: it says so; {another}")),
        (
            broken("Running", &killed),
            none(),
            Cause::OutOfMemory,
            "container iris used more memory than it may, and was killed (exit code 137, OOMKilled); give it more with \
             `iris-lab up --set spec.iris.resources.memoryLimit=SIZE`, or give IRIS less in spec.iris.cpf.config (globals, gmheap)"
                .into(),
        ),
        (
            init,
            none(),
            Cause::CrashLoop,
            "container own ended with exit code 1 (restart 2); see the whole log with \
             `kubectl logs data-1 -c own --previous -n iris-lab`"
                .into(),
        ),
        (
            broken("Running", &json!({"state": {"running": {}}, "restartCount": 0})),
            ("Unhealthy", "Readiness probe failed: IRIS is down".into()),
            Cause::NotReady,
            "it runs but is not ready: the readiness probe of iris has not passed yet: Readiness probe failed: IRIS is down; see \
             `kubectl logs data-1 -n iris-lab`"
                .into(),
        ),
        (
            held("ContainerCreating"),
            ("FailedMount", "configmap \"cpf\" not found".into()),
            Cause::NotPrepared,
            format!("FailedMount: configmap \"cpf\" not found; {see}"),
        ),
        (
            held("CreateContainerConfigError"),
            none(),
            Cause::ContainerConfig,
            format!("container iris: CreateContainerConfigError: it says so; {see}"),
        ),
        (held("ContainerCreating"), none(), Cause::Starting, format!("it is starting: its containers are being created; {see}")),
        (
            terminating,
            none(),
            Cause::PodTerminating,
            format!("it is being deleted: deletionTimestamp 2026-01-01T00:00:00Z; {see}"),
        ),
    ];
    for (pod, (reason, message), cause, line) in cases {
        let warnings = if reason.is_empty() { vec![] } else { vec![warning("Pod", "data-1", reason, &message)] };
        let (finding, follows) = only(&with(|facts| (facts.pods[1], facts.warnings) = (pod, warnings)));
        assert_eq!((finding.cause, finding.line()), (cause, format!("pod data-1: {line}")));
        assert!(follows.is_empty() && finding.broken);
    }
}

/// Each case: what the scheduler says, the cause, and what is made of it.
#[test]
fn why_no_node_takes_a_pod_is_told_apart() {
    for (said, cause, what) in [
        ("0/3 nodes are available: 3 Insufficient cpu.", Cause::NoRoom, "no node has enough free cpu"),
        ("0/1 nodes are available: 1 Too many pods.", Cause::NoRoom, "no node takes more pods"),
        ("0/1 nodes are available: 1 node(s) were unschedulable.", Cause::NodesClosed, "the nodes are cordoned"),
        (
            "1 node(s) had taint {a: b}, that the pod didn't tolerate.",
            Cause::NodesClosed,
            "taints keep it off the nodes",
        ),
        (
            "1 node(s) had volume node affinity conflict.",
            Cause::NoFittingNode,
            "its volume lies on a node that cannot take it now",
        ),
        (
            "1 node(s) didn't match Pod's node affinity.",
            Cause::NoFittingNode,
            "its affinity or node selector fits no node",
        ),
        ("who knows", Cause::Unscheduled, "it has no node"),
    ] {
        let facts = with(|facts| {
            facts.pods[1] = unschedulable();
            facts.pods[1]["status"]["conditions"][0]["message"] = said.into();
            facts.nodes[0]["spec"] = json!({"unschedulable": true});
            facts.nodes[1]["spec"] = json!({"taints": [{"key": "a", "effect": "NoSchedule"},
                {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}]});
        });
        let (finding, _) = only(&facts);
        assert_eq!(finding.cause, cause);
        assert!(finding.what.contains(what) && finding.evidence[0].line == said, "{finding:?}");
        if cause == Cause::NodesClosed {
            assert_eq!(
                finding.mend,
                "open one for it: `kubectl uncordon lab-2` or `kubectl taint node lab-1 a:NoSchedule-`"
            );
        }
    }
}

/// Each case: a line in the log of a pod that crashes, the cause, a word of what is said and of the command.
#[test]
fn lines_of_iris_are_known() {
    let merge = "1 [Utility.Event] ERROR #507: Action 'CreateDatabase' failed at line 2, Method Config.CPF:CreateOneDatabase(), \
                 Error=ERROR #5032: Cannot create directory '/vol-data/A/'";
    for (line, cause, what, mend) in [
        ("ERROR #5032: Cannot create directory '/x', Error=-13", Cause::NotWritable, "51773", "--storage-class CLASS`"),
        (
            "ERROR #5001: Cannot create target: /iris-mgr/IRIS_conf.d/",
            Cause::NotWritable,
            "51773",
            "--storage-class CLASS`",
        ),
        (
            "Invalid Community Edition license, may have exceeded core limit.",
            Cause::LicenceExpired,
            "Community licence has ended",
            "`iris-lab up --image IMAGE`",
        ),
        (
            "License limit exceeded 1 times since instance start.",
            Cause::LicenceLimit,
            "8 with",
            "`kubectl delete pod data-1",
        ),
        ("<LICENSE LIMIT EXCEEDED>", Cause::LicenceLimit, "8 with", "`kubectl delete pod data-1"),
        (
            "Required Linux capability cap_setuid is missing",
            Cause::CapabilityMissing,
            "capabilities",
            "--check-caps false",
        ),
        ("<NOTOPEN>WebServer+38^STU1", Cause::WebServer, "no web server", "spec.iris.cpf.startup"),
        (
            "[ERROR] The durable directory /x has content and no mgr",
            Cause::ForeignContent,
            "no mgr in it",
            "down --delete-data`",
        ),
        (merge, Cause::MergeFailed, "line 2, in Config.CPF:CreateOneDatabase()", "`iris-lab labs check FILE`"),
        ("ERROR #503: Error executing [Actions] section in file /x", Cause::MergeFailed, "[Actions]", "labs check"),
        (
            "Access denied: Password change required",
            Cause::PasswordChange,
            "change the password",
            "UnExpireUserPasswords",
        ),
    ] {
        let text = format!("[INFO] Starting\n{line}\n[INFO] the end\n");
        let findings = diagnose(&logged(crashed(), vec![log(true, &text), log(false, &text)]));
        let finding =
            findings.iter().find(|finding| finding.cause == cause).unwrap_or_else(|| panic!("{line}: {findings:?}"));
        assert!(finding.what.contains(what) && finding.mend.contains(mend), "{finding:?}");
        assert_eq!(finding.evidence.len(), 1, "the same line of two logs is told once: {finding:?}");
        assert_eq!(finding.evidence[0].line, line);
        if finding.broken {
            assert_eq!(finding.follows.last().map(|follows| follows.cause), Some(Cause::CrashLoop));
            assert_eq!(finding.follows.last().unwrap().evidence.last().unwrap().line, "[INFO] the end");
        }
    }
}
