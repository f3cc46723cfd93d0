//! The sample application, as far as it can be judged without IRIS: its Dockerfile, its merge file, its scripts and its class.

use iris_lab::lab::{self, Overrides};
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("labs/simple")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Lines without comments, in one piece where they go on.
fn statements(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(String::from).collect()
}

/// The value of a property in the actions of the merge file that begin with this.
fn property(action: &str, name: &str) -> Vec<String> {
    let lines = statements(&text("install.cpf")).into_iter().filter(|line| line.starts_with(action));
    let value = |line: String| {
        let at = line.find(&format!("{name}="))? + name.len() + 1;
        let rest = &line[at..];
        let end = match rest.strip_prefix('"') {
            Some(quoted) => return quoted.split('"').next().map(String::from),
            None => rest.find(',').unwrap_or(rest.len()),
        };
        Some(rest[..end].to_string())
    };
    lines.filter_map(value).collect()
}

#[test]
fn the_dockerfile_downloads_nothing_and_leaves_the_owner_of_iris() {
    let lines = statements(&text("Dockerfile"));
    assert_eq!(lines[0], format!("ARG BASE={}", lab::DEFAULT_IMAGE), "the default of the labs is the default here");
    assert_eq!(lines[1], "FROM ${BASE}");
    let users: Vec<&String> = lines.iter().filter(|line| line.starts_with("USER ")).collect();
    assert_eq!(users.last().map(|line| line.as_str()), Some("USER 51773:51773"));
    for line in &lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_ne!(words[0], "ADD", "COPY does all that is needed, and fetches nothing");
        if words[0] == "COPY" {
            let sources = words[1..words.len() - 1].iter().filter(|word| !word.starts_with("--"));
            sources.for_each(|source| assert!(folder().join(source).exists(), "{line}: there is no {source}"));
        }
    }
    let all = [text("Dockerfile"), text("install.sh"), text("install.script")].concat().to_lowercase();
    for word in ["http:", "https:", "curl", "wget", "apt-get", "zpm", "ipm "] {
        assert!(!all.contains(word), "the build mentions {word}");
    }
}

#[test]
fn the_merge_file_breaks_no_rule_but_that_its_databases_are_in_the_image() {
    let cpf = Some(("install.cpf".to_string(), text("install.cpf")));
    let image = Some("me/app:1".to_string());
    let failure = lab::load_with("kind: Lab\n", "x", &Overrides { cpf, image, ..Overrides::default() }).unwrap_err();
    assert_eq!(failure.causes.len(), 2, "{failure}");
    let expected = |cause: &String| cause.contains("Directory=/opt/myapp/") && cause.contains("all else is lost");
    assert!(failure.causes.iter().all(expected), "{failure}");
}

#[test]
fn nobody_has_more_rights_than_the_service_needs() {
    let all: String = ["install.cpf", "install.sh", "install.script", "src/MyApp/Rest.cls"].map(text).concat();
    assert!(!all.contains("%All"), "%All is every right");
    assert!(!all.to_lowercase().contains("password="), "no password is in the image");
    assert!(property("CreateUser", "Name").is_empty(), "the image has no account");
    assert_eq!(property("CreateRole", "Resources"), ["%DB_MYAPP-CODE:R,%DB_MYAPP-DATA:RW"]);
    assert_eq!(property("CreateApplication", "AutheEnabled"), ["$$$AuthePassword"]);
    assert!(property("CreateApplication", "MatchRoles").is_empty(), "the application gives nobody a role");
    let resources = property("CreateResource", "Name");
    for resource in property("CreateDatabase", "ResourceName") {
        assert!(resources.contains(&resource), "{resource} is made");
    }
}

#[test]
fn the_session_script_has_one_whole_statement_a_line() {
    let script = text("install.script");
    let lines: Vec<&str> = script.lines().collect();
    for line in &lines {
        let code: String = line.split('"').step_by(2).collect();
        for (open, close) in [('(', ')'), ('{', '}')] {
            assert_eq!(code.matches(open).count(), code.matches(close).count(), "{line}");
        }
        assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        assert!(!code.contains("$$$"), "a session knows no macros: {line}");
        assert!(!line.is_empty() && !line.starts_with(char::is_whitespace), "{line:?}");
    }
    assert!(lines[1].contains("'status") && lines[1].contains("Terminate($JOB, 1)"), "an error ends it with status 1");
    assert_eq!(lines.last().map(|line| line.to_lowercase()), Some("halt".into()));
    // The installer looks for what the script says at its end: the words must not stand in it as one.
    assert!(text("install.sh").contains("MyApp is installed") && !script.contains("MyApp is installed"));
}

#[test]
fn the_installer_is_a_script_of_a_plain_shell() {
    let run = Command::new("sh").arg("-n").arg(folder().join("install.sh")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(text("install.sh").contains("\nset -eu\n"), "an error ends it");
}

#[test]
fn every_route_has_its_method() {
    let class = text("src/MyApp/Rest.cls");
    assert!(class.contains("Class MyApp.Rest Extends %CSP.REST"));
    assert_eq!(property("CreateApplication", "DispatchClass"), ["MyApp.Rest"]);
    let attribute = |line: &str, name: &str| {
        let at = line.find(&format!("{name}=\"")).unwrap_or_else(|| panic!("{line} has no {name}")) + name.len() + 2;
        line[at..].split('"').next().unwrap().to_string()
    };
    let routes: Vec<[String; 3]> = class
        .lines()
        .filter(|line| line.contains("<Route "))
        .map(|line| ["Url", "Method", "Call"].map(|name| attribute(line, name)))
        .collect();
    let wanted = [["/get", "GET", "Get"], ["/records", "POST", "Store"], ["/records", "GET", "List"]];
    assert_eq!(routes, wanted.map(|route| route.map(String::from)));
    for [.., call] in &routes {
        assert!(class.contains(&format!("ClassMethod {call}() As %Status\n{{")), "{call} is a class method");
    }
    for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
        assert_eq!(class.matches(open).count(), class.matches(close).count(), "{open} and {close}");
    }
    for key in ["HostName", "UserName", "Status", "TimeStamp", "ImageBuilt"] {
        assert!(class.contains(&format!("\"{key}\": (")) || class.contains(&format!("\"{key}\": \"OK\"")), "{key}");
    }
    let writes = class.matches("^MyApp.Record").count();
    assert_eq!(class.matches('^').count(), writes, "one global");
}

#[test]
fn the_lab_and_the_image_fit_together() {
    let builtin = lab::builtin().iter().find(|one| one.name == "simple").unwrap();
    let lab = lab::load(builtin.text, "simple").unwrap();
    assert_eq!(lab.spec.iris.build.context.as_deref(), Some("simple"));
    let actions = lab.spec.iris.cpf.actions.join("\n");
    let namespaces = property("CreateNamespace", "Name");
    assert!(actions.contains(&format!("ModifyNamespace:Name={},", namespaces[0])), "{actions}");
    assert!(actions.contains("Directory=/vol-data/"), "the globals are on the volume of the data");
    let resource = &property("CreateResource", "Name")[1];
    assert!(actions.contains(&format!("ResourceName={resource}")), "the role of the image may write to it");
    let roles: Vec<&String> = lab.spec.iris.users.iter().flat_map(|user| &user.roles).collect();
    assert_eq!(roles, property("CreateRole", "Name").iter().collect::<Vec<_>>());
}
