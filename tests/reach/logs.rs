//! The merged logs.

use super::{delete, on_sim};
use crate::support::{Lab, Live};
use serde_json::Value;

/// Where the lab's IRIS keeps messages.log.
const MESSAGES: &str = "/iris-mgr/IRIS_conf.d/mgr/messages.log";

#[test]
fn lines_of_all_pods_are_merged_filtered_and_cut() {
    let lab = on_sim();
    let all = lab.run(&["logs"]).exits(0);
    for pod in ["data-0", "data-1"] {
        let started = format!("{pod} | [INFO] ...started InterSystems IRIS");
        assert!(all.out.contains(&started), "{}", all.transcript());
    }
    assert!(!all.out.contains('\x1b'), "colours only on a terminal");
    let bad = lab.run(&["logs", "--level", "warn", "-o", "json"]).exits(0).json();
    let entries = bad.as_array().unwrap();
    assert!(entries.len() == 2 && entries.iter().all(|entry| entry["level"] == "warn"), "{bad:#}");
    assert_eq!(lab.run(&["logs", "--level", "fatal", "-o", "json"]).exits(0).json(), Value::Array(Vec::new()));
    let last = lab.run(&["logs", "data-1", "--tail", "1"]).exits(0).out;
    assert_eq!(last, "data-1 | [INFO] ...started InterSystems IRIS instance IRIS\n");
    lab.run(&["logs", "--level", "loud"]).exits(2).says("expected info, warn, error or fatal");
    let file = lab.run(&["logs", "data-0", "--messages"]).exits(0);
    assert!(file.out.contains("Emulated by iris-lab") && !file.out.contains("[INFO]"), "{}", file.transcript());
}

#[test]
fn following_goes_on_after_a_pod_has_come_back() {
    follow(&on_sim());
}

#[test]
fn a_pod_without_a_log_says_why() {
    let lab = Lab::on_sim();
    let faults = lab.file("faults.yaml", "unschedulable:\n- pod: data-1\n").display().to_string();
    lab.up(&["--sim-faults", &faults, "--timeout", "2s"]).exits(4);
    lab.run(&["logs"]).exits(0).says("data-1 has no log yet: not scheduled").says("data-0 | ");
}

/// The file of IRIS, which a real cluster's stand-in does not write: a shell does.
pub fn messages(lab: &Lab) {
    let script = format!(
        "mkdir -p {0} && printf '%s\\n' '11/26/26-07:00:00:000 (1) 0 [x] calm' '11/26/26-07:00:01:000 (1) 2 [x] bad' '    more of it' > {MESSAGES}",
        MESSAGES.trim_end_matches("/messages.log")
    );
    lab.run(&["shell", "data-0", "--", "sh", "-c", &script]).exits(0);
    let bad = lab.run(&["logs", "data-0", "--messages", "--level", "error"]).exits(0).out;
    assert_eq!(bad, "data-0 | 11/26/26-07:00:01:000 (1) 2 [x] bad\ndata-0 |     more of it\n");
    lab.run(&["logs", "data-1", "--messages"]).exits(1).says("cannot read messages.log of data-1");
    let mut live = Live::start(lab.command(&["logs", "data-0", "--messages", "-f"]));
    live.line(|line| line == "data-0 |     more of it");
    let more = format!("echo '11/26/26-07:00:02:000 (1) 3 [x] worst' >> {MESSAGES}");
    lab.run(&["shell", "data-0", "--", "sh", "-c", &more]).exits(0);
    live.line(|line| line == "data-0 | 11/26/26-07:00:02:000 (1) 3 [x] worst");
}

pub fn follow(lab: &Lab) {
    let reader = lab.reader();
    let mut live = Live::start(lab.command(&["logs", "-f", "-o", "json"]));
    let started = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        entry["source"] == "data-0" && entry["text"].as_str().is_some_and(|text| text.contains("...started"))
    };
    let before: Value = serde_json::from_str(&live.line(started)).unwrap();
    delete(lab, &reader, "data-0");
    let after: Value = serde_json::from_str(&live.line(started)).unwrap();
    assert!(after["time"].as_str() > before["time"].as_str(), "{before} {after}");
    // Nobody but the user ends it.
    assert_eq!(live.interrupt(), None);
}
