//! The rules of the merge that the lab's own tests do not have, and a merge file as users give it.

use crate::lab::{Overrides, load, load_with};

/// What is wrong with these actions, under the default image.
fn actions(lines: &[&str]) -> Vec<String> {
    let list: String = lines.iter().map(|line| format!("\n    - '{line}'")).collect();
    match load(&format!("spec:\n iris:\n  cpf:\n   actions:{list}\n"), "my.yaml") {
        Ok(_) => Vec::new(),
        Err(failure) => failure.causes,
    }
}

#[track_caller]
fn wrong(lines: &[&str], rule: &str) {
    let causes = actions(lines);
    assert!(causes.len() == 1 && causes[0].contains(rule), "{rule}\n{causes:?}");
}

#[test]
fn more_rules_of_actions() {
    wrong(&["ModifyNamespace:Name=USER,Globals=USR"], "did you mean USER?");
    wrong(&["CreateRole:Name=a,Resources=%DB_A=R"], "the value of Resources holds a =, and needs quotes");
    assert!(actions(&["CreateRole:Name=a,Description=\"a=b\""]).is_empty());
    let database = "CreateDatabase:Name=A,Directory=/vol-data/A,ResourceName=%DB_A";
    wrong(&[database], "ResourceName names %DB_A, which no CreateResource makes");
    assert!(actions(&["CreateResource:Name=%DB_A", database]).is_empty());
    assert!(actions(&["CreateDatabase:Name=A,Directory=/vol-data/A,ResourceName=%DB_USER"]).is_empty());
    wrong(
        &[
            "CreateDatabase:Name=A,Directory=/vol-data/A,Size=6000",
            "CreateDatabase:Name=B,Directory=/vol-data/B,Size=5000",
        ],
        "the sizes come to 11000 MB",
    );
    wrong(&["ModifyLDAPConfig:Name=a,LDAPSearchPassword=secret"], "would stand readable in the cluster");
    assert!(actions(&["ModifyUser:Name=a,ChangePassword=0"]).is_empty());
}

#[test]
fn hashes_of_accounts_are_judged() {
    let user = |hash: &str| format!("CreateUser:Name=a,PasswordHash=\"{hash}\"");
    let (hash, salt) = ("0".repeat(128), "1".repeat(128));
    assert!(actions(&[&user(&format!("{hash},{salt},10000,SHA512"))]).is_empty());
    assert!(actions(&[&user(&format!("{},abcdefgh", "0".repeat(40)))]).is_empty());
    wrong(&[&user(&format!("{hash},{salt},10000"))], "PasswordHash must be");
    wrong(&[&user(&format!("{},{salt},10000,SHA512", "0".repeat(40)))], "PasswordHash must be");
    wrong(&[&user(&format!("{hash},{salt},10000,MD5"))], "one of SHA1, SHA256, SHA384, SHA512");
    wrong(&[&user("FBFE8593AEFA510C27FD184738D6E865A441DE98,u4ocm4qh")], "that of the factory password SYS");
}

#[test]
fn misspelt_settings_are_told_and_unknown_ones_are_taken() {
    let config = |key: &str| load(&format!("spec: {{iris: {{cpf: {{config: {{{key}: 1}}}}}}}}"), "my.yaml");
    assert!(config("lockziz").unwrap_err().causes[0].ends_with("unknown setting; did you mean locksiz?"));
    assert!(config("somethingelse").is_ok());
    let startup = load("spec: {iris: {cpf: {startup: {SystemMod: TEST}}}}", "my.yaml").unwrap_err();
    assert!(startup.causes[0].ends_with("did you mean SystemMode?"), "{startup}");
}

#[test]
fn a_merge_file_takes_the_place_of_the_labs_own() {
    let with = |text: &str, set: &[(&str, &str)]| {
        let set = set.iter().map(|(path, value)| (path.to_string(), value.to_string())).collect();
        let cpf = Some(("merge.cpf".to_string(), text.to_string()));
        load_with("kind: Lab\n", "my.yaml", &Overrides { cpf, set, ..Overrides::default() })
    };
    let text = "[config]\nglobals=0,0,64,0,0,0\n[Actions]\nCreateDatabase:Name=A,Directory=/vol-data/A\n";
    let cpf = with(text, &[("iris.cpf.config.routines", "100")]).unwrap().spec.iris.cpf;
    assert_eq!((cpf.config["globals"].as_str(), cpf.config["routines"].as_str()), ("0,0,64,0,0,0", "100"));
    assert!(cpf.startup.is_empty() && cpf.actions.len() == 1, "{cpf:?}");
    let text =
        "[Startup]\nPasswordHash=x\n\n[Journal]\n[config]\nglobals=64\n[Actions]\n; none\nCreateDatabse:Name=A\n";
    assert_eq!(
        with(text, &[]).unwrap_err().causes,
        [
            "--cpf: merge.cpf line 4: a lab merges the sections [Startup], [config] and [Actions]; for [Journal] there may be an \
             action, such as ModifyJournal",
            "merge.cpf line 2: spec.iris.cpf.startup.PasswordHash: x: is made by iris-lab; spec.iris.password.file sets a password \
             of your own",
            "merge.cpf line 6: spec.iris.cpf.config.globals: 64: must be six whole numbers in MB, the first two of them 0, such as \
             0,0,128,0,0,0",
            "merge.cpf line 9: spec.iris.cpf.actions.0: CreateDatabse:Name=A: unknown action CreateDatabse; did you mean \
             CreateDatabase?",
        ]
    );
}
