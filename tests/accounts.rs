//! `users` and `password`: who can log in where, and a new password that only its hash tells of, in every instance or in none that is
//! not named.

use crate::scenario::{in_each_pod, versions};
use crate::support::{Lab, Place, golden, same};
use iris_lab::workload::password::verify;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The password in the lab's file.
fn password(lab: &Lab) -> String {
    let text = fs::read_to_string(lab.state().join(&lab.name).join("password")).unwrap();
    text.trim_end_matches('\n').to_string()
}

/// Whether the cluster's settings, for pods to come, have the hash of a password: in the merge file and in the lab's record.
fn is_recorded(lab: &Lab, password: &str) -> bool {
    let map = |name: &str| {
        lab.reader().get(&format!("/api/v1/namespaces/{}/configmaps/{name}", lab.namespace)).unwrap()["data"].clone()
    };
    let merge = map("iris-merge-cpf")["merge.cpf"].as_str().unwrap_or_default().to_string();
    let merged = merge.lines().find_map(|line| line.strip_prefix("PasswordHash=")).unwrap_or_default();
    verify(merged, password) && map("iris-lab")["passwordHash"].as_str().is_some_and(|hash| verify(hash, password))
}

/// The account as `users` tells it, one for each way in which the pods differ.
fn account(lab: &Lab, name: &str) -> Vec<Value> {
    let users = lab.run(&["users", "-o", "json"]).exits(0).json();
    let all = users["accounts"].as_array().unwrap().clone();
    all.into_iter().filter(|account| account["name"] == name).collect()
}

#[track_caller]
fn up_changes_nothing(lab: &Lab) {
    let before = versions(lab);
    let again = lab.up(&["-o", "json"]).exits(0).json();
    assert_eq!(again["changed"], 0, "{again:#}");
    same(&before, &versions(lab), "`up` after `password` changes nothing");
}

/// Fails if a file under a folder holds a text, but for the one of that name.
#[track_caller]
fn is_kept_from(folder: &Path, text: &str, but: &str) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            is_kept_from(&path, text, but);
        } else if path.file_name().is_some_and(|name| name != but) {
            let content = fs::read(&path).unwrap();
            assert!(!String::from_utf8_lossy(&content).contains(text), "{} holds the password", path.display());
        }
    }
}

#[test]
fn a_new_password_is_in_every_instance_and_stays() {
    let lab = Lab::on_sim();
    golden("accounts/users-no-lab", &lab.redacted(&lab.run(&["users"]).exits(3).transcript()));
    lab.up(&[]).exits(0);
    golden("accounts/users", &lab.redacted(&lab.run(&["users"]).exits(0).transcript()));
    let first = password(&lab);
    assert!(!lab.run(&["users", "-o", "json"]).exits(0).out.contains(&first), "it is printed only when asked for");
    assert_eq!(lab.run(&["users", "--show-password", "-o", "json"]).exits(0).json()["password"], first.as_str());

    let pods = |lab: &Lab| lab.reader().get(&format!("/api/v1/namespaces/{}/pods", lab.namespace)).unwrap();
    let before = pods(&lab);
    let run = lab.run(&["password"]).exits(0);
    golden("accounts/password", &lab.redacted(&run.out));
    let second = password(&lab);
    assert_ne!(first, second);
    assert!(!run.transcript().contains(&second), "{}", run.transcript());
    let run = run.says("set for SuperUser, _SYSTEM, Admin; tried, and it is theirs");
    assert_eq!(run.err.matches("tried, and it is theirs").count(), 2, "{}", run.transcript());
    assert!(is_recorded(&lab, &second) && !is_recorded(&lab, &first));
    assert_eq!(before["items"], pods(&lab)["items"], "no pod was touched");
    up_changes_nothing(&lab);

    let file = lab.file("secret", "correct \"horse\" 7\nnot this line\n");
    let run = lab.run(&["password", "--password-file", &file.display().to_string(), "-o", "json"]).exits(0);
    assert_eq!(password(&lab), "correct \"horse\" 7");
    assert_eq!(run.json()["pods"], json!(["data-0", "data-1"]));
    assert!(is_recorded(&lab, "correct \"horse\" 7"));
    is_kept_from(&lab.state(), "correct \"horse\" 7", "password");
    lab.up(&["--replicas", "3"]).exits(0);
    for name in ["SuperUser", "_SYSTEM"] {
        let told = account(&lab, name);
        assert_eq!((told.len(), &told[0]["password"]), (1, &json!("the lab's")), "the new pod has it too: {told:#?}");
        assert_eq!(told[0]["pods"], json!(["data-0", "data-1", "data-2"]));
    }
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn an_instance_that_fails_is_named_and_the_next_run_goes_on_with_the_same_password() {
    let lab = Lab::on_sim();
    lab.up(&[]).exits(0);
    let first = password(&lab);
    let annotate = |value: Value| {
        let patch = json!({ "metadata": { "annotations": { "sim.iris-lab/merge-fails": value } } });
        let path = format!("/api/v1/namespaces/{}/pods/data-1", lab.namespace);
        lab.reader().patch(&path, "application/merge-patch+json", "the-test", &patch);
    };
    annotate(json!("Method Modify failed"));
    let run = lab.run(&["password"]).exits(1);
    // The steps before it end in any order.
    golden("accounts/half", &lab.redacted(run.err.split_once("\nerror:").unwrap().1));
    assert_eq!(password(&lab), first, "the old one is the lab's until all have the new one");
    assert!(is_recorded(&lab, &first));
    let hash = lab.hash();
    assert!(!run.transcript().contains(&hash), "{}", run.transcript());
    let told = account(&lab, "SuperUser");
    assert_eq!(told.len(), 2, "the instances differ: {told:#?}");
    up_changes_nothing(&lab);
    annotate(Value::Null);
    lab.run(&["password"]).exits(0).says("an earlier run did not come to its end");
    assert!(is_recorded(&lab, &password(&lab)) && password(&lab) != first);
    assert_eq!(account(&lab, "SuperUser").len(), 1);
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_run_that_was_killed_loses_no_password() {
    let lab = Lab::on_sim();
    lab.up(&[]).exits(0);
    for step in ["data-0", "settings"] {
        let ended = |event: &Value| event["event"] == "step-finished" && event["step"] == step;
        let run = lab.killed(&["password"], ended);
        assert_eq!(run.code, None, "{}", run.transcript());
        lab.up(&[]).exits(0);
        assert!(is_recorded(&lab, &password(&lab)), "the file has what the cluster has, after {step}");
        lab.run(&["password"]).exits(0);
        assert_eq!(account(&lab, "SuperUser")[0]["password"], "the lab's");
    }
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn another_account_has_a_password_of_its_own() {
    let lab = Lab::on_sim().with(&["--set", "iris.cpf.actions=[\"CreateUser:Name=appuser,Roles=%Developer\"]"]);
    lab.up(&[]).exits(0);
    let (first, hash) = (password(&lab), lab.hash());
    golden("accounts/no-account", &lab.redacted(&lab.run(&["password", "--user", "nobody"]).exits(3).transcript()));
    let run = lab.run(&["password", "--user", "appuser"]).exits(0).says("set for appuser; tried, and it is theirs");
    golden("accounts/other", &lab.redacted(&run.out));
    assert_eq!((password(&lab), lab.hash()), (first, hash), "the lab's own stays");
    let told = account(&lab, "appuser");
    assert!(told[0]["password"].as_str().unwrap().ends_with("password-appuser"), "{told:#?}");
    assert_eq!(told[0]["origin"], "the lab");
    up_changes_nothing(&lab);
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_user_of_the_lab_shares_its_password() {
    let lab = Lab::on_sim().with(&["--set", "iris.users=[{name: appuser, roles: [MyApp]}]"]);
    lab.up(&[]).exits(0).says("SuperUser, _SYSTEM, appuser");
    assert_eq!(lab.run(&["status", "-o", "json"]).exits(0).json()["users"], json!(["SuperUser", "_SYSTEM", "appuser"]));
    let is_the_labs = |pods: Value| {
        let told = account(&lab, "appuser");
        assert_eq!((told.len(), &told[0]["password"]), (1, &json!("the lab's")), "{told:#?}");
        assert_eq!((&told[0]["origin"], &told[0]["pods"]), (&json!("the lab"), &pods));
    };
    is_the_labs(json!(["data-0", "data-1"]));
    lab.run(&["password", "--user", "appuser"]).exits(0);
    assert!(account(&lab, "appuser")[0]["password"].as_str().unwrap().ends_with("password-appuser"));
    assert_eq!(lab.run(&["status", "-o", "json"]).exits(0).json()["users"], json!(["SuperUser", "_SYSTEM"]));
    // The lab's next one is for all who share it, in the pods that are there and in those to come.
    lab.run(&["password"]).exits(0).says("appuser has a password of its own, and gets the lab's again");
    lab.up(&["--replicas", "3"]).exits(0);
    is_the_labs(json!(["data-0", "data-1", "data-2"]));
    // One that comes later is made in the instances that run.
    let more = "iris.users=[{name: appuser, roles: [MyApp]}, {name: second}]";
    lab.up(&["--replicas", "3", "--set", more]).exits(0).says("appuser, second");
    assert_eq!(account(&lab, "second")[0]["password"], "the lab's");
    lab.run(&["password", "--user", "SECOND"]).exits(0).says("set for second; tried, and it is theirs");
    lab.run(&["down"]).exits(0);
    assert_eq!(account(&lab, "appuser")[0]["password"], "the lab's, not tried");
    assert!(account(&lab, "second")[0]["password"].as_str().unwrap().ends_with("password-second"));
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn what_cannot_be_a_password_is_refused() {
    let lab = Lab::on_sim();
    lab.up(&[]).exits(0);
    let first = password(&lab);
    let refused = |name: &str, args: &[&str], code: i32| {
        let run = lab.run(&[&["password"], args].concat()).exits(code);
        golden(&format!("accounts/{name}"), &lab.redacted(&run.transcript()));
    };
    refused("no-name", &["--user", "a,Roles=%All"], 2);
    refused("no-file", &["--password-file", "nosuch"], 3);
    lab.file("empty", "\n");
    refused("empty-file", &["--password-file", "empty"], 3);
    lab.file("long", &"x".repeat(33));
    refused("too-long", &["--password-file", "long"], 3);
    lab.file("factory", "SYS\n");
    lab.run(&["password", "--password-file", "factory"]).exits(0).says("is what every new IRIS has");
    lab.run(&["down"]).exits(0);
    refused("down", &[], 3);
    assert_ne!(password(&lab), first);
    lab.run(&["users"]).exits(0).says("as the lab was made");
    lab.reset().exits(0);
    lab.is_gone();
}

/// The stand-in for IRIS there takes any merge and says nothing of accounts: the way there is real, through the API server and a
/// kubelet that tell no command that its input is over.
#[test]
fn on_a_real_cluster() {
    let Some(place) = Place::real() else { return };
    let lab = Lab::new(place, "e2e-accounts");
    lab.up(&[]).exits(0);
    lab.run(&["users"]).exits(0).says("SuperUser");
    let file = lab.file("secret", "correct horse 7\n");
    lab.run(&["password", "--password-file", &file.display().to_string()]).exits(0);
    assert_eq!(password(&lab), "correct horse 7");
    assert!(is_recorded(&lab, "correct horse 7"));
    in_each_pod(&lab, "test ! -e /tmp/iris-lab-merge.cpf", 0);
    up_changes_nothing(&lab);
    lab.reset().exits(0);
    lab.is_gone();
}
