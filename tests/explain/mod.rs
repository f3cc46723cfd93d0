//! `explain`: every cause is made to happen and named right, with the line that shows it and the command that mends it; a healthy
//! lab has none.

mod real;

use crate::support::{Lab, Place};
use serde_json::{Value, json};

/// What `explain` says, for programs.
fn explain(lab: &Lab, code: i32) -> Value {
    lab.run(&["explain", "--name", &lab.name, "-o", "json"]).exits(code).json()
}

/// The finding with this cause about this object, root or not.
#[track_caller]
fn found<'a>(diagnosis: &'a Value, cause: &str, about: &str) -> &'a Value {
    fn list(value: &Value) -> impl Iterator<Item = &Value> {
        value.as_array().into_iter().flatten()
    }
    let mut all = list(&diagnosis["findings"]).flat_map(|root| std::iter::once(root).chain(list(&root["follows"])));
    let fits = |one: &&Value| one["cause"] == cause && list(&one["about"]).any(|subject| subject == about);
    all.find(fits).unwrap_or_else(|| panic!("no {cause} about {about} in {diagnosis:#}"))
}

/// Whether a finding quotes a line.
#[track_caller]
fn quotes(finding: &Value, line: &str) {
    let evidence = finding["evidence"].as_array().unwrap();
    assert!(evidence.iter().any(|one| one["line"].as_str().unwrap().contains(line)), "{line}: {finding:#}");
}

/// The causes of the roots, in their order.
fn roots(diagnosis: &Value) -> Vec<String> {
    let all = diagnosis["findings"].as_array().unwrap().iter();
    all.map(|finding| finding["cause"].as_str().unwrap().to_string()).collect()
}

#[track_caller]
fn is_healthy(lab: &Lab) {
    let before = lab.reader().all();
    let diagnosis = explain(lab, 0);
    assert_eq!(
        (&diagnosis["healthy"], &diagnosis["findings"], &diagnosis["unread"]),
        (&json!(true), &json!([]), &json!([]))
    );
    lab.run(&["explain", "--name", &lab.name]).exits(0).says("is healthy: nothing is wrong");
    // Others may be at work in the same cluster.
    let own = |id: &&crate::support::Id| id.namespace == lab.namespace;
    let kept = |objects: &crate::support::Objects| objects.keys().filter(own).cloned().collect::<Vec<_>>();
    assert_eq!(kept(&before), kept(&lab.reader().all()), "it changes nothing");
}

#[test]
fn a_healthy_lab_has_nothing_wrong() {
    let lab = Lab::on_sim();
    lab.up(&["--longhorn"]).exits(0);
    is_healthy(&lab);
}

#[test]
fn without_a_lab_it_says_so() {
    let lab = Lab::on_sim();
    lab.run(&["explain"]).exits(3).says("there is no lab");
    assert_eq!(lab.run(&["explain", "-o", "json"]).exits(3).json()["error"]["kind"], "RequirementMissing");
}

/// What goes wrong with a pod: the fault, the cause, the line that is quoted, and a part of the command that mends it.
const PODS: &[(&str, &str, &str, &str)] = &[
    (
        "crash: {log: \"ERROR #5032: Cannot create directory '/x', Error=-13\"}",
        "notWritable",
        "Error=-13",
        "--storage-class CLASS`",
    ),
    ("crash: {log: 'ERROR #5001: Cannot create target: /x/'}", "notWritable", "#5001", "--storage-class CLASS`"),
    (
        "crash: {log: 'Invalid Community Edition license, may have exceeded core limit.'}",
        "licenceExpired",
        "Invalid Community Edition license",
        "--image IMAGE`",
    ),
    (
        "crash: {log: 'Required Linux capability cap_setuid is missing'}",
        "capabilityMissing",
        "cap_setuid",
        "--check-caps false",
    ),
    ("crash: {log: 'failed: <NOTOPEN>WebServer+38^STU1'}", "webServer", "<NOTOPEN>", "spec.iris.cpf.startup"),
    ("crash: {log: 'durable directory /x has no mgr'}", "foreignContent", "no mgr", "down --delete-data`"),
    ("crash: {log: 'what is this'}", "crashLoop", "what is this", "--previous"),
    ("crash: {exitCode: 137, reason: OOMKilled}", "outOfMemory", "", "memoryLimit"),
    (
        "unschedulable: {message: '0/3 nodes are available: 3 Insufficient memory.'}",
        "noRoom",
        "3 Insufficient memory",
        "resources.memory",
    ),
    (
        "unready: {message: 'Readiness probe failed: starting'}",
        "notReady",
        "Readiness probe failed: starting",
        "kubectl logs",
    ),
    (
        "print: {log: \"ERROR #507: Action 'CreateDatabase' failed at line 2, Method Config.CPF:CreateOneDatabase(), Error=no\"}",
        "mergeFailed",
        "#507",
        "labs check",
    ),
    (
        "print: {log: 'License limit exceeded 1 times since instance start.'}",
        "licenceLimit",
        "License limit",
        "kubectl delete pod",
    ),
    ("print: {log: 'Password change required'}", "passwordChange", "Password change", "UnExpireUserPasswords"),
];

#[test]
fn every_cause_of_a_pod_is_named() {
    let lab = Lab::on_sim();
    let mut faults = serde_json::Map::new();
    for (number, (fault, ..)) in PODS.iter().enumerate() {
        let fault: Value = iris_lab::yaml::parse(fault).unwrap();
        for (kind, what) in fault.as_object().unwrap() {
            let mut what = what.clone();
            what["pod"] = format!("data-{number}").into();
            faults.entry(kind).or_insert(json!([])).as_array_mut().unwrap().push(what);
        }
    }
    let file = lab.file("faults.yaml", &Value::Object(faults).to_string());
    let count = PODS.len().to_string();
    let run = lab.up(&["--sim-faults", file.to_str().unwrap(), "--replicas", &count, "--timeout", "8s"]);
    assert!(matches!(run.code, Some(1 | 4)), "{}", run.transcript());
    run.says("`iris-lab explain --name two-pod`");
    // A pod that ended once is started again at once, and waits from its second end on: until then it seems to run.
    for (number, _) in PODS.iter().enumerate().filter(|(_, (fault, ..))| fault.starts_with("crash")) {
        lab.reader().wait_until(&format!("/api/v1/namespaces/iris-lab/pods/data-{number}"), |pod| {
            pod["status"]["containerStatuses"][0]["lastState"]["terminated"].is_object()
        });
    }
    let diagnosis = explain(&lab, 1);
    for (number, (fault, cause, line, mend)) in PODS.iter().enumerate() {
        let finding = found(&diagnosis, cause, &format!("pod data-{number}"));
        quotes_unless_empty(finding, line);
        assert!(finding["mend"].as_str().unwrap().contains(mend), "{fault}: {finding:#}");
        let ends = fault.starts_with("crash") && !matches!(*cause, "crashLoop" | "outOfMemory");
        let follows =
            finding["follows"].as_array().is_some_and(|all| all.iter().any(|one| one["cause"] == "crashLoop"));
        assert!(!ends || follows, "the crash loop follows: {finding:#}");
    }
    lab.run(&["explain", "-o", "yaml"]).exits(1).says("cause: notWritable");
}

#[track_caller]
fn quotes_unless_empty(finding: &Value, line: &str) {
    if !line.is_empty() {
        quotes(finding, line);
    }
}

/// `up` with faults of the simulator, as far as it comes; then what `explain` says.
fn broken(faults: &str, extra: &[&str]) -> (Lab, Value) {
    let lab = Lab::on_sim();
    let file = lab.file("faults.yaml", faults);
    let mut args = vec!["--sim-faults", file.to_str().unwrap(), "--timeout", "4s"];
    args.extend(extra);
    let run = lab.up(&args);
    assert!(matches!(run.code, Some(1 | 4)), "{}", run.transcript());
    let diagnosis = explain(&lab, 1);
    (lab, diagnosis)
}

#[test]
fn an_image_that_is_missing_is_told_from_a_registry_that_is_silent() {
    for (said, cause) in [("manifest unknown: not found", "imageMissing"), ("dial tcp: i/o timeout", "registrySilent")]
    {
        let faults = format!("pull: [{{ image: '*nosuch*', message: '{said}' }}]\n");
        let (lab, diagnosis) = broken(&faults, &["--image", "registry.example.com/nosuch:1"]);
        assert_eq!(roots(&diagnosis), [cause], "{diagnosis:#}");
        let finding = found(&diagnosis, cause, "pod data-0");
        assert_eq!(finding["about"], json!(["pod data-0", "pod data-1"]), "the same of two pods is said once");
        quotes(finding, said);
        let text = lab.run(&["explain"]).exits(1);
        text.says("pod data-0, pod data-1: cannot pull its image registry.example.com/nosuch:1")
            .says("`iris-lab up --image IMAGE`");
    }
}

#[test]
fn a_claim_without_a_volume_is_the_reason_of_its_pod() {
    let (_, diagnosis) = broken("unbound: [{ claim: dbv-data-data-1, message: 'no space left in the pool' }]\n", &[]);
    assert_eq!(roots(&diagnosis), ["provisioningFailed"], "{diagnosis:#}");
    let finding = found(&diagnosis, "provisioningFailed", "claim dbv-data-data-1");
    quotes(finding, "no space left in the pool");
    assert_eq!(finding["follows"][0]["about"], json!(["pod data-1"]));
}

#[test]
fn a_dead_node_for_which_the_run_has_waited_is_named() {
    let lab = Lab::on_sim();
    let file = lab.file("faults.yaml", "nodes: [{ name: lab-3, dead: true }]\n");
    lab.up(&["--sim-faults", file.to_str().unwrap(), "--timeout", "3s"]).exits(4);
    let diagnosis = explain(&lab, 1);
    // `up` waits for its nodes before anything else.
    assert_eq!(roots(&diagnosis), ["nodeNotReady", "absent"], "{diagnosis:#}");
    assert_eq!(diagnosis["findings"][0]["about"], json!(["node lab-3"]));
}

#[test]
fn more_cores_than_the_licence_takes_are_told_from_its_end() {
    let faults = "crash: [{ pod: data-0, log: 'Invalid Community Edition license, may have exceeded core limit.' }]\n";
    let (lab, _) = broken(faults, &["--nodes", "1"]);
    let cores = json!({ "status": { "capacity": { "cpu": "32" } } });
    lab.reader().patch("/api/v1/nodes/lab-1/status", "application/merge-patch+json", "test", &cores);
    let diagnosis = explain(&lab, 1);
    quotes(found(&diagnosis, "tooManyCores", "pod data-0"), "cpu 32");
}

#[test]
fn addresses_that_nobody_gives_and_a_pool_that_is_used_up() {
    let lab = Lab::on_sim();
    lab.up(&["--set", "addOns=[storage]"]);
    assert_eq!(roots(&explain(&lab, 1)), ["noLoadBalancer"]);
    pool_is_used_up(&Lab::new(Place::served(), "pool"));
}

/// Others take every address before the lab comes.
fn pool_is_used_up(lab: &Lab) {
    let namespace = format!("{}-others", lab.namespace);
    let services = format!("/api/v1/namespaces/{namespace}/services");
    let metadata = |name: &str| json!({ "name": name, "labels": { "iris-lab-test": "pool" } });
    lab.reader().create("/api/v1/namespaces", &json!({ "metadata": metadata(&namespace) }));
    // The pool of the rig and of the simulator has seven.
    for number in 0..7 {
        let spec = json!({ "type": "LoadBalancer", "ports": [{ "port": 80 }] });
        lab.reader().create(&services, &json!({ "metadata": metadata(&format!("s-{number}")), "spec": spec }));
    }
    lab.reader().wait_until(&format!("{services}/s-6"), |service| {
        service["status"]["loadBalancer"]["ingress"].is_array() || lab.place.is_real()
    });
    lab.up(&["--timeout", if lab.place.is_real() { "15s" } else { "3s" }, "--replicas", "1"]).exits(4);
    let diagnosis = explain(lab, 1);
    let finding = found(&diagnosis, "poolExhausted", "service iris-ext");
    assert!(finding["mend"].as_str().unwrap().contains("pool in the namespace metallb-system"), "{finding:#}");
    assert!(finding["what"].as_str().unwrap().contains("10.64.140.43-10.64.140.49"), "{finding:#}");
    assert_eq!(roots(&diagnosis), ["poolExhausted"], "{diagnosis:#}");
    lab.reader().delete(&format!("/api/v1/namespaces/{namespace}"));
    lab.reset().exits(0);
}

#[test]
fn a_class_that_is_gone_is_the_reason_of_its_claims() {
    class_is_gone(&Lab::new(Place::served(), "class"));
}

/// A class that nobody makes volumes for, and that is deleted when the claims are there.
fn class_is_gone(lab: &Lab) {
    let class = format!("{}-class", lab.name);
    let classes = "/apis/storage.k8s.io/v1/storageclasses";
    lab.reader().create(classes, &json!({ "metadata": { "name": class }, "provisioner": "example.com/nobody" }));
    lab.up(&["--storage-class", &class, "--timeout", "4s"]).exits(4);
    let diagnosis = explain(lab, 1);
    let finding = found(&diagnosis, "noProvisioner", "claim dbv-mgr-data-0");
    assert!(finding["what"].as_str().unwrap().contains("example.com/nobody"), "{finding:#}");
    lab.reader().delete(&format!("{classes}/{class}"));
    let diagnosis = explain(lab, 1);
    assert_eq!(roots(&diagnosis), ["classMissing"], "{diagnosis:#}");
    let finding = found(&diagnosis, "classMissing", "claim dbv-mgr-data-0");
    assert!(finding["what"].as_str().unwrap().contains(&class), "{finding:#}");
    let follows = finding["follows"].as_array().unwrap();
    assert!(follows.iter().all(|one| one["about"][0].as_str().unwrap().starts_with("pod ")), "{finding:#}");
    lab.reset().exits(0);
}

#[test]
fn a_volume_that_lost_a_copy_is_named_and_the_lab_is_up() {
    let lab = Lab::on_sim();
    lab.up(&["--longhorn"]).exits(0);
    volume_is_degraded(&lab);
}

/// A volume wants more copies than there are nodes.
fn volume_is_degraded(lab: &Lab) {
    let volumes = "/apis/longhorn.io/v1beta1/namespaces/longhorn-system/volumes";
    let all = lab.reader().get(volumes).unwrap();
    let path = format!("{volumes}/{}", all["items"][0]["metadata"]["name"].as_str().unwrap());
    let more = json!({ "spec": { "numberOfReplicas": 5 } });
    lab.reader().patch(&path, "application/merge-patch+json", "test", &more);
    lab.reader().wait_until(&path, |volume| volume["status"]["robustness"] == "degraded");
    let diagnosis = explain(lab, 1);
    assert_eq!(roots(&diagnosis), ["volumeDegraded"], "{diagnosis:#}");
    let finding = &diagnosis["findings"][0];
    assert_eq!(finding["broken"], false);
    assert!(
        finding["what"].as_str().unwrap().contains("it wants 5 copies on different nodes, and Longhorn has 3"),
        "{finding:#}"
    );
    lab.run(&["status", "--name", &lab.name]).exits(0).says("its volume is degraded");
}

#[test]
fn a_lab_that_is_down_or_leaves_says_so() {
    let lab = Lab::on_sim();
    lab.up(&[]).exits(0);
    let hold = json!({ "metadata": { "name": "held", "finalizers": ["example.com/held"] } });
    lab.reader().create("/api/v1/namespaces/iris-lab/configmaps", &hold);
    lab.run(&["down"]).exits(0);
    assert_eq!(roots(&explain(&lab, 1)), ["down"]);
    lab.up(&[]).exits(0);
    lab.reader().delete("/api/v1/namespaces/iris-lab");
    let run = lab.run(&["explain", "-o", "json"]);
    let free = json!({ "metadata": { "finalizers": null } });
    lab.reader().patch("/api/v1/namespaces/iris-lab/configmaps/held", "application/merge-patch+json", "test", &free);
    let diagnosis = run.exits(1).json();
    assert_eq!(roots(&diagnosis), ["namespaceTerminating"], "{diagnosis:#}");
}
