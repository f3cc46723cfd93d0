//! Bad input and bad surroundings: an error that fits on one screen, the documented exit code, and nothing made.

use crate::support::{Lab, Place, Run, golden, skipped};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

/// Most lines of an error.
const SCREEN: usize = 24;

/// A command line that must end with this code, say this (kept in tests/golden/usage), and make nothing.
#[track_caller]
fn refused(lab: &Lab, name: &str, args: &[&str], code: i32) -> Run {
    let run = lab.run(args).exits(code);
    assert!(run.err.lines().count() <= SCREEN, "more than one screen\n{}", run.transcript());
    golden(&format!("usage/{name}"), &lab.redacted(&run.transcript()));
    lab.is_gone();
    run
}

fn lab_file(lab: &Lab, spec: &str) {
    lab.file("lab.yaml", &format!("apiVersion: iris-lab/v1\nkind: Lab\nmetadata:\n  name: mine\nspec:\n{spec}"));
}

#[test]
fn an_unknown_field_names_the_line_and_the_nearest_field() {
    let lab = Lab::on_sim();
    lab_file(&lab, "  iris:\n    replcas: 3\n");
    refused(&lab, "unknown-field", &["up", "lab.yaml"], 2).says("lab.yaml").says("7").says("replicas");
    refused(&lab, "unknown-field-check", &["labs", "check", "lab.yaml"], 2);
    refused(&lab, "unknown-field-set", &["up", "--set", "spec.iris.replcas=3"], 2).says("replicas");
}

#[test]
fn a_wrong_type() {
    let lab = Lab::on_sim();
    lab_file(&lab, "  nodes: many\n");
    refused(&lab, "wrong-type", &["up", "lab.yaml"], 2).says("many");
}

#[test]
fn every_error_of_a_file_at_once() {
    let lab = Lab::on_sim();
    lab_file(&lab, "  nodes: 0\n  iris:\n    namespace: Not_A_Label\n    storage:\n      data: -5Gi\n    replcas: 2\n");
    let run = refused(&lab, "every-error", &["up", "lab.yaml"], 2);
    run.says("nodes").says("Not_A_Label").says("-5Gi").says("replcas");
}

#[test]
fn a_negative_size() {
    let lab = Lab::on_sim();
    refused(&lab, "negative-size", &["up", "--storage=-5Gi"], 2).says("-5Gi");
    refused(&lab, "negative-replicas", &["up", "--replicas=-1"], 2).says("-1");
}

#[test]
fn a_name_that_is_no_dns_label() {
    let lab = Lab::on_sim();
    refused(&lab, "name", &["up", "--name", "My_Lab"], 2).says("My_Lab");
    refused(&lab, "namespace", &["up", "--namespace", "a.b"], 2).says("a.b");
    refused(&lab, "name-path", &["up", "--name", "../../etc"], 2);
}

#[test]
fn a_lab_and_a_command_that_do_not_exist() {
    let lab = Lab::on_sim();
    refused(&lab, "no-such-lab", &["up", "tree-pod"], 2).says("two-pod");
    refused(&lab, "no-such-file", &["up", "./nosuch.yaml"], 2).says("nosuch.yaml");
    refused(&lab, "no-such-command", &["upp"], 2);
    refused(&lab, "no-such-flag", &["up", "--replica", "2"], 2).says("--replicas");
    // Without a command the whole help is the answer.
    golden("usage/no-command", &lab.redacted(&lab.run(&[]).exits(2).transcript()));
    refused(&lab, "no-such-named-lab", &["status", "--name", "nosuch"], 3);
}

#[test]
fn faults_with_a_typo_are_told_before_anything_is_made() {
    let lab = Lab::on_sim();
    lab.file("faults.yaml", "pul:\n- image: iris\n");
    refused(&lab, "faults-typo", &["up", "--sim-faults", "faults.yaml"], 2).says("pull");
    refused(&lab, "faults-missing", &["up", "--sim-faults", "nosuch.yaml"], 2).says("nosuch.yaml");
}

#[test]
fn a_program_reads_one_document_whatever_it_asked() {
    let lab = Lab::on_sim();
    for args in [&["up", "--replicas", "many"][..], &["upp"], &["up", "nosuch"]] {
        let run = lab.run(&[args, &["-o", "json"]].concat()).exits(2);
        assert_eq!(run.json()["error"]["exitCode"], 2, "{}", run.transcript());
    }
    for args in [&["labs", "show", "two-pod"][..], &["labs", "schema"]] {
        assert!(lab.run(&[args, &["-o", "json"]].concat()).exits(0).json().is_object());
    }
    lab.is_gone();
    let rendered = lab.run(&["render", "-o", "json"]).exits(0).json();
    assert_eq!(rendered["kind"], "List", "kubectl takes a list, not an array");
    lab.reset().exits(0);
}

#[test]
fn a_yaml_bomb_ends_at_once() {
    let lab = Lab::on_sim();
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    lab.file("bomb.yaml", &bomb);
    let run = refused(&lab, "yaml-bomb", &["up", "bomb.yaml"], 2);
    assert!(run.elapsed < Duration::from_secs(5), "{}", run.transcript());
    lab.file("deep.yaml", &"[".repeat(100_000));
    refused(&lab, "yaml-deep", &["up", "deep.yaml"], 2);
}

#[test]
fn a_file_that_is_no_lab_file() {
    let lab = Lab::on_sim();
    let path = lab.file("big.yaml", "");
    std::fs::File::options().write(true).open(path).unwrap().set_len(50 << 20).unwrap();
    let run = refused(&lab, "big-file", &["up", "big.yaml"], 2);
    assert!(run.elapsed < Duration::from_secs(5), "{}", run.transcript());
    lab.file("empty.yaml", "");
    let empty = lab.run(&["labs", "check", "empty.yaml"]);
    golden("usage/empty-file", &lab.redacted(&empty.transcript()));
    std::fs::create_dir(lab.scratch.path().join("work/folder.yaml")).unwrap();
    refused(&lab, "folder", &["up", "./folder.yaml"], 2);
    std::fs::write(lab.scratch.path().join("work/bytes.yaml"), [0xff, 0xfe, 0x00, 0x41]).unwrap();
    refused(&lab, "not-text", &["up", "bytes.yaml"], 2);
}

/// A kubeconfig with one context `there` for a server.
fn kubeconfig(lab: &Lab, server: &str) -> String {
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: u, user: {{token: t}}}}]\ncontexts: [{{name: there, context: {{cluster: c, user: u}}}}]\n"
    );
    lab.file("user.kubeconfig", &text).display().to_string()
}

fn with_kubeconfig(lab: &Lab, path: &str, args: &[&str]) -> Run {
    let mut command = lab.command(args);
    command.env("KUBECONFIG", path);
    Run::of(command, Duration::from_secs(60))
}

#[track_caller]
fn refused_with(lab: &Lab, path: &str, name: &str, args: &[&str]) -> Run {
    let run = with_kubeconfig(lab, path, args).exits(3);
    assert!(run.err.lines().count() <= SCREEN, "more than one screen\n{}", run.transcript());
    golden(&format!("usage/{name}"), &lab.redacted(&run.transcript()));
    lab.is_gone();
    run
}

#[test]
fn an_unknown_context_names_the_known_ones() {
    let lab = Lab::on_sim();
    let path = kubeconfig(&lab, "https://127.0.0.1:1");
    refused_with(&lab, &path, "unknown-context", &["up", "--context", "their"]).says("there");
    refused_with(&lab, "/nonexistent/kubeconfig", "no-kubeconfig", &["up", "--context", "there"]);
    refused(&lab, "existing-without-context", &["up", "--provider", "existing"], 2).says("--context");
    refused(&lab, "sim-with-context", &["up", "--provider", "sim", "--context", "x"], 2).says("--context");
}

#[test]
fn an_unreachable_server() {
    let lab = Lab::on_sim();
    // A port that was free a moment ago, and that nobody serves.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let path = kubeconfig(&lab, &format!("https://127.0.0.1:{port}"));
    let run = refused_with(&lab, &path, "unreachable", &["up", "--context", "there"]);
    assert!(run.elapsed < Duration::from_secs(15), "{}", run.transcript());
    run.says(&format!("127.0.0.1:{port}"));
    refused_with(&lab, &path, "unreachable-plan", &["plan", "--context", "there"]);
}

#[test]
fn an_expired_certificate() {
    // Nobody can serve it and make add-ons in it: a cluster with such a certificate lets no one in.
    let lab = Lab::new(Place::served_with(Some("api: { expiredCertificate: true }\n")), "expired");
    refused(&lab, "expired-certificate", &lab.for_lab("up", &[]), 3).says("expired");
}

#[test]
fn a_user_without_rights_is_told_which() {
    let faults = "api: { forbid: [{ verb: create, resource: statefulsets }] }\n";
    let lab = Lab::new(Place::served_with(Some(faults)), "forbidden");
    let before = lab.reader().all();
    let args = lab.for_lab("up", &["--set", "spec.addOns=[]"]);
    let run = lab.run(&args).exits(3).says("create statefulsets");
    golden("usage/forbidden", &lab.redacted(&run.transcript()));
    assert_eq!(before, lab.reader().all(), "nothing was made in the cluster");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_user_without_rights_on_a_real_cluster() {
    let Some(place) = Place::real() else { return };
    let lab = Lab::new(place, "e2e-rights");
    let user = NarrowUser::new(&lab);
    let run = with_kubeconfig(&lab, &user.kubeconfig, &lab.for_user("up")).exits(3);
    assert!(run.err.contains("create statefulsets"), "{}", run.transcript());
    drop(user);
    lab.is_gone();
}

/// A user of a real cluster who may read all, and make everything of a lab but its StatefulSet.
struct NarrowUser<'a> {
    lab: &'a Lab,
    kubeconfig: String,
}

const ACCOUNTS: &str = "/api/v1/namespaces/default/serviceaccounts";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
const NARROW: &str = "iris-lab-e2e-narrow";

impl<'a> NarrowUser<'a> {
    fn new(lab: &'a Lab) -> Self {
        use serde_json::json;
        let reader = lab.reader();
        let metadata = json!({ "name": NARROW });
        Self::remove(lab);
        reader.create(ACCOUNTS, &json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }));
        let write = ["create", "patch", "update", "delete"];
        let rules = json!([
            { "apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"] },
            { "apiGroups": [""], "resources": ["namespaces", "configmaps", "services", "secrets"], "verbs": write },
            { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": write },
        ]);
        let group = "rbac.authorization.k8s.io";
        let version = format!("{group}/v1");
        reader.create(
            ROLES,
            &json!({ "apiVersion": version, "kind": "ClusterRole", "metadata": metadata, "rules": rules }),
        );
        let subject = json!({ "kind": "ServiceAccount", "name": NARROW, "namespace": "default" });
        let role = json!({ "apiGroup": group, "kind": "ClusterRole", "name": NARROW });
        let binding = json!({ "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": metadata,
            "subjects": [subject], "roleRef": role });
        reader.create(BINDINGS, &binding);
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": metadata, "spec": {} });
        let token = reader.create(&format!("{ACCOUNTS}/{NARROW}/token"), &request);
        let token = token["status"]["token"].as_str().unwrap().to_string();
        NarrowUser { lab, kubeconfig: Self::kubeconfig(lab, &token) }
    }

    /// The administrator's kubeconfig with this user's token in place of its credentials.
    fn kubeconfig(lab: &Lab, token: &str) -> String {
        let Place::Existing(existing) = &lab.place else { panic!("an existing cluster") };
        let text = std::fs::read_to_string(&existing.kubeconfig).unwrap();
        let mut file: serde_json::Value = iris_lab::yaml::parse(&text).unwrap();
        for user in file["users"].as_array_mut().unwrap() {
            user["user"] = serde_json::json!({ "token": token });
        }
        lab.file("narrow.kubeconfig", &file.to_string()).display().to_string()
    }

    fn remove(lab: &Lab) {
        let reader = lab.reader();
        for collection in [BINDINGS, ROLES, ACCOUNTS] {
            reader.delete(&format!("{collection}/{NARROW}"));
        }
    }
}

impl Drop for NarrowUser<'_> {
    fn drop(&mut self) {
        Self::remove(self.lab);
    }
}

impl Lab {
    fn for_user(&self, verb: &'static str) -> Vec<&str> {
        self.for_lab(verb, &[])
    }
}

/// Runs `up` with a state folder on a file system of its own, seen by this run alone; what is left there is printed after it.
fn on_file_system(lab: &Lab, options: &str, prepare: &str) -> Option<Run> {
    let inner = lab.command(&["up"]);
    let state = lab.state().display().to_string();
    std::fs::create_dir_all(lab.state()).unwrap();
    let script = format!(
        "mount -t tmpfs -o {options} none '{state}' && {{ {prepare}; }} || exit 99; PATH='{}' '{}' up; code=$?; \
         find '{state}' -mindepth 1 ! -name filler >&2; exit $code",
        lab.scratch.dir("bin").display(),
        inner.get_program().display()
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // For the shell's own programs.
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let mut trial = Command::new("unshare");
    trial.args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", &state]);
    let allowed = trial.output().is_ok_and(|output| output.status.success());
    if !allowed {
        skipped("this user may not mount a file system of its own (unshare --map-root-user --mount)");
        std::fs::remove_dir(lab.state()).unwrap();
        return None;
    }
    let run = Run::of(command, Duration::from_secs(60));
    std::fs::remove_dir(lab.state()).unwrap();
    Some(Run { line: "iris-lab up".into(), ..run })
}

#[test]
fn a_state_folder_that_cannot_be_written() {
    let lab = Lab::on_sim();
    if let Some(run) = on_file_system(&lab, "ro,size=64k", "true") {
        let run = run.exits(3).says("Read-only");
        golden("usage/state-read-only", &lab.redacted(&run.transcript()));
        lab.is_gone();
    }
}

#[test]
fn a_state_folder_that_is_full() {
    let lab = Lab::on_sim();
    let fill = format!("head -c 100000 /dev/zero >'{}/filler' 2>/dev/null || true", lab.state().display());
    if let Some(run) = on_file_system(&lab, "size=64k", &fill) {
        let run = run.exits(3).says("No space left");
        golden("usage/state-full", &lab.redacted(&run.transcript()));
        lab.is_gone();
    }
}

#[test]
fn a_state_folder_under_a_file() {
    let lab = Lab::on_sim();
    let file = lab.file("file", "");
    let mut command = lab.command(&["up"]);
    command.env("IRIS_LAB_STATE_DIR", file.join("state"));
    let run = Run::of(command, Duration::from_secs(60)).exits(3);
    golden("usage/state-under-a-file", &lab.redacted(&run.transcript()));
    lab.is_gone();
}

#[test]
fn a_failure_is_one_document_too() {
    let lab = Lab::on_sim();
    for (format, args) in [("json", vec!["up", "--name", "My_Lab"]), ("yaml", vec!["status"]), ("json", vec!["down"])] {
        let mut all = args.clone();
        all.extend(["-o", format]);
        let run = lab.run(&all);
        assert!(matches!(run.code, Some(2 | 3)), "{}", run.transcript());
        let document: serde_json::Value = match format {
            "json" => run.json(),
            _ => iris_lab::yaml::parse(&run.out).unwrap_or_else(|error| panic!("{error}\n{}", run.transcript())),
        };
        assert_eq!(document["error"]["exitCode"].as_i64(), run.code.map(i64::from), "{}", run.transcript());
        assert!(document["error"]["message"].is_string());
    }
    lab.is_gone();
}

#[test]
fn nothing_to_do_is_a_document_too() {
    let lab = Lab::on_sim();
    assert!(lab.run(&["reset", "--yes", "-o", "json"]).exits(0).json().is_object());
    let yaml = lab.run(&["reset", "--yes", "-o", "yaml"]).exits(0);
    assert!(iris_lab::yaml::parse::<serde_json::Value>(&yaml.out).unwrap().is_object());
    assert!(lab.run(&["labs", "-o", "json"]).exits(0).json().is_array());
    golden("usage/status-without-a-lab", &lab.redacted(&lab.run(&["status"]).exits(3).transcript()));
    golden("usage/down-without-a-lab", &lab.redacted(&lab.run(&["down"]).exits(3).transcript()));
    golden("usage/kubeconfig-without-a-lab", &lab.redacted(&lab.run(&["kubeconfig"]).exits(3).transcript()));
    lab.is_gone();
}

#[test]
fn destruction_asks_first_where_data_is_real() {
    let lab = Lab::new(Place::served(), "asks");
    lab.up(&[]).exits(0);
    let run = lab.run(&["reset"]);
    assert_ne!(run.code, Some(0), "{}", run.transcript());
    golden("usage/reset-without-yes", &lab.redacted(&run.transcript()));
    let run = lab.run(&["down", "--delete-data"]);
    assert_ne!(run.code, Some(0), "{}", run.transcript());
    golden("usage/delete-data-without-yes", &lab.redacted(&run.transcript()));
    lab.run(&["status"]).exits(0);
    lab.reset().exits(0);
    lab.is_gone();
}
